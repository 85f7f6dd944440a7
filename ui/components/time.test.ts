import { beforeAll, describe, expect, it } from 'vitest';
import { speakEnglish } from './testing.ts';
import { formatBytes, formatDuration, formatFull, formatTime } from './time.ts';

beforeAll(speakEnglish);

describe('times', () => {
  const now = Date.parse('2026-11-22T23:30:00Z');

  it("shows today's times in the site's zone, whatever day it is for the viewer", () => {
    expect(formatTime('2026-11-22T23:10:05.123Z', 'UTC', now)).toBe('23:10:05');
    // 00:10 of the 23rd in Vienna, where it is the 23rd as well.
    expect(formatTime('2026-11-22T23:10:05.123Z', 'Europe/Vienna', now)).toBe('00:10:05');
    // In Vienna it is the 23rd, this was the 22nd.
    expect(formatTime('2026-11-22T21:10:05.123Z', 'Europe/Vienna', now)).toBe('22 Nov, 22:10:05');
  });

  it('adds the year when it is another', () => {
    expect(formatTime('2025-12-31T23:30:00Z', 'Europe/Vienna', now)).toBe('1 Jan, 00:30:00');
    expect(formatTime('2025-12-31T22:30:00Z', 'Europe/Vienna', now)).toBe('31 Dec 2025, 23:30:00');
  });

  it('names the zone in full times, also over a change to summer time', () => {
    expect(formatFull('2026-03-29T00:59:59Z', 'Europe/Vienna')).toMatch(/^Sunday,? 29 March 2026 at 01:59:59 CET$/);
    expect(formatFull('2026-03-29T01:00:00Z', 'Europe/Vienna')).toMatch(/^Sunday,? 29 March 2026 at 03:00:00 CEST$/);
  });
});

describe('lengths of time', () => {
  it.each([
    [0, '0 ms'],
    [84.4, '84 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [1843, '1.8 s'],
    [9949, '9.9 s'],
    [9951, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [125_000, '2 min 5 s'],
    [3_599_600, '1 h'],
    [3 * 3_600_000 + 120_000, '3 h 2 min'],
    [49 * 3_600_000, '2 d 1 h'],
    [-1500, '−1.5 s'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [7_340_032, '7.3 MB'],
    [182e6, '182 MB'],
    [41e9, '41 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});
