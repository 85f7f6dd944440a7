import { describe, expect, it } from 'vitest';
import type { Handed } from './box.ts';
import type { Arrival } from './centre.ts';
import { isClean, tally } from './tally.ts';

const handed = (n: number, given: Partial<Handed> = {}): Handed => ({
  n,
  type: 'motion',
  rank: 0,
  ends: false,
  at: n,
  journalledAt: n,
  ...given,
});
const arrival = (n: number, at: number, given: Partial<Arrival> = {}): Arrival => ({
  what: 'event',
  n,
  code: 'BA',
  account: '00A1',
  sequence: n + 1,
  data: `BA${n}`,
  via: 'direct',
  at,
  ...given,
});
const NONE = new Map<number, number>();

describe('counting what arrived', () => {
  it('finds nothing wrong where all came once and in order', () => {
    expect(isClean(tally([handed(0), handed(1)], [arrival(0, 5), arrival(1, 6)], NONE))).toBe(true);
  });

  it('finds what is lost, and does not miss what the box never had', () => {
    const list = [handed(0), handed(1), handed(2, { journalledAt: null })];
    expect(tally(list, [arrival(0, 5)], NONE)).toMatchObject({ owed: 2, lost: [1] });
  });

  it('excuses a copy by a swallowed acknowledgement of its number, and no other', () => {
    const arrivals = [arrival(0, 5), arrival(0, 6), arrival(1, 7), arrival(1, 8)];
    const found = tally([handed(0), handed(1)], arrivals, new Map([[1, 1]]));
    expect(found).toMatchObject({ doubled: 2, unexcused: [1], unlike: [] });
  });

  it('finds copies that differ, and numbers used again for something else', () => {
    const other = arrival(0, 6, { sequence: 9 });
    expect(tally([handed(0)], [arrival(0, 5), other], new Map([[1, 1]])).unlike).toEqual([0]);
    const twice = [arrival(0, 5), arrival(1, 6, { sequence: 1 })];
    expect(tally([handed(0), handed(1)], twice, NONE).reused).toEqual([1]);
  });

  it('finds what came out of order within its class only', () => {
    const list = [handed(0, { rank: 1 }), handed(1), handed(2), handed(3)];
    const arrivals = [arrival(1, 5), arrival(3, 6), arrival(2, 7), arrival(0, 8)];
    expect(tally(list, arrivals, NONE).inversions).toEqual([3]);
  });

  it('finds restores that came first or never, and events of nobody', () => {
    const list = [handed(0, { ends: true }), handed(1, { ends: true }), handed(2, { ends: true })];
    const restore = (n: number, at: number) => arrival(n, at, { what: 'restore', sequence: n + 50, data: `BH${n}` });
    const arrivals = [restore(0, 4), arrival(0, 5), arrival(1, 6), arrival(2, 7), restore(2, 8), arrival(7, 9)];
    expect(tally(list, arrivals, NONE)).toMatchObject({ restoresAstray: [0, 1], strange: 1 });
  });
});
