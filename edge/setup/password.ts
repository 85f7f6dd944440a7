import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash, verify } from '@node-rs/argon2';
import type { Clock } from '../../protocol/clock.ts';
import { writePrivateFile } from '../identity/identity.ts';

/** OWASP's second choice of Argon2id: 19 MiB, two passes (about 40 ms). */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const SESSION_MS = 12 * 3600_000;
const MAX_SESSIONS = 50;
/** Wrong passwords before a pause, and how long the pause is; it counts for everybody, since a LAN shares one address. */
const MAX_FAILURES = 5;
const PAUSE_MS = 60_000;

export type SignIn =
  | { ok: true; token: string }
  | { ok: false; code: 'wrong-credentials' | 'too-many-tries' | 'conflict' };

/** The set-up page's one password, set at its first use, and its sessions (in memory: a restart signs everybody out). */
export class SetupPassword {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #sessions = new Map<string, number>();
  #hash: string | null;
  #failures: number[] = [];
  #setting = false;

  constructor(o: { dir: string; clock: Clock }) {
    this.#file = join(o.dir, 'setup-password');
    this.#clock = o.clock;
    this.#hash = existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : null;
  }

  get firstUse(): boolean {
    return this.#hash === null;
  }

  /** First use only: whoever comes first sets it. */
  async set(password: string): Promise<SignIn> {
    if (this.#hash !== null || this.#setting) return { ok: false, code: 'conflict' };
    this.#setting = true;
    try {
      const made = await hash(password, ARGON2);
      writePrivateFile(this.#file, made);
      this.#hash = made;
    } finally {
      this.#setting = false;
    }
    return { ok: true, token: this.#open() };
  }

  async login(password: string): Promise<SignIn> {
    const now = this.#clock.mono();
    this.#failures = this.#failures.filter((at) => now - at < PAUSE_MS);
    if (this.#failures.length >= MAX_FAILURES) return { ok: false, code: 'too-many-tries' };
    // Counted before the slow check, so that tries made side by side count too.
    this.#failures.push(now);
    if (this.#hash === null || !(await verify(this.#hash, password))) return { ok: false, code: 'wrong-credentials' };
    this.#failures = [];
    return { ok: true, token: this.#open() };
  }

  signedIn(token: string | undefined): boolean {
    const until = token === undefined ? undefined : this.#sessions.get(token);
    return until !== undefined && this.#clock.mono() < until;
  }

  logout(token: string | undefined): void {
    if (token !== undefined) this.#sessions.delete(token);
  }

  #open(): string {
    const oldest = this.#sessions.keys().next().value;
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const token = randomBytes(32).toString('base64url');
    this.#sessions.set(token, this.#clock.mono() + SESSION_MS);
    return token;
  }
}
