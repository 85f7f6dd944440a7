/** An element and where it stands in the source. */
export interface Element {
  /** Local name. */
  name: string;
  prefix: string;
  /** As written, prefix included. */
  qname: string;
  /** Of the start tag's `<`. */
  start: number;
  /** Behind the start tag. */
  openEnd: number;
  /** Of the end tag's `<`; -1: `<a/>`. */
  closeStart: number;
  /** Behind the element. */
  end: number;
  children: Element[];
}

const MAX_DEPTH = 32;
const MAX_ELEMENTS = 50_000;
// A name begins with a letter of any alphabet; attribute values may hold `>` and `<`.
const TAG =
  /<(\/?)((?:([\p{L}_][\w.\-\p{L}]*):)?([\p{L}_][\w.\-\p{L}]*))(?=[\s/>])((?:[^<>"']|"[^"]*"|'[^']*')*?)(\/?)>/uy;
const OPAQUE: [string, string][] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
];

/**
 * Finds the elements of a document as devices write them: byte order mark, prefixes, comments, CDATA and raw `&` in text.
 * Null when it is no XML: cut off, wrongly nested, too deep, or with a DOCTYPE.
 */
export function scanXml(source: string): Element | null {
  let root: Element | null = null;
  const open: Element[] = [];
  let count = 0;
  let at = 0;
  for (;;) {
    const start = source.indexOf('<', at);
    if (start < 0) break;
    if (open.length === 0 && /[^\s\uFEFF\0]/.test(source.slice(at, start))) return null;
    const opaque = OPAQUE.find(([begin]) => source.startsWith(begin, start));
    if (opaque) {
      const end = source.indexOf(opaque[1], start + opaque[0].length);
      if (end < 0) return null;
      at = end + opaque[1].length;
      continue;
    }
    TAG.lastIndex = start;
    const tag = TAG.exec(source);
    if (!tag) return null;
    at = TAG.lastIndex;
    const [, slash, qname, prefix = '', name, , selfClosing] = tag;
    if (slash) {
      const element = open.pop();
      if (!element || element.qname !== qname) return null;
      element.closeStart = start;
      element.end = at;
      continue;
    }
    if (++count > MAX_ELEMENTS || open.length >= MAX_DEPTH || (root && open.length === 0)) return null;
    const element: Element = {
      name: name!,
      prefix,
      qname: qname!,
      start,
      openEnd: at,
      closeStart: -1,
      end: at,
      children: [],
    };
    if (open.length > 0) open.at(-1)!.children.push(element);
    else root = element;
    if (!selfClosing) open.push(element);
  }
  return open.length > 0 || /[^\s\uFEFF\0]/.test(source.slice(at)) ? null : root;
}

/** An attribute of an element, decoded; null when it has none of that local name. */
export function attribute(source: string, element: Element, name: string): string | null {
  const tag = source.slice(element.start, element.openEnd);
  for (const [, found, quoted] of tag.matchAll(/\s(?:[\w.-]+:)?([\w.-]+)\s*=\s*("[^"]*"|'[^']*')/g)) {
    if (found === name) return decode(quoted!.slice(1, -1));
  }
  return null;
}

const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const codePoint = (n: number): string => (n > 0 && n <= 0x10ffff ? String.fromCodePoint(n) : '\uFFFD');

/** Where one begins, {@link scanXml} has found its end: a pattern for one kind alone would look for it again and again. */
const OPAQUE_PARTS = /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g;

/** The text of a leaf, decoded and trimmed. */
export function textOf(source: string, element: Element): string {
  if (element.closeStart < 0) return '';
  const raw = source.slice(element.openEnd, element.closeStart);
  let [read, at] = ['', 0];
  for (const part of raw.matchAll(OPAQUE_PARTS)) {
    read += decode(raw.slice(at, part.index)) + (part[1] ?? '');
    at = part.index + part[0].length;
  }
  return (read + decode(raw.slice(at))).trim();
}

const decode = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-z]{2,4}));/g, (whole, dec, hex, name) =>
    dec ? codePoint(Number(dec)) : hex ? codePoint(Number.parseInt(hex, 16)) : (NAMED[name] ?? whole),
  );

/** Text as it stands in an element; characters that XML cannot hold are left out. */
export const encodeText = (text: string): string =>
  text
    .replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\r/g, '&#13;');
