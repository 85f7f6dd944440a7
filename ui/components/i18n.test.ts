import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../protocol/wire/event.ts';
import { PROBLEMS } from '../../protocol/wire/problem.ts';
import { EVENT_TYPES as SHOWN_TYPES } from '../portal/site/event-types.ts';
import { merge } from './i18n.ts';
import { english } from './testing.ts';

const ui = fileURLToPath(new URL('..', import.meta.url));
const sources = (folder: string) =>
  readdirSync(join(ui, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.|testing/.test(file))
    .map((file) => readFileSync(join(ui, folder, file), 'utf8'))
    .join('\n');

function leaves(tree: object, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [prefix + key] : leaves(value, `${prefix}${key}.`),
  );
}
const base = (key: string) => key.replace(/_(one|other)$/, '');

/** Keys in quotes and the fixed beginning of `template.${keys}`, wherever they stand in the source. */
function used(code: string, keys: Set<string>) {
  const literal = new Set([...code.matchAll(/['"]([a-zA-Z]+(?:\.[\w-]+)+)['"]/g)].map((m) => m[1]!));
  const prefixes = new Set([...code.matchAll(/`([a-zA-Z]+\.(?:[\w-]+\.)*)\$\{/g)].map((m) => m[1]!));
  return [...keys].filter((key) => literal.has(key) || [...prefixes].some((prefix) => key.startsWith(prefix)));
}

const shared = sources('components');
const pages = { portal: sources('portal') + shared, setup: sources('setup') + shared };

describe('strings', () => {
  it('has no unused key', () => {
    const all = new Set(Object.values(english).flatMap((file) => leaves(file).map(base)));
    const code = pages.portal + pages.setup;
    expect([...all].filter((key) => !used(code, new Set([key])).length)).toEqual([]);
  });

  // The compiler finds keys that are in no file; this finds those of the other page's file.
  it.each(['portal', 'setup'] as const)('gives %s every key that it says', (page) => {
    const given = new Set(leaves(merge([english.common, english[page]])).map(base));
    const own = sources(page);
    const everywhere = new Set(Object.values(english).flatMap((file) => leaves(file).map(base)));
    expect(used(own, everywhere).filter((key) => !given.has(key) && own.includes(`'${key}'`))).toEqual([]);
  });

  it('has each key once and both numbers of each plural', () => {
    const [common, ...others] = [english.common, english.portal, english.setup].map((file) => leaves(file));
    for (const other of others) expect(other.filter((key) => common!.includes(key))).toEqual([]);
    const all = new Set([common, ...others].flat() as string[]);
    const plurals = [...all].filter((key) => /_(one|other)$/.test(key)).map(base);
    for (const key of plurals) expect([all.has(`${key}_one`), all.has(`${key}_other`)], key).toEqual([true, true]);
  });

  it('explains every problem code and names every event type of the wire', () => {
    const keys = new Set(leaves(merge(Object.values(english))));
    for (const code of Object.keys(PROBLEMS))
      for (const part of ['title', 'next']) expect(keys, code).toContain(`problem.${code}.${part}`);
    expect([...SHOWN_TYPES].sort()).toEqual([...EVENT_TYPES].sort());
    for (const type of EVENT_TYPES) expect(keys).toContain(`eventType.${type}`);
  });
});
