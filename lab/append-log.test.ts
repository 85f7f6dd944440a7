import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppendLog } from './append-log.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-log-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('gives back what was appended, without a last line that a crash cut off', () => {
  const path = join(dir, 'log.jsonl');
  const first = new AppendLog<{ n: number }>(path);
  expect(first.open()).toEqual([]);
  first.append({ n: 1 });
  first.append({ n: 2 });
  first.close();
  appendFileSync(path, '{"n":3');
  const second = new AppendLog<{ n: number }>(path);
  expect(second.open()).toEqual([{ n: 1 }, { n: 2 }]);
  second.append({ n: 4 });
  second.close();
  expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"n":2}\n{"n":4}\n');
});
