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

it.each(rows)('$id names its state and a test that is there', ({ state, missing, proof }) => {
  expect(['done', 'partial', 'not yet']).toContain(state);
  if (state === 'partial') expect(missing).not.toBe('');
  if (state === 'not yet') return;
  const [, file, title] = /^`([^`]+)` (.+)$/.exec(proof) ?? [];
  expect(existsSync(join(root, file as string)), file).toBe(true);
  expect(readFileSync(join(root, file as string), 'utf8')).toContain(title);
});
