import { expect, it } from 'vitest';
import { moved, placeAt } from './order.ts';

it('an entry takes its new place, and the others keep theirs', () => {
  expect(moved(['a', 'b', 'c', 'd'], 0, 2)).toEqual(['b', 'c', 'a', 'd']);
  expect(moved(['a', 'b', 'c', 'd'], 3, 0)).toEqual(['d', 'a', 'b', 'c']);
  expect(moved(['a', 'b'], 0, 9)).toEqual(['b', 'a']);
  expect(moved(['a', 'b'], 1, -1)).toEqual(['b', 'a']);
});

it('the place under the finger', () => {
  const edges = [0, 50, 100].map((top) => ({ top, bottom: top + 50 }));
  expect([-10, 10, 30, 60, 90, 110, 500].map((y) => placeAt(y, edges))).toEqual([0, 0, 1, 1, 2, 2, 2]);
});
