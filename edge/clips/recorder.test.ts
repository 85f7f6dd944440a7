import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { Event } from '../../protocol/wire/event.ts';
import type { RecordingConfig } from '../config/desired-config.ts';
import { silent, until } from '../video/testing/camera.ts';
import { Warnables } from '../warnables.ts';
import { Recorder } from './recorder.ts';
import {
  calm,
  codecs,
  event,
  FakeChannel,
  FakeJournal,
  FakeUploads,
  readFragment,
  recording,
  temporary,
} from './testing/parts.ts';

let clock: ManualClock;
let journal: FakeJournal;
let uploads: FakeUploads;
let channel: FakeChannel;
let warnables: Warnables;
let dir: string;
let remove: () => void;
let recorder: Recorder;

function startRecorder(items: RecordingConfig[] = [recording()]): Recorder {
  recorder = new Recorder({
    journal,
    uploads,
    dir,
    clock,
    warnables,
    log: silent,
    video: { source: () => channel, onChange: () => () => {} },
  });
  recorder.start();
  recorder.apply(items);
  return recorder;
}

beforeEach(() => {
  clock = new ManualClock();
  journal = new FakeJournal(clock);
  uploads = new FakeUploads();
  channel = new FakeChannel(clock);
  warnables = new Warnables({ clock, log: silent });
  ({ dir, remove } = temporary());
  startRecorder();
});
afterEach(async () => {
  await recorder.stop();
  remove();
});

/** Time passes, then the disk gets its turn. */
async function pass(ms: number): Promise<void> {
  await clock.advance(ms);
  await settle();
}
const settle = () => calm(() => `${uploads.fragments.length} ${journal.records.length}`);
/** Waits until no clip is being recorded. */
const allClosed = () => until(() => journal.latest().every((c) => c.state !== 'recording'), 'the end of all clips');
async function happen(more: Partial<Event> = {}): Promise<Event> {
  const e = event(clock.now(), more);
  await journal.append([{ kind: 'event', body: e }]);
  await settle();
  return e;
}
const only = () => {
  expect(journal.latest()).toHaveLength(1);
  return journal.latest()[0]!;
};
const media = (clipId: string) => uploads.of(clipId).slice(1);
const lengthMs = (clipId: string) =>
  media(clipId)
    .flatMap((f) => readFragment(f.data).rows)
    .reduce((sum, r) => sum + r.duration, 0) / 90;

