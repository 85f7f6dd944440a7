import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { UploadQueue } from '../upload/queue.ts';
import { FakeRelay, fastPacer } from '../upload/testing/fake-relay.ts';
import { silent, until } from '../video/testing/camera.ts';
import { Warnables } from '../warnables.ts';
import { Recorder } from './recorder.ts';
import { event, FakeChannel, FakeJournal, FakeUploads, recording, temporary } from './testing/parts.ts';

const root = process.getuid?.() === 0;
let dir: string;
let remove: () => void;

beforeEach(() => {
  ({ dir, remove } = temporary());
  if (root) spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir]);
});
afterEach(() => {
  if (root) spawnSync('umount', [dir]);
  remove();
});

describe.runIf(root)('recording to a full disk (needs root for a small file system)', () => {
  it('says so, loses what does not fit, and goes on with the same clip when there is room again', async () => {
    const clock = new ManualClock();
    const warnables = new Warnables({ clock, log: silent });
    const journal = new FakeJournal(clock);
    const uploads = new FakeUploads();
    const channel = new FakeChannel(clock);
    channel.bytes = 10_000;
    const video = { source: () => channel, onChange: () => () => {} };
    const recorder = new Recorder({ journal, video, uploads, dir, clock, log: silent, warnables });
    recorder.start();
    recorder.apply([recording({ postRollMs: 60_000 })]);
    await clock.advance(8_000);
    await journal.append([{ kind: 'event', body: event(clock.now()) }]);
    const full = () => warnables.list().some((w) => w.code === 'clip-not-stored' && w.text.includes('full'));
    for (let i = 0; i < 40 && !full(); i++) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(full()).toBe(true);
    const files = () => readdirSync(dir).filter((f) => f.endsWith('.m4s'));
    const stored = files().length;
    expect(stored).toBeGreaterThan(5);
    // As when the relay has taken what was there.
    for (const file of files()) unlinkSync(join(dir, file));
    for (let i = 0; i < 80 && journal.latest()[0]?.state === 'recording'; i++) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const file of files().slice(0, -1)) unlinkSync(join(dir, file));
    }
    await until(() => journal.latest()[0]!.state !== 'recording', 'the end');
    expect(warnables.list()).toEqual([]);
    const clip = journal.latest()[0]!;
    expect(clip).toMatchObject({
      state: 'incomplete',
      reason: expect.stringMatching(/s of video could not be stored/),
    });
    expect(clip.fragments).toBe(uploads.of(clip.id).length - 1);
    expect(clip.fragments).toBeGreaterThan(stored + 20);
    for (const file of files()) expect(statSync(join(dir, file)).size).toBeGreaterThan(0);
    await recorder.stop();
  });

  it('gives up continuous recording for the clip of an event, says so, and keeps that clip whole', async () => {
    spawnSync('mount', ['-o', 'remount,size=20m', dir]);
    const clock = new ManualClock();
    const warnables = new Warnables({ clock, log: silent });
    const journal = new FakeJournal(clock);
    const relay = new FakeRelay();
    relay.reachable = false;
    const auth = relay.auth('http://127.0.0.1:9');
    // As if the disk were not full before its last byte: other programs fill it too.
    const queue = new UploadQueue({
      dir,
      auth,
      pacer: fastPacer(clock),
      clock,
      log: silent,
      warnables,
      diskUsed: () => 0.5,
    });
    queue.start();
    const channels = [new FakeChannel(clock), new FakeChannel(clock)];
    for (const channel of channels) channel.bytes = 8_000;
    const video = { source: (_: string, n: number) => channels[n - 1]!, onChange: () => () => {} };
    const recorder = new Recorder({ journal, video, uploads: queue, dir, clock, log: silent, warnables });
    recorder.start();
    recorder.apply([
      recording({ channel: 1, mode: 'continuous', triggers: [], maxClipMs: 10_000 }),
      recording({ channel: 2 }),
    ]);
    const second = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await clock.advance(1_000);
        await new Promise((resolve) => setTimeout(resolve, 8));
      }
    };
    await second(45);
    await journal.append([{ kind: 'event', body: event(clock.now(), { channel: 2 }) }]);
    await second(45);
    await until(() => journal.latest().every((c) => c.kind === 'continuous' || c.state !== 'recording'), 'the clip');
    const clip = journal.latest().find((c) => c.kind === 'event')!;
    expect(clip).toMatchObject({ state: 'ended', reason: null, gaps: [] });
    const files = readdirSync(dir).filter((f) => f.startsWith(clip.id));
    expect(files).toHaveLength(clip.fragments! + 1);
    const lost = journal.latest().filter((c) => c.reason?.includes('no room left'));
    expect(lost.length).toBeGreaterThan(1);
    expect(lost.every((c) => c.kind === 'continuous' && c.state === 'incomplete')).toBe(true);
    expect(warnables.list().map((w) => w.code)).toContain('continuous-lost');
    await recorder.stop();
    await queue.stop();
  });
});
