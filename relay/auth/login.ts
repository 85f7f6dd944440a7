import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { Me } from '../../protocol/wire/api.ts';
import { Phone } from '../../protocol/wire/people.ts';
import type { RolePermission } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import { networkOf } from '../api/remote.ts';
import type { Db } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { FailureLimits } from './failures.ts';
import { retryAfter } from './limiter.ts';
import { verifyPassword } from './passwords.ts';
import { hashToken, type Sessions } from './sessions.ts';
import type { SecondFactor } from './totp.ts';

const QUARTER_MS = 15 * 60_000;
const ADDRESS_KNOWN_MS = 90 * 24 * 3_600_000;
const REMEMBER_EVERY_MS = 24 * 3_600_000;

export interface From {
  remote: string;
  userAgent: string;
}
/** Password and code, asked for again inside a session. */
export interface Proof {
  password: string;
  code: string;
}
export interface SignedIn {
  token: string;
  expiresAt: string;
  me: Me;
}

/**
 * Sign-in by e-mail or phone, password and (where it is on) a code. Wrong ones lock the account for the address, and a busy
 * address for every account. An account that is tried from many addresses is locked for those that it was never used from,
 * so that strangers cannot keep its owner out.
 */
export class Login {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sessions: Sessions;
  readonly #secondFactor: SecondFactor;
  readonly #notifier: Notifier;
  readonly #limits;

