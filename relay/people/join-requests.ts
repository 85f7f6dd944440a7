import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { JoinRequest } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import type { Identity } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { accountManagers } from './employees.ts';
import { mustHold, rolesOf } from './roles.ts';
import { lockCompany, type Users } from './users.ts';

/** Long enough for a holiday; then the applicant's data go. */
const KEEP_MS = 30 * 24 * 3_600_000;
const MOST_OPEN = 200;

/** People who registered themselves and ask a company to be let in. */
export class JoinRequests {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #users: Users;
  readonly #notifier: Notifier;

  constructor(o: { db: Db; clock: Clock; users: Users; notifier: Notifier }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#users = o.users;
    this.#notifier = o.notifier;
  }

  async add(
    trx: DbOrTrx,
    request: {
      companyId: string;
      email: string;
      name: string;
      locale: string;
      passwordHash: string;
      message: string;
    },
  ): Promise<void> {
    const now = this.#clock.now();
    await trx.deleteFrom('join_requests').where('expiresMs', '<=', now).execute();
    const rows = await trx
      .selectFrom('join_requests')
      .select('email')
      .where('companyId', '=', request.companyId)
      .execute();
    if (rows.some((row) => row.email === request.email))
      throw new ProblemError('conflict', 'You have asked this company already. It decides.');
    if (rows.length >= MOST_OPEN)
      throw new ProblemError('limit-reached', 'This company has too many open requests. Ask it for an invitation.');
    await trx
      .insertInto('join_requests')
      .values({ id: uuidv7(now), createdMs: now, expiresMs: now + KEEP_MS, ...request })
      .execute();
    await this.#notifier.toUsers(trx, await accountManagers(trx, request.companyId), {
      category: 'business',
      code: 'join-request',
      values: { name: request.name, email: request.email },
      link: '/company/people',
    });
  }

  async list(companyId: string): Promise<JoinRequest[]> {
    const rows = await this.#db
      .selectFrom('join_requests')
      .selectAll()
      .where('companyId', '=', companyId)
      .where('expiresMs', '>', this.#clock.now())
      .orderBy('id')
      .execute();
    return rows.map(({ id, name, email, message, createdMs }) => ({
      id,
      name,
      email,
      message,
      createdAt: iso(createdMs),
    }));
  }

  /** Makes the employee, with an account limit like every new one. */
  async accept(who: Identity, id: string, roleIds: readonly string[]): Promise<string> {
    const userId = await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const { email, name, locale, passwordHash } = await this.#take(trx, who.companyId, id);
      const roles = await rolesOf(trx, who.companyId, roleIds);
      mustHold(
        who,
        roles.flatMap((role) => role.permissions),
      );
      const target = { email };
      const person = { companyId: who.companyId, name, target, passwordHash, locale, admin: false };
      const made = await this.#users.add(trx, person);
      for (const role of roles) await trx.insertInto('user_roles').values({ userId: made, roleId: role.id }).execute();
      const values = { name, company: company.name };
      await this.#notifier.mail(trx, { email, locale, name }, 'join-accepted', values, '/');
      return made;
    });
    this.#notifier.kick();
    return userId;
  }

  async refuse(who: Identity, id: string): Promise<string> {
    const name = await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const { email, name, locale } = await this.#take(trx, who.companyId, id);
      const values = { name, company: company.name };
      await this.#notifier.mail(trx, { email, locale, name }, 'join-refused', values, '');
      return name;
    });
    this.#notifier.kick();
    return name;
  }

  async #take(trx: DbOrTrx, companyId: string, id: string) {
    const row = await trx
      .deleteFrom('join_requests')
      .where('id', '=', id)
      .where('companyId', '=', companyId)
      .where('expiresMs', '>', this.#clock.now())
      .returningAll()
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }
}
