import { isUtf8 } from 'node:buffer';
import { failure, type IsapiFailure, judge, type Result, responseStatus } from './answer.ts';
import type { IsapiClient } from './client.ts';
import { parseXml, type XmlNode } from './xml.ts';
import { type Element, encodeText, scanXml, textOf } from './xml-scan.ts';

/** One step down: a local name, or one of several of that name by number (from 0) or by the texts of leaves in it. */
export type Step = string | { name: string; index?: number; where?: Record<string, string> };

/**
 * One change to a document. `path` leads down from the root element, which is not part of it (as in `text(node, …)`);
 * where several elements lie at its end, `index` says which (from 0).
 */
export type Change = {
  path: Step[];
  index?: number;
  /** Leave it out without a word where the document has no such element. Otherwise {@link writeDocument} fails then. */
  optional?: boolean;
} & (
  | {
      /** The element's new text, unescaped; null removes the element. */
      value: string | null;
    }
  | {
      /** The element's new content, as XML. */
      inner: string;
    }
  | {
      /** An element, as XML, to stand behind the last child of the one at `path`. */
      append: string;
    }
  | {
      /** An element, as XML, to stand right behind the one at `path`. */
      after: string;
    }
);

/**
 * Changes a device's own document and keeps every byte that is not meant: namespaces and prefixes, order, attributes,
 * comments, blanks and elements that we do not know, because devices refuse or reset what comes back otherwise
 * (isapi.md §0). Changes apply in order, each to the outcome of those before. Elements that are not there are not made:
 * such a change does nothing (see {@link missingIn}). A document that is no XML comes back as it is.
 */
export function editXml(source: string, changes: readonly Change[]): string {
  return applyAll(source, changes).text;
}

/** Those of `changes` that find nothing in `source` to change. */
export function missingIn(source: string, changes: readonly Change[]): Change[] {
  return applyAll(source, changes).missing;
}

type Put = (xml: string) => string;
const asIs: Put = (xml) => xml;
const asReferences: Put = (xml) => xml.replace(/[^\0-\x7f]/gu, (c) => `&#${c.codePointAt(0)};`);

/** What stands in the first element at `path`, as it is written; null: there is no such element. */
export function innerXml(source: string, path: readonly Step[]): string | null {
  const root = scanXml(source);
  const element = root && find(source, root, path)[0];
  return element ? (element.closeStart < 0 ? '' : content(source, element)) : null;
}

function applyAll(source: string, changes: readonly Change[], put = asIs): { text: string; missing: Change[] } {
  let text = source;
  const missing: Change[] = [];
  for (const change of changes) {
    const root = scanXml(text);
    const element = root && find(text, root, change.path)[change.index ?? 0];
    if (element) text = apply(text, element, change, put);
    else missing.push(change);
  }
  return { text, missing };
}

function find(source: string, root: Element, path: readonly Step[]): Element[] {
  let found = [root];
  for (const step of path) {
    const { name, index, where } = typeof step === 'string' ? { name: step } : step;
    found = found.flatMap((element) => {
      const named = element.children.filter(
        (child) =>
          child.name === name &&
          Object.entries(where ?? {}).every(([leaf, wanted]) =>
            child.children.some((c) => c.name === leaf && textOf(source, c) === wanted),
          ),
      );
      return index === undefined ? named : named.slice(index, index + 1);
    });
  }
  return found;
}

function apply(source: string, element: Element, change: Change, put: Put): string {
  if ('after' in change) return behind(source, element, put(prefixed(change.after, element.prefix)));
  if ('append' in change) {
    const last = element.children.at(-1);
    const fragment = put(prefixed(change.append, (last ?? element).prefix));
    if (!last) return withContent(source, element, element.closeStart < 0 ? '' : content(source, element), fragment);
    return behind(source, last, fragment);
  }
  if ('inner' in change) {
    return withContent(source, element, put(prefixed(change.inner, (element.children[0] ?? element).prefix)), '');
  }
  if (change.value !== null) return withContent(source, element, put(encodeText(change.value)), '');
  return source.slice(0, element.start).trimEnd() + source.slice(element.end);
}