describe('clips of events', () => {
  it('begins at the last key frame 5 s before the event and ends 30 s after it (CLOUD-10, LINK-12, CLOUD-01)', async () => {
    await pass(21_000);
    const e = await happen();
    expect(only()).toMatchObject({
      eventIds: [e.id],
      state: 'recording',
      preRollMs: 6_960,
      codec: 'avc1.640028',
      width: 1920,
      height: 1080,
      fragments: null,
    });
    // At once, second by second: the past, then what there is of the present.
    await until(() => uploads.of(only().id).length >= 8, 'the past');
    expect(uploads.of(only().id).map((f) => [f.n, f.durationMs, f.keyFrame])).toEqual([
      [0, 0, true],
      [1, 1000, true],
      [2, 1000, false],
      [3, 1000, true],
      [4, 1000, false],
      [5, 1000, true],
      [6, 1000, false],
      [7, 960, true],
    ]);
    await pass(40_000);
    await allClosed();
    const clip = only();
    expect(clip).toMatchObject({ state: 'ended', reason: null, fragments: media(clip.id).length });
    expect(clip.durationMs).toBe(36_960);
    expect(lengthMs(clip.id)).toBe(36_960);
    expect(readFragment(media(clip.id)[0]!.data).decodeTime).toBe(0);
    const times = media(clip.id).map((f) => readFragment(f.data).decodeTime);
    expect(times).toEqual(
      media(clip.id).map((_, i) =>
        media(clip.id)
          .slice(0, i)
          .reduce((s, f) => s + f.durationMs * 90, 0),
      ),
    );
    expect(uploads.of(clip.id).map((f) => f.n)).toEqual(Array.from({ length: clip.fragments! + 1 }, (_, i) => i));
  });

  it('goes on while further events come, and lists them', async () => {
    await pass(10_000);
    const first = await happen();
    await pass(20_000);
    const second = await happen({ type: 'lineCrossing' });
    await pass(2_000);
    expect(only()).toMatchObject({ state: 'recording', eventIds: [first.id, second.id] });
    await pass(40_000);
    await allClosed();
    expect(only()).toMatchObject({ state: 'ended', eventIds: [first.id, second.id] });
    expect(only().durationMs).toBeGreaterThanOrEqual(55_000);
    expect(only().durationMs).toBeLessThan(57_100);
  });

  it('leaves out what is not asked for: other types, other channels, other devices', async () => {
    await pass(8_000);
    await happen({ type: 'tamper' });
    await happen({ channel: 2 });
    await happen({ deviceId: '00000000-0000-7000-8000-0000000000ff' });
    await happen({ deviceId: null });
    expect(journal.clips()).toEqual([]);
  });

  it('ends a clip after its longest time and chains the next one without a hole', async () => {
    recorder.apply([recording({ maxClipMs: 20_000 })]);
    await pass(20_000);
    const e = await happen();
    await pass(50_000);
    await allClosed();
    const [first, second, ...more] = journal.latest();
    expect(more).toEqual([]);
    expect(first).toMatchObject({ state: 'ended', durationMs: 20_000 });
    expect(second).toMatchObject({ state: 'ended', eventIds: [e.id], preRollMs: 0 });
    const gap = Date.parse(second!.startedAt) - (Date.parse(first!.startedAt) + first!.durationMs);
    expect(gap).toBeLessThanOrEqual(0);
    expect(gap).toBeGreaterThan(-2_000);
    expect(readFragment(media(second!.id)[0]!.data)).toMatchObject({ decodeTime: 0, rows: expect.arrayContaining([]) });
    expect(media(second!.id)[0]!.keyFrame).toBe(true);
  });

  it('does not cut a group of pictures that is longer than a clip may be', async () => {
    recorder.apply([recording({ maxClipMs: 10_000 })]);
    channel.group = 1_000;
    await pass(8_000);
    await happen();
    await pass(80_000);
    await allClosed();
    expect(journal.latest().every((c) => c.state === 'ended')).toBe(true);
    expect(journal.latest()).toHaveLength(1);
    expect(only().durationMs).toBeGreaterThan(30_000);
  });

  it('chains a new clip with its own init segment when the picture format changes', async () => {
    await pass(8_000);
    await happen();
    await pass(5_000);
    channel.codec = codecs.small;
    channel.breakOff();
    channel.running = true;
    await pass(40_000);
    await allClosed();
    const [first, second] = journal.latest();
    expect(first).toMatchObject({ state: 'incomplete', codec: 'avc1.640028' });
    expect(second).toMatchObject({ state: 'ended', codec: 'avc1.42c01e', width: 640 });
    expect(uploads.of(second!.id)[0]!.data.includes(codecs.small.sps[0]!)).toBe(true);
  });

  it('says so when the stream is lost, and goes on with a next clip when it is back in time', async () => {
    await pass(8_000);
    const e = await happen();
    await pass(5_000);
    channel.breakOff();
    await pass(4_000);
    const lost = only();
    expect(lost).toMatchObject({ state: 'incomplete', fragments: media(lost.id).length });
    expect(lost.reason).toContain('broke off');
    channel.running = true;
    await pass(40_000);
    await allClosed();
    const [, next] = journal.latest();
    expect(next).toMatchObject({ state: 'ended', eventIds: [e.id], reason: null });
    expect(next!.durationMs).toBeGreaterThan(19_000);
    expect(next!.durationMs).toBeLessThan(22_000);
  });

  it('shows what was before an event that came with the loss of the stream', async () => {
    await pass(20_000);
    channel.breakOff();
    await pass(1_000);
    await happen();
    expect(only().state).toBe('recording');
    await pass(40_000);
    await allClosed();
    expect(only()).toMatchObject({ state: 'incomplete', reason: expect.stringContaining('stood still') });
    expect(only().durationMs).toBeGreaterThan(3_900);
  });

  it('reports an event without video, and one that began late', async () => {
    channel.running = false;
    await happen();
    await pass(40_000);
    await allClosed();
    expect(only()).toMatchObject({ state: 'incomplete', fragments: 0, reason: 'the camera gave no video' });
    await happen();
    await pass(7_000);
    channel.running = true;
    await pass(40_000);
    await allClosed();
    const late = journal.latest()[1]!;
    expect(late).toMatchObject({ state: 'incomplete', preRollMs: 0 });
    expect(late.reason).toMatch(/began 7\.\d s after the event/);
  });

  it('makes no clip of the present for an event of the past', async () => {
    await pass(20_000);
    const e = event(clock.now() - 60_000);
    await journal.append([{ kind: 'event', body: e }]);
    await pass(1_000);
    expect(only()).toMatchObject({ state: 'incomplete', fragments: 0, eventIds: [e.id] });
    expect(uploads.fragments).toEqual([]);
  });

  it('cuts right although the wall clock steps', async () => {
    await pass(20_000);
    clock.step(3_600_000);
    await happen();
    await pass(10_000);
    clock.step(-7_200_000);
    await pass(40_000);
    await allClosed();
    expect(only().state).toBe('ended');
    expect(only().durationMs).toBeGreaterThanOrEqual(35_000);
    expect(only().durationMs).toBeLessThan(37_100);
  });

  it('takes each event once, although the journal gives it again', async () => {
    await pass(8_000);
    await happen();
    journal.cursors.set('recorder', 0);
    await journal.append([
      { kind: 'eventEnd', body: { eventId: journal.records[0]!.id, endedAt: new Date().toISOString() } },
    ]);
    await pass(40_000);
    await allClosed();
    expect(only().eventIds).toHaveLength(1);
    journal.cursors.set('recorder', 0);
    await happen({ type: 'tamper' });
    await pass(2_000);
    expect(journal.latest()).toHaveLength(1);
  });

  it('finishes the clip of a channel that is taken out, then lets go of it', async () => {
    await pass(8_000);
    await happen();
    recorder.apply([]);
    await happen();
    expect(channel.consumers.size).toBe(1);
    await pass(40_000);
    await allClosed();
    expect(only()).toMatchObject({ state: 'ended', eventIds: [expect.any(String)] });
    expect(channel.consumers.size).toBe(0);
  });

  it('says when a channel is listed twice', () => {
    expect(recorder.apply([recording(), recording()])).toMatchObject([{ code: 'duplicate' }]);
  });
});

