import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';
import { describe, expect, it } from 'vitest';
import { LANGUAGES } from './i18n.ts';
import { type Sentences, sayer } from './sentences.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const languages = Object.keys(LANGUAGES).filter((tag) => tag !== 'en');
const tablesOf = (tag: string): Sentences[] =>
  ['box', 'relay'].map((name) =>
    JSON.parse(readFileSync(join(root, `ui/locales/sentences/${tag}/${name}.json`), 'utf8')),
  );

/** What speaks to programs and operators only, in English; or in the languages of its own. */
const NOT_SHOWN =
  /\.test\.ts$|testing|^edge\/(metrics|options|fuzz\/)|^relay\/([\w-]*main|db\/|receiver\/standalone\/|operator\/commands|remote\/pages|notify\/texts|arc\/desk\/(report-files|pdf))|migrations/;
const ONLY_PROGRAMS = new Set([
  'Metrics are for loopback.',
  'Metrics are for loopback, or for who has the metrics token.',
  'Send the body as application/json.',
  'Send it as {}.',
  'The first request with this Idempotency-Key still runs.',
  'This Idempotency-Key was used for another request.',
  'This address is a WebSocket: ask for an upgrade.',
  'If-Match is of another connection.',
  'These are candidates of another connection.',
  'This is for people: sign in to do it.',
  'This key may only read.',
  'cursor: use the nextCursor of an answer, unchanged.',
  'No message of yours has this cursor.',
  'Too many requests of this centre wait already.',
  'accept: h264, h265 or both, by comma.',
  'The portal is not built: run `npm run build`.',
  'Clips are not taken over from one bucket into another.',
  // To boxes.
  'The enrolment is not signed by its key.',
  'Another box has this serial.',
  'This address is not good any more: ask for a new one.',
  'Length and hash must be those that were granted.',
  'The object store cannot be asked whether it has the part.',
  'Something else is stored under this name.',
  'Clips wait on the box until there is room.',
]);
/** Documentation of the API, and logs. */
const NO_SENTENCES = /createRoute|\.(describe|debug|info|warn|error|prepare|exec|option)$|\bOption$|^TunnelError$/;
const DOCUMENTED = new Set(['summary', 'description', 'example', 'help']);

interface Node {
  type: string;
  [key: string]: unknown;
}
const MOST_WAYS = 24;
/** Where something stands that is not known here. */
const OPEN = 'Ξ';
/** The same, of a number. */
const NUMBER = '7';

/** What an expression may come to, as far as it is written there. */
function ways(node: Node): string[] {
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : [OPEN];
    case 'TemplateLiteral': {
      const parts = node.quasis as { value: { cooked: string } }[];
      const between = (node.expressions as Node[]).map(ways);
      return parts.reduce(
        (texts, { value }, i) => {
          const begun = texts.map((text) => text + value.cooked);
          const next = between[i];
          return next ? begun.flatMap((text) => next.map((way) => text + way)).slice(0, MOST_WAYS) : begun;
        },
        [''],
      );
    }
    case 'ConditionalExpression':
      return [...ways(node.consequent as Node), ...ways(node.alternate as Node)];
    case 'LogicalExpression':
      return node.operator === '&&'
        ? [...ways(node.right as Node), '']
        : [...ways(node.left as Node), ...ways(node.right as Node)];
    case 'ParenthesizedExpression':
      return ways(node.expression as Node);
    default:
      return [OPEN];
  }
}

/** All that is written in a source, outside of what documents it. */
function textsOf(file: string): string[] {
  const found: string[] = [];
  const source = readFileSync(join(root, file), 'utf8');
  const walk = (node: Node) => {
    if (node.type.startsWith('Import') || node.type === 'TSLiteralType') return;
    if (node.type === 'CallExpression' || node.type === 'NewExpression') {
      const { start, end } = node.callee as unknown as { start: number; end: number };
      if (NO_SENTENCES.test(source.slice(start, end))) return;
    }
    if (node.type === 'Property' && DOCUMENTED.has((node.key as { name?: string }).name ?? '')) return;
    if (node.type === 'TemplateLiteral' || typeof node.value === 'string') found.push(...ways(node));
    for (const value of Object.values(node))
      for (const child of Array.isArray(value) ? value : [value])
        if (child && typeof child === 'object' && 'type' in child) walk(child as Node);
  };
  walk(parseSync(file, source, { lang: 'ts' }).program as unknown as Node);
  return found;
}

