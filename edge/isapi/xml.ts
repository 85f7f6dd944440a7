import { XMLParser } from 'fast-xml-parser';

/** An element: its text, or its children by local name (several of one name as a list). */
export type XmlNode = string | { [name: string]: XmlNode | XmlNode[] };

// Namespaces are mixed even within one answer, so elements go by their local name.
const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: true,
  htmlEntities: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: 32,
});

/**
 * Reads a document as devices write them: byte order mark or blanks in front, raw `&`, bytes that are no UTF-8 (they
 * become U+FFFD). A document that is cut off, has a DOCTYPE or nests too deeply is null.
 */
export function parseXml(bytes: Buffer | string): { root: string; node: XmlNode } | null {
  const source = (typeof bytes === 'string' ? bytes : bytes.toString('utf8')).replace(/^[\s\uFEFF\0]+/, '');
  if (!source.startsWith('<') || source.includes('<!DOCTYPE')) return null;
  const last = /<\/(?:[\w.-]+:)?([\w.-]+)\s*>\s*\0*$/.exec(source.slice(-200)) ?? /\/>\s*$/.exec(source.slice(-200));
  if (!last) return null;
  try {
    const [root, ...others] = Object.entries(parser.parse(source) as Record<string, XmlNode>);
    if (!root || others.length > 0 || (last[1] !== undefined && last[1] !== root[0])) return null;
    return { root: root[0], node: root[1] };
  } catch {
    return null;
  }
}

/** The children of that name, however many; of an absent or empty list none. */
export function list(node: XmlNode | undefined, ...path: [...string[], string]): XmlNode[] {
  let found: XmlNode[] = node === undefined ? [] : [node];
  for (const name of path) {
    found = found.flatMap<XmlNode>((n) =>
      typeof n === 'object' && Object.hasOwn(n, name) ? (n[name] as XmlNode | XmlNode[]) : [],
    );
  }
  return found;
}

/** Text of the first element at that path, '' when it is absent, empty or no leaf. */
export function text(node: XmlNode | undefined, ...path: [...string[], string]): string {
  const first = list(node, ...path)[0];
  if (typeof first === 'string') return first.trim();
  // An element with both attributes and text can carry it under this name.
  return typeof first === 'object' && typeof first['#text'] === 'string' ? first['#text'].trim() : '';
}

/** What a body is, by its first byte: devices label XML `text/html`, or not at all. */
export function sniff(body: Buffer): 'xml' | 'json' | 'jpeg' | 'other' {
  if (body[0] === 0xff && body[1] === 0xd8) return 'jpeg';
  let i = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (i < body.length && body[i]! <= 0x20) i++;
  return body[i] === 0x3c ? 'xml' : body[i] === 0x7b || body[i] === 0x5b ? 'json' : 'other';
}

/** Text from a device, made fit to show: control characters out, at most `max` characters. */
export function clean(value: string, max: number): string {
  return value
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, max);
}
