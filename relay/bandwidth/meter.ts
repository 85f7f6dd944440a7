import { TEST_TIMES, type TestTimes } from '../../protocol/wire/bandwidth.ts';

const BUCKET_MS = 100;

export interface Measurement {
  bytes: number;
  /** Null: too little time of it was measured. */
  kbps: number | null;
}

/**
 * Counts what arrives, by the receiver's own clock: what the sender has handed to its kernel says nothing about the line.
 * The first part is left out: the sender is still finding the rate, and its bytes may have waited in a queue.
 */
export class Meter {
  readonly #times: Pick<TestTimes, 'rampMs' | 'leastMs'>;
  readonly #buckets: number[] = [];
  #firstMs: number | null = null;
  #lastMs = 0;
  #bytes = 0;

  constructor(times: Pick<TestTimes, 'rampMs' | 'leastMs'> = TEST_TIMES) {
    this.#times = times;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number, monoMs: number): void {
    this.#firstMs ??= monoMs;
    this.#lastMs = monoMs;
    this.#bytes += bytes;
    const bucket = Math.floor((monoMs - this.#firstMs) / BUCKET_MS);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + bytes;
  }

  /**
   * `untilMs`: when sending ended. A line that carries something in every second is measured to its last byte; one on
   * which nothing came any more is measured to the end, for silence is part of what it can do.
   */
  result(untilMs: number): Measurement {
    if (this.#firstMs === null) return { bytes: 0, kbps: null };
    const end = this.#lastMs + 1_000 < untilMs ? untilMs : this.#lastMs;
    const from = Math.ceil(this.#times.rampMs / BUCKET_MS);
    const to = Math.floor((end - this.#firstMs) / BUCKET_MS);
    const measuredMs = (to - from) * BUCKET_MS;
    if (measuredMs < this.#times.leastMs) return { bytes: this.#bytes, kbps: null };
    let bytes = 0;
    for (let i = from; i < to; i++) bytes += this.#buckets[i] ?? 0;
    return { bytes: this.#bytes, kbps: Math.round((bytes * 8) / measuredMs) };
  }
}
