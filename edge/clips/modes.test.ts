import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { clipObjectId, openObject } from '../../protocol/codec/object-cipher.ts';
import type { ClipReport, Event } from '../../protocol/wire/event.ts';
import type { RecordingConfig } from '../config/desired-config.ts';
import type { AudioCodec, AudioFrame } from '../video/audio.ts';
import { silent, until } from '../video/testing/camera.ts';
import { Warnables } from '../warnables.ts';
import { Recorder } from './recorder.ts';
import { clipRoutes } from './routes.ts';
import {
  codecs,
  event,
  FakeChannel,
  FakeJournal,
  FakeUploads,
  find,
  readFragment,
  recording,
  SITE_KEY,
  temporary,
} from './testing/parts.ts';

let clock: ManualClock;
let journal: FakeJournal;
let uploads: FakeUploads;
let main: FakeChannel;
let sub: FakeChannel | null;
let encodes: boolean;
let dir: string;
let remove: () => void;
let recorder: Recorder;

function startRecorder(items: RecordingConfig[]): void {
  recorder = new Recorder({
    journal,
    uploads,
    dir,
    clock,
    log: silent,
    warnables: new Warnables({ clock, log: silent }),
    video: { source: (_, __, stream) => (stream === 'main' ? main : sub), onChange: () => () => {} },
    // The same bytes: what is tested here is where they go.
    makeEncoder: (out) => ({
      codec: AAC,
      push: (frame) => encodes && out({ ...frame, codec: AAC, time: frame.time * 2 }),
      end: async () => {},
    }),
  });
  recorder.start();
  recorder.apply(items);
}

beforeEach(() => {
  clock = new ManualClock();
  journal = new FakeJournal(clock);
  uploads = new FakeUploads();
  main = new FakeChannel(clock);
  sub = null;
  encodes = true;
  ({ dir, remove } = temporary());
});
afterEach(async () => {
  await recorder.stop();
  remove();
});

/** Time passes in steps, so that the disk gets its turn. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 30_000) await clock.advance(Math.min(left, 30_000));
  const state = () => `${uploads.fragments.length} ${journal.records.length}`;
  for (let [calm, last] = [0, '']; calm < 4; calm = state() === last ? calm + 1 : 0) {
    last = state();
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  // Only the last clip of a stream may still run.
  const former = () =>
    ['main', 'sub'].flatMap((s) =>
      journal
        .latest()
        .filter((c) => c.stream === s)
        .slice(0, -1),
    );
  await until(() => former().every((c) => c.state !== 'recording'), 'the end of a clip');
}
/** The clip of an event is over. */
async function whole(): Promise<void> {
  await pass(40_000);
  await until(() => journal.latest().every((c) => c.state !== 'recording'), 'the end of all clips');
}
async function happen(more: Partial<Event> = {}): Promise<Event> {
  const e = event(clock.now(), more);
  await journal.append([{ kind: 'event', body: e }]);
  await pass(1);
  return e;
}
const media = (clipId: string) => uploads.of(clipId).slice(1);
const span = (c: ClipReport) => [Date.parse(c.startedAt), Date.parse(c.startedAt) + c.durationMs] as const;
/** No moment between the first and the last picture of these clips is in none of them. */
function expectNoHole(clips: ClipReport[]): void {
  const spans = clips.map(span).sort((a, b) => a[0] - b[0]);
  let until = spans[0]![1];
  for (const [from, to] of spans) {
    expect(from).toBeLessThanOrEqual(until + 40);
    until = Math.max(until, to);
  }
}

