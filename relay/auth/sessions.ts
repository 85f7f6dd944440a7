import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';

export interface Principal {
  userId: string;
  companyId: string;
  tokenHash: string;
  expiresMs: number;
}

const hash = (token: string) => createHash('sha256').update(token).digest('hex');

/** Sign-in sessions. Only a hash of each token is stored: who reads the database cannot sign in with it. */
export class Sessions {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #ended = new Set<(tokenHash: string) => void>();

  constructor({ db, clock, lifetimeMs = 12 * 3_600_000 }: { db: Db; clock: Clock; lifetimeMs?: number }) {
    this.#db = db;
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
  }

  async create(userId: string): Promise<{ token: string; expiresMs: number }> {
    const token = randomBytes(32).toString('base64url');
    const now = this.#clock.now();
    const expiresMs = now + this.#lifetimeMs;
    await this.#db.deleteFrom('sessions').where('expiresMs', '<=', now).execute();
    await this.#db
      .insertInto('sessions')
      .values({ tokenHash: hash(token), userId, createdMs: now, expiresMs })
      .execute();
    return { token, expiresMs };
  }

  async find(token: string): Promise<Principal | null> {
    const row = await this.#db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.userId')
      .select(['users.id as userId', 'users.companyId', 'sessions.tokenHash', 'sessions.expiresMs'])
      .where('tokenHash', '=', hash(token))
      .where('expiresMs', '>', this.#clock.now())
      .executeTakeFirst();
    return row ?? null;
  }

  async end(tokenHash: string): Promise<void> {
    await this.#db.deleteFrom('sessions').where('tokenHash', '=', tokenHash).execute();
    for (const fn of this.#ended) fn(tokenHash);
  }

  /** Open streams of a session end with it. */
  onEnd(fn: (tokenHash: string) => void): () => void {
    this.#ended.add(fn);
    return () => this.#ended.delete(fn);
  }
}
