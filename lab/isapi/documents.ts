import { OK, REBOOT_REQUIRED, refusal, type Said } from './answer.ts';
import { all, copyXml, find, parseXml, setText, textOf, writeXml, XML_HEAD, type XmlNode } from './xml.ts';

/** How one document of a device takes writes. Paths are of local names below the root, without list indices. */
export interface Rules {
  readOnly?: boolean;
  /** Leaves without which a write is refused (badXmlContent). */
  required?: string[];
  /** What a write does to leaves that it leaves out: keep, back to the factory's value, or be refused. */
  missing?: 'keep' | 'reset' | 'refuse';
  /** Leaves that a write does not change. */
  fixed?: string[];
  /** Leaves never told; a write without them clears them. */
  writeOnly?: string[];
  /** Elements that come and go with a write. */
  optional?: string[];
  /** Allowed words, or lowest and highest number. */
  values?: Record<string, readonly string[] | readonly [number, number]>;
  /** Every write answers statusCode 7. */
  reboot?: boolean;
  live?: Record<string, () => string>;
  /** subStatusCode of a refusal, or null; before it is kept. */
  check?: (wanted: XmlNode, was: XmlNode) => string | null;
  written?: (is: XmlNode, was: XmlNode) => void;
}

/** Parsed when it is first asked for: a LAN of many devices has thousands of documents, and few are looked at. */
class Document {
  readonly rules: Rules;
  readonly #xml: string;
  #is: XmlNode | null = null;

  constructor(xml: string, rules: Rules) {
    this.#xml = xml;
    this.rules = rules;
  }

  get factory(): XmlNode {
    const parsed = parseXml(this.#xml);
    if (!parsed) throw new Error(`no XML: ${this.#xml.slice(0, 80)}`);
    return parsed;
  }
  get is(): XmlNode {
    this.#is ??= this.factory;
    return this.#is;
  }
  set is(is: XmlNode) {
    this.#is = is;
  }
  reset(): void {
    this.#is = null;
  }
}

interface List {
  root: string;
  items: () => string[];
}

/**
 * The XML documents of one device by path: read, and replaced by a write after the checks that such firmware makes. What an
 * element of a write is that the document does not know is ignored without a word, as these devices do.
 */
export class Documents {
  readonly #documents = new Map<string, Document>();
  readonly #lists = new Map<string, List>();
  readonly #parts = new Map<string, { of: string; element: string }>();
  readonly #aliases = new Map<string, string>();
  readonly #missing: 'reset' | 'refuse';
  /** `path#leaf/path` that answers OK and is not kept; set by tests. */
  readonly forgets = new Set<string>();
  /** path → subStatusCode with which the next writes are refused. */
  readonly refuses = new Map<string, string>();
  /** Paths whose writes want a restart. */
  readonly reboots = new Set<string>();

  constructor(missing: 'reset' | 'refuse') {
    this.#missing = missing;
  }

  add(path: string, xml: string, rules: Rules = {}): void {
    this.#documents.set(path, new Document(xml, rules));
  }

  /** A list made of the documents at `items`, and written as one. */
  list(path: string, root: string, items: () => string[]): void {
    this.#lists.set(path, { root, items });
  }

  /** One element of a document that can be read and written by itself. */
  part(path: string, of: string, element: string): void {
    this.#parts.set(path, { of, element });
  }

  /** Another path of the same document. */
  alias(path: string, of: string): void {
    this.#aliases.set(path, of);
  }

  remove(path: string): boolean {
    return this.#documents.delete(path);
  }

  /** The document as it stands, for the device itself. */
  at(path: string): XmlNode | null {
    return this.#documents.get(path)?.is ?? null;
  }