describe('trouble with storing', () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

  it('leaves a hole, warns, and goes on at the next key frame when there is room again', async () => {
    await pass(8_000);
    await happen();
    await pass(5_000);
    uploads.failing = full;
    await pass(5_000);
    await until(() => warnables.list().length > 0, 'the warning');
    expect(warnables.list()).toMatchObject([{ code: 'clip-not-stored', severity: 'error' }]);
    expect(warnables.list()[0]!.text).toContain('full');
    uploads.failing = null;
    await pass(30_000);
    await allClosed();
    expect(warnables.list()).toEqual([]);
    const clip = only();
    expect(clip).toMatchObject({ state: 'incomplete', fragments: media(clip.id).length });
    // The numbers have no hole, the time line has one, and behind it stands a key frame.
    const read = media(clip.id).map((f) => ({ ...readFragment(f.data), keyFrame: f.keyFrame }));
    expect(media(clip.id).map((f) => f.n)).toEqual(media(clip.id).map((_, i) => i + 1));
    const ends = read.map((f) => f.decodeTime + f.rows.reduce((s, r) => s + r.duration, 0));
    const holes = read.slice(1).filter((f, i) => f.decodeTime !== ends[i]);
    expect(holes).toHaveLength(1);
    expect(holes[0]!.keyFrame).toBe(true);
    const holeMs = (holes[0]!.decodeTime - ends[read.indexOf(holes[0]!) - 1]!) / 90;
    expect(clip.reason).toBe(`${(holeMs / 1000).toFixed(1)} s of video could not be stored`);
    expect(readdirSync(dir).filter((f) => f.endsWith('.m4s'))).toHaveLength(clip.fragments!);
  });

  it('reports a clip of which nothing could be stored', async () => {
    uploads.failing = full;
    await pass(8_000);
    await happen();
    await pass(40_000);
    await allClosed();
    expect(only()).toMatchObject({ state: 'incomplete', fragments: 0, durationMs: 0 });
  });

  it('reports a clip again as incomplete when the queue lost a part of it', async () => {
    await pass(8_000);
    await happen();
    await pass(40_000);
    await allClosed();
    expect(only().state).toBe('ended');
    await uploads.lose(only().id, 'the box had no room left');
    expect(only()).toMatchObject({ state: 'incomplete', reason: 'the box had no room left' });
    const told = () =>
      journal.records.flatMap((r) => (r.kind === 'event' && r.body.type === 'clipLost' ? [r.body] : []));
    await until(() => told().length === 1, 'an event of the loss');
    expect(told()[0]).toMatchObject({ channel: 1, text: expect.stringContaining('the box had no room left') });
    await happen();
    const running = journal.latest()[1]!;
    await uploads.lose(running.id, 'a file is gone');
    await pass(40_000);
    await allClosed();
    expect(journal.latest()[1]).toMatchObject({ state: 'incomplete', reason: 'a file is gone' });
  });

  it('tells of a loss in a clip that was incomplete already, once', async () => {
    await pass(8_000);
    await happen();
    await pass(5_000);
    uploads.failing = full;
    await pass(5_000);
    uploads.failing = null;
    await pass(30_000);
    await allClosed();
    const { id, reason } = only();
    for (let n = 0; n < 3; n++) await uploads.lose(id, `part ${n} is lost: its file is gone`);
    expect(only()).toMatchObject({ state: 'incomplete', reason: `${reason}; part 0 is lost: its file is gone` });
    const told = () => journal.records.filter((r) => r.kind === 'event' && r.body.type === 'clipLost');
    await until(() => told().length === 1, 'an event of the loss');
  });

  it('brings a final report to the journal when it can be written again', async () => {
    await pass(8_000);
    await happen();
    journal.broken = true;
    await pass(40_000);
    expect(only().state).toBe('recording');
    journal.broken = false;
    await pass(2_000);
    expect(only().state).toBe('ended');
  });
});

