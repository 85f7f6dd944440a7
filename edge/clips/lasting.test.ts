import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { silent, until } from '../video/testing/camera.ts';
import { Warnables } from '../warnables.ts';
import { Recorder } from './recorder.ts';
import { calm, event, FakeChannel, FakeJournal, FakeUploads, recording, temporary } from './testing/parts.ts';

/*
 * Cameras repeat an alert while they see something, and that is one event: what somebody does for two minutes must not be
 * thirty seconds of video.
 */
let clock: ManualClock;
let journal: FakeJournal;
let uploads: FakeUploads;
let channel: FakeChannel;
let recorder: Recorder;
let remove: () => void;
let lasting: Set<string>;

beforeEach(() => {
  clock = new ManualClock();
  journal = new FakeJournal(clock);
  uploads = new FakeUploads();
  channel = new FakeChannel(clock);
  lasting = new Set();
  const warnables = new Warnables({ clock, log: silent });
  const { dir, remove: gone } = temporary();
  remove = gone;
  const video = { source: () => channel, onChange: () => () => {} };
  const lasts = (id: string) => lasting.has(id);
  recorder = new Recorder({ journal, uploads, lasts, dir, clock, warnables, log: silent, video });
  recorder.start();
  recorder.apply([recording()]);
});
afterEach(async () => {
  await recorder.stop();
  remove();
});

async function pass(ms: number): Promise<void> {
  await clock.advance(ms);
  await calm(() => `${uploads.fragments.length} ${journal.records.length}`);
}
async function begins(): Promise<string> {
  const body = event(clock.now());
  lasting.add(body.id);
  await journal.append([{ kind: 'event', body }]);
  return body.id;
}
const allClosed = () => until(() => journal.latest().every((c) => c.state !== 'recording'), 'the end of all clips');

it('a clip goes on for as long as what it shows, and ends soon after it (LINK-29, CLOUD-10)', async () => {
  await pass(10_000);
  const id = await begins();
  await pass(90_000);
  expect(journal.latest()).toMatchObject([{ state: 'recording' }]);
  lasting.delete(id);
  await pass(20_000);
  await allClosed();
  const [clip, ...more] = journal.latest();
  expect(more).toEqual([]);
  expect(clip).toMatchObject({ state: 'ended', eventIds: [id], reason: null, gaps: [] });
  const afterMs = clip!.durationMs - clip!.preRollMs - 90_000;
  expect(afterMs).toBeGreaterThan(0);
  expect(afterMs).toBeLessThanOrEqual(6_000);
});

it('what is over before its time keeps it: 5 s before, 30 s after the beginning (LINK-29)', async () => {
  await pass(10_000);
  const id = await begins();
  await pass(8_000);
  lasting.delete(id);
  await pass(40_000);
  await allClosed();
  const [clip] = journal.latest();
  expect(clip!.durationMs - clip!.preRollMs).toBe(30_000);
  expect(clip!.preRollMs).toBeGreaterThanOrEqual(5_000);
});

it('something that never ends is recorded for the longest time of a clip, and no more', async () => {
  recorder.apply([recording({ maxClipMs: 60_000 })]);
  await pass(10_000);
  const id = await begins();
  await pass(120_000);
  await allClosed();
  const clips = journal.latest();
  expect(clips.every((clip) => clip.state === 'ended' && clip.eventIds[0] === id)).toBe(true);
  const [first, last] = [clips[0]!, clips.at(-1)!];
  const shownMs = Date.parse(last.startedAt) + last.durationMs - Date.parse(first.startedAt) - first.preRollMs;
  expect(shownMs).toBeGreaterThanOrEqual(60_000);
  expect(shownMs).toBeLessThan(61_000);
});