const texts = new Set(
  ['edge', 'relay', 'protocol'].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
      .map((file) => `${part}/${file}`)
      .filter((file) => file.endsWith('.ts') && !NOT_SHOWN.test(file))
      .flatMap(textsOf),
  ),
);
const values = (text: string) => [text, text.replaceAll(OPEN, NUMBER)];
/** A value that is followed by a new sentence was one itself. */
const spoken = (text: string) =>
  text
    .trim()
    .replaceAll(/([.?!])Ξ/g, '$1 Ξ')
    .replaceAll(/Ξ(?= [A-Z][a-z])/g, 'Ξ.');
const isSentence = (text: string) =>
  /[.?!]$/.test(text) && /[a-z]+ [a-z]+/.test(text) && !/^[a-z]+[ (]|[\n<>]/.test(text);
const sentences = [...texts]
  .map(spoken)
  .filter(isSentence)
  .flatMap((text) => text.split(/(?<=[.!?])\s+/))
  .filter((text) => /[a-z]{2}/.test(text) && !ONLY_PROGRAMS.has(text.replaceAll(OPEN, '{}')));

describe.each(languages)('the sentences of relay and boxes in %s', (tag) => {
  const tables = tablesOf(tag);
  const say = sayer(...tables);
  const all = tables.flatMap((table) => Object.entries(table));

  it('are there for each that a person may read', () => {
    expect(sentences.length).toBeGreaterThan(500);
    expect([...new Set(sentences)].filter((text) => values(text).every((way) => say(way) === way))).toEqual([]);
  });

  it('are said somewhere, and keep what stands in them', () => {
    const used = new Set<string>();
    for (const text of texts) for (const way of values(spoken(text))) say(way, (key) => used.add(key));
    expect(all.map(([key]) => key).filter((key) => !used.has(key))).toEqual([]);
    const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!).sort();
    for (const [key, text] of all) expect(places(text), key).toEqual(places(key));
    expect(new Set(all.map(([key]) => key)).size).toBe(all.length);
  });
});

describe('what is said', () => {
  const say = sayer({
    'Box {serial} is not connected.': 'Die Box {serial} ist nicht verbunden.',
    'Check its power.': 'Prüfen Sie ihren Strom.',
    '{name} is offline.': '{name} ist offline.',
    'It does not answer ({why}).': 'Das Gerät antwortet nicht ({why}).',
    'no route': 'kein Weg',
    'Channel {n}': 'Kanal {n}',
  });
  it.each([
    ['Box 123 is not connected.', 'Die Box 123 ist nicht verbunden.'],
    ['Box 123 is not connected. Check its power.', 'Die Box 123 ist nicht verbunden. Prüfen Sie ihren Strom.'],
    [
      'Yard (10.0.0.5) is offline. It does not answer (no route). Check its power.',
      'Yard (10.0.0.5) ist offline. Das Gerät antwortet nicht (kein Weg). Prüfen Sie ihren Strom.',
    ],
    ['Door Mr. Smith is offline. Check its power.', 'Door Mr. Smith ist offline. Prüfen Sie ihren Strom.'],
    ['Channel 3: It does not answer (x).', 'Kanal 3: Das Gerät antwortet nicht (x).'],
    ['Channel 1: no route; Channel 2: no route', 'Kanal 1: kein Weg; Kanal 2: kein Weg'],
    ['A newer box says this. Check its power.', 'A newer box says this. Prüfen Sie ihren Strom.'],
    ['A newer box says this.', 'A newer box says this.'],
    ['', ''],
  ])('%s', (text, wanted) => expect(say(text)).toBe(wanted));

  it('takes no time over what somebody made to take it', () => {
    for (const text of ['a: '.repeat(1300), '. '.repeat(2000), 'Box Box '.repeat(500), '; x'.repeat(1300)])
      expect(say(text)).toBe(text);
    // What a device may write, in words that many patterns begin or go on with.
    const parts = [
      'a: b; c. ',
      ', . ',
      ', : ',
      ': four numbers with dots.. ',
      'The direct path to the receiver ::(',
      '".. ',
    ];
    const german = sayer(...tablesOf('de'));
    const made = parts.map((part) => part.repeat(1_490 / part.length));
    const begun = performance.now();
    for (const text of made) german(text);
    expect(performance.now() - begun).toBeLessThan(3_000);
    // A list of them is drawn again with each event.
    const again = performance.now();
    for (let n = 0; n < 100; n++) for (const text of made) german(text);
    expect(performance.now() - again).toBeLessThan(100);
  });
});
