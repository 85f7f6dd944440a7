import { describe, expect, it } from 'vitest';
import { LiveEdge, overHole } from './steering.ts';
import { WallMap } from './wall-map.ts';

describe('near the newest picture', () => {
  it('begins there once everything that came at once is in, not at the first of it', () => {
    const edge = new LiveEdge();
    expect(edge.steer(0, [{ start: 0.5, end: 0.6 }], 0, true).seek).toBeNull();
    expect(edge.steer(0, [{ start: 0.5, end: 2.5 }], 50).seek).toBeCloseTo(2.44);
    // However much still comes, it does not wait for ever.
    edge.restart();
    expect(edge.steer(0, [{ start: 0.5, end: 1 }], 1_000, true).seek).toBeNull();
    expect(edge.steer(0, [{ start: 0.5, end: 1.5 }], 1_301, true).seek).toBeCloseTo(1.44);
  });

  it('plays faster when it is behind, leaps when it is far behind, and over what was left out', () => {
    const edge = new LiveEdge();
    edge.steer(0, [{ start: 0, end: 1 }], 0);
    expect(edge.steer(0.95, [{ start: 0, end: 1 }], 1)).toEqual({ seek: null, rate: 1 });
    expect(edge.steer(0.95, [{ start: 0, end: 1.2 }], 2).rate).toBe(1.1);
    expect(edge.steer(0.95, [{ start: 0, end: 1.7 }], 3).rate).toBe(1.25);
    expect(edge.steer(0.95, [{ start: 0, end: 3 }], 4).seek).toBeCloseTo(2.94);
    const hole = [
      { start: 0, end: 3 },
      { start: 4, end: 4.2 },
    ];
    expect(edge.steer(3, hole, 5).seek).toBeCloseTo(4.14);
  });

  it('keeps farther away after stalls, and comes back after a calm time', () => {
    const edge = new LiveEdge();
    edge.steer(0, [{ start: 0, end: 1 }], 0);
    for (let i = 0; i < 20; i++) edge.stalled(100);
    expect(edge.distanceS).toBe(0.5);
    for (let ms = 0; ms < 400_000; ms += 100) edge.steer(0.9, [{ start: 0, end: 1 }], ms);
    expect(edge.distanceS).toBeCloseTo(0.06);
  });

  it('plays what is recorded in whole, over its holes', () => {
    const spans = [
      { start: 0.5, end: 3 },
      { start: 5, end: 8 },
    ];
    expect(overHole(0, spans)).toBe(0.5);
    expect(overHole(1, spans)).toBeNull();
    expect(overHole(3, spans)).toBe(5);
    expect(overHole(8, spans)).toBeNull();
  });
});

describe('the wall time of a picture', () => {
  it('runs on between fragments, at the speed of the recording, and stands at a hole', () => {
    const map = new WallMap();
    expect(map.at(1)).toBeNull();
    map.add(0.5, 10_000);
    expect(map.at(1.5)).toBe(11_000);
    map.add(1.5, 11_000);
    // Four times as fast.
    map.add(2.5, 15_000);
    expect(map.at(2)).toBe(13_000);
    expect(map.at(3)).toBe(17_000);
    // An hour was not recorded.
    map.add(3.5, 3_619_000);
    expect(map.at(3)).toBe(17_000);
    expect(map.at(3.5)).toBe(3_619_000);
    // It began anew from there.
    map.add(2.5, 50_000);
    expect(map.at(2.5)).toBe(50_000);
  });
});
