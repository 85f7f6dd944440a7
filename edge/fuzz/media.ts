import { ManualClock } from '../../protocol/clock.ts';
import { initSegment, mediaFragment } from '../clips/fmp4.ts';
import { parseAudioConfig } from '../video/audio.ts';
import { ParameterSets } from '../video/codec.ts';
import { type AccessUnit, MAX_ACCESS_UNIT_BYTES, RtpReceiver } from '../video/receiver.ts';
import { Authorizer, chooseChallenge } from '../video/rtsp-auth.ts';
import { header, type RtspMessage, RtspReader } from '../video/rtsp-message.ts';
import { baseUrl, resolveControl, rtspHost } from '../video/rtsp-url.ts';
import { findSound, findVideo, offeredVideo, parseSdp, type SoundTrack } from '../video/sdp.ts';
import { SoundReceiver } from '../video/sound-receiver.ts';
import * as made from '../video/testing/packets.ts';
import { must, type Target } from './fuzz.ts';
import { type Dice, mutate, pieces, stretch } from './mutate.ts';

const base64 = (sets: Buffer[]) => sets.map((set) => set.toString('base64')).join(',');
const { H264_SETS, H265_SETS, fuA, fuH265, h265Slice, slice, stapA } = made;
const SDP = [
  `v=0\r\no=- 17 17 IN IP4 10.7.0.5\r\ns=Media\r\na=control:rtsp://10.7.0.5:554/Streaming/channels/101/\r\nm=video 0 RTP/AVP 96\r\na=control:trackID=1\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=${base64([H264_SETS.sps, H264_SETS.pps])}\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=control:trackID=2\r\na=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;config=1408\r\n`,
  `v=0\nm=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=fmtp:98 sprop-vps=${base64([H265_SETS.vps])};sprop-sps=${base64([H265_SETS.sps])};sprop-pps=${base64([H265_SETS.pps])};sprop-max-don-diff=1\nm=audio 0 RTP/AVP 8\na=rtpmap:8 pcma/8000/1\na=control:track1\nm=audio 0 RTP/AVP 0\na=sendonly\n`,
].map((text) => Buffer.from(text));
const frame = (channel: number, rtp: Buffer) =>
  Buffer.concat([Buffer.from([0x24, channel, rtp.length >> 8, rtp.length & 255]), rtp]);
const RTP = made.rtpPacket(slice(true, 300), { sequence: 1, timestamp: 2 });
const MESSAGES = [
  'RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER\r\n\r\n',
  'RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest realm="IP Camera(C2345)", nonce="4e44", stale="FALSE"\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n',
  `RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Base: rtsp://10.7.0.5:554/x/\r\nContent-Type: application/sdp\r\nContent-Length: ${SDP[0]!.length}\r\n\r\n${SDP[0]}`,
  'RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: 1234;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1\r\n\r\n',
  'OPTIONS rtsp://10.7.0.5/ RTSP/1.0\nCSeq: 5\n\n',
].map((text) => Buffer.from(text));
const dialogue = [...MESSAGES, frame(0, RTP), frame(1, Buffer.from('80c800060000000000000000', 'hex'))];

/** Longer than anything that the reader waits for: whatever was begun is over behind it. */
const QUIET = Buffer.alloc(84 * 1024);
const HEALTHY = Buffer.from('RTSP/1.0 200 OK\r\nCSeq: 4242\r\n\r\n');

/** Aggregation packet of H.265 (RFC 7798 §4.4.2). */
const ap = (nals: Buffer[]) =>
  Buffer.concat([Buffer.from([48 << 1, 1]), ...nals.flatMap((n) => [Buffer.from([n.length >> 8, n.length & 255]), n])]);
const KINDS = {
  h264: { sets: stapA(Object.values(H264_SETS)), slice, cut: fuA, initial: Object.values(H264_SETS) },
  h265: { sets: ap(Object.values(H265_SETS)), slice: h265Slice, cut: fuH265, initial: Object.values(H265_SETS) },
};
const PAYLOADS = [
  ...[KINDS.h264.sets, slice(true, 500), slice(false), H264_SETS.sps, H264_SETS.pps, ...fuA(slice(true, 3000), 900)],
  ...[KINDS.h265.sets, h265Slice(true, 500), h265Slice(false), ...fuH265(h265Slice(true, 3000), 900)],
  Buffer.concat([Buffer.from([0, 0, 1]), H264_SETS.sps, Buffer.from([0, 0, 0, 1]), slice(true)]),
];

