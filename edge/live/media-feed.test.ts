import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type MediaMessage, readMedia } from '../../protocol/wire/media.ts';
import type { VideoKind } from '../../protocol/wire/video.ts';
import { MediaFeed } from './media-feed.ts';
import { AAC, FakeSource, FakeSources, H264, H265, PCMU } from './testing/fake-source.ts';

let clock: ManualClock;
let sources: FakeSources;
let said: MediaMessage[];
let ended: boolean;
const feed = (accept: VideoKind[] = ['h264'], channel = 1) => {
  const made = new MediaFeed({
    sources,
    clock,
    deviceId: uuidv7(),
    channel,
    stream: 'main',
    accept,
    send: (message) => said.push(readMedia(message)!),
    end: () => {
      ended = true;
    },
  });
  return { made, started: made.start() };
};
const types = () => said.map(({ type }) => type).join(' ');
const notes = () => said.flatMap((message) => (message.type === 'note' ? [message.note.code] : []));
const inits = () => said.flatMap((message) => (message.type === 'init' ? [message.init] : []));

/** Decode time of a fragment's n-th track run (ISO/IEC 14496-12 §8.8.12), and how many there are. */
function times(data: Uint8Array): number[] {
  const bytes = Buffer.from(data);
  const found: number[] = [];
  for (let at = bytes.indexOf('tfdt'); at >= 0; at = bytes.indexOf('tfdt', at + 4))
    found.push(Number(bytes.readBigUInt64BE(at + 8)));
  return found;
}
/** Of a fragment with one picture: its duration, and how much later than decoded it is shown (ISO/IEC 14496-12 §8.8.8). */
function sampleOf(data: Uint8Array): { duration: number; shift: number } {
  const bytes = Buffer.from(data);
  const at = bytes.indexOf('trun') + 4;
  const shifted = (bytes.readUInt32BE(at) & 0x800) !== 0;
  return { duration: bytes.readUInt32BE(at + 12), shift: shifted ? bytes.readInt32BE(at + 24) : 0 };
}
const pictures = () => said.flatMap((message) => (message.type === 'key' || message.type === 'delta' ? [message] : []));

beforeEach(() => {
  clock = new ManualClock();
  sources = new FakeSources();
  sources.main = new FakeSource(H264);
  said = [];
  ended = false;
});

it('leaves no hole between the decode times of pictures that come less often: players would show none up to a key frame', () => {
  const main = sources.main!;
  const moments: number[] = [];
  feed();
  for (const [i, step] of [
    3600, 3600, 36_000, 3600, 3600, 18_000, 18_000, 18_000, 18_000, 1, 1, 9_000, 90_000,
  ].entries()) {
    moments.push(main.time);
    main.push(i === 0);
    main.time += step - 3600;
  }
  main.push(true);
  const sent = pictures().map(({ data }) => ({ ...sampleOf(data), decodeTime: times(data)[0]! }));
  expect(sent.slice(0, -1).map(({ decodeTime, shift }) => decodeTime + shift)).toEqual(moments);
  for (const [i, { decodeTime }] of sent.slice(1, -1).entries()) {
    expect(decodeTime).toBeGreaterThan(sent[i]!.decodeTime);
    expect(decodeTime - sent[i]!.decodeTime).toBeLessThan(2 * sent[i]!.duration);
  }
  // Where a decoder can begin, nothing is put off.
  expect(sent.at(-1)).toMatchObject({ shift: 0 });
});

it('begins with the group that runs, then sends each picture as it comes (LIVE-01)', () => {
  const main = sources.main!;
  for (const key of [true, false, true, false, false]) main.push(key);
  expect(feed().started).toBe(true);
  expect(types()).toBe('init key delta delta');
  expect(inits()[0]).toMatchObject({ codecs: H264.codec, width: H264.width, audio: null, transcoded: false });
  main.push(false);
  expect(types()).toBe('init key delta delta delta');
  expect(pictures().map(({ data }) => times(data)[0])).toEqual([0, 3600, 7200, 10_800]);
  // Parameter sets stand in the init segment alone.
  expect(Buffer.from(pictures()[0]!.data).includes(H264.pps[0]!)).toBe(false);
});

