import { describe, expect, it } from 'vitest';
import { clockDrift } from './device-time.ts';
import { isTimeZone, posixZone, wallClock } from './time-zone.ts';

const JULY = Date.UTC(2026, 6, 1, 12);

describe('zones as devices write them', () => {
  it.each([
    ['Europe/Berlin', 'CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00'],
    ['America/New_York', 'CST+5:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00'],
    ['Australia/Lord_Howe', 'CST-10:30:00DST00:30:00,M10.1.0/02:00:00,M4.1.0/02:00:00'],
    ['Europe/Dublin', 'CST+0:00:00DST01:00:00,M3.5.0/01:00:00,M10.5.0/02:00:00'],
    ['Asia/Kolkata', 'CST-5:30:00'],
    ['UTC', 'CST+0:00:00'],
    // Four changes a year, with the moon.
    ['Africa/Casablanca', 'CST-1:00:00'],
  ])('%s', (zone, written) => expect(posixZone(zone, JULY)).toBe(written));

  it('a device that shows summer time under the winter offset is not an hour off', () => {
    const zone = posixZone('Europe/Helsinki', JULY);
    expect(wallClock('Europe/Helsinki', JULY)).toBe('2026-07-01T15:00:00');
    expect(clockDrift('2026-07-01T15:00:00+02:00', zone, JULY)).toBe(0);
  });

  it('knows a zone from a slip', () => {
    expect(['Europe/Berlin', 'Etc/GMT+5', 'Europe/Berlinn', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  });
});
