import type { Clock } from '../../protocol/clock.ts';
import type { KnownAccount } from './directory.ts';

/** A change that another process made, or another part of this one, counts after this. */
const FRESH_MS = 2_000;
const MAX_KNOWN = 20_000;
/** Account numbers that nobody has; kept apart, so that guesses do not push out who is known. */
const MAX_UNKNOWN = 5_000;

/** What was looked up a moment ago, so that a flood of messages is no flood of queries. */
export class Lookups {
  readonly #clock: Clock;
  readonly #found = {
    known: new Map<string, { at: number; value: KnownAccount }>(),
    unknown: new Map<string, { at: number; value: null }>(),
  };
  #generation = 0;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#found.known.size + this.#found.unknown.size;
  }

  async find(key: string, look: () => Promise<KnownAccount | null>): Promise<KnownAccount | null> {
    const cached = this.#found.known.get(key) ?? this.#found.unknown.get(key);
    if (cached && this.#clock.mono() - cached.at < FRESH_MS) return cached.value;
    const generation = this.#generation;
    const value = await look();
    // Something was changed meanwhile: what was read may be from before.
    if (generation !== this.#generation) return value;
    const { known, unknown } = this.#found;
    const at = this.#clock.mono();
    known.delete(key);
    unknown.delete(key);
    if (value) put(known, key, { at, value }, MAX_KNOWN);
    else put(unknown, key, { at, value }, MAX_UNKNOWN);
    return value;
  }

  /** Accounts were changed. */
  forget(): void {
    this.#generation++;
    this.#found.known.clear();
    this.#found.unknown.clear();
  }
}

function put<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.set(key, value);
  if (map.size > max) map.delete(map.keys().next().value!);
}
