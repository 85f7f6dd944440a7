import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Me } from '../../protocol/wire/api.ts';
import type { RolePermission } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Db } from '../db/database.ts';
import { Limiter, retryAfter } from './limiter.ts';
import { verifyPassword } from './passwords.ts';
import type { Principal, Sessions } from './sessions.ts';

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

  async login(
    email: string,
    password: string,
    from: { remote: string; userAgent: string },
  ): Promise<{ token: string; expiresAt: string; me: Me }> {
    const { remote } = from;
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
      .where('enabled', '=', 1)
      .where('deletedAt', 'is', null)
      .executeTakeFirst();
    if (!(await verifyPassword(user?.passwordHash ?? null, password)) || !user) {
      this.#log.warn({ remote }, 'sign-in refused: wrong e-mail or password');
      throw new ProblemError('wrong-credentials');
    }
    for (const [limiter, key] of taken) limiter.forgive(key);
    this.#byPair.clear(`${account} ${remote}`);
    const { token, expiresMs } = await this.#sessions.create(user.id, from);
    this.#log.info({ userId: user.id, remote }, 'signed in');
    return { token, expiresAt: iso(expiresMs), me: await this.me((await this.#sessions.find(token)) as Principal) };
  }

  async me(who: { userId: string; permissions: ReadonlySet<RolePermission> }): Promise<Me> {
    const { companyId, companyName, companyType, admin, limited, ...user } = await this.#db
      .selectFrom('users')
      .innerJoin('companies', 'companies.id', 'users.companyId')
      .select(['users.id as userId', 'email', 'users.name as name', 'companies.id as companyId'])
      .select(['companies.name as companyName', 'companies.type as companyType', 'admin', 'limited', 'locale'])
      .where('users.id', '=', who.userId)
      .executeTakeFirstOrThrow();
    const company = { id: companyId, name: companyName, type: companyType };
    return { ...user, company, admin: admin === 1, limited: limited === 1, permissions: [...who.permissions] };
  }
}
