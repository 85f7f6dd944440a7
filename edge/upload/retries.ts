import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';

const FIRST_RETRY_MS = 250;
export const RETRY_CAP_MS = 10_000;
/** An answer that says "not like this" may be damage on the way: a fragment gets so many tries. */
const TRIES_IF_REFUSED = 3;
/** An address that is refused may have become too old; the next one has not. */
const ADDRESSES = 2;

interface Retry {
  backoff: Backoff;
  at: number;
  refusals: number;
  /** Addresses at which it was not taken, or taken and not found. */
  addresses: number;
}

export const newBackoff = () => new Backoff(FIRST_RETRY_MS, RETRY_CAP_MS);

/** When each fragment is tried again, by its `seq`. */
export class Retries {
  readonly #clock: Clock;
  readonly #of = new Map<number, Retry>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#of.size;
  }

  later(seq: number): void {
    const retry = this.#of.get(seq) ?? { backoff: newBackoff(), at: 0, refusals: 0, addresses: 0 };
    retry.at = this.#clock.mono() + retry.backoff.next();
    this.#of.set(seq, retry);
  }

  /** Refused by the relay; true: often enough. */
  refused(seq: number): boolean {
    this.later(seq);
    return ++this.#of.get(seq)!.refusals >= TRIES_IF_REFUSED;
  }

  /** Not taken at its address; true: a new one did not help, so it is not the address. */
  address(seq: number): boolean {
    this.later(seq);
    return ++this.#of.get(seq)!.addresses >= ADDRESSES;
  }

  waits(seq: number, now: number): boolean {
    return (this.#of.get(seq)?.at ?? 0) > now;
  }

  /** When the next one is due; `Infinity`: none. */
  nextAt(now: number): number {
    return Math.min(...[...this.#of.values()].map(({ at }) => at).filter((at) => at > now));
  }

  allNow(): void {
    for (const retry of this.#of.values()) retry.at = 0;
  }

  delete(seq: number): void {
    this.#of.delete(seq);
  }
}