  constructor(o: {
    db: Db;
    clock: Clock;
    log: Logger;
    sessions: Sessions;
    secondFactor: SecondFactor;
    notifier: Notifier;
  }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#sessions = o.sessions;
    this.#secondFactor = o.secondFactor;
    this.#notifier = o.notifier;
    this.#limits = new FailureLimits({
      db: o.db,
      clock: o.clock,
      limits: {
        pair: { limit: 5, windowMs: QUARTER_MS },
        address: { limit: 50, windowMs: QUARTER_MS },
        /** From addresses that the account was never used from. */
        account: { limit: 100, windowMs: QUARTER_MS },
        /** Codes, by who knows the password already. */
        code: { limit: 10, windowMs: QUARTER_MS },
        /** The password asked for again, inside a session. */
        again: { limit: 5, windowMs: QUARTER_MS },
      },
    });
  }

  start(): Promise<void> {
    return this.#limits.start();
  }

  /** `code`: of the second factor, asked for with `second-factor-needed` where it is on. */
  async login(account: string, password: string, code: string | undefined, from: From): Promise<SignedIn> {
    const name = normalAccount(account);
    const { remote } = from;
    const user = await this.#db
      .selectFrom('users as u')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .select(['u.id', 'u.passwordHash'])
      .where(name.startsWith('+') ? 'u.phone' : 'u.email', '=', name)
      .where('u.enabled', '=', 1)
      .where('u.deletedAt', 'is', null)
      .where('c.suspendedMs', 'is', null)
      .executeTakeFirst();
    const known = user ? (await this.#seenFrom(user.id, remote)) !== null : false;
    const network = networkOf(remote);
    const keys = { pair: `${name} ${network}`, address: network };
    const attempt = this.#begin(known ? keys : { ...keys, account: name }, remote);
    if (!(await verifyPassword(user?.passwordHash ?? null, password)) || !user) {
      await attempt.failed();
      this.#log.warn({ remote }, 'sign-in refused: wrong e-mail or password');
      throw new ProblemError('wrong-credentials');
    }
    if (await this.#secondFactor.isOn(user.id)) {
      if (code === undefined) {
        attempt.succeeded();
        throw new ProblemError('second-factor-needed');
      }
      const codes = this.#begin(known ? {} : { code: user.id }, remote);
      if (!(await this.#secondFactor.take(user.id, code))) {
        await codes.failed();
        await attempt.failed();
        this.#log.warn({ remote, userId: user.id }, 'sign-in refused: wrong code of the second factor');
        throw new ProblemError('code-wrong');
      }
      codes.succeeded();
    }
    attempt.succeeded();
    await this.#limits.clear('pair', keys.pair);
    this.#log.info({ userId: user.id, remote }, 'signed in');
    return this.open(user.id, from);
  }

  /** A session for somebody who has just proven who they are in another way. */
  async open(userId: string, from: From): Promise<SignedIn> {
    const seenMs = await this.#seenFrom(userId, from.remote);
    if (seenMs === null || seenMs <= this.#clock.now() - REMEMBER_EVERY_MS)
      await this.#remember(userId, from, seenMs !== null);
    const { token, expiresMs } = await this.#sessions.create(userId, from);
    const principal = await this.#sessions.find(token);
    if (!principal) throw new ProblemError('wrong-credentials');
    return { token, expiresAt: iso(expiresMs), me: await this.me(principal) };
  }

  /** A new session in the place of all others: after what somebody else may know or hold was changed. */
  async rotate(userId: string, from: From): Promise<SignedIn> {
    const fresh = await this.open(userId, from);
    const principal = await this.#sessions.find(fresh.token);
    await this.#sessions.endAllOf(userId, principal?.id);
    return fresh;
  }

  /** Asks who is signed in for the password again. Throws `wrong-password`, or `too-many-tries`. */
  async confirm(userId: string, password: string, remote: string): Promise<void> {
    const attempt = this.#begin({ again: userId }, remote);
    const user = await this.#db
      .selectFrom('users')
      .select('passwordHash')
      .where('id', '=', userId)
      .executeTakeFirstOrThrow();
    if (!(await verifyPassword(user.passwordHash, password))) {
      await attempt.failed();
      throw new ProblemError('wrong-password');
    }
    attempt.succeeded();
  }

  /** The same, and a code of the second factor: throws `code-wrong`, or `conflict` where it is not on. */
  async confirmBoth(userId: string, { password, code }: Proof, remote: string): Promise<void> {
    await this.confirm(userId, password, remote);
    if (!(await this.#secondFactor.isOn(userId))) throw new ProblemError('conflict', 'Two-factor sign-in is not on.');
    const attempt = this.#begin({ code: userId }, remote);
    if (!(await this.#secondFactor.take(userId, code))) {
      await attempt.failed();
      this.#log.warn({ remote, userId }, 'wrong code of the second factor');
      throw new ProblemError('code-wrong');
    }
    attempt.succeeded();
  }

  async me(who: { userId: string; permissions: ReadonlySet<RolePermission> }): Promise<Me> {
    const row = await this.#db
      .selectFrom('users as u')
      .innerJoin('companies as c', 'c.id', 'u.companyId')
      .leftJoin('totp as t', (j) => j.onRef('t.userId', '=', 'u.id').on('t.confirmedMs', 'is not', null))
      .select([
        'u.id as userId',
        'u.email',
        'u.phone',
        'u.name as name',
        'c.id as companyId',
        'u.locale',
        't.confirmedMs',
      ])
      .select(['u.emailVerifiedMs', 'u.phoneVerifiedMs'])
      .select(['c.name as companyName', 'c.type as companyType', 'c.authentication', 'u.admin', 'u.limited'])
      .where('u.id', '=', who.userId)
      .executeTakeFirstOrThrow();
    const { userId, email, phone, name, locale } = row;
    return {
      userId,
      email,
      phone,
      name,
      locale,
      company: { id: row.companyId, name: row.companyName, type: row.companyType, authentication: row.authentication },
      admin: row.admin === 1,
      limited: row.limited === 1,
      permissions: [...who.permissions],
      totp: row.confirmedMs !== null,
      emailVerified: row.emailVerifiedMs !== null,
      phoneVerified: row.phoneVerifiedMs !== null,
    };
  }

  #begin(
    keys: Parameters<FailureLimits<'pair' | 'address' | 'account' | 'code' | 'again'>['begin']>[0],
    remote: string,
  ) {
    const attempt = this.#limits.begin(keys);
    if ('succeeded' in attempt) return attempt;
    this.#log.warn({ remote }, 'sign-in refused: too many tries');
    throw new ProblemError('too-many-tries', `Wait ${Math.ceil(attempt.waitMs / 60_000)} minutes.`, {
      headers: retryAfter(attempt.waitMs),
    });
  }

  /** When the account was last used from an address; null: never, or long ago. */
  async #seenFrom(userId: string, remote: string): Promise<number | null> {
    const row = await this.#db
      .selectFrom('known_addresses')
      .select('seenMs')
      .where('userId', '=', userId)
      .where('addressHash', '=', hashToken(`${userId} ${remote}`))
      .where('seenMs', '>', this.#clock.now() - ADDRESS_KNOWN_MS)
      .executeTakeFirst();
    return row ? row.seenMs : null;
  }

  /** Where an account is used from; its owner hears of a new place by e-mail, but not of the first one. */
  async #remember(userId: string, from: From, known: boolean): Promise<void> {
    const now = this.#clock.now();
    const addressHash = hashToken(`${userId} ${from.remote}`);
    await this.#db.transaction().execute(async (trx) => {
      const others = await trx
        .selectFrom('known_addresses')
        .select('addressHash')
        .where('userId', '=', userId)
        .limit(1)
        .execute();
      await trx
        .insertInto('known_addresses')
        .values({ userId, addressHash, seenMs: now })
        .onConflict((c) => c.columns(['userId', 'addressHash']).doUpdateSet({ seenMs: now }))
        .execute();
      if (known || others.length === 0) return;
      const user = await trx
        .selectFrom('users')
        .select(['email', 'name', 'locale'])
        .where('id', '=', userId)
        .executeTakeFirstOrThrow();
      if (!user.email) return;
      const values = { address: from.remote, time: iso(now) };
      const to = { email: user.email, locale: user.locale, name: user.name };
      await this.#notifier.mail(trx, to, 'new-sign-in', values, '/account/sessions').catch((error) => {
        if (!(error instanceof ProblemError && error.code === 'outbox-full')) throw error;
        this.#log.warn({ userId }, 'the outbox is full: the owner of an account was not told of a new place');
      });
    });
  }
}

/** E-mail address or phone number, as they are stored. */
export function normalAccount(account: string): string {
  const text = account.trim().toLowerCase();
  return Phone.safeParse(text).data ?? text;
}
