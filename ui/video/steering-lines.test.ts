import { describe, expect, it } from 'vitest';
import { LiveEdge } from './steering.ts';

const STEP_MS = 40;
/** Of a group that runs. */
const CACHED = 25;
const SECONDS = 60;
const STALL_MS = 60;

/** A line: how late the picture of each moment comes. They come in order, as over TCP. */
type Line = (picture: number, random: () => number) => number;

/**
 * A player that follows {@link LiveEdge}: it stands while it has no picture, and goes on when there is one. `cached`: when
 * the pictures of the group that runs come.
 * @returns how far behind the camera it was, a millisecond a value, in order; its stalls, by their times
 */
function play(line: Line, cached: number[] = []): { behindMs: number[]; stalls: { atMs: number; ms: number }[] } {
  const edge = new LiveEdge();
  let seed = 7;
  const random = () => {
    seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const arrivals = Array.from({ length: CACHED }, (_, i) => ({ atMs: cached[i] ?? 0, end: (i + 1) * STEP_MS }));
  for (let i = 0; i < SECONDS * 25; i++) {
    const atMs = Math.max(arrivals.at(-1)!.atMs, (i + 1) * STEP_MS + line(i, random));
    arrivals.push({ atMs, end: (CACHED + i + 1) * STEP_MS });
  }
  const behindMs: number[] = [];
  const stalls: { atMs: number; ms: number }[] = [];
  let [position, rate, end] = [0, 1, 0];
  let stalledMs: number | null = null;
  let next = 0;
  for (let now = 0; now < SECONDS * 1000; now++) {
    position = Math.min(end, position + rate);
    if (position === end && end > 0 && stalledMs === null) {
      stalledMs = now;
      edge.waiting(now);
    }
    const steer = (more: boolean) => {
      const steered = edge.steer(position / 1000, [{ start: 0, end: end / 1000 }], now, more);
      if (steered.seek !== null) position = steered.seek * 1000;
      rate = steered.rate;
    };
    for (; next < arrivals.length && arrivals[next]!.atMs <= now; next++) {
      end = arrivals[next]!.end;
      if (stalledMs !== null) {
        edge.playing(now);
        if (now - stalledMs >= STALL_MS) stalls.push({ atMs: stalledMs, ms: now - stalledMs });
        stalledMs = null;
      }
      steer(next + 1 < arrivals.length && arrivals[next + 1]!.atMs <= now);
    }
    if (now % 100 === 0 && end > 0) steer(false);
    behindMs.push(CACHED * STEP_MS + now - position);
  }
  return { behindMs, stalls };
}

const at = (values: number[], p: number) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * p)]!;
/** Every so many pictures the line stands for so long, then all comes at once. */
const standing =
  (every: number, ms: number): Line =>
  (i, random) =>
    5 + random() * 10 + Math.max(0, ms - (i % every) * STEP_MS);

describe('on lines', () => {
  it('is near at once on a good one, also where the group that runs comes in pieces', () => {
    const pieces = Array.from({ length: CACHED }, (_, i) => [0, 3, 8, 15, 26][Math.floor(i / 5)]!);
    for (const cached of [[], pieces]) {
      const { behindMs, stalls } = play(() => 5, cached);
      expect(Math.max(...behindMs.slice(500))).toBeLessThan(120);
      expect(stalls).toEqual([]);
    }
    // A hole in it: what came before was thought to be all. It is not behind for long.
    const holed = Array.from({ length: CACHED }, (_, i) => (i < 8 ? 0 : 60));
    expect(Math.max(...play(() => 5, holed).behindMs.slice(1_000))).toBeLessThan(200);
  });

  it('is as far behind as pictures come late, and no farther', () => {
    const { behindMs, stalls } = play((_, random) => random() * 150);
    expect(at(behindMs, 0.95)).toBeLessThan(220);
    expect(stalls.length).toBeLessThan(4);
  });

  it('learns how long a line stands, and keeps that much', () => {
    const { behindMs, stalls } = play(standing(75, 400));
    // Now and then it tries whether the line has become better.
    expect(stalls.filter(({ atMs }) => atMs > 40_000).length).toBeLessThan(2);
    expect(at(behindMs, 0.95)).toBeLessThan(480);
  });

  it('does not stay behind for what happens seldom', () => {
    const { behindMs, stalls } = play(standing(250, 1_000));
    expect(at(behindMs, 0.5)).toBeLessThan(200);
    // No stall but those of the line.
    expect(stalls.length).toBeLessThanOrEqual(6);
  });
});
