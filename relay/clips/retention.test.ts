import { describe, expect, it } from 'vitest';
import { iso } from '../../protocol/clock.ts';
import { expiryOf, startOfDay } from './retention.ts';

const expires = (startedAt: string, days: number, zone: string) => iso(expiryOf(Date.parse(startedAt), days, zone));

describe('retention (CLOUD-19, CLOUD-20)', () => {
  it('is to the day in the site’s zone: of 7 days, gone from the 8th day on', () => {
    expect(expires('2026-03-01T00:00:00.000Z', 7, 'UTC')).toBe('2026-03-08T00:00:00.000Z');
    expect(expires('2026-03-01T23:59:59.999Z', 7, 'UTC')).toBe('2026-03-08T00:00:00.000Z');
    // Already the 2nd of March in Tokyo; still the 28th of February in Los Angeles.
    expect(expires('2026-03-01T15:00:00.000Z', 7, 'Asia/Tokyo')).toBe('2026-03-08T15:00:00.000Z');
    expect(expires('2026-03-01T07:59:00.000Z', 7, 'America/Los_Angeles')).toBe('2026-03-07T08:00:00.000Z');
    expect(expires('2026-02-20T12:00:00.000Z', 365, 'Asia/Kathmandu')).toBe('2027-02-19T18:15:00.000Z');
  });

  it('is right across a change of the clock, over months and leap years', () => {
    expect(expires('2026-03-28T12:00:00.000Z', 7, 'Europe/Berlin')).toBe('2026-04-03T22:00:00.000Z');
    expect(expires('2026-10-20T12:00:00.000Z', 7, 'Europe/Berlin')).toBe('2026-10-26T23:00:00.000Z');
    expect(expires('2028-02-01T12:00:00.000Z', 30, 'UTC')).toBe('2028-03-02T00:00:00.000Z');
    // Midnight of this day does not exist in Beirut: its clock goes from 23:59 to 1:00.
    expect(iso(startOfDay(2026, 3, 29, 'Asia/Beirut'))).toBe('2026-03-28T22:00:00.000Z');
  });
});