describe('round the clock', () => {
  it('records in pieces that follow one another without a hole, in parts of whole groups (CLOUD-01)', async () => {
    startRecorder([recording({ mode: 'continuous', maxClipMs: 60_000 })]);
    await pass(200_000);
    const clips = journal.latest();
    expect(clips.map((c) => [c.kind, c.state, c.durationMs])).toEqual([
      ...Array(3).fill(['continuous', 'ended', 60_000]),
      ['continuous', 'recording', 0],
    ]);
    expectNoHole(clips.slice(0, 3));
    const parts = media(clips[0]!.id);
    expect(parts.map((p) => [p.durationMs, p.keyFrame, p.kind])).toEqual(Array(15).fill([4000, true, 'continuous']));
    expect(clips[0]).toMatchObject({ eventIds: [], gaps: [], preRollMs: 0, fragments: 15 });
  });

  it('gives an event a clip of its own, with its pre-roll, and goes on behind it (CLOUD-01)', async () => {
    startRecorder([recording({ mode: 'both', maxClipMs: 60_000 })]);
    await pass(41_000);
    const e = await happen();
    await pass(60_000);
    const clips = journal.latest();
    expect(clips.slice(0, 3).map((c) => [c.kind, c.state, c.eventIds.length])).toEqual([
      ['continuous', 'ended', 0],
      ['event', 'ended', 1],
      ['continuous', 'recording', 0],
    ]);
    const clip = clips[1]!;
    expect(clip.eventIds).toEqual([e.id]);
    expect(clip.preRollMs).toBeGreaterThanOrEqual(5_000);
    expect(clip.durationMs - clip.preRollMs).toBeGreaterThanOrEqual(29_900);
    expect(media(clip.id).every((p) => p.kind === 'event' && p.durationMs <= 1000)).toBe(true);
    recorder.apply([]);
    await pass(2_000);
    await until(() => journal.latest().at(-1)!.state !== 'recording', 'the end');
    expect(journal.latest().at(-1)).toMatchObject({ kind: 'continuous', state: 'ended' });
    expectNoHole(journal.latest());
    // What is no longer wished is not recorded on.
    await pass(60_000);
    expect(journal.latest()).toHaveLength(clips.length);
  });

  it('lists an event in the piece that it falls into, sends that piece as an event’s, and the next one too', async () => {
    startRecorder([recording({ mode: 'continuous', maxClipMs: 60_000 })]);
    await pass(50_000);
    const e = await happen();
    const [first] = journal.latest();
    await pass(2_000);
    expect(journal.latest()[0]).toMatchObject({
      id: first!.id,
      kind: 'continuous',
      eventIds: [e.id],
      preRollMs: 49_960,
    });
    expect(uploads.of(first!.id).every((p) => p.kind === 'event')).toBe(true);
    await pass(90_000);
    const clips = journal.latest();
    expect(clips.map((c) => c.eventIds)).toEqual([[e.id], [e.id], []]);
    expectNoHole(clips.filter((c) => c.state !== 'recording'));
  });

  it('ends a piece when the stream breaks off and begins the next one when it is back', async () => {
    startRecorder([recording({ mode: 'continuous' })]);
    await pass(20_000);
    main.breakOff();
    await pass(10_000);
    main.running = true;
    await pass(20_000);
    const [first, second] = journal.latest();
    expect(first).toMatchObject({ state: 'incomplete', reason: expect.stringContaining('broke off') });
    expect(second).toMatchObject({ state: 'recording', kind: 'continuous' });
    expect(span(second!)[0] - span(first!)[1]).toBeGreaterThan(9_000);
    main.running = false;
    await pass(15_000);
    expect(journal.latest()[1]).toMatchObject({ state: 'incomplete', reason: expect.stringContaining('stood still') });
  });

  it('closes the piece of before a restart and goes on', async () => {
    startRecorder([recording({ mode: 'continuous' })]);
    await pass(21_000);
    await recorder.stop();
    main = new FakeChannel(clock);
    startRecorder([recording({ mode: 'continuous' })]);
    await pass(10_000);
    const [first, second, ...more] = journal.latest();
    expect(more).toEqual([]);
    expect(first).toMatchObject({ state: 'incomplete', fragments: media(first!.id).length });
    expect(first!.durationMs).toBeGreaterThan(19_000);
    expect(second).toMatchObject({ state: 'recording', kind: 'continuous' });
  });
});

