import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';

/**
 * Nonces without a memory of those handed out: each carries its time and a MAC. Only those that were used with a valid
 * signature are remembered, until they expire, so that asking for nonces costs the relay nothing.
 */
export class Nonces {
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, number>();
  readonly #clock: Clock;
  readonly #maxUsed: number;
  readonly lifetimeMs: number;

  constructor({
    clock,
    lifetimeMs = 60_000,
    maxUsed = 200_000,
  }: { clock: Clock; lifetimeMs?: number; maxUsed?: number }) {
    this.#clock = clock;
    this.lifetimeMs = lifetimeMs;
    this.#maxUsed = maxUsed;
  }

  create(): string {
    const body = `${Math.floor(this.#clock.mono()).toString(36)}.${randomBytes(16).toString('base64url')}`;
    return `${body}.${this.#mac(body).toString('base64url')}`;
  }

  /** Made here, not expired, not used. */
  valid(nonce: string): boolean {
    const [time, random, mac] = nonce.split('.');
    if (!time || !random || !mac) return false;
    const given = Buffer.from(mac, 'base64url');
    const wanted = this.#mac(`${time}.${random}`);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return false;
    // Base64url has several spellings of the same bytes; only ours is a nonce, or one would be good twice.
    if (mac !== wanted.toString('base64url') || this.#used.has(nonce)) return false;
    return this.#clock.mono() - Number.parseInt(time, 36) <= this.lifetimeMs;
  }

  /** Uses up a valid nonce; false when it was used meanwhile, or when too many were used to remember one more. */
  use(nonce: string): boolean {
    const now = this.#clock.mono();
    for (const [old, expires] of this.#used) {
      if (expires > now) break;
      this.#used.delete(old);
    }
    if (this.#used.has(nonce) || this.#used.size >= this.#maxUsed) return false;
    this.#used.set(nonce, now + this.lifetimeMs + 1_000);
    return true;
  }

  #mac(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest();
  }
}
