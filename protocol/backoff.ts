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
    const step = Math.min(this.#capMs, this.#firstMs * 2 ** Math.min(this.#tries, 30));
    this.#tries++;
    return step * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#tries = 0;
  }

  get tries(): number {
    return this.#tries;
  }
}