/** Packets of some pictures, of which a few are broken, lost, doubled or late. */
function packets(dice: Dice, kind: 'h264' | 'h265'): Buffer[] {
  const { sets, slice, cut } = KINDS[kind];
  const maker = new made.Packetizer(dice.below(65_536), dice.below(0x1_0000_0000));
  const out: Buffer[] = [];
  for (let n = 1 + dice.below(8); n > 0; n--) {
    const key = dice.below(3) === 0;
    const nal = slice(key, 40 + dice.below(3_000));
    const own = dice.below(2) ? cut(nal, 100 + dice.below(1_300)) : [nal];
    const payloads = key && dice.below(4) ? [sets, ...own] : own;
    const broken = payloads.map((p) => (dice.below(4) ? p : mutate(p, dice, PAYLOADS, 16 * 1024)));
    out.push(...maker.picture(broken, dice.below(4) > 0));
  }
  return out.flatMap((packet, i) => {
    const fate = dice.below(30);
    if (fate === 0) return [];
    if (fate === 1) return [packet, packet];
    if (fate === 2) return [out[dice.below(i + 1)]!, packet];
    return [fate === 3 ? mutate(packet, dice, out, 16 * 1024) : packet];
  });
}

const codecs = {
  h264: new ParameterSets('h264', KINDS.h264.initial).codec()!,
  h265: new ParameterSets('h265', KINDS.h265.initial).codec()!,
};

function checkUnit(unit: AccessUnit, before: AccessUnit | undefined): void {
  const { data, codec } = unit;
  let at = 0;
  while (at + 4 <= data.length) at += 4 + data.readUInt32BE(at);
  must(at === data.length, 'lengths of units that do not add up');
  must(data.length <= MAX_ACCESS_UNIT_BYTES + codec.prefix.length, 'a picture larger than any');
  must(!unit.keyFrame || data.indexOf(codec.prefix) === 0, 'a key frame without its parameter sets');
  must(before || unit.keyFrame, 'a picture before the first key frame');
  must(!before || unit.epoch > before.epoch || unit.time > before.time, 'time that runs backwards');
  const { keyFrame, compositionOffset, time } = unit;
  mediaFragment(1, time, [{ data, duration: 3_600, compositionOffset, keyFrame }]);
  if (unit.codec !== before?.codec) initSegment(codec);
}

function pictures(name: string, kind: 'h264' | 'h265'): Target {
  return {
    name,
    share: 10,
    run(dice, input) {
      const list = packets(dice, kind);
      input(Buffer.concat(list));
      const units: AccessUnit[] = [];
      const clock = new ManualClock();
      const track = { kind, payloadType: 96, clockRate: 90_000, control: null, donl: dice.below(8) === 0 };
      const receiver = new RtpReceiver({
        track: { ...track, parameterSets: KINDS[kind].initial },
        clock,
        epoch: 0,
        emit: (unit) => {
          checkUnit(unit, units.at(-1));
          units.push(unit);
        },
      });
      for (const packet of list) receiver.push(packet);
      // Whatever came before: what is whole is shown. Two of the pictures, as the markers may have lost their meaning.
      const maker = new made.Packetizer();
      maker.ssrc = 0x7777;
      const { sets, slice } = KINDS[kind];
      const count = units.length;
      if (track.donl) return;
      for (const key of [true, true, true, true]) for (const p of maker.picture([sets, slice(key)])) receiver.push(p);
      must(units.length >= count + 2, 'a receiver that shows nothing any more');
    },
  };
}

