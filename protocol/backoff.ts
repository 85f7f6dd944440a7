/** Milliseconds before the try after `tries` failed ones: exponential with half jitter (50–100 % of the step). */
export function backoffMs(tries: number, firstMs: number, capMs: number, random: () => number = Math.random): number {
  const step = Math.min(capMs, firstMs * 2 ** Math.min(tries, 30));
  return step * (0.5 + random() / 2);
}

/**
 * Reconnect delays: the first try at once, then exponential with half jitter (50–100 % of the step), so that a thousand
 * boxes do not return in the same second.
 */
export class Backoff {
  #tries = 0;
  readonly #firstMs: number;
  readonly #capMs: number;
  readonly #random: () => number;

  constructor(firstMs: number, capMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#capMs = capMs;
    this.#random = random;
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    return backoffMs(this.#tries++, this.#firstMs, this.#capMs, this.#random);
  }

  reset(): void {
    this.#tries = 0;
  }

  get tries(): number {
    return this.#tries;
  }
}