describe('restarts', () => {
  it('closes the clip that ran and goes on with a further one while the event lasts', async () => {
    await pass(8_000);
    const e = await happen();
    await pass(10_000);
    await recorder.stop();
    const before = only();
    expect(before.state).toBe('recording');
    await pass(3_000);
    channel = new FakeChannel(clock);
    startRecorder();
    await pass(40_000);
    await allClosed();
    const [first, second] = journal.latest();
    expect(first).toMatchObject({ state: 'incomplete', fragments: media(first!.id).length });
    expect(first!.reason).toContain('restarted');
    expect(first!.durationMs).toBeGreaterThan(15_000);
    expect(first!.durationMs).toBe(lengthMs(first!.id));
    expect(second).toMatchObject({ state: 'ended', eventIds: [e.id] });
    expect(second!.durationMs).toBeGreaterThan(15_000);
    expect(second!.durationMs).toBeLessThan(18_000);
  });

  it('says of an event whose time passed meanwhile that there is no more of it', async () => {
    await pass(8_000);
    await happen();
    await recorder.stop();
    const missed = event(clock.now());
    await journal.append([{ kind: 'event', body: missed }]);
    await pass(60_000);
    startRecorder();
    await pass(5_000);
    const [first, second, ...more] = journal.latest();
    expect(more).toEqual([]);
    expect(first!.state).toBe('incomplete');
    expect(second).toMatchObject({ state: 'incomplete', fragments: 0, eventIds: [missed.id] });
  });
});
