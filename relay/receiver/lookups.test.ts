import { expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { KnownAccount } from './directory.ts';
import { Lookups } from './lookups.ts';

const clock = new ManualClock(0);
const known = { account: '1234' } as KnownAccount;

it('looks up once for a moment, known or not, and anew after a change', async () => {
  const lookups = new Lookups({ clock });
  let looked = 0;
  const find = (key: string, value: KnownAccount | null) =>
    lookups.find(key, async () => {
      looked++;
      return value;
    });
  expect([await find('a', known), await find('a', null)]).toEqual([known, known]);
  expect([await find('b', null), await find('b', known)]).toEqual([null, null]);
  expect(looked).toBe(2);
  await clock.advance(2_000);
  expect([await find('a', null), await find('b', known)]).toEqual([null, known]);
  lookups.forget();
  expect(await find('a', known)).toBe(known);
  // What was read before a change is not kept after it.
  const { promise, resolve } = Promise.withResolvers<KnownAccount | null>();
  const late = lookups.find('c', () => promise);
  lookups.forget();
  resolve(known);
  expect(await late).toBe(known);
  expect(await find('c', null)).toBeNull();
});

it('guesses do not grow it without end, nor push out who is known', async () => {
  const lookups = new Lookups({ clock });
  await lookups.find('a', async () => known);
  for (let i = 0; i < 6_000; i++) await lookups.find(`guess ${i}`, async () => null);
  expect(lookups.size).toBe(5_001);
  expect(await lookups.find('a', async () => null)).toBe(known);
});
