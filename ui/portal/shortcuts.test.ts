import { expect, it } from 'vitest';
import { type Go, Shortcuts } from './shortcuts.ts';

const typed = (keys: string, pauseMs = 100): Go | null => {
  const shortcuts = new Shortcuts();
  return [...keys].reduce<Go | null>((_, key, i) => shortcuts.key(key, i * pauseMs), null);
};

it.each<[keys: string, pauseMs: number, means: Go | null]>([
  ['gs', 100, { letter: 's' }],
  ['gh', 1_500, { letter: 'h' }],
  ['gs', 1_501, null],
  ['gg', 100, { letter: 'g' }],
  ['ggs', 100, null],
  ['g/', 100, null],
  ['/', 100, 'search'],
  ['?', 100, 'help'],
  ['s', 100, null],
  ['gS', 100, null],
])('%s with %i ms between means %j', (keys, pauseMs, means) => {
  expect(typed(keys, pauseMs)).toEqual(means);
});
