import type { IsapiDevice } from './isapi-device.ts';
import { attribute, type Element, scanXml, textOf } from './xml-scan.ts';

export interface Cap {
  /** `opt`; empty when the device names none. */
  options: string[];
  min: number | null;
  max: number | null;
  text: string;
}

/** A capability document: the settings document again, whose leaves say what they may be (isapi.md §0). */
export class Caps {
  readonly #source: string;
  readonly #root: Element | null;

  constructor(source: string) {
    this.#source = source;
    this.#root = scanXml(source);
  }

  /** What the device says of the leaf at `path` below the root; null: it says nothing of it. */
  at(...path: string[]): Cap | null {
    let found = this.#root;
    for (const name of path) found = found?.children.find((child) => child.name === name) ?? null;
    if (!found) return null;
    const number = (name: string) => {
      const written = attribute(this.#source, found, name)?.trim() ?? '';
      return /^-?\d+(\.\d+)?$/.test(written) ? Number(written) : null;
    };
    const options = (attribute(this.#source, found, 'opt') ?? '').split(',').map((o) => o.trim());
    return {
      options: [...new Set(options.filter((o) => o !== ''))].slice(0, 256),
      min: number('min'),
      max: number('max'),
      text: found.children.length > 0 ? '' : textOf(this.#source, found),
    };
  }

  /** Whether anything of that name is there, at any depth; devices spell some of them in several ways. */
  has(name: RegExp): boolean {
    const search = (element: Element): boolean => name.test(element.name) || element.children.some(search);
    return this.#root !== null && search(this.#root);
  }
}

/** The capability document at `path`; an empty one where the device has none. */
export async function readCaps(device: IsapiDevice, path: string, signal?: AbortSignal): Promise<Caps> {
  const doc = await device.get(path, signal);
  return new Caps(doc.ok ? doc.value.source : '');
}
