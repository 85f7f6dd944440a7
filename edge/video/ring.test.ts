import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioFrame } from './audio.ts';
import type { AccessUnit } from './receiver.ts';
import { Ring } from './ring.ts';

const unit = (monoMs: number, keyFrame: boolean, bytes = 100) =>
  ({ monoMs, keyFrame, data: Buffer.alloc(bytes) }) as AccessUnit;

describe('the pre-roll ring', () => {
  it('always finds a key frame at least the time asked for before now, and drops what is older', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), fc.integer({ min: 0, max: 9000 }), (group, holdMs) => {
        const ring = new Ring(1e9);
        ring.holdMs = holdMs;
        for (let i = 0; i < 600; i++) ring.push(unit(i * 40, i % group === 0));
        const now = 599 * 40;
        const found = ring.from(now - holdMs);
        expect(found[0]!.keyFrame).toBe(true);
        expect(found[0]!.monoMs).toBeLessThanOrEqual(Math.max(0, now - holdMs));
        expect(found.at(-1)!.monoMs).toBe(now);
        // No more than the hold and one group is kept, no more than one group early is handed out.
        expect(now - ring.oldest!.monoMs).toBeLessThan(holdMs + group * 40 + 40);
        expect(found[0]!.monoMs).toBeGreaterThan(now - holdMs - group * 40);
        expect(ring.bytes).toBe(((now - ring.oldest!.monoMs) / 40 + 1) * 100);
      }),
    );
  });

  it('is bounded in pictures and pieces of sound of hardly a byte', () => {
    const ring = new Ring(1e9);
    ring.holdMs = 1e9;
    for (let i = 0; i < 40_000; i++) {
      ring.push(unit(i, i % 1000 === 0, 1));
      if (i < 34_000) ring.pushAudio({ monoMs: i, data: Buffer.alloc(1) } as AudioFrame);
    }
    expect(ring.overflowed).toBe(true);
    expect(ring.from(0).length).toBeGreaterThan(30_000);
    expect(ring.from(0).length).toBeLessThanOrEqual(32_768);
    expect(ring.audioFrom(0).length).toBeLessThanOrEqual(32_768);
  });

  it('is bounded in bytes even when no key frame comes any more', () => {
    const ring = new Ring(10_000);
    ring.holdMs = 60_000;
    for (let i = 0; i < 1000; i++) {
      ring.push(unit(i * 40, i === 0 || i === 500, 100));
      expect(ring.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(ring.overflowed).toBe(true);
    expect(ring.from(0)).toEqual([]);
    ring.push(unit(50_000, true));
    expect(ring.from(0).map((u) => u.monoMs)).toEqual([50_000]);
  });

  it('keeps sound for as long as the pictures beside it, and bounded', () => {
    const ring = new Ring(1e6);
    ring.holdMs = 2_000;
    const sound = (monoMs: number, bytes = 160) => ({ monoMs, data: Buffer.alloc(bytes) }) as AudioFrame;
    for (let i = 0; i < 500; i++) {
      ring.push(unit(i * 40, i % 25 === 0));
      ring.pushAudio(sound(i * 40 + 3));
    }
    const found = ring.audioFrom(15_000);
    expect(found.at(-1)!.monoMs).toBe(19_963);
    expect(found[0]!.monoMs).toBeGreaterThanOrEqual(ring.oldest!.monoMs);
    expect(found[0]!.monoMs).toBeLessThan(ring.oldest!.monoMs + 50);
    for (let i = 0; i < 100; i++) ring.pushAudio(sound(20_000 + i, 100_000));
    expect(ring.bytes).toBeLessThan(2_200_000);
    ring.clear();
    expect([ring.bytes, ring.audioFrom(0)]).toEqual([0, []]);
  });

  it('does not hand out what was taken before the stream broke off', () => {
    const ring = new Ring(1e6);
    ring.holdMs = 8_000;
    for (let i = 0; i < 50; i++) ring.push(unit(i * 40, i % 25 === 0));
    expect(ring.from(60_000)).toEqual([]);
    ring.push(unit(61_000, true));
    expect(ring.from(60_000).map((u) => u.monoMs)).toEqual([61_000]);
  });
});
