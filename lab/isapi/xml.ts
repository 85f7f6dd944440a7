import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** One element. `name` is local; `tag` and `attributes` are as they were written. */
export interface XmlNode {
  name: string;
  tag: string;
  attributes: Record<string, string>;
  children: XmlNode[];
  text: string;
}

type Entry = Record<string, unknown>;
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
});

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** The root element, or null where the text is not well-formed. */
export function parseXml(text: string): XmlNode | null {
  const trimmed = text.trim();
  if (!trimmed.startsWith('<') || XMLValidator.validate(trimmed) !== true) return null;
  const roots = (parser.parse(trimmed) as Entry[]).filter((entry) => !('#text' in entry));
  return roots.length === 1 ? node(roots[0]!) : null;
}

function node(entry: Entry): XmlNode {
  const tag = Object.keys(entry).find((key) => key !== ':@')!;
  const inside = entry[tag] as Entry[];
  const text = inside.map((child) => ('#text' in child ? String(child['#text']) : '')).join('');
  return {
    name: tag.slice(tag.indexOf(':') + 1),
    tag,
    attributes: (entry[':@'] as Record<string, string> | undefined) ?? {},
    children: inside.filter((child) => !('#text' in child)).map(node),
    text: text.trim(),
  };
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function writeXml(n: XmlNode): string {
  const attributes = Object.entries(n.attributes).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
  const open = `<${n.tag}${attributes.join('')}>`;
  if (n.children.length > 0) return `${open}\n${n.children.map(writeXml).join('\n')}\n</${n.tag}>`;
  return `${open}${escapeXml(n.text)}</${n.tag}>`;
}

export const copyXml = (n: XmlNode): XmlNode => ({
  ...n,
  attributes: { ...n.attributes },
  children: n.children.map(copyXml),
});

/** The first element at `path`, by local names below `n`. */
export function find(n: XmlNode, path: string): XmlNode | null {
  let at: XmlNode | undefined = n;
  for (const name of path.split('/')) at = at?.children.find((child) => child.name === name);
  return at ?? null;
}
export const textOf = (n: XmlNode, path: string): string | null => find(n, path)?.text ?? null;
export const all = (n: XmlNode, name: string): XmlNode[] => n.children.filter((child) => child.name === name);
export function setText(n: XmlNode, path: string, text: string): void {
  const found = find(n, path);
  if (found) found.text = text;
}
