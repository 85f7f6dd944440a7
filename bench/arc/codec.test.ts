import { describe, expect, it } from 'vitest';
import { flips, fuzzReceiver, roundTrips } from './codec.ts';

describe('the DC-09 codec in large numbers (the long form: npm run bench codec)', () => {
  it('brings every message back as it went', () => expect(roundTrips(5_000)).toBe(0));

  it('notices every flipped bit', () => expect(flips(40).unnoticed).toBe(0));

  it('never acknowledges what is not whole, and survives all', async () => {
    const report = await fuzzReceiver(20_000);
    expect(report).toMatchObject({ falselyAcknowledged: 0, failures: 0 });
    expect(report.acknowledged).toBeGreaterThan(1_000);
    expect(report.grownBytes).toBeLessThan(64e6);
  });
});