it('lets its times grow over a camera that comes back, with an init before', async () => {
  const main = sources.main!;
  feed();
  main.push(true);
  main.push(false);
  main.lose('it was switched off');
  main.monoMs += 2_000;
  main.push(true);
  main.push(false);
  expect(types()).toBe('init key delta note init key delta');
  const [, last, next, after] = pictures().map(({ data }) => times(data)[0]!);
  expect([last, next! - last!, after! - next!]).toEqual([3600, 183_600, 3600]);
});

it('ends its pull with the viewer, and knows no channel that is not there', () => {
  const { made } = feed();
  expect(sources.main!.consumers.size).toBe(1);
  made.stop();
  expect(sources.main!.consumers.size).toBe(0);
  expect(feed(['h264'], 9).started).toBe(false);
});

it('says that there is no picture', async () => {
  sources.main!.state = { video: 'refused', codec: null, keyFrameIntervalMs: null };
  feed();
  await clock.advance(12_000);
  expect(notes()).toEqual(['device-refused-login']);
});

describe('what the viewer cannot decode', () => {
  beforeEach(() => {
    sources.main = new FakeSource(H265);
    sources.main.push(true);
  });

  it('goes as it is to who can', () => {
    feed(['h264', 'h265']);
    expect(inits()).toMatchObject([{ codecs: H265.codec, transcoded: false }]);
  });

  it('is replaced by the sub-stream where that is H.264', async () => {
    sources.sub = new FakeSource(H264);
    feed();
    await clock.advance(0);
    sources.sub.push(true);
    expect(inits()).toMatchObject([{ codecs: H264.codec, transcoded: false }]);
    expect(sources.main!.consumers.size).toBe(0);
  });

  it('else by a transcode, and where none can be made it says so and ends', async () => {
    sources.sub = new FakeSource(H265);
    sources.made = new FakeSource(H264);
    feed();
    await clock.advance(0);
    sources.sub.push(true);
    await clock.advance(0);
    sources.made.push(true);
    expect(inits()).toMatchObject([{ codecs: H264.codec, transcoded: true }]);
    said = [];
    sources.made = null;
    feed();
    await clock.advance(0);
    sources.sub.push(true);
    await clock.advance(0);
    expect([notes(), ended]).toEqual([['transcode-busy'], true]);
    expect(sources.sub.consumers.size).toBe(0);
  });
});

describe('sound', () => {
  it('of G.711 goes beside the pictures', () => {
    const main = sources.main!;
    main.sound = PCMU;
    feed();
    main.say(0);
    main.push(true);
    main.say(320);
    expect(types()).toBe('init key audio');
    expect(inits()[0]).toMatchObject({ codecs: H264.codec, audio: 'pcmu' });
  });

  it('of AAC goes into the MP4, and silence stands in for what is late: it would hold up the pictures', () => {
    const main = sources.main!;
    main.sound = AAC;
    feed();
    main.push(true);
    expect(inits()[0]).toMatchObject({ codecs: `${H264.codec}, mp4a.40.2`, audio: null });
    main.say(640);
    main.say(1664);
    main.push(false);
    expect(times(pictures()[1]!.data)).toEqual([3600, 640]);
    // 0.6 s of pictures without a sound.
    for (let i = 0; i < 15; i++) main.push(false);
    const withSound = pictures()
      .slice(2)
      .map(({ data }) => times(data))
      .filter((at) => at.length === 2);
    expect(withSound.length).toBeGreaterThan(0);
    expect(withSound[0]![1]).toBe(640 + 2 * 1024);
    const soundTo = withSound.at(-1)![1]! / 16_000;
    expect(withSound.at(-1)![0]! / 90_000 - soundTo).toBeLessThan(0.6);
    // Then it comes back: what is over is left out, and it goes on where it belongs.
    said = [];
    main.say(4_000);
    main.say(Math.round((main.time / 90_000) * 16_000));
    main.push(false);
    expect(times(pictures()[0]!.data)[1]).toBe(Math.round(((main.time - 3600) / 90_000) * 16_000));
  });
});

it('sound that comes without pictures does not gather for the next one', () => {
  const main = sources.main!;
  main.sound = AAC;
  main.push(true);
  feed();
  for (let i = 0; i < 20_000; i++) main.say(i * 1024, Buffer.alloc(100));
  said = [];
  main.push(false);
  expect(pictures().map(({ data }) => data.length < 300_000)).toEqual([true]);
});
