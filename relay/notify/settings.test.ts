import { describe, expect, it } from 'vitest';
import { notBefore } from './settings.ts';

const at = (text: string) => Date.parse(text);
const quiet = (from: string, until: string, timeZone = 'UTC') => ({ from, until, timeZone });

describe('quiet hours', () => {
  it.each([
    ['none', null, '2026-06-01T23:00:00Z', '2026-06-01T23:00:00Z'],
    ['before them', quiet('22:00', '07:00'), '2026-06-01T21:59:59Z', '2026-06-01T21:59:59Z'],
    ['at their beginning', quiet('22:00', '07:00'), '2026-06-01T22:00:00Z', '2026-06-02T07:00:00Z'],
    ['before midnight', quiet('22:00', '07:00'), '2026-06-01T23:30:12Z', '2026-06-02T07:00:00Z'],
    ['after midnight', quiet('22:00', '07:00'), '2026-06-02T03:00:00Z', '2026-06-02T07:00:00Z'],
    ['in their last minute', quiet('22:00', '07:00'), '2026-06-02T06:59:59Z', '2026-06-02T07:00:00Z'],
    ['at their end', quiet('22:00', '07:00'), '2026-06-02T07:00:00Z', '2026-06-02T07:00:00Z'],
    ['within a day', quiet('12:00', '13:30'), '2026-06-02T12:15:00Z', '2026-06-02T13:30:00Z'],
    ['of no length', quiet('12:00', '12:00'), '2026-06-02T12:00:00Z', '2026-06-02T12:00:00Z'],
    ['in the person’s zone', quiet('22:00', '07:00', 'Asia/Kolkata'), '2026-06-01T17:00:00Z', '2026-06-02T01:30:00Z'],
    ['outside in that zone', quiet('22:00', '07:00', 'Asia/Kolkata'), '2026-06-01T23:00:00Z', '2026-06-02T01:30:00Z'],
    ['over in that zone', quiet('22:00', '07:00', 'Asia/Kolkata'), '2026-06-02T02:00:00Z', '2026-06-02T02:00:00Z'],
  ])('let a message go at the right time: %s', (_, hours, now, then) => {
    expect(new Date(notBefore(hours, at(now))).toISOString()).toBe(new Date(at(then)).toISOString());
  });
});
