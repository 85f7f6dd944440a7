import type { FieldValue, SettingField } from '../../../protocol/wire/operations.ts';
import type { Cap, Caps } from '../caps.ts';
import type { Change } from '../edit-xml.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';

type Path = [...string[], string];
interface Base {
  name: string;
  /** Below the root of the document. */
  path: Path;
  readOnly?: true;
}
/** A field that is one leaf of a document. */
export type Leaf = Base &
  (
    | { kind: 'boolean'; yes?: string; no?: string }
    | {
        kind: 'number';
        unit: string | null;
        /** What the device's number is divided by. */
        per?: number;
        /** Where the device does not say. */
        min?: number;
        max?: number;
      }
    | {
        kind: 'choice';
        /** Where the device names no options; without these, only what is set. */
        options?: string[];
        /** The device's words in ours; others stay as they are. */
        words?: Record<string, string>;
      }
    | { kind: 'text'; maxLength: number }
  );

/** Those of `leaves` that the document has, as fields. An empty leaf is a value that the device does not tell. */
export function readLeaves(node: XmlNode, caps: Caps | null, leaves: readonly Leaf[]): SettingField[] {
  return leaves.flatMap((leaf): SettingField[] => {
    if (list(node, ...leaf.path).length === 0) return [];
    const cap = caps?.at(...leaf.path) ?? null;
    return [fieldOf(leaf, text(node, ...leaf.path), cap)];
  });
}

function fieldOf(leaf: Leaf, written: string, cap: Cap | null): SettingField {
  const base = { name: leaf.name, ...(leaf.readOnly && { readOnly: true as const }) };
  if (leaf.kind === 'boolean') {
    const word = written.toLowerCase();
    const yes = (leaf.yes ?? 'true').toLowerCase();
    return { ...base, kind: 'boolean', value: word === '' ? null : word === yes || word === '1' };
  }
  if (leaf.kind === 'number') {
    const per = leaf.per ?? 1;
    const value = /^[+-]?\d+(\.\d+)?$/.test(written) ? Number(written) / per : null;
    const [min, max] = [cap?.min ?? null, cap?.max ?? null];
    const bounds = {
      min: min === null ? (leaf.min ?? null) : min / per,
      max: max === null ? (leaf.max ?? null) : max / per,
    };
    return { ...base, kind: 'number', value, ...bounds, unit: leaf.unit };
  }
  if (leaf.kind === 'text') {
    const maxLength = Math.min(leaf.maxLength, cap?.max && cap.max > 0 ? cap.max : leaf.maxLength);
    return { ...base, kind: 'text', value: clean(written, 256), maxLength };
  }
  const ours = (word: string) => clean(leaf.words?.[word] ?? word, 64);
  const named = cap && cap.options.length > 0 ? cap.options : (leaf.options ?? []);
  const options = [...new Set([...named, ...(written === '' ? [] : [written])].map(ours))];
  return { ...base, kind: 'choice', value: written === '' ? null : ours(written), options: options.slice(0, 256) };
}

/** The changes that put `set` into the document. */
export function leafChanges(leaves: readonly Leaf[], set: Record<string, FieldValue>): Change[] {
  return leaves.flatMap((leaf) => {
    const value = set[leaf.name];
    return value === undefined || value === null ? [] : [{ path: [...leaf.path], value: writtenAs(leaf, value) }];
  });
}

function writtenAs(leaf: Leaf, value: FieldValue): string {
  if (leaf.kind === 'boolean') return value === true ? (leaf.yes ?? 'true') : (leaf.no ?? 'false');
  if (leaf.kind === 'number') return String(Math.round(Number(value) * (leaf.per ?? 1)));
  if (leaf.kind === 'text') return String(value);
  return Object.entries(leaf.words ?? {}).find(([, ours]) => ours === value)?.[0] ?? String(value);
}

/** Only those of `set` that `leaves` stand for. */
export const ofLeaves = (leaves: readonly Leaf[], set: Record<string, FieldValue>): Record<string, FieldValue> =>
  Object.fromEntries(Object.entries(set).filter(([name]) => leaves.some((leaf) => leaf.name === name)));