describe('gaps', () => {
  it('shows where the camera sent nothing, and stretches no picture over it', async () => {
    startRecorder([recording()]);
    await pass(10_000);
    await happen();
    await pass(4_000);
    main.skip(3_000);
    await whole();
    const [clip] = journal.latest();
    expect(clip).toMatchObject({ state: 'ended', gaps: [{ durationMs: 4_000 }] });
    const { atMs } = clip!.gaps[0]!;
    expect(atMs).toBeGreaterThan(9_000);
    const reads = media(clip!.id).map((f) => readFragment(f.data));
    const longest = Math.max(...reads.flatMap((r) => r.rows.map((row) => row.duration)));
    expect(longest).toBe(3_600);
    const after = reads.find((r) => r.decodeTime / 90 > atMs)!;
    expect(after.decodeTime / 90).toBe(atMs + 4_000);
  });
});

describe('the sub-stream first', () => {
  const adaptive = (more = {}) => recording({ stream: 'adaptive', ...more });

  it('sends the small clip and holds its large twin until it is asked for (CLOUD-11)', async () => {
    sub = new FakeChannel(clock);
    sub.codec = codecs.small;
    startRecorder([adaptive()]);
    await pass(10_000);
    const e = await happen();
    await whole();
    const clips = journal.latest();
    const small = clips.find((c) => c.stream === 'sub')!;
    const large = clips.find((c) => c.stream === 'main')!;
    expect(clips).toHaveLength(2);
    expect(small).toMatchObject({ state: 'ended', width: 640, eventIds: [e.id], twinId: large.id });
    expect(large).toMatchObject({ state: 'held', width: 1920, eventIds: [e.id], twinId: small.id });
    expect(uploads.of(small.id).some((f) => f.held)).toBe(false);
    expect(uploads.of(large.id).every((f) => f.held)).toBe(true);

    const app = clipRoutes(recorder);
    const post = (id: string) => app.request(`/${id}/send`, { method: 'POST' });
    const sent = await post(large.id);
    expect(await sent.json()).toEqual({ fragments: uploads.of(large.id).length });
    await pass(1);
    expect(journal.latest().find((c) => c.id === large.id)).toMatchObject({ state: 'ended', twinId: small.id });
    expect((await post(large.id)).status).toBe(409);
    expect((await post('00000000-0000-7000-8000-000000000009')).status).toBe(404);
    expect((await post('..')).status).toBe(404);
  });

  it('sends what is asked for while it is recorded, and says when what is held was given up', async () => {
    sub = new FakeChannel(clock);
    startRecorder([adaptive()]);
    await pass(10_000);
    await happen();
    const large = journal.latest().find((c) => c.stream === 'main')!;
    expect(recorder.send(large.id)).toMatchObject({ ok: true });
    await whole();
    const now = () => journal.latest().filter((c) => c.stream === 'main');
    expect(now()[0]).toMatchObject({ state: 'ended' });
    expect(uploads.of(large.id).some((f) => f.held)).toBe(false);
    await happen();
    await whole();
    expect(now()[1]!.state).toBe('held');
    await uploads.lose(now()[1]!.id, 'the box had no room left');
    expect(now()[1]).toMatchObject({ state: 'incomplete', reason: 'the box had no room left' });
  });

  it('sends the main stream of a camera that has no other', async () => {
    startRecorder([adaptive()]);
    await pass(10_000);
    await happen();
    await whole();
    expect(journal.latest()).toMatchObject([{ stream: 'main', state: 'ended', twinId: null }]);
  });
});

describe('encryption', () => {
  it('writes nothing to the disk that can be read without the site’s key (CLOUD-02)', async () => {
    startRecorder([recording({ key: SITE_KEY })]);
    await pass(10_000);
    await happen();
    await whole();
    const [clip] = journal.latest();
    expect(clip).toMatchObject({ state: 'ended', keyId: 'k1' });
    const parts = uploads.of(clip!.id);
    for (const part of parts) {
      expect(part.data.subarray(0, 4).toString()).toBe('GPE1');
      expect(['ftyp', 'moof', 'mdat'].some((box) => part.data.includes(box))).toBe(false);
      const file = readFileSync(join(dir, part.n === 0 ? `${clip!.id}-init.mp4` : `${clip!.id}-${part.n}.m4s`));
      expect(file.equals(part.data)).toBe(true);
    }
    const first = openObject(SITE_KEY.secret, clipObjectId(clip!.id, 1), parts[1]!.data);
    expect(readFragment(first).rows.length).toBeGreaterThan(20);
  });
});

