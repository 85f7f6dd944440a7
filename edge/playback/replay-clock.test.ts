import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aheadOf } from './onvif-recordings.ts';
import { ReplayClock } from './replay-clock.ts';
import { type ReplayStamp, ReplayStamps, readReplayStamp } from './replay-extension.ts';

const T0 = Date.UTC(2026, 10, 20);
const NTP_S = 2_208_988_800;

/** RFC 3550 §5.3.1 with ONVIF's extension. */
function packet(
  ms: number,
  flags = 0,
  o: { timestamp?: number; words?: number; profile?: number; csrc?: number } = {},
) {
  const { timestamp = 1, words = 3, profile = 0xabac, csrc = 0 } = o;
  const head = Buffer.alloc(12 + csrc * 4 + 4 + words * 4 + 5);
  head[0] = 0x90 | csrc;
  head[1] = 96;
  head.writeUInt32BE(timestamp, 4);
  const at = 12 + csrc * 4;
  head.writeUInt16BE(profile, at);
  head.writeUInt16BE(words, at + 2);
  if (words < 3) return head;
  head.writeUInt32BE((Math.floor(ms / 1000) + NTP_S) % 2 ** 32, at + 4);
  head.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 8);
  head[at + 12] = flags;
  return head;
}

describe('the replay extension (ONVIF Streaming §6.3)', () => {
  it('is read as it was written, until 2104', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1970, 0, 2), max: Date.UTC(2104, 0, 1) }),
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 15 }),
        (ms, flags, timestamp, csrc) => {
          const read = readReplayStamp(packet(ms, flags, { timestamp, csrc }))!;
          expect(Math.abs(read.ms - ms)).toBeLessThanOrEqual(1);
          expect(read.timestamp).toBe(timestamp);
          expect([read.end, read.discontinuity, read.terminal]).toEqual(
            [0x40, 0x20, 0x10].map((bit) => (flags & bit) !== 0),
          );
        },
      ),
    );
  });

  it('of any other bytes is none, or a time', () => {
    expect(readReplayStamp(packet(T0, 0, { profile: 0xbede }))).toBeNull();
    expect(readReplayStamp(packet(T0, 0, { words: 2 }))).toBeNull();
    expect(readReplayStamp(packet(T0).subarray(0, 20))).toBeNull();
    expect(readReplayStamp(packet(-NTP_S * 1000))).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const read = readReplayStamp(Buffer.from(bytes));
        expect(read === null || Number.isFinite(read.ms)).toBe(true);
      }),
    );
  });

  it('is found by the picture that it stands on, whichever of its packets says what', () => {
    const stamps = new ReplayStamps();
    stamps.take(packet(T0, 0x80, { timestamp: 7 }));
    stamps.take(packet(T0, 0x40, { timestamp: 7 }));
    expect(stamps.of(7)).toMatchObject({ ms: T0, end: true, terminal: false });
    for (let i = 100; i < 1_000; i++) stamps.take(packet(T0, 0, { timestamp: i }));
    expect(stamps.of(7)).toBeNull();
    expect(stamps.of(999)).not.toBeNull();
  });
});