  paths(): string[] {
    return [...this.#documents.keys(), ...this.#lists.keys(), ...this.#parts.keys()];
  }

  /** Back to how everything left the factory. */
  reset(except: (path: string) => boolean): void {
    for (const [path, document] of this.#documents) if (!except(path)) document.reset();
  }

  read(path: string): string | null {
    const n = this.#view(path);
    return n && `${XML_HEAD}${writeXml(n)}\n`;
  }

  dump(): Record<string, string> {
    return Object.fromEntries([...this.#documents].map(([path, { is }]) => [path, writeXml(is)]));
  }

  #view(asked: string): XmlNode | null {
    const path = this.#aliases.get(asked) ?? asked;
    const list = this.#lists.get(path);
    if (list) {
      const root = parseXml(list.root)!;
      root.children = list.items().flatMap((item) => this.#view(item) ?? []);
      return root;
    }
    const part = this.#parts.get(path);
    if (part) {
      const whole = this.#view(part.of);
      const found = whole && find(whole, part.element);
      return found && { ...found, attributes: { ...whole.attributes, ...found.attributes } };
    }
    const document = this.#documents.get(path);
    if (!document) return null;
    const shown = copyXml(document.is);
    for (const [leaf, now] of Object.entries(document.rules.live ?? {})) setText(shown, leaf, now());
    for (const leaf of document.rules.writeOnly ?? []) drop(shown, leaf.split('/'));
    return shown;
  }

  /** Null: there is no such document. */
  write(asked: string, body: string): Said | null {
    const path = this.#aliases.get(asked) ?? asked;
    const target = this.#lists.has(path) || this.#parts.has(path) || this.#documents.has(path);
    if (!target) return null;
    if (body.trim() === '') return refusal('badXmlContent');
    const wanted = parseXml(body);
    if (!wanted) return refusal('badXmlFormat');
    return this.#write(path, wanted);
  }

  #write(path: string, wanted: XmlNode): Said {
    const refused = this.refuses.get(path);
    if (refused) return refusal(refused);
    const list = this.#lists.get(path);
    if (list) return this.#writeList(list, wanted);
    const part = this.#parts.get(path);
    if (part) return this.#writePart(path, part, wanted);
    const document = this.#documents.get(path)!;
    const { rules, is } = document;
    if (rules.readOnly) return refusal('methodNotAllowed');
    if (wanted.name !== is.name) return refusal('badXmlContent');
    const missing = rules.missing ?? this.#missing;
    for (const leaf of rules.required ?? []) if (!find(wanted, leaf)) return refusal('badXmlContent');
    if (missing === 'refuse' && lacks(is, wanted, rules, '')) return refusal('badXmlContent');
    for (const [leaf, allowed] of Object.entries(rules.values ?? {})) {
      const value = textOf(wanted, leaf);
      if (value !== null && !permits(allowed, value)) return refusal('badParameters');
    }
    const merged = merge(is, wanted, missing === 'reset' ? document.factory : null, rules, '');
    for (const leaf of rules.fixed ?? []) setText(merged, leaf, textOf(is, leaf) ?? '');
    for (const leaf of this.forgets) {
      const [at, inside] = leaf.split('#');
      if (at === path && inside) setText(merged, inside, textOf(is, inside) ?? '');
    }
    for (const leaf of Object.keys(rules.live ?? {})) setText(merged, leaf, textOf(wanted, leaf) ?? '');
    const objection = rules.check?.(merged, is) ?? null;
    if (objection) return refusal(objection);
    document.is = merged;
    rules.written?.(merged, is);
    return rules.reboot || this.reboots.has(path) ? REBOOT_REQUIRED : OK;
  }

  #writeList({ root, items }: List, wanted: XmlNode): Said {
    if (wanted.name !== parseXml(root)!.name) return refusal('badXmlContent');
    const known = new Map(items().map((path) => [textOf(this.at(path)!, 'id') ?? path, path]));
    let said = OK;
    for (const child of wanted.children) {
      const path = known.get(textOf(child, 'id') ?? '');
      if (!path) return refusal('invalidID');
      said = this.#write(path, child);
      if (said.http !== 200) return said;
    }
    return said;
  }

  #writePart(path: string, { of, element }: { of: string; element: string }, wanted: XmlNode): Said {
    const whole = this.#whole(of);
    const found = whole && find(whole, element);
    if (!whole || !found || wanted.name !== found.name) return refusal('badXmlContent');
    const missing = this.#missing === 'refuse' && lacks(found, wanted, {}, '');
    if (missing) return refusal('badXmlContent');
    const merged = merge(found, wanted, null, {}, '');
    for (const leaf of this.forgets) {
      const [at, inside] = leaf.split('#');
      if (at === path && inside) setText(merged, inside, textOf(found, inside) ?? '');
    }
    const [parent, index] = holder(whole, element.split('/'));
    parent.children[index] = merged;
    return this.#write(of, whole);
  }

  /** A document with all that it never tells. */
  #whole(path: string): XmlNode | null {
    const document = this.#documents.get(path);
    if (document) return copyXml(document.is);
    return this.#view(path);
  }
}

/** An element that comes several times (PacketType); lists by name are handled as a whole. */
const isList = (n: XmlNode, siblings: XmlNode[]) => siblings.filter((other) => other.name === n.name).length > 1;

function permits(allowed: readonly string[] | readonly [number, number], value: string): boolean {
  if (typeof allowed[0] === 'string') return (allowed as readonly string[]).includes(value);
  const [low, high] = allowed as readonly [number, number];
  return /^-?\d+(\.\d+)?$/.test(value) && Number(value) >= low && Number(value) <= high;
}

function drop(n: XmlNode, [name, ...rest]: string[]): void {
  if (rest.length === 0) n.children = n.children.filter((child) => child.name !== name);
  else for (const child of all(n, name!)) drop(child, rest);
}

function holder(n: XmlNode, [name, ...rest]: string[]): [XmlNode, number] {
  const index = n.children.findIndex((child) => child.name === name);
  return rest.length === 0 ? [n, index] : holder(n.children[index]!, rest);
}

/** Whether `wanted` leaves out something that the document has. */
function lacks(is: XmlNode, wanted: XmlNode, rules: Rules, path: string): boolean {
  if (is.name.endsWith('List')) return false;
  return is.children.some((child) => {
    const at = path ? `${path}/${child.name}` : child.name;
    if (rules.optional?.includes(at) || rules.writeOnly?.includes(at)) return false;
    const given = all(wanted, child.name);
    if (given.length === 0) return true;
    return !isList(child, is.children) && lacks(child, given[0]!, rules, at);
  });
}

function merge(is: XmlNode, wanted: XmlNode, factory: XmlNode | null, rules: Rules, path: string): XmlNode {
  if (is.name.endsWith('List')) return { ...copyXml(wanted), tag: is.tag, attributes: is.attributes };
  if (is.children.length === 0) return { ...is, text: wanted.text };
  const done = new Set<string>();
  const children = is.children.flatMap((child): XmlNode[] => {
    const at = path ? `${path}/${child.name}` : child.name;
    const given = all(wanted, child.name);
    if (isList(child, is.children)) {
      if (done.has(child.name)) return [];
      done.add(child.name);
      const kept = all(is, child.name);
      if (given.length === 0) return (factory ? all(factory, child.name) : kept).map(copyXml);
      return given.map((one, i) => ({ ...copyXml(one), attributes: kept[i]?.attributes ?? one.attributes }));
    }
    if (given[0]) return [merge(child, given[0], factory && find(factory, child.name), rules, at)];
    if (rules.optional?.includes(at)) return [];
    if (rules.writeOnly?.includes(at)) return [{ ...child, text: '' }];
    const original = factory && find(factory, child.name);
    return [copyXml(original ?? child)];
  });
  for (const at of rules.optional ?? []) {
    const name = at.slice(path ? path.length + 1 : 0);
    if (name.includes('/') || (path && !at.startsWith(`${path}/`)) || find(is, name)) continue;
    const given = find(wanted, name);
    if (given) children.push(copyXml(given));
  }
  return { ...is, children };
}
