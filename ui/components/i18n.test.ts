import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../protocol/wire/event.ts';
import { PROBLEMS } from '../../protocol/wire/problem.ts';
import { EVENT_TYPES as SHOWN_TYPES } from '../portal/site/event-types.ts';
import { LANGUAGES, lookup, merge, needStrings, pickLanguage, setLanguage, startI18n, t } from './i18n.ts';
import { readStrings, stringFiles } from './testing.ts';

const ui = fileURLToPath(new URL('..', import.meta.url));
const translations = Object.keys(LANGUAGES).filter((tag) => tag !== 'en');

/** Every string by its full key. */
function leaves(tree: object, prefix = ''): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') all.set(prefix + key, value);
    else for (const [below, text] of leaves(value, `${prefix}${key}.`)) all.set(below, text);
  }
  return all;
}
const english = new Map(stringFiles.map((file) => [file as string, leaves(readStrings('en', file))]));
const PLURAL = /_(zero|one|two|few|many|other)$/;
const base = (key: string) => key.replace(PLURAL, '');
const bases = (files: Iterable<string>) =>
  new Set([...files].flatMap((file) => [...(english.get(file)?.keys() ?? [])].map(base)));
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]!).sort();

const sources = readdirSync(ui, { recursive: true, encoding: 'utf8' })
  .filter((file) => /^(components|portal|setup)\/.*\.tsx?$/.test(file) && !/\.test\.|testing/.test(file))
  .map((file) => join(ui, file));
