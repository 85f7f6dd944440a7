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
}
/** What a sender report says: this RTP timestamp at that moment, in seconds. */
interface Said {
  seconds: number;
  timestamp: number;
}

async function listener(source: FakeSource) {
  const peer = new PeerConnection('viewer', { iceServers: [], disableAutoNegotiation: true });
  closes.push(() => peer.close());
  const video = new Video('v', 'RecvOnly');
  video.addH264Codec(102, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
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
        said[of].push({ seconds, timestamp: data.readUInt32BE(16) });
      } else if (data[1]! < 192 || data[1]! > 223)
        heard[of].push({
          payload: data[1]! & 0x7f,
          timestamp: data.readUInt32BE(4),
          bytes: data.length,
          piece: data.at(-1)!,
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
  const timer = setInterval(() => {
    source.push(false);
    pictures++;
    const moment = pictures - 1 - o.lateMs / 40;
    for (const piece of moment < 0 ? [] : [moment * 2, moment * 2 + 1])
      source.say(piece * o.ticks, Buffer.alloc(o.bytes, piece));
  }, 40);
  closes.push(() => clearInterval(timer));
}

describe('sound by WebRTC', () => {
  it('is tied to the pictures of its moment by the sender reports of both, however late the camera sends it', async () => {
    const source = new FakeSource(H264, systemClock.mono());
    source.sound = PCMU;
    run(source, { lateMs: 400, ticks: 160, bytes: 160 });
    const { heard, said } = await listener(source);
    await until(() => said.v.length > 1 && said.a.length > 1, 'two reports of each');
    // A group that was sent at once says nothing yet.
    const [picture, sound] = [said.v.at(-1)!, said.a.at(-1)!];
    // The first picture sent is the key frame, of moment 0.
    const [firstPicture, firstSound] = [heard.v[0]!, heard.a[0]!];
    const pictureMs = ((picture.timestamp - firstPicture.timestamp) | 0) / 90 - picture.seconds * 1000;
    const soundMs = ((sound.timestamp - firstSound.timestamp) | 0) / 8 + firstSound.piece * 20 - sound.seconds * 1000;
    expect(Math.abs(pictureMs - soundMs), 'apart by the reports').toBeLessThan(80);
    expect(heard.a[0]).toMatchObject({ payload: 0, bytes: 172 });
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
