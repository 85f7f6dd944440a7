import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Who may import whom. The lab plays devices and receivers: sharing code with what talks to them would make both wrong
 * together. `bench` measures everything and may import everything.
 */
const MAY_IMPORT: Record<string, string[]> = {
  protocol: ['protocol/'],
  edge: ['edge/', 'protocol/'],
  relay: ['relay/', 'protocol/'],
  ui: ['ui/', 'protocol/wire/'],
  lab: ['lab/', 'protocol/wire/'],
};

type Import = { from: string; to: string; typeOnly: boolean };

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found: Import[] = [];
  const pattern = /(?:^|\n)\s*(?:import|export)\b(\s+type\b)?[^'";]*?from\s+'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g;
  for (const [, type, from, direct] of source.matchAll(pattern)) {
    const specifier = (from ?? direct) as string;
    const to = specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier;
    found.push({ from: file, to, typeOnly: type !== undefined });
  }
  return found;
}

const files = globSync('{protocol,edge,relay,ui,lab}/**/*.{ts,tsx}', { cwd: root, exclude: ['ui/dist/**'] });
const imports = files.flatMap(importsOf);

describe('import rules', () => {
  it('reads imports of every form', () => {
    expect(imports.length).toBeGreaterThan(files.length);
    const own = importsOf('scripts/imports.test.ts').map((i) => i.to);
    expect(own).toEqual(expect.arrayContaining(['node:fs', 'vitest']));
  });

  it('crosses no border between box, relay, UI and lab', () => {
    const folders = ['protocol/', 'edge/', 'relay/', 'ui/', 'lab/', 'bench/', 'scripts/'];
    const crossing = imports.filter(({ from, to }) => {
      const allowed = MAY_IMPORT[from.split('/')[0] as string] as string[];
      return folders.some((f) => to.startsWith(f)) && !allowed.some((a) => to.startsWith(a));
    });
    expect(crossing).toEqual([]);
  });

  it('ships nothing that needs a development dependency', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const wrong = imports.filter(
      ({ from, to, typeOnly }) =>
        /^(edge|relay|protocol)\//.test(from) &&
        !/\.test\.ts$|contract\.ts$|\/testing\//.test(from) &&
        !typeOnly &&
        Object.keys(devDependencies).some((name) => to === name || to.startsWith(`${name}/`)),
    );
    expect(wrong).toEqual([]);
  });

  it('has no circles', () => {
    const graph = new Map(files.map((f) => [f, [] as string[]]));
    for (const { from, to, typeOnly } of imports) if (!typeOnly && graph.has(to)) graph.get(from)?.push(to);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const next of graph.get(file) as string[]) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});
