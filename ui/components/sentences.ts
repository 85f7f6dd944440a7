/*
 * The sentences of relay and boxes in another language. They are English wherever they are made: a refusal's detail, a note
 * on a picture, a step of a job, what is wrong with a device. Most of them have come a long way as text, from a box of any
 * version, through its journal and the relay's database, before a page shows them. So the sentence itself is the key, as
 * with gettext, and what stands in it is read back: `Box {serial} is not connected.` finds the words for box 123.
 *
 * A sentence that has no translation, of a newer box say, stays as it is.
 */

/** English sentences or parts of them, `{name}` where something stands, `{n}` for a number; and the same in another language. */
export type Sentences = Readonly<Record<string, string>>;
/** `hit` hears of each key that was used. */
export type Say = (text: string, hit?: (key: string) => void) => string;

const PLACE = /\{(\w+)\}/g;
/** Where one sentence may end and the next begin. */
const BETWEEN = /(?<=[.!?…])\s+(?=\S)/g;
const LABEL = /^([^:;]{1,80}): (.+)$/s;
/** What stands in a sentence may be a sentence itself, down to here. */
const DEEPEST = 4;
/** Longer texts are not ours. */
const LONGEST = 1500;
/** At so many places a sentence is believed to end. */
const MOST_ENDS = 6;
/** So many pieces of one text are looked up; what a device wrote could be cut into any number of them. */
const MOST_LOOKS = 80;
/** Longer pieces are the text of several sentences; a pattern with four places looks at each of them in many ways. */
const LONGEST_PIECE = 500;
/** Texts stand in lists that are drawn again and again. */
const MOST_KEPT = 500;

interface Pattern {
  key: string;
  test: RegExp;
  /** What the sentence begins with, to pass over most patterns cheaply. */
  begins: string;
  names: string[];
  text: string;
}

/** The translator of some tables. */
export function sayer(...tables: readonly Sentences[]): Say {
  const whole = new Map<string, string>();
  const patterns: Pattern[] = [];
  for (const [key, text] of tables.flatMap((table) => Object.entries(table))) {
    const names = [...key.matchAll(PLACE)].map((found) => found[1]!);
    if (names.length === 0) whole.set(key, text);
    else patterns.push({ key, text, names, test: patternOf(key), begins: key.slice(0, key.indexOf('{')) });
  }
  // Of two that fit, the one that says more of its own comes first.
  const own = ({ key }: Pattern) => key.replace(PLACE, '').length;
  patterns.sort((a, b) => own(b) - own(a));

  let looks = 0;
  const kept = new Map<string, string>();

  /** One sentence or part of one; null: there are no words for it. */
  function one(text: string, depth: number, hit: (key: string) => void): string | null {
    const said = whole.get(text);
    if (said !== undefined) {
      hit(text);
      return said;
    }
    if (depth > DEEPEST || text.length > LONGEST_PIECE || ++looks > MOST_LOOKS) return null;
    for (const { key, test, begins, names, text: words } of patterns) {
      const found = text.startsWith(begins) && test.exec(text);
      if (!found) continue;
      hit(key);
      const values = new Map(names.map((name, i) => [name, found[i + 1]!]));
      return words.replace(PLACE, (_place, name: string) => all(values.get(name) ?? '', depth + 1, hit));
    }
    return null;
  }

  /** The same behind the name of what it is about, or with a full stop that it has not got in the table. */
  function known(text: string, depth: number, hit: (key: string) => void): string | null {
    const said = one(text, depth, hit);
    if (said !== null) return said;
    const bare = text.endsWith('.') ? one(text.slice(0, -1), depth, hit) : null;
    if (bare !== null) return `${bare}.`;
    const [, label, rest] = LABEL.exec(text) ?? [];
    const about = label && rest && depth <= DEEPEST ? known(rest, depth + 1, hit) : null;
    return about === null ? null : `${one(label!, depth + 1, hit) ?? label}: ${about}`;
  }

  /** A row of sentences, each of them as far as there are words for it. */
  function all(text: string, depth: number, hit: (key: string) => void): string {
    // What stands in a sentence may have a full stop itself, so that the shortest beginning that is known counts.
    const ends = [...text.matchAll(BETWEEN)];
    const from = ({ index, 0: gap }: RegExpExecArray) => index + gap.length;
    for (const end of ends.slice(0, MOST_ENDS)) {
      const first = known(text.slice(0, end.index), depth, hit);
      if (first !== null) return first + end[0] + all(text.slice(from(end)), depth, hit);
    }
    const whole = known(text, depth, hit);
    if (whole !== null) return whole;
    const [end] = ends;
    if (!end) return parts(text, depth, hit);
    return parts(text.slice(0, end.index), depth, hit) + end[0] + all(text.slice(from(end)), depth, hit);
  }

  /** A list, or something behind the name of what it is about. */
  function parts(text: string, depth: number, hit: (key: string) => void): string {
    if (depth > DEEPEST) return text;
    const listed = text.split('; ');
    if (listed.length > 1) return listed.map((part) => all(part, depth + 1, hit)).join('; ');
    const [, label, rest] = LABEL.exec(text) ?? [];
    if (!label || !rest) return text;
    return `${one(label, depth + 1, hit) ?? label}: ${all(rest, depth + 1, hit)}`;
  }

  return (text, hit) => {
    if (text.length > LONGEST) return text;
    const known = hit ? undefined : kept.get(text);
    if (known !== undefined) return known;
    looks = 0;
    const said = all(text, 0, hit ?? (() => {}));
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(text, said);
    return said;
  };
}

/** Line breaks may stand in what is put in, in a device's name hardly ever. */
function patternOf(key: string): RegExp {
  const parts = key.split(PLACE).map((part, i) => {
    if (i % 2 === 1) return part === 'n' ? '(\\d+)' : '(.+?)';
    return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}
