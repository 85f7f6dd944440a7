/*
 * SOAP documents as trees. Unlike `isapi/xml.ts` this keeps attributes, namespaces and order: configurations go back to the
 * device whole, and reference parameters word for word. Tags must balance, so that a broken answer is none instead of
 * something else.
 */

/** Namespaces by the prefix that this driver writes; many devices use the same, some without declaring them. */
export const NS = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  a: 'http://www.w3.org/2005/08/addressing',
  tt: 'http://www.onvif.org/ver10/schema',
  tds: 'http://www.onvif.org/ver10/device/wsdl',
  trt: 'http://www.onvif.org/ver10/media/wsdl',
  tr2: 'http://www.onvif.org/ver20/media/wsdl',
  tev: 'http://www.onvif.org/ver10/events/wsdl',
  tptz: 'http://www.onvif.org/ver20/ptz/wsdl',
  timg: 'http://www.onvif.org/ver20/imaging/wsdl',
  tmd: 'http://www.onvif.org/ver10/deviceIO/wsdl',
  trc: 'http://www.onvif.org/ver10/recording/wsdl',
  tse: 'http://www.onvif.org/ver10/search/wsdl',
  trp: 'http://www.onvif.org/ver10/replay/wsdl',
  wsnt: 'http://docs.oasis-open.org/wsn/b-2',
} as const;
const PREFIXES = new Map<string, string>(Object.entries(NS).map(([prefix, ns]) => [ns, prefix]));

export interface Attribute {
  name: string;
  ns: string;
  value: string;
}
export interface Element {
  /** Local name. */
  name: string;
  ns: string;
  attributes: Attribute[];
  children: Element[];
  /** Trimmed; of elements with children what stands between them. */
  text: string;
}

