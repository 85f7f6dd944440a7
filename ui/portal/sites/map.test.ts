import { expect, it } from 'vitest';
import { plot } from './map.ts';

const place = (latitude: number | null, longitude: number | null) => ({ latitude, longitude });

it('draws places as they lie to one another, north up, inside its frame (SITE-09)', () => {
  const [hamburg, munich, berlin] = plot([place(53.55, 10), place(48.14, 11.58), place(52.52, 13.4)], 600, 400);
  expect(hamburg!.y).toBeLessThan(berlin!.y);
  expect(berlin!.y).toBeLessThan(munich!.y);
  expect(hamburg!.x).toBeLessThan(munich!.x);
  expect(munich!.x).toBeLessThan(berlin!.x);
  for (const { x, y } of [hamburg!, munich!, berlin!]) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x).toBeLessThanOrEqual(600);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThanOrEqual(400);
  }
});

it('puts places that are near together, and leaves out those without one', () => {
  expect(plot([place(1, 1), place(1, 1), place(null, null)], 600, 400)).toMatchObject([{ x: 300, y: 200 }]);
  expect(plot([place(1, 1), place(1, 1)], 600, 400)[0]!.items).toHaveLength(2);
  expect(plot([place(null, 3)], 600, 400)).toEqual([]);
});
