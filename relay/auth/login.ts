import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Me } from '../../protocol/wire/api.ts';
import { ProblemError } from '../api/problem.ts';
import type { Db } from '../db/database.ts';
import { Limiter, retryAfter } from './limiter.ts';
import { verifyPassword } from './passwords.ts';
import type { Sessions } from './sessions.ts';

const QUARTER_MS = 15 * 60_000;

/** Sign-in by e-mail and password; wrong ones lock the account for the address, and a busy address for every account. */
export class Login {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #sessions: Sessions;
  /** By account and address, so that a stranger elsewhere cannot lock an account for its owner. */
  readonly #byPair: Limiter;
  readonly #byAddress: Limiter;
  /** Against guessing from many addresses. */
  readonly #byAccount: Limiter;

  constructor({ db, clock, log, sessions }: { db: Db; clock: Clock; log: Logger; sessions: Sessions }) {
    this.#db = db;
    this.#log = log;
    this.#sessions = sessions;
    this.#byPair = new Limiter({ clock, limit: 5, windowMs: QUARTER_MS });
    this.#byAddress = new Limiter({ clock, limit: 50, windowMs: QUARTER_MS });
    this.#byAccount = new Limiter({ clock, limit: 100, windowMs: QUARTER_MS });
  }

  async login(email: string, password: string, remote: string): Promise<{ token: string; expiresAt: string; me: Me }> {
    const account = email.trim().toLowerCase();
    const limits: [Limiter, string][] = [
      [this.#byPair, `${account} ${remote}`],
      [this.#byAddress, remote],
      [this.#byAccount, account],
    ];
    const taken: [Limiter, string][] = [];
    for (const [limiter, key] of limits) {
      const wait = limiter.take(key);
      if (wait > 0) {
        for (const [other, otherKey] of taken) other.forgive(otherKey);
        this.#log.warn({ remote }, 'sign-in refused: too many tries');
        throw new ProblemError('too-many-tries', `Wait ${Math.ceil(wait / 60_000)} minutes.`, {
          headers: retryAfter(wait),
        });
      }
      taken.push([limiter, key]);
    }
    const user = await this.#db
      .selectFrom('users')
      .select(['id', 'passwordHash'])
      .where('email', '=', account)
      .executeTakeFirst();
    if (!(await verifyPassword(user?.passwordHash ?? null, password)) || !user) {
      this.#log.warn({ remote }, 'sign-in refused: wrong e-mail or password');
      throw new ProblemError('wrong-credentials');
    }
    for (const [limiter, key] of taken) limiter.forgive(key);
    this.#byPair.clear(`${account} ${remote}`);
    const { token, expiresMs } = await this.#sessions.create(user.id);
    this.#log.info({ userId: user.id, remote }, 'signed in');
    return { token, expiresAt: iso(expiresMs), me: await this.me(user.id) };
  }

  async me(userId: string): Promise<Me> {
    const row = await this.#db
      .selectFrom('users')
      .innerJoin('companies', 'companies.id', 'users.companyId')
      .select(['users.id as userId', 'email', 'users.name as name', 'companies.id as companyId'])
      .select('companies.name as companyName')
      .where('users.id', '=', userId)
      .executeTakeFirstOrThrow();
    const { companyId, companyName, ...user } = row;
    return { ...user, company: { id: companyId, name: companyName } };
  }
}