const SOUND: SoundTrack[] = SDP.map((text) => findSound(parseSdp(text.toString()))!);
/** Access units behind their headers (RFC 3640 §3.3.6), or G.711. */
function sounds(dice: Dice, track: SoundTrack): Buffer[] {
  let timestamp = dice.below(0x1_0000_0000);
  return Array.from({ length: 1 + dice.below(12) }, (_, sequence) => {
    const sizes = Array.from({ length: 1 + dice.below(3) }, () => 1 + dice.below(400));
    const heads = sizes.map((size) => Buffer.from([size >> 5, (size << 3) & 255]));
    const units = sizes.map((size) => Buffer.alloc(size, size));
    const aac = Buffer.concat([Buffer.from([0, 16 * sizes.length]), ...heads, ...units]);
    const payload = track.codec.kind === 'aac' ? aac : Buffer.alloc(160, 0xd5);
    const packet = made.rtpPacket(payload, { sequence, timestamp, marker: dice.below(4) > 0 });
    packet[1] = (packet[1]! & 0x80) | track.payloadType;
    timestamp += 1024 * sizes.length;
    return dice.below(4) ? packet : mutate(packet, dice, [aac], 16 * 1024);
  });
}

export const MEDIA: Target[] = [
  {
    name: 'RTSP',
    share: 10,
    run(dice, input) {
      const parts = Array.from({ length: 1 + dice.below(6) }, () => dice.of(dialogue));
      const bytes = stretch(mutate(Buffer.concat(parts), dice, dialogue), dice);
      input(bytes);
      const told: RtspMessage[] = [];
      const reader = new RtspReader({
        frame: (channel, rtp) => must(reader.channels.has(channel) && rtp[0]! >> 6 === 2, 'a frame that is none'),
        message: (message) => told.push(message),
      });
      for (const channel of [0, 1, 2, 3]) reader.channels.add(channel);
      for (const chunk of pieces(bytes, dice)) reader.push(chunk);
      for (const message of told) {
        must(message.method !== null || (message.status >= 0 && message.status < 1000), 'a status that is none');
        const challenge = chooseChallenge(message.headers.get('www-authenticate') ?? []);
        if (challenge) {
          const proof = new Authorizer(challenge, 'admin', 'secret').header('DESCRIBE', 'rtsp://10.7.0.5/');
          must(!/[\r\n]/.test(proof) && !proof.includes('secret'), 'a proof that says more than it should');
        }
        const base = baseUrl('rtsp://10.7.0.5/', header(message, 'content-base'), header(message, 'content-location'));
        rtspHost(resolveControl(base, parseSdp(message.body.toString('utf8')).control));
      }
      told.length = 0;
      reader.push(QUIET);
      reader.push(HEALTHY);
      must(told.at(-1)?.headers.get('cseq')?.[0] === '4242', 'the stream is torn');
    },
  },
  {
    name: 'SDP',
    share: 10,
    run(dice, input) {
      const bytes = stretch(mutate(dice.of(SDP), dice, SDP), dice);
      input(bytes);
      const sdp = parseSdp(bytes.toString('utf8'));
      offeredVideo(sdp);
      const video = findVideo(sdp);
      if (video) {
        must(video.clockRate >= 1_000 && video.clockRate <= 1_000_000, 'a clock that is none');
        const codec = new ParameterSets(video.kind, video.parameterSets).codec();
        if (codec) initSegment(codec);
      }
      const sound = findSound(sdp);
      if (!sound) return;
      const { clockRate, channels, kind, config } = sound.codec;
      must(clockRate >= 7_350 && clockRate <= 96_000 && channels >= 1 && channels <= 8, 'sound that is none');
      if (kind === 'aac') must(parseAudioConfig(config!) && initSegment(codecs.h264, sound.codec), 'AAC that is none');
    },
  },
  pictures('H.264 packets', 'h264'),
  pictures('H.265 packets', 'h265'),
  {
    name: 'sound packets',
    share: 10,
    run(dice, input) {
      const track = dice.of(SOUND);
      const list = sounds(dice, track);
      input(Buffer.concat(list));
      let end = Number.NEGATIVE_INFINITY;
      const receiver = new SoundReceiver({
        track,
        clock: new ManualClock(),
        anchor: () => ({ monoMs: 0, epoch: 0, time: 90_000 }) as AccessUnit,
        emit: ({ data, time, monoMs, wallMs }) => {
          must(time >= end && [time, monoMs, wallMs].every(Number.isFinite), 'sound over sound');
          must(data.length > 0 && data.length <= 64 * 1024, 'sound of no size');
          end = time + 1;
          mediaFragment(1, 90_000, [], { decodeTime: Math.max(0, time), samples: [{ data, duration: 1024 }] });
        },
      });
      for (const packet of list) receiver.push(packet);
    },
  },
];
