import { expect, it } from 'vitest';
import { parseRange } from './range.ts';

it.each([
  ['bytes=0-', 0, 99],
  ['bytes=10-19', 10, 19],
  ['bytes=90-1000', 90, 99],
  ['bytes=-10', 90, 99],
  ['bytes=-1000', 0, 99],
  ['bytes=99-99', 99, 99],
])('reads %s of 100 bytes', (header, start, end) => expect(parseRange(header, 100)).toEqual({ start, end }));

it.each(['bytes=100-', 'bytes=1000-2000', 'bytes=-0'])('cannot satisfy %s of 100 bytes', (header) =>
  expect(parseRange(header, 100)).toBe('unsatisfiable'));

it.each([
  undefined,
  '',
  'bytes=',
  'bytes=-',
  'bytes=5-2',
  'bytes=0-1,5-6',
  'items=0-1',
  'bytes=a-b',
])('sends everything for %s', (header) => expect(parseRange(header, 100)).toBeNull());
