import { PeerConnection, RtcpReceivingSession, Video } from 'node-datachannel';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, ManualClock, systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { IceServer, LiveLine } from '../../protocol/wire/video.ts';
import { candidatesOf, h264Choice, parseOffer } from './offer.ts';
import { readFeedback } from './rtcp.ts';
import { FakeSource, FakeSources, H264, PCMU } from './testing/fake-source.ts';
import { WebRtcView } from './web-rtc-view.ts';

let sources: FakeSources;
let lines: LiveLine[];
let ended: boolean;
const closes: (() => void)[] = [];
beforeEach(() => {
  sources = new FakeSources();
  sources.main = new FakeSource(H264, systemClock.mono());
  lines = [];
  ended = false;
});
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

const until = async (what: string, done: () => boolean, ms = 8_000) => {
  const end = performance.now() + ms;
  while (!done()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const view = (sdp: string, channel = 1, clock: Clock = systemClock, iceServers: IceServer[] = []) => {
  const offer = { viewId: uuidv7(), deviceId: uuidv7(), channel, stream: 'main' as const, sdp, iceServers };
  const made = new WebRtcView({
    offer,
    sources,
    clock,
    log: pino({ level: 'silent' }),
    line: (line) => lines.push(line),
    end: () => {
      ended = true;
    },
  });
  closes.push(() => made.close());
  return made;
};

/** A viewer that counts what comes: RTP packets of pictures, by NAL unit types. */
async function viewer(stream = new Set<number>()) {
  const peer = new PeerConnection('viewer', { iceServers: [], disableAutoNegotiation: true });
  closes.push(() => peer.close());
  const video = new Video('v', 'RecvOnly');
  video.addH264Codec(102, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
  const track = peer.addTrack(video);
  // It is what asks for a key frame.
  track.setMediaHandler(new RtcpReceivingSession());
  const packets: { type: number; timestamp: number; extension: boolean }[] = [];
  track.onMessage((data) => {
    // RTCP has payload types 192 to 223 (RFC 5761).
    if (data[1]! >= 192 && data[1]! <= 223) return;
    const extension = (data[0]! & 0x10) !== 0;
    const head = 12 + (extension ? 4 + 4 * data.readUInt16BE(14) : 0);
    const type = data[head]! & 0x1f;
    stream.add(type);
    packets.push({ type, timestamp: data.readUInt32BE(4), extension });
  });
  peer.setLocalDescription('offer');
  await until('candidates', () => peer.gatheringState() === 'complete');
  const lines = peer.localDescription()!.sdp.split('\r\n');
  const candidates = lines.filter((line) => line.startsWith('a=candidate:'));
  // They follow once the answer is there, as most players do it.
  const offer = lines.filter((line) => !candidates.includes(line)).join('\r\n');
  const connect = async (made: WebRtcView) => {
    const answer = await made.answer();
    if (typeof answer === 'string') throw new Error(answer);
    peer.setRemoteDescription(answer.sdp, 'answer');
    made.trickle(['a=mid:v', ...candidates].join('\r\n'));
    return answer.sdp;
  };
  return { peer, track, packets, offer, connect };
}

describe('a view directly from the box', () => {
  it('whose viewer goes before it has its answer is over at once, and nothing waits for it', async () => {
    sources.main!.push(true);
    const { offer } = await viewer();
    // A server that does not answer: addresses are still being gathered.
    const made = view(offer, 1, systemClock, [{ urls: ['stun:127.0.0.1:9'] }]);
    const answered = made.answer();
    await new Promise((resolve) => setTimeout(resolve, 50));
    made.close();
    const late = new Promise((resolve) => setTimeout(() => resolve('late'), 3_000));
    expect(await Promise.race([answered, late])).toBe('invalid');
    expect(sources.main!.consumers.size).toBe(0);
  });

  it('sends the group that runs first, then each picture; a decoder that lost its way gets the group again (LIVE-01)', async () => {
    const main = sources.main!;
    const { connect, packets, offer, track } = await viewer();
    main.monoMs = systemClock.mono() - 120;
    for (const key of [true, false, false]) main.push(key);
    const made = view(offer);
    expect(await connect(made)).toContain('a=fmtp:102 profile-level-id=42e01f;packetization-mode=1');
    await until('the group', () => packets.filter(({ type }) => type === 1 || type === 5).length >= 3);
    expect(lines).toContainEqual({ type: 'state', state: 'connected', path: 'direct' });
    // SPS and PPS before the key frame.
    const types = packets.map(({ type }) => type);
    expect(types.slice(0, types.indexOf(5)).filter((type) => type === 7 || type === 8)).toHaveLength(2);
    const before = packets.length;
    main.push(false, 3_000);
    await until('the next picture', () => packets.length > before);
    // Larger than a packet: in pieces (FU-A).
    expect(packets.at(-1)!.type).toBe(28);
    const last = packets.at(-1)!.timestamp;
    track.requestKeyframe();
    await until('the group again', () => packets.filter(({ type }) => type === 5).length >= 2);
    const again = packets.findLast(({ type }) => type === 5)!;
    expect((again.timestamp - last) >>> 0).toBeLessThan(3600);
    main.push(false);
    await until('what comes', () => (packets.at(-1)!.timestamp - last) >>> 0 >= 3600);
    made.close();
    expect(main.consumers.size).toBe(0);
  });

  it('ends when the viewer is gone, with or without a goodbye, and says so', async () => {
    const clock = new ManualClock();
    const { connect, peer, offer, packets } = await viewer();
    sources.main!.push(true);
    await connect(view(offer, 1, clock));
    await until('pictures', () => packets.length > 0);
    peer.close();
    // The one that hears no goodbye hears no reports either.
    await clock.advance(20_000);
    await until('the end', () => ended);
    expect(lines.at(-1)).toMatchObject({ type: 'ended', code: 'viewer-gone' });
  });

  it('answers nothing to what is no offer, to one without H.264, and for a channel that is not there', async () => {
    const { offer } = await viewer();
    expect(await view('hello').answer()).toBe('invalid');
    expect(await view(offer.replace(/H264/g, 'VP8')).answer()).toBe('no-codec');
    expect(await view(offer, 9).answer()).toBe('not-found');
    expect(await view(`${offer}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n`).answer()).toBe('invalid');
    expect(sources.main!.consumers.size).toBe(0);
  });

  it.each([
    ['sendonly', (sdp: string) => sdp.replace('a=recvonly', 'a=sendonly')],
    ['inactive', (sdp: string) => sdp.replace('a=recvonly', 'a=inactive')],
    [
      'inactive as a whole',
      (sdp: string) => sdp.replace('a=recvonly\r\n', '').replace('m=video', 'a=inactive\r\nm=video'),
    ],
    ['port 0', (sdp: string) => sdp.replace(/m=video \d+/, 'm=video 0')],
  ])('answers nothing to an offer whose video takes none: %s', async (_, change) => {
    const { offer } = await viewer();
    expect(change(offer)).not.toBe(offer);
    expect(await view(change(offer)).answer()).toBe('no-section');
  });

  it('takes the first section with something to send, and keeps a profile that is offered alone', async () => {
    const { offer } = await viewer();
    const vp8 =
      'm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:x\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n';
    const two = offer.replace('a=group:BUNDLE v', 'a=group:BUNDLE x v').replace('m=video', `${vp8}m=video`);
    const answer = await view(two.replace('42e01f', '4d401f')).answer();
    if (typeof answer === 'string') throw new Error(answer);
    const [, other, chosen] = answer.sdp.split('m=video');
    expect(other).toContain('a=inactive');
    expect(other).toMatch(/^ \d+ UDP\/TLS\/RTP\/SAVPF 96/);
    expect(chosen).toContain('a=sendonly');
    expect(chosen).toMatch(/a=fmtp:102 .*profile-level-id=4d401f/);
  });

  const HEARING =
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n';
  const hearing = (offer: string) => offer.replace('a=group:BUNDLE v', 'a=group:BUNDLE v a') + HEARING;
  const HEARD = /m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0\r\n[\s\S]*a=sendonly[\s\S]*a=rtpmap:0 PCMU\/8000/i;

  it('sends G.711 beside it where the viewer takes it', async () => {
    sources.main!.sound = PCMU;
    sources.main!.push(true);
    const { offer } = await viewer();
    const answer = await view(hearing(offer)).answer();
    expect(answer).toEqual({ sdp: expect.stringMatching(HEARD) });
  });

  it('answers when the camera has said what it sends, or cannot be asked, and waits for no picture', async () => {
    const main = sources.main!;
    const { offer } = await viewer();
    const said = Promise.withResolvers<'h264'>();
    main.said = said.promise;
    // Its time stands still: nothing is answered because too much of it has passed.
    const clock = new ManualClock();
    const answer = view(hearing(offer), 1, clock).answer();
    main.sound = PCMU;
    said.resolve('h264');
    expect(await answer).toEqual({ sdp: expect.stringMatching(HEARD) });
    main.sound = null;
    main.said = Promise.resolve(null);
    expect(await view(hearing(offer), 1, clock).answer()).toEqual({ sdp: expect.not.stringMatching(HEARD) });
    main.said = new Promise(() => {});
    const last = view(hearing(offer), 1, clock).answer();
    await clock.advance(4_000);
    expect(await last).toEqual({ sdp: expect.stringContaining('a=sendonly') });
  });
});

it('looks up no names that a viewer gives, and takes few candidates', () => {
  const sdp = [
    'v=0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
    'a=mid:0',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=0;profile-level-id=42e01f',
    'a=rtpmap:97 H264/90000',
    'a=fmtp:97 packetization-mode=1;profile-level-id=4d001f',
    'a=candidate:1 1 udp 1 192.0.2.7 4000 typ host',
    'a=candidate:2 1 udp 1 nas.local 4000 typ host',
  ].join('\r\n');
  const offer = parseOffer(sdp)!;
  expect(offer.sdp).toContain('192.0.2.7');
  expect(offer.sdp).not.toContain('nas.local');
  expect(h264Choice(offer.media[0]!)).toEqual({ payload: 97, fmtp: 'packetization-mode=1;profile-level-id=4d001f' });
  const many = Array.from({ length: 50 }, (_, i) => `a=candidate:${i} 1 udp 1 fd00::${i} 4000 typ host`);
  expect(parseOffer(`${sdp}\r\n${many.join('\r\n')}`)?.sdp.match(/a=candidate/g)).toHaveLength(32);
  const found = candidatesOf(['a=mid:1', 'a=candidate:9 1 udp 1 x.local 4000 typ host', ...many].join('\n'));
  expect([found.length, found[0]]).toEqual([32, { mid: '1', candidate: 'candidate:0 1 udp 1 fd00::0 4000 typ host' }]);
});

it('reads what a receiver says, and nothing into bytes that say nothing', () => {
  const remb = Buffer.from('8fce0005000000010000000052454d4201' + '0b0fa0' + '00001234', 'hex');
  expect(readFeedback(remb)).toEqual({ keyFrame: false, bitrate: 0x30fa0 * 4 });
  const pli = Buffer.from('81ce00020000000100000002', 'hex');
  expect(readFeedback(Buffer.concat([Buffer.from('80c90001000000aa', 'hex'), pli]))).toEqual({
    keyFrame: true,
    bitrate: null,
  });
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(Array.from({ length: i % 64 }, () => Math.floor(Math.random() * 256)));
    expect(readFeedback(bytes)).toHaveProperty('keyFrame');
    expect(() => parseOffer(`v=0${bytes.toString('latin1')}`)).not.toThrow();
  }
});
