import { describe, expect, it } from 'vitest';
import { InFlightCap } from './cap.ts';

/** A path of `rate` bytes/ms and `rtt` ms, used by a sender that always fills the cap; returns the cap after `ms`. */
function saturate(cap: InFlightCap, rate: number, rtt: number, from: number, ms: number): number {
  let free = from;
  const inFlight: { at: number; bytes: number }[] = [];
  let sum = 0;
  for (let now = from; now < from + ms; now += 0.5) {
    while (inFlight[0] && inFlight[0].at <= now) {
      const { bytes } = inFlight.shift()!;
      sum -= bytes;
      cap.acked(bytes, true, now);
    }
    if (sum === 0) {
      cap.resume(now);
      cap.emptyRtt(rtt, now);
    }
    while (sum + 4096 <= cap.bytes) {
      free = Math.max(now, free) + 4096 / rate;
      inFlight.push({ at: free + rtt, bytes: 4096 });
      sum += 4096;
    }
  }
  return cap.bytes;
}

const MBIT = 125; // bytes a ms

describe('the in-flight cap', () => {
  it('settles near rate × (1.25 × RTT + slack), whatever the path', () => {
    for (const [mbit, rtt] of [
      [20, 40],
      [100, 20],
      [100, 2],
    ] as const) {
      const cap = saturate(new InFlightCap(), mbit * MBIT, rtt, 0, 5000);
      const wanted = mbit * MBIT * (1.25 * rtt + 7);
      expect(cap / wanted).toBeGreaterThan(0.85);
      expect(cap / wanted).toBeLessThan(1.2);
    }
  });

  it('never goes below 16 KB or above 16 MB', () => {
    expect(saturate(new InFlightCap(), 0.5 * MBIT, 1, 0, 5000)).toBe(16 * 1024);
    expect(saturate(new InFlightCap(), 8000 * MBIT, 200, 0, 5000)).toBeLessThanOrEqual(16 * 1024 * 1024);
  });

  it('reaches 100 MB/s at 40 ms within a second', () => {
    expect(saturate(new InFlightCap(), 100_000, 40, 0, 1000)).toBeGreaterThan(4_000_000);
  });

  it('grows out of a pipe that runs empty with every acknowledgement', () => {
    const cap = new InFlightCap();
    for (let now = 0; now < 500; now += 1) {
      cap.resume(now);
      cap.emptyRtt(0.3, now);
      cap.acked(cap.bytes, true, now + 0.5);
    }
    expect(cap.bytes).toBeGreaterThan(1_000_000);
  });

  it('follows a path that gets slower within two seconds', () => {
    const cap = new InFlightCap();
    saturate(cap, 20 * MBIT, 2, 0, 3000);
    expect(saturate(cap, 5 * MBIT, 2, 3000, 2500)).toBeLessThanOrEqual(16 * 1024);
  });

  it('does not take time without demand for a slow path, but forgets after 10 s', () => {
    const cap = new InFlightCap();
    const settled = saturate(cap, 100 * MBIT, 20, 0, 3000);
    for (let now = 3000; now < 9000; now += 100) {
      cap.resume(now);
      cap.acked(500, false, now + 20);
    }
    expect(cap.bytes).toBe(settled);
    cap.resume(30_000);
    expect(cap.bytes).toBe(32 * 1024);
  });
});
