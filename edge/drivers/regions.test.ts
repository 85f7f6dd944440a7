import { describe, expect, it } from 'vitest';
import type { Region } from '../../protocol/wire/operations.ts';
import { covers, inRegion, sameArea } from './regions.ts';

const box = (x1: number, y1: number, x2: number, y2: number): Region => [
  [x1, y1],
  [x2, y1],
  [x2, y2],
  [x1, y2],
];

describe('regions', () => {
  it('know what lies in them', () => {
    const triangle: Region = [
      [0, 0],
      [1, 0],
      [0, 1],
    ];
    expect(inRegion(triangle, 0.2, 0.2)).toBe(true);
    expect(inRegion(triangle, 0.8, 0.8)).toBe(false);
    expect(covers(triangle)).toBe(true);
    expect(covers(box(0.5, 0.5, 0.5, 0.9))).toBe(false);
  });

  it('are the same when they cover the same, however they are cut and rounded', () => {
    const whole = [box(0, 0, 1, 1)];
    expect(sameArea(whole, [box(0, 0, 0.5, 1), box(0.5, 0, 1, 1)])).toBe(true);
    expect(sameArea([box(0.1, 0.1, 0.4, 0.4)], [box(0.09, 0.11, 0.41, 0.39)])).toBe(true);
    expect(sameArea([], [])).toBe(true);
    expect(sameArea(whole, [])).toBe(false);
    expect(sameArea(whole, [box(0, 0, 0.6, 1)])).toBe(false);
    expect(sameArea([box(0.1, 0.1, 0.15, 0.15)], [])).toBe(false);
    expect(sameArea([box(0.1, 0.1, 0.11, 0.105)], [])).toBe(true);
    expect(sameArea([box(0.1, 0.1, 0.4, 0.4)], [box(0.6, 0.6, 0.9, 0.9)])).toBe(false);
  });
});
