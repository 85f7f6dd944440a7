import type { AccessUnit } from './receiver.ts';

/** More than this without a picture is a hole, not a slow camera. */
const HOLE_MS = 2_000;

interface Group {
  units: AccessUnit[];
  bytes: number;
}

/**
 * The last seconds of a channel in whole groups of pictures, so that whatever is read from it begins with a key frame.
 * It keeps the newest key frame that is at least `holdMs` old, and what came after it; whole groups fall off its tail.
 * Over `maxBytes` the oldest groups go early, in the end even the one being filled: memory is bounded whatever a camera
 * sends.
 */
export class Ring {
  holdMs = 0;
  readonly #maxBytes: number;
  #groups: Group[] = [];
  #bytes = 0;
  #overflowed = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }
  /** True while less than `holdMs` fits: the bytes ran out. */
  get overflowed(): boolean {
    return this.#overflowed;
  }
  get newest(): AccessUnit | null {
    return this.#groups.at(-1)?.units.at(-1) ?? null;
  }
  get oldest(): AccessUnit | null {
    return this.#groups[0]?.units[0] ?? null;
  }

  push(unit: AccessUnit): void {
    const open = this.#groups.at(-1);
    if (unit.keyFrame) this.#groups.push({ units: [unit], bytes: unit.data.length });
    else if (open) {
      open.units.push(unit);
      open.bytes += unit.data.length;
    } else return;
    this.#bytes += unit.data.length;
    const since = unit.monoMs - this.holdMs;
    while (this.#groups.length > 1 && this.#groups[1]!.units[0]!.monoMs <= since) {
      this.#drop();
      this.#overflowed = false;
    }
    while (this.#bytes > this.#maxBytes) {
      this.#drop();
      this.#overflowed = true;
    }
  }

  /** Everything from the last key frame taken at or before `monoMs`, else from the oldest one after it. */
  from(monoMs: number): AccessUnit[] {
    let first = 0;
    for (let i = 1; i < this.#groups.length; i++) if (this.#groups[i]!.units[0]!.monoMs <= monoMs) first = i;
    // A group that broke off before the moment asked for shows nothing of it: the stream was lost in between.
    const last = this.#groups[first]?.units.at(-1);
    if (last && last.monoMs < monoMs - HOLE_MS) first++;
    return this.#groups.slice(first).flatMap((g) => g.units);
  }

  clear(): void {
    this.#groups = [];
    this.#bytes = 0;
    this.#overflowed = false;
  }

  #drop(): void {
    this.#bytes -= this.#groups.shift()!.bytes;
  }
}
