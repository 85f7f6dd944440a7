import { expect, it } from 'vitest';
import { ends } from './ends.ts';

const of = (event: string, zone: string, qualifier: 'begin' | 'end' = 'begin') => [
  { event, zone, qualifier, area: 1, text: null },
];

it('knows the restore of an alarm, and no other message', () => {
  expect(ends(of('130', '005', 'end'), of('130', '005'))).toBe(true);
  expect(ends(of('BR', '005', 'end'), of('BA', '005'))).toBe(true);
  expect(ends([...of('FA', '001'), ...of('BH', '005', 'end')], of('BA', '005'))).toBe(true);
  expect(ends(of('130', '006', 'end'), of('130', '005'))).toBe(false);
  expect(ends(of('110', '005', 'end'), of('130', '005'))).toBe(false);
  expect(ends(of('130', '005'), of('130', '005'))).toBe(false);
  expect(ends(of('130', '005', 'end'), of('130', '005', 'end'))).toBe(false);
});
