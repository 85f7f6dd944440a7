import { describe, expect, it } from 'vitest';
import { allShown, LiveEdge, overHole } from './steering.ts';
import { WallMap } from './wall-map.ts';

describe('near the newest picture', () => {
  it('begins there once everything that came at once is in, not at the first of it', () => {
    const edge = new LiveEdge();
    expect(edge.steer(0, [{ start: 0.5, end: 0.6 }], 0, true).seek).toBeNull();
    // What is here is in, and more comes sooner than from a camera.
    expect(edge.steer(0, [{ start: 0.5, end: 0.64 }], 3).seek).toBeNull();
    expect(edge.steer(0, [{ start: 0.5, end: 0.68 }], 12).seek).toBeNull();
    expect(edge.steer(0, [{ start: 0.5, end: 0.68 }], 33).seek).toBeCloseTo(0.62, 1);
    // However much still comes, it does not wait for ever.
    edge.restart();
    expect(edge.steer(0, [{ start: 0.5, end: 1 }], 1_000, true).seek).toBeNull();
    expect(edge.steer(0, [{ start: 0.5, end: 1.04 }], 1_301, true).seek).toBeCloseTo(0.98);
  });

  /** As after the beginning, with all up to `end` in. */
  function begun(end: number): LiveEdge {
    const edge = new LiveEdge();
    edge.steer(0, [{ start: 0, end }], -40);
    edge.steer(0, [{ start: 0, end }], 0);
    return edge;
  }

  it('plays faster until it is back where it was, leaps when it is far behind, and over what was left out', () => {
    const edge = begun(1);
    expect(edge.steer(0.95, [{ start: 0, end: 1.04 }], 1)).toEqual({ seek: null, rate: 1 });
    expect(edge.steer(0.95, [{ start: 0, end: 1.08 }], 2).rate).toBe(1.1);
    // Not only until it is not that far behind any more.
    expect(edge.steer(1.02, [{ start: 0, end: 1.12 }], 3).rate).toBe(1.1);
    expect(edge.steer(1.06, [{ start: 0, end: 1.12 }], 4).rate).toBe(1);
    // Judged when a picture has come, for what is left shrinks until then.
    expect(edge.steer(0.96, [{ start: 0, end: 1.12 }], 5).rate).toBe(1);
    expect(edge.steer(0.96, [{ start: 0, end: 1.18 }], 6).rate).toBe(1.25);
    expect(edge.steer(0.96, [{ start: 0, end: 1.5 }], 6).rate).toBe(2);
    expect(edge.steer(0.96, [{ start: 0, end: 3 }], 7).seek).toBeCloseTo(3 - edge.distanceS);
    const hole = [
      { start: 0, end: 3 },
      { start: 4, end: 4.2 },
    ];
    expect(edge.steer(3, hole, 8).seek).toBeCloseTo(4.2 - edge.distanceS);
  });

  it('shows each picture when it comes, however far they are apart', () => {
    const edge = begun(1);
    let position = 0.98;
    const rates = new Set<number>();
    for (let i = 1; i <= 200; i++) {
      const { seek, rate } = edge.steer(position, [{ start: 0, end: 1 + i * 0.2 }], i * 200);
      position = Math.min((seek ?? position) + 0.2 * rate, 1 + i * 0.2);
      if (i > 100) rates.add(rate);
    }
    expect([...rates]).toEqual([1]);
    expect(edge.distanceS).toBeCloseTo(0.22);
  });

  it('keeps farther away after stalls that are seen, comes back after a calm time, and then more carefully', () => {
    const edge = begun(1);
    const calm = (fromMs: number, toMs: number) => {
      for (let ms = fromMs; ms < toMs; ms += 100) edge.steer(0.94, [{ start: 0, end: 1 }], ms);
    };
    const stall = (atMs: number, ms: number) => {
      edge.waiting(atMs);
      edge.playing(atMs + ms);
    };
    stall(10, 30);
    expect(edge.distanceS).toBeCloseTo(0.06);
    for (let i = 0; i < 20; i++) stall(100, 80);
    expect(edge.distanceS).toBeCloseTo(0.54);
    calm(200, 60_000);
    expect(edge.distanceS).toBeCloseTo(0.06);
    // Too near: it does not come back as soon as before.
    stall(60_000, 80);
    calm(60_100, 65_000);
    const nearer = edge.distanceS;
    stall(65_000, 80);
    calm(65_100, 70_000);
    expect([nearer, edge.distanceS].map((s) => s.toFixed(2))).toEqual(['0.06', '0.10']);
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

it('nothing is left to be seen once the last picture is on the screen, however long it lasts', () => {
  // Backward a key frame lasts as long as there is between two of them, and browsers stop as it begins.
  expect([2.4, 4.2, 4.49, 5].map((at) => allShown(at, 6.5, 4.5))).toEqual([false, false, true, true]);
  expect([9.6, 9.8].map((at) => allShown(at, 10, 9.96))).toEqual([false, true]);
  // Nothing came at all.
  expect(allShown(0, 0, null)).toBe(true);
});
