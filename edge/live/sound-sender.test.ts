import { Audio, PeerConnection, Video } from 'node-datachannel';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { until } from '../video/testing/camera.ts';
import { FakeSource, FakeSources, H264, OPUS, PCMU } from './testing/fake-source.ts';
import { WebRtcView } from './web-rtc-view.ts';

const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

interface Heard {
  payload: number;
  timestamp: number;
  bytes: number;
  /** Of sound: which piece of it, from 0. */
  piece: number;
  /** How long pictures may be held back (playout-delay extension); null: not said. */
  maxDelayMs: number | null;
}
/** What a sender report says: this RTP timestamp at that moment, in seconds. */
interface Said {
  seconds: number;
  timestamp: number;
  /** Whose clock that is. */
  cname: string;
}
const DELAY_ID = 5;

/** RFC 8285 §4.2: 12 bits of the least, 12 of the most, in steps of 10 ms. */
function maxDelayMs(rtp: Buffer): number | null {
  if ((rtp[0]! & 0x10) === 0) return null;
  for (let at = 16; at < 16 + rtp.readUInt16BE(14) * 4; at += rtp[at] === 0 ? 1 : 2 + (rtp[at]! & 15))
    if (rtp[at]! >> 4 === DELAY_ID) return (rtp.readUIntBE(at + 1, 3) & 0xfff) * 10;
  return null;
}

/** Of the SDES behind a sender report. */
function cnameOf(rtcp: Buffer): string {
  const at = 4 + rtcp.readUInt16BE(2) * 4;
  if (rtcp[at + 1] !== 202) return '';
  return rtcp.toString('latin1', at + 10, at + 10 + rtcp[at + 9]!);
}

async function listener(source: FakeSource) {
  const peer = new PeerConnection('viewer', { iceServers: [], disableAutoNegotiation: true });
  closes.push(() => peer.close());
  const video = new Video('v', 'RecvOnly');
  video.addH264Codec(102, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
  video.parseSdpLine(`a=extmap:${DELAY_ID} http://www.webrtc.org/experiments/rtp-hdrext/playout-delay`);
  const audio = new Audio('a', 'RecvOnly');
  audio.addOpusCodec(111);
  audio.addAudioCodec(0, 'PCMU');
  const tracks = { v: peer.addTrack(video), a: peer.addTrack(audio) };
  const heard: Record<'v' | 'a', Heard[]> = { v: [], a: [] };
  const said: Record<'v' | 'a', Said[]> = { v: [], a: [] };
  for (const of of ['v', 'a'] as const) {
    tracks[of].onMessage((data) => {
      if (data[1] === 200) {
        const seconds = data.readUInt32BE(8) + data.readUInt32BE(12) / 2 ** 32;
        said[of].push({ seconds, timestamp: data.readUInt32BE(16), cname: cnameOf(data) });
      } else if (data[1]! < 192 || data[1]! > 223)
        heard[of].push({
          payload: data[1]! & 0x7f,
          timestamp: data.readUInt32BE(4),
          bytes: data.length,
          piece: data.at(-1)!,
          maxDelayMs: maxDelayMs(data),
        });
    });
  }
  peer.setLocalDescription('offer');
  await until(() => peer.gatheringState() === 'complete', 'candidates');
  const sources = new FakeSources();
  sources.main = source;
  const offer = { viewId: uuidv7(), deviceId: uuidv7(), channel: 1, stream: 'main' as const, iceServers: [] };
  const made = new WebRtcView({
    offer: { ...offer, sdp: peer.localDescription()!.sdp },
    sources,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    line: () => {},
    end: () => {},
  });
  closes.push(() => made.close());
  const answer = await made.answer();
  if (typeof answer === 'string') throw new Error(answer);
  peer.setRemoteDescription(answer.sdp, 'answer');
  return { heard, said, answer: answer.sdp };
}

/** A camera that sends each picture at once, and the sound of that moment so much later. */
function run(source: FakeSource, o: { lateMs: number; ticks: number; bytes: number }): void {
  source.push(true);
  let pictures = 1;
  const startedMs = systemClock.mono();
  // What a busy machine comes late to is made up for: a camera's clock runs on.
  const timer = setInterval(() => {
    for (; pictures * 40 <= systemClock.mono() - startedMs; pictures++) {
      source.push(false);
      const moment = pictures - o.lateMs / 40;
      for (const piece of moment < 0 || !source.sound ? [] : [moment * 2, moment * 2 + 1])
        source.say(piece * o.ticks, Buffer.alloc(o.bytes, piece));
    }
  }, 10);
  closes.push(() => clearInterval(timer));
}

describe('sound by WebRTC', () => {
  it('is tied to the pictures of its moment by the sender reports of both, however late the camera sends it', async () => {
    const source = new FakeSource(H264, systemClock.mono());
    source.sound = PCMU;
    run(source, { lateMs: 400, ticks: 160, bytes: 160 });
    const { heard, said, answer } = await listener(source);
    await until(() => said.v.length > 1 && said.a.length > 1, 'two reports of each');
    const [picture, sound] = [said.v.at(-1)!, said.a.at(-1)!];
    // The first picture sent is the key frame, of moment 0.
    const [firstPicture, firstSound] = [heard.v[0]!, heard.a[0]!];
    const pictureMs = ({ timestamp, seconds }: Said) =>
      ((timestamp - firstPicture.timestamp) | 0) / 90 - seconds * 1000;
    const soundMs = ({ timestamp, seconds }: Said) =>
      ((timestamp - firstSound.timestamp) | 0) / 8 + firstSound.piece * 20 - seconds * 1000;
    // A report that was made while the machine was busy says less.
    const apart = said.v.flatMap((v) => said.a.map((a) => Math.abs(pictureMs(v) - soundMs(a))));
    expect(Math.min(...apart), 'apart by the reports').toBeLessThan(80);
    expect(heard.a[0]).toMatchObject({ payload: 0, bytes: 172 });
    // Players put together what has one name; browsers hold pictures back only as long as they are told they may.
    expect([picture.cname, sound.cname]).toEqual(['gatepost', 'gatepost']);
    expect(answer.match(/^a=msid:\S+/gm)).toEqual(['a=msid:gatepost', 'a=msid:gatepost']);
    expect(heard.v[0]!.maxDelayMs).toBe(500);
    expect(heard.v.at(-1)!.maxDelayMs).toBeGreaterThanOrEqual(700);
  });

  it('is no reason to hold pictures back where there is none', async () => {
    const source = new FakeSource(H264, systemClock.mono());
    run(source, { lateMs: 0, ticks: 0, bytes: 0 });
    const { heard } = await listener(source);
    await until(() => heard.v.length > 1, 'pictures');
    expect(heard.v[0]!.maxDelayMs).toBe(0);
  });

  it('in Opus goes out as it is, at its own clock rate', async () => {
    const source = new FakeSource(H264, systemClock.mono());
    source.sound = OPUS;
    run(source, { lateMs: 0, ticks: 960, bytes: 3 });
    const { heard, answer } = await listener(source);
    await until(() => heard.a.length > 4, 'sound');
    expect(answer).toMatch(/a=rtpmap:111 opus\/48000\/2/i);
    expect(heard.a[0]).toMatchObject({ payload: 111, bytes: 15 });
    expect((heard.a[1]!.timestamp - heard.a[0]!.timestamp) | 0).toBe(960);
  });
});
