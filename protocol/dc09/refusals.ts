import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';

/** Refusals that an address may have at once … */
const BURST = 64;
/** … and how fast it gets them back. */
const PER_SECOND = 2;
/** Remembered; beyond it the address that was refused least recently is forgotten. */
const MAX_ADDRESSES = 4_096;

/**
 * Counts what was refused, by address, so that whoever sends nothing but rubbish is served slowly. Of IPv6 the network
 * (/64) counts: one host has all the addresses in it.
 */
export class Refusals {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #left = new Map<string, { tokens: number; at: number }>();

  constructor({ clock, maxAddresses = MAX_ADDRESSES }: { clock: Clock; maxAddresses?: number }) {
    this.#clock = clock;
    this.#max = maxAddresses;
  }

  get size(): number {
    return this.#left.size;
  }

  add(address: string): void {
    const key = networkOf(address);
    const tokens = Math.max(-1, this.#tokens(key) - 1);
    this.#left.delete(key);
    this.#left.set(key, { tokens, at: this.#clock.mono() });
    if (this.#left.size > this.#max) this.#left.delete(this.#left.keys().next().value!);
  }

  /** Nothing is left: it had more refusals than anybody has who only is set up wrongly. */
  spent(address: string): boolean {
    return this.#left.size > 0 && this.#tokens(networkOf(address)) < 1;
  }

  #tokens(key: string): number {
    const entry = this.#left.get(key);
    if (!entry) return BURST;
    return Math.min(BURST, entry.tokens + ((this.#clock.mono() - entry.at) / 1000) * PER_SECOND);
  }
}

/** The address itself, of IPv6 its /64. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.replace(/%.*$/, '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':');
}
