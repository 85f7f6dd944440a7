import type { AudioCodec } from '../video/audio.ts';
import type { CodecInfo } from '../video/codec.ts';

export const VIDEO_TYPE = 96;
export const soundType = ({ kind }: AudioCodec): number => ({ pcmu: 0, pcma: 8, aac: 97, opus: 98 })[kind];

/** The session description of a stream (RFC 4566, RFC 6184 §8.2, RFC 7798 §7.1, RFC 3640 §4.4, RFC 7587 §7). */
export function describe(o: { name: string; codec: CodecInfo; sound: AudioCodec | null; id: string }): string {
  const { codec, sound } = o;
  const base64 = (sets: Buffer[]) => sets.map((set) => set.toString('base64')).join(',');
  const h264 = codec.kind === 'h264';
  const parameters = h264
    ? `packetization-mode=1;profile-level-id=${codec.sps[0]!.toString('hex', 1, 4)};sprop-parameter-sets=${base64([...codec.sps, ...codec.pps])}`
    : `sprop-vps=${base64(codec.vps)};sprop-sps=${base64(codec.sps)};sprop-pps=${base64(codec.pps)}`;
  const lines = [
    'v=0',
    `o=- ${o.id} 1 IN IP4 0.0.0.0`,
    `s=${o.name.replace(/\p{Cc}/gu, ' ').trim() || 'Camera'}`,
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${VIDEO_TYPE}`,
    `a=rtpmap:${VIDEO_TYPE} ${h264 ? 'H264' : 'H265'}/90000`,
    `a=fmtp:${VIDEO_TYPE} ${parameters}`,
    'a=control:trackID=0',
  ];
  if (sound) {
    const type = soundType(sound);
    const { kind, clockRate, channels, config } = sound;
    const name = { pcmu: 'PCMU', pcma: 'PCMA', aac: 'MPEG4-GENERIC', opus: 'opus' }[kind];
    lines.push(`m=audio 0 RTP/AVP ${type}`, `a=rtpmap:${type} ${name}/${clockRate}/${channels}`);
    if (kind === 'aac') {
      const shape = 'streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3';
      lines.push(`a=fmtp:${type} ${shape};config=${config!.toString('hex')}`);
    }
    lines.push('a=control:trackID=1');
  }
  return `${lines.join('\r\n')}\r\n`;
}