describe('the clock of a replay', () => {
  const stamp = (ms: number, more: Partial<ReplayStamp> = {}): ReplayStamp => ({
    ms: T0 + ms,
    end: false,
    discontinuity: false,
    terminal: false,
    ...more,
  });
  const clockOf = (o: { speed?: number; gapsLast?: boolean } = {}) =>
    new ReplayClock({ fromMs: T0, speed: 1, shown: 0, gapsLast: false, ...o });
  const unit = (ticks: number, compositionOffset = 0) => ({ ticks, compositionOffset, monoMs: ticks / 90 });

  it('goes by the stamps, whatever RTP says', () => {
    const clock = clockOf();
    const places = [0, 40, 80, 121].map((ms, i) => clock.place(unit(i * 99_000), stamp(ms)));
    expect(places.map((p) => p.recordedMs - T0)).toEqual([0, 40, 80, 121]);
    expect(places.map((p) => p.shown)).toEqual([0, 3_600, 7_200, 10_890]);
    const fast = clockOf({ speed: 8 });
    const keys = [0, 2_000, 4_000].map((ms, i) => fast.place(unit(i * 22_500), stamp(ms)));
    expect(keys.map((p) => p.shown)).toEqual([0, 22_500, 45_000]);
    expect(keys.every((p) => p.gapToMs === null)).toBe(true);
  });

  it('tells of a gap, which takes no time to watch and its own in a file', () => {
    for (const gapsLast of [false, true]) {
      const clock = clockOf({ gapsLast });
      clock.place(unit(0), stamp(20));
      clock.place(unit(3_600), stamp(60, { end: true }));
      const behind = clock.place(unit(7_200), stamp(5_060, { discontinuity: true }));
      expect(behind).toEqual({
        recordedMs: T0 + 5_060,
        shown: gapsLast ? 3_600 + 450_000 : 7_200,
        gapToMs: T0 + 5_060,
      });
      // A recorder that says nothing of it.
      expect(clock.place(unit(10_800), stamp(60_000)).gapToMs).toBe(T0 + 60_000);
    }
  });

  it('fills whole seconds by RTP, and goes by RTP alone without stamps', () => {
    const clock = clockOf();
    const told = Array.from({ length: 60 }, (_, i) =>
      clock.place(unit(i * 3_600), stamp(Math.floor((500 + i * 40) / 1000) * 1000)),
    );
    for (const [i, place] of told.entries()) expect(Math.abs(place.recordedMs - T0 - i * 40)).toBeLessThan(1);
    const bare = clockOf();
    bare.started(T0 + 3_000, 1);
    expect([0, 1, 2].map((i) => bare.place(unit(i * 3_600), null).recordedMs - T0)).toEqual([3_000, 3_040, 3_080]);
  });

  it('shows pictures that are decoded in another order at their own times', () => {
    const clock = clockOf();
    // I P B B: presented at 0, 120, 40, 80 ms.
    const places = [
      [0, 0],
      [120, 10_800 - 3_600],
      [40, 0],
      [80, 0],
    ].map(([ms, offset], i) => clock.place(unit(i * 3_600, offset), stamp(ms! + 7)));
    expect(places.map((p) => p.recordedMs - T0)).toEqual([7, 127, 47, 87]);
    for (const [i, p] of places.entries()) if (i > 0) expect(p.shown).toBeGreaterThan(places[i - 1]!.shown);
  });

  it('never runs backwards, whatever is stamped', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 2 ** 42 })), { maxLength: 50 }), (times) => {
        const clock = clockOf({ gapsLast: true });
        let shown = -1;
        for (const [i, ms] of times.entries()) {
          const place = clock.place(unit(i * 3_600), ms === null ? null : { ...stamp(0), ms });
          expect(Number.isFinite(place.recordedMs)).toBe(true);
          expect(place.shown).toBeGreaterThan(shown);
          shown = place.shown;
        }
      }),
    );
  });
});

describe('labels of a device whose clock is wrong', () => {
  const recording = (toMs: number, growing = false) => [
    { token: 'R', sourceId: '', name: '', fromMs: T0, toMs, growing, tracks: [] },
  ];
  const HOUR = 3_600_000;
  const now = T0 + 10 * HOUR;

  it('are as far ahead as it is, unless what it recorded says otherwise', () => {
    expect(aheadOf([300], recording(now), now)).toBe(0);
    expect(aheadOf([3 * HOUR, 0], recording(now - HOUR), now)).toBe(3 * HOUR);
    // It shows local time as UTC: what it records now carries it, or does not.
    expect(aheadOf([0, 2 * HOUR], recording(now + 2 * HOUR, true), now)).toBe(2 * HOUR);
    expect(aheadOf([2 * HOUR, 0], recording(now, true), now)).toBe(0);
    expect(aheadOf([0], [], now)).toBe(0);
  });
});
