import { expect, it } from 'vitest';
import type { ClipPart } from './clip-list.ts';
import { holesOf } from './holes.ts';

const part = (n: number, atMs: number, durationMs: number, more: Partial<ClipPart> = {}): ClipPart => ({
  n,
  size: 1,
  durationMs,
  keyFrame: 1,
  decodeTime: n === 0 ? null : atMs * 90,
  ticks: n === 0 ? null : durationMs * 90,
  ...more,
});
const init = part(0, 0, 0);

it('parts that never came are holes in the time of a clip, at its beginning and its end too (CLOUD-01)', () => {
  const there = [init, part(3, 8_000, 4_000), part(4, 12_000, 4_040), part(9, 32_000, 4_000)];
  expect(holesOf(there, { durationMs: 40_000, gaps: [] })).toEqual([
    { atMs: 0, durationMs: 8_000 },
    { atMs: 16_040, durationMs: 15_960 },
    { atMs: 36_000, durationMs: 4_000 },
  ]);
  expect(holesOf([init], { durationMs: 40_000, gaps: [] })).toEqual([{ atMs: 0, durationMs: 40_000 }]);
});

it('stand beside what the box itself has missed, once', () => {
  const gaps = [
    { atMs: 1_000, durationMs: 2_000 },
    { atMs: 6_000, durationMs: 4_000 },
  ];
  const there = [init, part(1, 0, 5_000), part(4, 15_000, 5_000)];
  expect(holesOf(there, { durationMs: 20_000, gaps })).toEqual([
    { atMs: 1_000, durationMs: 2_000 },
    { atMs: 5_000, durationMs: 10_000 },
  ]);
});

it('what does not say where it lies makes no holes, nor does rounding', () => {
  const gaps = [{ atMs: 1_000, durationMs: 2_000 }];
  expect(holesOf([init, part(2, 0, 1_000, { decodeTime: null })], { durationMs: 9_000, gaps })).toEqual(gaps);
  expect(holesOf([init, part(1, 0, 1_000), part(2, 1_040, 960)], { durationMs: 2_100, gaps: [] })).toEqual([]);
});