const MAX_ELEMENTS = 40_000;
const MAX_DEPTH = 64;
const TAG = /<(\/?)([A-Za-z_][\w.:-]*)((?:"[^"]*"|'[^']*'|[^"'<>])*)>/y;
/** One token at a time, each read once: an attribute, or what is none. */
const ATTRIBUTE = /\s+|([^\s=/"'<>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?|"[^"]*"|'[^']*'|[=/]/y;
const MAX_ATTRIBUTE_CHARS = 16 * 1024;
/** Real devices declare some 60 with the envelope. */
const MAX_DECLARATIONS = 256;

/** Linked, not copied: an element under many declarations costs nothing for them. */
interface Scope {
  declared: Map<string, string>;
  outer: Scope | null;
}

/** The document element; null for what is cut off, not balanced, has a DOCTYPE or is too large. */
export function parseTree(bytes: Buffer | string): Element | null {
  const source = typeof bytes === 'string' ? bytes : bytes.toString('utf8');
  const open: { element: Element; tag: string; scope: Scope | null; text: string }[] = [];
  let root: Element | null = null;
  let elements = 0;
  for (let at = 0; at < source.length; ) {
    const next = markup(source, at);
    const text = source.slice(at, next < 0 ? undefined : next);
    if (open.length > 0) open.at(-1)!.text += decode(text);
    if (next < 0) break;
    at = next;
    if (source.startsWith('<!--', at)) at = after(source, '-->', at);
    else if (source.startsWith('<?', at)) at = after(source, '?>', at);
    else if (source.startsWith('<![CDATA[', at)) {
      const end = source.indexOf(']]>', at);
      if (end < 0 || open.length === 0) return null;
      open.at(-1)!.text += source.slice(at + 9, end);
      at = end + 3;
    } else {
      TAG.lastIndex = at;
      const match = TAG.exec(source);
      if (!match) return null;
      at = TAG.lastIndex;
      const [, slash, tag, rest] = match as unknown as [string, string, string, string];
      if (slash) {
        const done = open.pop();
        if (done?.tag !== tag) return null;
        done.element.text = done.text.trim();
        continue;
      }
      if (root && open.length === 0) return null;
      if (++elements > MAX_ELEMENTS || open.length >= MAX_DEPTH) return null;
      const made = rest.length > MAX_ATTRIBUTE_CHARS ? null : elementOf(tag, rest, open.at(-1)?.scope ?? null);
      if (!made) return null;
      const { element, scope } = made;
      open.at(-1)?.element.children.push(element);
      root ??= element;
      if (!rest.endsWith('/')) open.push({ element, tag, scope, text: '' });
    }
    if (at < 0) return null;
  }
  return open.length === 0 ? root : null;
}

/** Where the next tag, comment or the like begins; a bare `<` is text. */
function markup(source: string, at: number): number {
  let next = source.indexOf('<', at);
  while (next >= 0 && !/[A-Za-z_/!?]/.test(source[next + 1] ?? '')) next = source.indexOf('<', next + 1);
  return next;
}

function elementOf(tag: string, rest: string, outer: Scope | null): { element: Element; scope: Scope | null } | null {
  const written = attributesOf(rest);
  const declared = new Map<string, string>();
  for (const [name, value] of written) {
    if (name === 'xmlns') declared.set('', value);
    else if (name.startsWith('xmlns:')) declared.set(name.slice(6), value);
  }
  if (declared.size > MAX_DECLARATIONS) return null;
  const scope = declared.size > 0 ? { declared, outer } : outer;
  const attributes = written
    .filter(([name]) => !/^xmlns(:|$)/.test(name))
    .map(([name, value]) => ({ ...resolve(name, scope, false), value }));
  return { element: { ...resolve(tag, scope, true), attributes, children: [], text: '' }, scope };
}

/** What looks like attributes, as far as it can be read. */
function attributesOf(rest: string): [name: string, value: string][] {
  const written: [string, string][] = [];
  for (let at = 0; at < rest.length; at = ATTRIBUTE.lastIndex) {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(rest);
    if (!match) break;
    const value = match[2] ?? match[3];
    if (match[1] !== undefined && value !== undefined) written.push([match[1], decode(value)]);
  }
  return written;
}

function resolve(written: string, scope: Scope | null, isElement: boolean): { name: string; ns: string } {
  const colon = written.indexOf(':');
  const prefix = colon < 0 ? '' : written.slice(0, colon);
  const name = written.slice(colon + 1);
  if (prefix === '') return { name, ns: isElement ? (declaredAs('', scope) ?? '') : '' };
  return { name, ns: declaredAs(prefix, scope) ?? (Object.hasOwn(NS, prefix) ? NS[prefix as keyof typeof NS] : '') };
}

function declaredAs(prefix: string, scope: Scope | null): string | undefined {
  for (let s = scope; s; s = s.outer) {
    const ns = s.declared.get(prefix);
    if (ns !== undefined) return ns;
  }
  return undefined;
}

const after = (source: string, mark: string, at: number): number => {
  const end = source.indexOf(mark, at);
  return end < 0 ? -1 : end + mark.length;
};

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
/** Raw ampersands and unknown entities stay as they are. */
function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (name) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** By name: simple readers know no numbers. */
const NAMES: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** Text for the inside of an element or attribute. What XML cannot carry is left out. */
export const xmlText = (text: string): string =>
  text.replace(/[^\P{Cc}\t\n\r]/gu, '').replace(/[&<>"']/g, (c) => `&${NAMES[c]};`);

/** The element as text, with the prefixes of {@link NS}, which the envelope declares; others are declared where they stand. */
export function serialize(element: Element): string {
  const declared: string[] = [];
  const named = (name: string, ns: string, i: number | string): string => {
    if (ns === '') return name;
    const known = PREFIXES.get(ns);
    if (known) return `${known}:${name}`;
    declared.push(` xmlns:n${i}="${xmlText(ns)}"`);
    return `n${i}:${name}`;
  };
  const tag = named(element.name, element.ns, '');
  const attributes = element.attributes.map((a, i) => ` ${named(a.name, a.ns, i)}="${xmlText(a.value)}"`);
  const inside = xmlText(element.text) + element.children.map(serialize).join('');
  return `<${tag}${declared.join('')}${attributes.join('')}>${inside}</${tag}>`;
}

/** All elements at that path, by local names. */
export function all(element: Element | undefined, ...path: string[]): Element[] {
  let found = element ? [element] : [];
  for (const name of path) found = found.flatMap((e) => e.children.filter((c) => c.name === name));
  return found;
}

export const first = (element: Element | undefined, ...path: string[]): Element | undefined => all(element, ...path)[0];

/** Text of the first element at that path; '' without one. */
export const textAt = (element: Element | undefined, ...path: string[]): string => first(element, ...path)?.text ?? '';

export const attribute = (element: Element | undefined, name: string): string =>
  element?.attributes.find((a) => a.name === name)?.value.trim() ?? '';

/** Every element of that name below, however deep. */
export function below(element: Element | undefined, name: string): Element[] {
  if (!element) return [];
  return element.children.flatMap((c) => (c.name === name ? [c] : below(c, name)));
}

export function numberAt(element: Element | undefined, ...path: string[]): number | null {
  const written = textAt(element, ...path);
  const value = Number(written);
  return written !== '' && Number.isFinite(value) ? value : null;
}

/** A whole copy, to be changed. */
export const copy = (element: Element): Element => ({
  ...element,
  attributes: element.attributes.map((a) => ({ ...a })),
  children: element.children.map(copy),
});
