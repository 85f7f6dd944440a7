import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

/** Runs these tests by a vitest of their own, and gives what it wrote of them. */
function failedOf(files: Record<string, string>): unknown {
  mkdirSync('var', { recursive: true });
  // Inside the project, where vitest is found.
  const folder = mkdtempSync(join('var', 'failed-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ 'vitest.config.js': 'export default {};', ...files }))
    writeFileSync(join(folder, name), text);
  const list = join(folder, 'failed.json');
  const reporters = ['--reporter', join(import.meta.dirname, 'failed-files.ts')];
  spawnSync('vitest', ['run', '--root', folder, '--globals', ...reporters], {
    env: { ...process.env, FAILED_FILES: list },
  });
  const text = readFileSync(list, 'utf8').replaceAll(`${folder}/`, '');
  return JSON.parse(text);
}
const good = `it('works', () => {});`;
const bad = `it('fails', () => { throw new Error('so it is'); });`;
const stray = `it('works', () => { Promise.reject(new Error('nobody waits for it')); });`;

it('names the files with a failure, and counts the errors that belong to no test', () => {
  expect(
    failedOf({ 'a.test.ts': good, 'b.test.ts': bad + good, 'c.test.ts': 'throw new Error("at the start");' }),
  ).toEqual({
    files: expect.toSatisfy((files: string[]) => [...files].sort().join() === 'b.test.ts,c.test.ts'),
    strayErrors: 0,
  });
  expect(failedOf({ 'a.test.ts': stray, 'b.test.ts': bad })).toEqual({ files: ['b.test.ts'], strayErrors: 1 });
  expect(failedOf({ 'a.test.ts': good })).toEqual({ files: [], strayErrors: 0 });
}, 60_000);