const code = new Map(sources.map((file) => [file, readFileSync(file, 'utf8')]));
/** Keys in quotes, and the fixed beginning of `template.${keys}`. */
const literals = (text: string) => [...text.matchAll(/['"]([a-zA-Z]\w*(?:\.[\w-]+)+)['"]/g)].map((m) => m[1]!);
const prefixes = (text: string) => [...text.matchAll(/`([a-zA-Z]\w*\.(?:[\w-]+\.)*)\$\{/g)].map((m) => m[1]!);

/** A source and all that it imports at once; what it imports when it is needed is another chunk. */
function chunk(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file) || !code.has(file)) return seen;
  seen.add(file);
  for (const [, path] of code.get(file)!.matchAll(/^import [^;]*?from '(\.[^']+)'|^import '(\.[^']+)'/gms))
    if (path) chunk(join(dirname(file), path), seen);
  return seen;
}

describe('strings', () => {
  it('has no unused key', () => {
    const text = [...code.values()].join('\n');
    const said = new Set(literals(text));
    const beginnings = prefixes(text);
    const unused = [...bases(english.keys())].filter(
      (key) => !said.has(key) && !beginnings.some((prefix) => key.startsWith(prefix)),
    );
    expect(unused).toEqual([]);
  });

  it('names every file in the types of keys', () => {
    const typed = [
      ...readFileSync(join(ui, 'locales/files.ts'), 'utf8').matchAll(/^import type \w+ from '\.\/en\/(.+)\.json'/gm),
    ];
    expect(typed.map((m) => m[1]).sort()).toEqual([...english.keys()].sort());
  });

  it('has each key in one file only, and both numbers of each plural', () => {
    const homes = new Map<string, string>();
    for (const [file, keys] of english) {
      if (file === 'setup') continue;
      for (const key of keys.keys()) {
        expect(homes.get(key), `${key} is in ${file} and in`).toBeUndefined();
        homes.set(key, file);
      }
    }
    for (const keys of english.values())
      for (const key of keys.keys())
        if (PLURAL.test(key))
          for (const form of ['one', 'other']) expect([...keys.keys()]).toContain(`${base(key)}_${form}`);
  });

  // The compiler finds keys that are in no file; this finds those of a file that is not loaded with the page.
  const pages = readFileSync(join(ui, 'portal/routes.tsx'), 'utf8');
  const sitePages = readFileSync(join(ui, 'portal/site-routes.tsx'), 'utf8');
  const pageOf = (text: string, always: string[]) =>
    text.split(/\bpath: /).flatMap((entry) => {
      const file = /import\('(\.[^']+)'\)/.exec(entry)?.[1];
      const strings = [...(/strings: \[([^\]]*)\]/.exec(entry)?.[1]?.matchAll(/'([\w-]+)'/g) ?? [])].map((m) => m[1]!);
      return file ? [[join(ui, 'portal', file), [...always, ...strings]] as const] : [];
    });
  const ofSite = /'\/sites\/:siteId\/\*'[^}]*strings: \[([^\]]*)\]/.exec(pages)?.[1]?.match(/[\w-]+/g) ?? [];
  const given: (readonly [file: string, strings: readonly string[]])[] = [
    [join(ui, 'setup/main.tsx'), ['common', 'setup']],
    [join(ui, 'portal/main.tsx'), ['common', 'portal', 'problems']],
    ...pageOf(pages, ['common', 'portal', 'problems']),
    ...pageOf(sitePages, ['common', 'portal', 'problems', ...ofSite]),
  ];
  it.each(
    given.map(([file, files]) => [relative(ui, file), files.join(', '), file, files] as const),
  )('gives %s all that it says, from %s', (_name, _list, file, files) => {
    const there = bases(files);
    const elsewhere = bases(english.keys());
    // The table of pages names the strings of all pages; each is said by the frame of whom it is for.
    const own = [...chunk(file)].filter(
      (source) => !source.endsWith('routes.tsx') && !source.endsWith('portal/route.tsx'),
    );
    const missing = own.flatMap((source) =>
      literals(code.get(source)!)
        .filter((key) => elsewhere.has(key) && !there.has(key))
        .map((key) => `${relative(ui, source)}: ${key}`),
    );
    expect(missing).toEqual([]);
  });
  it('loads names in the navigation with the frame', () => {
    const there = bases(['common', 'portal', 'problems']);
    const labels = [...pages.matchAll(/label: '([^']+)'/g)].map((m) => m[1]!);
    expect(labels.filter((label) => !there.has(label))).toEqual([]);
  });

  it('explains every problem code and names every event type of the wire', () => {
    const keys = bases(['common', 'portal', 'problems', 'site']);
    for (const code of Object.keys(PROBLEMS))
      for (const part of ['title', 'next']) expect([...keys], code).toContain(`problem.${code}.${part}`);
    expect([...SHOWN_TYPES].sort()).toEqual([...EVENT_TYPES].sort());
    for (const type of EVENT_TYPES) expect(keys).toContain(`eventType.${type}`);
  });
});

describe.each(translations)('the translation %s', (tag) => {
  const forms = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
  it.each([...english])('has every string of %s, with the same placeholders', (file, keys) => {
    expect(existsSync(join(ui, `locales/${tag}/${file}.json`)), `ui/locales/${tag}/${file}.json`).toBe(true);
    const own = leaves(readStrings(tag, file));
    const wanted = new Set(
      [...keys.keys()].flatMap((key) => (PLURAL.test(key) ? forms.map((f) => `${base(key)}_${f}`) : [key])),
    );
    expect(
      [...wanted].filter((key) => !own.has(key)),
      'missing',
    ).toEqual([]);
    expect(
      [...own.keys()].filter((key) => !wanted.has(key)),
      'in no English file',
    ).toEqual([]);
    for (const [key, text] of own) {
      const like = keys.get(key) ?? keys.get(`${base(key)}_other`)!;
      expect(placeholders(text), key).toEqual(placeholders(like));
      expect(text.trim(), key).not.toBe('');
    }
  });
});

describe('language', () => {
  const files: Record<string, object> = {
    'en common': { a: { hello: 'Hello' } },
    'de common': { a: { hello: 'Hallo' } },
    'en site': { a: { more: '{{count}} more' } },
    'de site': { a: { more: 'noch {{count}}' } },
  };
  const asked: string[] = [];
  const load = async (tag: string, file: string) => {
    asked.push(`${tag} ${file}`);
    return files[`${tag} ${file}`] ?? Promise.reject(new Error('no such file'));
  };
  const say = (key: string, values?: Record<string, number>) => t(key as never, values);
  beforeEach(async () => {
    asked.length = 0;
    await startI18n(load, ['common'], 'en');
  });

  it.each([
    [['de-AT', 'en'], 'de'],
    [['fr', 'en-US', 'de'], 'en'],
    [[null, undefined, 'DE'], 'de'],
    [['fr', 'it'], 'en'],
    [['toString', 'de'], 'de'],
  ] as const)('takes of %j the first that there is: %s', (tags, tag) => {
    expect(pickLanguage(tags)).toBe(tag);
  });

  it('loads the files of a page once, and all of them in another language', async () => {
    expect(asked).toEqual(['en common']);
    await Promise.all([needStrings(['site']), needStrings(['common', 'site'])]);
    expect(asked).toEqual(['en common', 'en site']);
    await setLanguage('de');
    expect(asked).toEqual(['en common', 'en site', 'de common', 'de site']);
    expect([say('a.hello'), say('a.more', { count: 2 })]).toEqual(['Hallo', 'noch 2']);
    await setLanguage('en');
    expect(asked).toHaveLength(4);
    expect(say('a.hello')).toBe('Hello');
  });

  it('loads a page that comes while the language changes in the new one too', async () => {
    await Promise.all([setLanguage('de'), needStrings(['site'])]);
    expect(say('a.more', { count: 2 })).toBe('noch 2');
    const change = setLanguage('en');
    await needStrings(['site']);
    await change;
    expect(asked).toContain('en site');
  });

  it('asks again for a file that did not come', async () => {
    await expect(needStrings(['setup'])).rejects.toThrow();
    files['en setup'] = { a: { setup: 'Set-up' } };
    await needStrings(['setup']);
    expect(say('a.setup')).toBe('Set-up');
    expect(lookup('a.none')).toBeNull();
  });

  it('keeps groups of keys that files share', () => {
    expect(merge([{ a: { b: '1' } }, { a: { c: '2' } }])).toEqual({ a: { b: '1', c: '2' } });
  });
});
