import { createHash } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Db } from '../db/database.ts';
import { Limiter } from './limiter.ts';

/** A try that counts; {@link succeeded} takes it back. */
export interface Try {
  succeeded(): void;
  failed(): Promise<void>;
}
interface Limit {
  limit: number;
  windowMs: number;
}

/**
 * Limits on failed tries, by name and key, that survive a restart: tries are counted in memory when they begin, failures are
 * written down. Keys are hashed: they are people's addresses.
 */
export class FailureLimits<Name extends string> {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #limits: Record<Name, Limit>;
  readonly #limiters: Map<Name, Limiter>;
  readonly #longestMs: number;

  constructor({ db, clock, limits }: { db: Db; clock: Clock; limits: Record<Name, Limit> }) {
    this.#db = db;
    this.#clock = clock;
    this.#limits = limits;
    const entries = Object.entries(limits) as [Name, Limit][];
    this.#limiters = new Map(entries.map(([name, limit]) => [name, new Limiter({ clock, ...limit })]));
    this.#longestMs = Math.max(...entries.map(([, { windowMs }]) => windowMs));
  }

  /** Takes up what was written down before. */
  async start(): Promise<void> {
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('sign_in_failures')
      .selectAll()
      .where('atMs', '>', now - this.#longestMs)
      .where('limiter', 'in', Object.keys(this.#limits))
      .orderBy('atMs')
      .execute();
    for (const row of rows) this.#limiters.get(row.limiter as Name)?.restore(row.keyHash, now - row.atMs);
  }

  /** Begins a try under several limits. Returns the try, or how long to wait: then nothing was counted. */
  begin(keys: Partial<Record<Name, string>>): Try | { waitMs: number } {
    const taken: { name: Name; key: string }[] = [];
    const forgive = () => {
      for (const { name, key } of taken) this.#limiters.get(name)!.forgive(key);
    };
    for (const [name, text] of Object.entries(keys) as [Name, string][]) {
      const key = hashed(text);
      const waitMs = this.#limiters.get(name)!.take(key);
      if (waitMs > 0) {
        forgive();
        return { waitMs };
      }
      taken.push({ name, key });
    }
    return {
      succeeded: forgive,
      failed: async () => {
        if (taken.length === 0) return;
        const now = this.#clock.now();
        await this.#db
          .deleteFrom('sign_in_failures')
          .where('atMs', '<=', now - this.#longestMs)
          .execute();
        await this.#db
          .insertInto('sign_in_failures')
          .values(taken.map(({ name, key }) => ({ id: uuidv7(now), limiter: name, keyHash: key, atMs: now })))
          .execute();
      },
    };
  }

  async clear(name: Name, text: string): Promise<void> {
    const key = hashed(text);
    // Nothing failed, nothing to forget: the usual case writes nothing.
    if (!this.#limiters.get(name)!.clear(key)) return;
    await this.#db.deleteFrom('sign_in_failures').where('limiter', '=', name).where('keyHash', '=', key).execute();
  }
}

const hashed = (text: string) => createHash('sha256').update(text).digest('base64url');
