import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Recorder } from '../edge/clips/recorder.ts';
import { event, FakeJournal, FakeUploads, recording } from '../edge/clips/testing/parts.ts';
import { channelConfig, silent as log, newWarnables, until } from '../edge/video/testing/camera.ts';
import { startLab } from '../edge/video/testing/lab.ts';
import { Video } from '../edge/video/video.ts';
import { decodeClocks } from '../lab/decode-clocks.ts';
import { systemClock as clock } from '../protocol/clock.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it('shows by the clock in the picture what happened from 5 s before the event on, with 2 s and 4 s between key frames', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-clip-clock-'));
  cleanups.push(() => rmSync(dir, { recursive: true }));
  const lab = await startLab(97);
  cleanups.push(() => lab.stop());
  const warnables = newWarnables();
  const journal = new FakeJournal(clock);
  const uploads = new FakeUploads();
  const video = new Video({ clock, log, warnables });
  const recorder = new Recorder({ journal, video, uploads, dir, clock, log, warnables });
  cleanups.push(
    () => video.stop(),
    () => recorder.stop(),
  );
  const ids = lab.cameras.map((_, i) => `00000000-0000-7000-8000-00000000000${i}`);
  video.setChannels(lab.cameras.map((c, i) => channelConfig(c.url, { deviceId: ids[i]!, ...c })));
  recorder.start();
  recorder.apply(ids.map((deviceId) => recording({ deviceId, postRollMs: 4_000 })));
  await until(() => ids.every((id) => video.state(id, 1).keyFrameIntervalMs), 'two key frames each', 30_000);
  await clock.sleep(6_000);

  const happened = clock.now();
  await journal.append(ids.map((deviceId) => ({ kind: 'event', body: event(happened, { deviceId }) })));
  const closed = () => journal.latest().length === 2 && journal.latest().every((c) => c.state === 'ended');
  await until(closed, 'both clips', 30_000);
  for (const clip of journal.latest()) {
    const path = join(dir, `${clip.id}.mp4`);
    writeFileSync(path, uploads.file(clip.id));
    const clocks = (await decodeClocks(['-i', path], 10_000)).map((p) => p.clock!);
    const groupMs = clip.deviceId === ids[0] ? 2_000 : 4_000;
    const beforeMs = happened - clocks[0]!;
    expect(beforeMs).toBeGreaterThanOrEqual(5_000);
    expect(beforeMs).toBeLessThan(5_000 + groupMs + 200);
    // What the report says is what the picture shows.
    expect(Math.abs(clip.preRollMs - beforeMs)).toBeLessThan(200);
    expect(Math.abs(Date.parse(clip.startedAt) - clocks[0]!)).toBeLessThan(200);
    expect(Math.abs(clocks.at(-1)! - happened - 4_000)).toBeLessThan(400);
    expect(clocks.every((c, i) => i === 0 || c > clocks[i - 1]!)).toBe(true);
  }
}, 90_000);
