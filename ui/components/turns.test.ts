import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('gives turns a few at a time, in order; leaving the line or ending twice gives nobody a turn too many', () => {
  const turns = new Turns(2);
  const had: string[] = [];
  const ask = (name: string) => turns.ask(() => had.push(name));
  const a = ask('a');
  ask('b');
  const c = ask('c');
  ask('d');
  ask('e');
  expect(had).toEqual(['a', 'b']);
  c();
  a();
  a();
  expect(had).toEqual(['a', 'b', 'd']);
});
