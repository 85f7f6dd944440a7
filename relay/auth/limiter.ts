import type { Clock } from '../../protocol/clock.ts';

/**
 * At most `limit` tries in any `windowMs` for each key. A try is counted when it begins, so that many at once do not slip
 * through; {@link forgive} takes it back when it succeeded. Kept in memory, at most `maxKeys` keys: the one idle longest
 * goes first.
 */
export class Limiter {
  readonly #tries = new Map<string, number[]>();
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #maxKeys: number;

  constructor(options: { clock: Clock; limit: number; windowMs: number; maxKeys?: number }) {
    this.#clock = options.clock;
    this.#limit = options.limit;
    this.#windowMs = options.windowMs;
    this.#maxKeys = options.maxKeys ?? 50_000;
  }

  /** Counts a try. Returns 0, or how many milliseconds to wait: then nothing was counted. */
  take(key: string): number {
    const now = this.#clock.mono();
    const times = (this.#tries.get(key) ?? []).filter((at) => at > now - this.#windowMs);
    if (times.length >= this.#limit) return times[0]! + this.#windowMs - now;
    times.push(now);
    this.#tries.delete(key);
    this.#tries.set(key, times);
    if (this.#tries.size > this.#maxKeys) this.#tries.delete(this.#tries.keys().next().value!);
    return 0;
  }

  forgive(key: string): void {
    const times = this.#tries.get(key);
    times?.pop();
    if (times?.length === 0) this.#tries.delete(key);
  }

  /** Returns whether there was anything. */
  clear(key: string): boolean {
    return this.#tries.delete(key);
  }

  /** Counts a try of `agoMs` before now, known from an earlier run. In order, the oldest first. */
  restore(key: string, agoMs: number): void {
    this.#tries.set(key, [...(this.#tries.get(key) ?? []), this.#clock.mono() - agoMs]);
  }
}

export const retryAfter = (waitMs: number) => ({ 'retry-after': String(Math.ceil(waitMs / 1000)) });