const AAC: AudioCodec = {
  kind: 'aac',
  clockRate: 16_000,
  channels: 1,
  config: Buffer.from('1408', 'hex'),
  codec: 'mp4a.40.2',
};
const PCMU: AudioCodec = { kind: 'pcmu', clockRate: 8_000, channels: 1, config: null, codec: 'PCMU' };

describe('sound', () => {
  /** Sound beside the pictures: 64 ms a piece, which is one access unit of AAC at 16 kHz. */
  function speak(codec: AudioCodec): void {
    const channel = main;
    channel.sound = codec;
    let n = 0;
    clock.every(64, () => {
      const monoMs = clock.mono();
      const last = channel.ring.newest;
      if (!last || !channel.running) return;
      const time = Math.round(((last.time / 90 + monoMs - last.monoMs) * codec.clockRate) / 1000);
      const data = Buffer.from(`sound ${n++}`.padEnd(512, '.'));
      const frame: AudioFrame = { codec, data, time, wallMs: clock.now(), monoMs, epoch: channel.epoch };
      channel.ring.pushAudio(frame);
      for (const c of channel.consumers) c.audio?.(frame);
    });
  }
  /** Where the sound of a fragment begins and how long it is, in milliseconds. */
  function soundOf(data: Buffer): [number, number] | null {
    const trafs = [...data.toString('latin1').matchAll(/traf/g)].map((m) => m.index - 4);
    if (trafs.length < 2) return null;
    const traf = data.subarray(trafs[1]! + 8, trafs[1]! + data.readUInt32BE(trafs[1]!));
    const time = Number(find(traf, 'tfdt')!.readBigUInt64BE(4));
    const trun = find(traf, 'trun')!;
    const count = trun.readUInt32BE(4);
    const ticks = Array.from({ length: count }, (_, i) => trun.readUInt32BE(12 + i * 8)).reduce((a, b) => a + b, 0);
    return [time / 16, ticks / 16];
  }

  it.each([
    ['AAC as it is', AAC],
    ['G.711 through an encoder', PCMU],
  ])('puts %s beside the pictures of the same moment, the pre-roll included', async (_, codec) => {
    speak(codec);
    startRecorder([recording({ maxClipMs: 300_000 })]);
    await pass(10_000);
    await happen();
    await whole();
    const [clip] = journal.latest();
    expect(clip).toMatchObject({ state: 'ended', audioCodec: 'mp4a.40.2' });
    expect(uploads.of(clip!.id)[0]!.data.includes('mp4a')).toBe(true);
    const sounds = media(clip!.id).flatMap(
      (f) => [soundOf(f.data) ?? []].filter((s) => s.length > 0) as [number, number][],
    );
    expect(sounds[0]![0]).toBeLessThan(70);
    let end = sounds[0]![0];
    for (const [at, ms] of sounds) {
      expect(Math.abs(at - end)).toBeLessThan(2);
      end = at + ms;
    }
    expect(Math.abs(end - clip!.durationMs)).toBeLessThan(150);
  });

  it('promises no sound any more when there is no encoder', async () => {
    encodes = false;
    speak(PCMU);
    startRecorder([recording()]);
    await pass(10_000);
    for (let i = 0; i < 2; i++) {
      await happen();
      await whole();
    }
    expect(journal.latest()[1]).toMatchObject({ state: 'ended', audioCodec: null });
  });

  it('leaves sound out where it is not wished, and makes no empty track of a microphone that is silent', async () => {
    speak(AAC);
    startRecorder([recording({ audio: false })]);
    await pass(10_000);
    await happen();
    await whole();
    expect(journal.latest()[0]).toMatchObject({ audioCodec: null });
    main = new FakeChannel(clock);
    main.sound = AAC;
    await recorder.stop();
    startRecorder([recording()]);
    await pass(10_000);
    await happen();
    await whole();
    const [, second] = journal.latest();
    expect(second).toMatchObject({ state: 'ended', audioCodec: null });
    expect(uploads.of(second!.id)[0]!.data.includes('mp4a')).toBe(false);
  });
});
