import { expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { ClaimTries } from './claims.ts';

it('lets the same address try again once somebody at the box ended the pause, and only for that box', () => {
  const tries = new ClaimTries({ clock: new ManualClock() });
  const wrong = (serial: string) => tries.take(serial, '192.0.2.1');
  for (let i = 0; i < 4; i++) expect(wrong('OTHER')).toBe(0);
  expect(wrong('MINE')).toBe(0);
  expect(wrong('MINE')).toBeGreaterThan(0);
  tries.clear('MINE');
  expect(wrong('MINE')).toBe(0);
  // Ending the pause of one box gives no more guesses at another.
  expect(wrong('OTHER')).toBeGreaterThan(0);
  tries.clear('MINE');
  tries.clear('MINE');
  expect(wrong('OTHER')).toBe(0);
  expect(wrong('OTHER')).toBeGreaterThan(0);
});
