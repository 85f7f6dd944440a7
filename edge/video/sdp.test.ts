import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSound, findVideo, offeredVideo, parseSdp } from './sdp.ts';
import { H264_SETS, H265_SETS } from './testing/packets.ts';

const sprop = `${H264_SETS.sps.toString('base64')},${H264_SETS.pps.toString('base64')}`;
const video = (text: string) => findVideo(parseSdp(text));

describe('session descriptions of cameras', () => {
  it('reads a usual one, with a private codec beside it', () => {
    const text = [
      'v=0',
      'o=- 17 17 IN IP4 10.1.1.9',
      's=Media Presentation',
      'a=control:rtsp://10.1.1.9:554/Streaming/channels/101/',
      'm=video 0 RTP/AVP 96',
      'a=x-dimensions:1920,1080',
      'a=control:rtsp://10.1.1.9:554/Streaming/channels/101/trackID=1',
      'a=rtpmap:96 H264/90000',
      `a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=${sprop}`,
      'm=audio 0 RTP/AVP 11',
      'a=rtpmap:11 PCM/48000',
      'a=Media_header:MEDIAINFO=494D4B480103;',
      'a=appversion:1.0',
    ].join('\r\n');
    expect(parseSdp(text).control).toBe('rtsp://10.1.1.9:554/Streaming/channels/101/');
    expect(video(text)).toEqual({
      kind: 'h264',
      payloadType: 96,
      clockRate: 90_000,
      control: 'rtsp://10.1.1.9:554/Streaming/channels/101/trackID=1',
      parameterSets: [H264_SETS.sps, H264_SETS.pps],
      donl: false,
    });
  });

  it('finds the parameters of the video in the section of the audio', () => {
    const text = `v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:track0\nm=audio 0 RTP/AVP 8\na=rtpmap:0 pcma/8000/1\na=control:track1\na=fmtp:96 sprop-parameter-sets=${sprop}`;
    expect(video(text)?.parameterSets).toHaveLength(2);
    expect(video(text)?.control).toBe('track0');
  });

  it('takes lines that are missing, doubled or cut short', () => {
    const text = `v=0\r\ns=x\r\nm=video 0 RTP/AVP 105\r\nc=IN\r\ns=x\r\ni=live\r\na=control:track0\r\na=range:npt=0-\r\na=rtpmap:105 h264/90000\r\na=control:track0\r\nm=application/VENDOR 0 RTP/AVP smart/1/90000\r\nm=vana 0 RTP/AVP 108`;
    expect(video(text)).toMatchObject({ kind: 'h264', payloadType: 105, control: 'track0', parameterSets: [] });
  });

  it('reads H.265 with its three parameter sets and decoding order numbers', () => {
    const s = Object.entries(H265_SETS).map(([k, v]) => `sprop-${k}=${v.toString('base64')}`);
    const text = `m=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=fmtp:98 ${s.join('; ')};sprop-max-don-diff=1`;
    expect(video(text)).toMatchObject({
      kind: 'h265',
      donl: true,
      parameterSets: [H265_SETS.vps, H265_SETS.sps, H265_SETS.pps],
    });
  });

  it('says what the camera has instead of H.264 and H.265', () => {
    const jpeg = parseSdp('m=video 0 RTP/AVP 26\na=control:track1\nm=audio 0 RTP/AVP 0');
    expect(findVideo(jpeg)).toBeNull();
    expect(offeredVideo(jpeg)).toBe('JPEG');
    expect(offeredVideo(parseSdp('m=audio 0 RTP/AVP 0'))).toBe('no video');
  });

  it.each(['a=x:', 'a=fmtp:96 '])('is not held up by a line that can be read in many ways: %s', (head) => {
    const since = performance.now();
    parseSdp(`m=video 0 RTP/AVP 96\n${head}${' '.repeat(60_000)}x\u2028x`);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  it('believes no rates and channels that sound and pictures do not have', () => {
    const sound = (text: string) => findSound(parseSdp(`m=audio 0 RTP/AVP 97\n${text}`))?.codec;
    const aac = (rate: number, config: string) =>
      sound(`a=rtpmap:97 MPEG4-GENERIC/${rate}\na=fmtp:97 sizelength=13;indexlength=3;config=${config}`);
    expect(sound('a=rtpmap:97 PCMU/1000000000')).toBeUndefined();
    expect(sound('a=rtpmap:97 PCMA/8000/9')).toBeUndefined();
    expect(sound('a=rtpmap:97 PCMA/48000/2')).toMatchObject({ kind: 'pcmu', clockRate: 8_000, channels: 1 });
    expect(aac(1_000_000_000, '1408')).toMatchObject({ clockRate: 16_000 });
    expect(aac(96_000, '1008')).toMatchObject({ clockRate: 96_000 });
    // A rate in 24 bits: 16 MHz, and 10 Hz.
    expect(aac(16_000, '17fa12000800')).toBeUndefined();
    expect(aac(16_000, '178000050800')).toBeUndefined();
    for (const rate of [1, 4_000_000_000])
      expect(video(`m=video 0 RTP/AVP 96\na=rtpmap:96 H264/${rate}`)).toMatchObject({ clockRate: 90_000 });
  });

  it('never throws', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 sprop-parameter-sets=,,;=', 'm='),
    );
    fc.assert(fc.property(fc.array(line), (lines) => void findVideo(parseSdp(lines.join('\n')))));
  });
});