/** Set as its neighbour is: on a line of its own, or not. */
function behind(source: string, element: Element, fragment: string): string {
  const before = source.slice(0, element.start);
  const blank = before.slice(before.trimEnd().length);
  return source.slice(0, element.end) + blank + fragment + source.slice(element.end);
}

const content = (source: string, element: Element): string => source.slice(element.openEnd, element.closeStart);

function withContent(source: string, element: Element, a: string, b: string): string {
  if (element.closeStart >= 0) {
    return source.slice(0, element.openEnd) + a + b + source.slice(element.closeStart);
  }
  // <a/> or <a x="y" />
  if (a + b === '') return source;
  const open = source.slice(element.start, element.openEnd - '/>'.length).trimEnd();
  return `${source.slice(0, element.start)}${open}>${a}${b}</${element.qname}>${source.slice(element.end)}`;
}

/** Our own fragments are written without prefixes and take that of their surroundings. */
const prefixed = (fragment: string, prefix: string): string =>
  prefix === '' ? fragment : fragment.replace(/(<\/?)(?=[A-Za-z_])(?![\w.-]*:)/g, `$1${prefix}:`);

export interface Written {
  rebootRequired: boolean;
}
type Edit = readonly Change[] | ((doc: XmlNode, source: string) => readonly Change[] | IsapiFailure);

/**
 * Read–modify–write of one document: GET, change, PUT the whole, judge. Nothing is sent when nothing would change.
 * `putPath`: where it is written, when that is another address than where it is read.
 */
export async function writeDocument(
  device: { client: IsapiClient },
  path: string,
  edit: Edit,
  signal?: AbortSignal,
  o: { putPath?: string; timeoutMs?: number; maxBytes?: number } = {},
): Promise<Result<Written>> {
  const got = await device.client.get(path, { signal, maxBytes: o.maxBytes });
  if (!got.ok) return got;
  const bytes = trimmed(got.value.body);
  const doc = parseXml(bytes);
  if (!doc) return failure('device-error', 'It does not give its settings in a form that can be read.');
  // What is no UTF-8 is kept byte for byte; our own letters then go in as character references.
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const source = bytes.toString(encoding);
  const changes = typeof edit === 'function' ? edit(doc.node, source) : edit;
  if ('ok' in changes) return changes;
  const { text, missing } = applyAll(source, changes, encoding === 'utf8' ? asIs : asReferences);
  const lacking = missing.find((c) => !c.optional);
  if (lacking) {
    const name = lacking.path.map((s) => (typeof s === 'string' ? s : s.name)).join('/');
    return failure('device-error', `It has no setting "${name.slice(0, 80)}".`);
  }
  if (text === source) return { ok: true, value: { rebootRequired: false } };
  return putDocument(device, o.putPath ?? path, Buffer.from(text, encoding), signal, o);
}

/** PUT (or POST, DELETE) of a document as it is, judged. statusCode 7: done, and it wants a restart. */
export async function putDocument(
  device: { client: IsapiClient },
  path: string,
  body: Buffer | string,
  signal?: AbortSignal,
  o: { method?: 'PUT' | 'POST' | 'DELETE'; timeoutMs?: number; contentType?: string; last?: boolean } = {},
): Promise<Result<Written>> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const result = await device.client.request(o.method ?? 'PUT', path, {
    ...(bytes.length > 0 && { body: bytes }),
    ...(o.contentType !== undefined && { contentType: o.contentType }),
    timeoutMs: o.timeoutMs ?? 15_000,
    ...(o.last && { last: true }),
    signal,
  });
  if (!result.ok) return result;
  const failed = judge(result.value);
  if (failed) return failed;
  const said = responseStatus(result.value.body);
  return { ok: true, value: { rebootRequired: said?.statusCode === 7 || /^(reboot)/i.test(said?.subStatus ?? '') } };
}

function trimmed(bytes: Buffer): Buffer {
  let [start, end] = [0, bytes.length];
  while (start < end && bytes[start] === 0) start++;
  while (end > start && bytes[end - 1] === 0) end--;
  return bytes.subarray(start, end);
}
