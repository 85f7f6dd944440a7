import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const rows = readFileSync(join(root, 'docs/features.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-Z]+-\d\d /.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, id, feature, state, missing, proof]) => ({ id, feature, state, missing, proof: proof ?? '' }));

it('has rows', () => {
  expect(rows.length).toBeGreaterThan(20);
});

/** Titles of the tests of a file: of `it`, `describe` and their `each`, and the names that rows of an `each` begin with. */
function titles(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const text = `'(?:\\\\.|[^'\\\\])*'|"(?:\\\\.|[^"\\\\])*"`;
  const title = new RegExp(`(?:\\b(?:it|describe)(?:\\.\\w+)*|\\))\\(\\s*(${text})\\s*,|\\[\\s*(${text})\\s*,`, 'g');
  return [...source.matchAll(title)].map(([, called = '', row = '']) =>
    (called || row).slice(1, -1).replaceAll('\\', ''),
  );
}
/** A title names a row by its id, or by a range: `CHAN-09…11`. */
const names = (title: string, id: string): boolean => {
  const [family, number] = id.split('-') as [string, string];
  return [...title.matchAll(/\b([A-Z]+)-(\d\d)(?:…(?:[A-Z]+-)?(\d\d))?/g)].some(
    ([, of, from = '', to = from]) => of === family && from <= number && number <= to,
  );
};

it.each(rows)('$id names its state and a test that is there and names it', ({ id = '', state, missing, proof }) => {
  expect(['done', 'partial', 'not yet']).toContain(state);
  if (state === 'partial') expect(missing).not.toBe('');
  if (state === 'not yet') return;
  const [, file = '', title = ''] = /^`([^`]+)` (.+)$/.exec(proof) ?? [];
  expect(existsSync(join(root, file)), file).toBe(true);
  const there = titles(file);
  expect(
    there.filter((one) => one.includes(title)),
    `${file}: ${title}`,
  ).not.toEqual([]);
  expect(
    there.filter((one) => names(one, id)),
    `a title of ${file} with ${id}`,
  ).not.toEqual([]);
});
