import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { StreamName } from '../../protocol/wire/video.ts';
import { Rate } from './rate.ts';

let clock: ManualClock;
let rate: Rate;
let stream: StreamName;
beforeEach(() => {
  clock = new ManualClock();
  rate = new Rate(clock);
  stream = 'main';
});

/** `seconds` of main (4 Mbit/s) or sub-stream (0.4 Mbit/s) on a line that takes `kbps`; the changes it makes. */
async function run(seconds: number, kbps: number): Promise<string[]> {
  const changes: string[] = [];
  for (let i = 0; i < seconds * 25; i++) {
    rate.sent(stream === 'main' ? 20_000 : 2_000);
    // What is estimated grows only with what is sent.
    const estimate = Math.min(kbps * 1000, rate.bitrate * 1.5 + 10_000);
    const wish = i % 5 === 0 ? rate.judge(estimate, { stream, hasSub: true }) : null;
    if (wish) {
      stream = wish;
      changes.push(`${Math.floor(i / 25)} ${wish}`);
    }
    await clock.advance(40);
  }
  return changes;
}

it('stays with a line that takes it, whatever the first burst looked like', async () => {
  for (let i = 0; i < 50; i++) rate.sent(20_000);
  expect(await run(60, 10_000)).toEqual([]);
});

it('goes to the sub-stream on a line that is too slow, and tries the full one ever more rarely', async () => {
  const changes = await run(180, 1_500);
  expect(changes.slice(0, 3).map((one) => one.split(' ')[1])).toEqual(['sub', 'main', 'sub']);
  const at = changes.filter((one) => one.endsWith('main')).map((one) => Number.parseInt(one, 10));
  expect(at[0]).toBeLessThan(30);
  expect(at[1]! - at[0]!).toBeGreaterThan(40);
  expect(at.length).toBeLessThanOrEqual(3);
  expect(stream).toBe('sub');
});

it('comes back when the line recovered, and leaves a stream alone that was asked for', async () => {
  await run(10, 1_500);
  expect(stream).toBe('sub');
  await run(40, 10_000);
  expect(stream).toBe('main');
  stream = 'sub';
  rate = new Rate(clock);
  expect(await run(60, 10_000)).toEqual([]);
  stream = 'main';
  expect(rate.judge(1, { stream, hasSub: false })).toBeNull();
});
