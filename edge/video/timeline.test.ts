import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline } from './timeline.ts';

const place = (t: Timeline, rtp: number, receiptMs: number) => {
  t.follows(rtp >>> 0, receiptMs);
  return t.place(rtp >>> 0, receiptMs);
};

describe('times of a stream', () => {
  it('runs on over the 32-bit wrap', () => {
    const timeline = new Timeline(90_000);
    const times = Array.from({ length: 5 }, (_, i) => place(timeline, 0xffffffff - 5000 + i * 3600, i * 40));
    expect(times.map((t) => t.time - times[0]!.time)).toEqual([0, 3600, 7200, 10_800, 14_400]);
    expect(times.every((t) => t.epoch === 0)).toBe(true);
  });

  it('begins a new epoch when the camera starts its timestamps anew, not when the network stood still', () => {
    const timeline = new Timeline(90_000);
    place(timeline, 1_000_000, 0);
    expect(place(timeline, 1_003_600, 20_000).epoch).toBe(0);
    expect(place(timeline, 1_003_600 + 30 * 90_000, 50_000).epoch).toBe(0);
    expect(place(timeline, 77, 50_040).epoch).toBe(1);
    expect(place(timeline, 77 + 60 * 90_000, 50_080).epoch).toBe(2);
  });

  it.each([
    { back: 0.5, reorders: false },
    { back: 0.9, reorders: false },
    { back: 0.05, reorders: false },
    { back: 0.5, reorders: true },
    { back: 0.9, reorders: true },
  ])("begins a new epoch when a camera's clock is set back by $back s (reordered pictures: $reorders)", (o) => {
    const timeline = new Timeline(90_000);
    const rtp = (ms: number) => 1_000_000 + ms * 90;
    for (let ms = 0; ms < 2_000; ms += 40) {
      expect(timeline.follows(rtp(ms), ms, o.reorders)).toBe(true);
      timeline.place(rtp(ms), ms);
    }
    expect(timeline.follows(rtp(2_000 - o.back * 1000), 2_000, o.reorders)).toBe(false);
    const next = [0, 1, 2].map((i) => timeline.place(rtp(2_000 + i * 40 - o.back * 1000), 2_000 + i * 40, i === 0));
    expect(next.map((p) => [p.epoch, p.monoMs])).toEqual([0, 1, 2].map((i) => [1, 2_000 + i * 40]));
    expect(next[2]!.time - next[1]!.time).toBe(3_600);
  });

  it.each([
    ['one B-frame', [2, 1]],
    ['three in a row', [4, 1, 2, 3]],
    ['a pyramid of seven', [8, 4, 2, 1, 3, 6, 5, 7]],
  ])('takes no reordered picture for a clock that is set back: %s', (_, order) => {
    const timeline = new Timeline(90_000);
    const shown = [0, ...Array.from({ length: 30 }, (_, g) => order.map((n) => g * order.length + n)).flat()];
    // 29.97 pictures a second, stamped in whole milliseconds.
    const placed = shown.map((n, i) => place(timeline, Math.round(n * 33.37) * 90, Math.round(i * 33.37)));
    expect(placed.every((p) => p.epoch === 0)).toBe(true);
  });

  it('takes a key frame that would be shown earlier as the first of an epoch', () => {
    const timeline = new Timeline(90_000);
    for (let i = 0; i < 20; i++) place(timeline, 1_000_000 + i * 3_600, i * 40);
    expect(timeline.follows(1_000_000 + 18 * 3_600, 800)).toBe(true);
    expect(timeline.place(1_000_000 + 18 * 3_600, 800, true)).toMatchObject({ epoch: 1, monoMs: 800 });
  });

  it('keeps decoding times growing whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20_000, max: 40_000 }), { maxLength: 200 }), (steps) => {
        const timeline = new Timeline(90_000);
        let [rtp, last] = [0, { epoch: -1, time: 0 }];
        for (const [i, step] of steps.entries()) {
          rtp += step;
          const placed = place(timeline, rtp, i * 40);
          if (placed.epoch === last.epoch) expect(placed.time).toBeGreaterThan(last.time);
          last = placed;
        }
      }),
    );
  });

  it('puts reordered pictures right once it has seen how far they move', () => {
    const timeline = new Timeline(90_000);
    // I P B b P B b …: presentation order 0 4 2 3(b) is coded as 0, 4, 2, 1, 3.
    const order = Array.from({ length: 10 }, (_, g) => [4, 2, 1, 3].map((n) => g * 4 + n)).flat();
    const placed = [0, ...order].map((n, i) => place(timeline, n * 3600, i * 40));
    const steady = placed.slice(12);
    for (const p of steady) expect(p.compositionOffset).toBeGreaterThanOrEqual(0);
    for (const [i, p] of steady.slice(1).entries()) expect(p.time - steady[i]!.time).toBe(3600);
    const shown = placed.map((p) => p.time + p.compositionOffset);
    expect([...shown].sort((a, b) => a - b).map((n) => n - shown[0]!)).toEqual(shown.map((_, i) => i * 3600));
  });

  it('takes the time of day from the fastest packets, not from a burst at the start, and follows drift', () => {
    const timeline = new Timeline(90_000);
    // 2 s of old pictures come at once, then live ones with up to 80 ms of queueing; the camera's clock is 200 ppm slow.
    let last = 0;
    for (let i = 0; i < 6000; i++) {
      const takenMs = i * 40;
      const receiptMs = takenMs < 2000 ? 2000 + i / 100 : takenMs + (i % 7 === 0 ? 2 : 80);
      last = place(timeline, Math.round(takenMs * 0.9998 * 90), receiptMs).monoMs - takenMs;
      if (i > 60) expect(Math.abs(last)).toBeLessThan(20);
    }
  });
});
