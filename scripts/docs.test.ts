import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../protocol/wire/problem.ts';
import { WARNABLE_CODES } from '../protocol/wire/warnable.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
/** Rows of tables whose first cell is a code. */
const rowsOf = (path: string) =>
  [...read(path).matchAll(/^\| `([a-z0-9-]+)` \|(.*)\|$/gm)].map(([, code, rest]) => [
    code as string,
    ...(rest as string).split('|').map((cell) => cell.trim()),
  ]);

describe('what the documentation says', () => {
  it('lists every problem that is shown to people, with what to do', () => {
    const rows = rowsOf('docs/operations.md');
    expect(rows.map(([code]) => code).sort()).toEqual([...WARNABLE_CODES].sort());
    expect(rows.filter((row) => row.length !== 3 || row.includes(''))).toEqual([]);
  });

  it('knows no problem that nothing raises', () => {
    const source = globSync('{edge,relay}/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] })
      .map(read)
      .join('\n');
    expect(WARNABLE_CODES.filter((code) => !source.includes(`'${code}'`))).toEqual([]);
  });

  it('lists every error of the API with its status and title', () => {
    const rows = rowsOf('docs/api-errors.md');
    expect(rows.map(([code, status, title]) => [code, Number(status), title])).toEqual(
      Object.entries(PROBLEMS).map(([code, [status, title]]) => [code, status, title]),
    );
  });

  it('shows each requirement of the ASVS by something that is there', () => {
    const rows = [...read('docs/asvs.md').matchAll(/^\| (\d+\.\d+\.\d+[^|]*)\|.*\| `([^`]+)` ?(.*) \|$/gm)];
    expect(rows.length).toBeGreaterThan(60);
    for (const [, id, file, title] of rows) {
      expect([id, globSync(file as string, { cwd: root }).length]).toEqual([id, 1]);
      if (title) expect([id, read(file as string).includes(title)]).toEqual([id, true]);
    }
  });

  it('has decision records in one form, each in the list', () => {
    const list = read('docs/adr/README.md');
    const records = globSync('docs/adr/[0-9]*.md', { cwd: root }).sort();
    expect(records.length).toBeGreaterThan(0);
    for (const [i, path] of records.entries()) {
      const [title, status] = read(path).split('\n\n');
      expect(list).toContain(`\n${i + 1}. [${title?.replace(`# ${i + 1}. `, '')}](${path.slice('docs/adr/'.length)})`);
      expect(status, path).toMatch(/^Status: (current|replaced by)/);
      for (const part of ['Context.', 'Decision.', 'Consequences.']) expect(read(path)).toContain(`**${part}**`);
    }
  });

  it('links to files that are there', () => {
    const pages = globSync(['*.md', 'docs/**/*.md', '{lab,bench}/**/*.md'], { cwd: root });
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to]) => join(page, '..', to as string)),
    );
    expect(links.length).toBeGreaterThan(15);
    const missing = links.filter((path) => globSync(path, { cwd: root }).length === 0);
    expect(missing).toEqual([]);
  });

  it('has every setting of the command line in an environment name', () => {
    for (const main of ['edge/options.ts', 'relay/main.ts']) {
      const settings = read(main).split(".command('bootstrap')")[0] as string;
      expect(settings.match(/'--[a-z0-9-]+ </g)?.length, main).toBe(settings.match(/'GATEPOST_/g)?.length);
    }
  });
});
