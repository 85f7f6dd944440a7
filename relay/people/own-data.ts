import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import { ProblemError } from '../api/problem.ts';
import type { From, Login } from '../auth/login.ts';
import type { Principal, Sessions } from '../auth/sessions.ts';
import type { SecondFactor } from '../auth/totp.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { lockCompany, personOf, type User } from './users.ts';

/** What another capability holds of a person. */
export interface PersonalData {
  /** Name in the export. */
  name: string;
  export(userId: string): Promise<unknown>;
  /** Takes it away. `ids`: of the person, and of what bore their name before they had an account. */
  erase(trx: DbOrTrx, ids: readonly string[]): Promise<void>;
}

/** What stands in the place of a deleted person's name. */
export const pseudonymOf = (userId: string) => `Deleted ${userId.slice(-8)}`;

/** What is stored of a person: a copy for them, and its deletion. */
export class OwnData {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #login: Login;
  readonly #sessions: Sessions;
  readonly #secondFactor: SecondFactor;
  readonly #notifier: Notifier;
  readonly #parts: readonly PersonalData[];

  constructor(o: {
    db: Db;
    clock: Clock;
    log: Logger;
    login: Login;
    sessions: Sessions;
    secondFactor: SecondFactor;
    notifier: Notifier;
    parts: readonly PersonalData[];
  }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#login = o.login;
    this.#sessions = o.sessions;
    this.#secondFactor = o.secondFactor;
    this.#notifier = o.notifier;
    this.#parts = o.parts;
  }

  /** Everything of a person but secrets (password, tokens, second factor), which nobody could use but a thief. */
  async export(userId: string): Promise<Record<string, unknown>> {
    const db = this.#db;
    const { passwordHash: _secret, ...account } = await db
      .selectFrom('users')
      .selectAll()
      .where('id', '=', userId)
      .executeTakeFirstOrThrow();
    const company = await db
      .selectFrom('companies')
      .select(['name', 'type', 'country'])
      .where('id', '=', account.companyId)
      .executeTakeFirstOrThrow();
    const roles = await db
      .selectFrom('user_roles as u')
      .innerJoin('roles as r', 'r.id', 'u.roleId')
      .select('r.name')
      .where('u.userId', '=', userId)
      .execute();
    const sessions = await db
      .selectFrom('sessions')
      .select(['createdMs', 'seenMs', 'expiresMs', 'remote', 'userAgent'])
      .where('userId', '=', userId)
      .execute();
    const sites = await db
      .selectFrom('site_managers as m')
      .innerJoin('sites as s', 's.id', 'm.siteId')
      .select(['s.name', 'm.untilMs'])
      .where('m.userId', '=', userId)
      .execute();
    const others: Record<string, unknown> = {};
    for (const part of this.#parts) others[part.name] = await part.export(userId);
    return {
      exportedAt: iso(this.#clock.now()),
      account,
      company,
      roles: roles.map((role) => role.name),
      twoFactor: await this.#secondFactor.isOn(userId),
      sessions: sessions.map(({ createdMs, seenMs, expiresMs, ...rest }) => ({
        createdAt: iso(createdMs),
        seenAt: iso(seenMs),
        expiresAt: iso(expiresMs),
        ...rest,
      })),
      assignedSites: sites.map((site) => ({
        name: site.name,
        until: site.untilMs === null ? null : iso(site.untilMs),
      })),
      ...others,
    };
  }

  /** A person deletes their own account. The last one of a tenant takes the tenant along, once it owns nothing. */
  async deleteOwn(who: Principal, password: string, from: From): Promise<void> {
    await this.#login.confirm(who.userId, password, from.remote);
    await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, who.companyId);
      const person = await personOf(trx, who.companyId, who.userId);
      if (person.admin === 1) await this.#leaveTenant(trx, person);
      await this.#erase(trx, person);
    });
    await this.#ended(who.userId);
  }

  /** Who manages accounts removes an employee. */
  async deletePerson(who: Principal, userId: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, who.companyId);
      const person = await personOf(trx, who.companyId, userId);
      if (person.admin === 1) throw new ProblemError('conflict', 'The administrator’s account cannot be removed.');
      if (userId === who.userId)
        throw new ProblemError('conflict', 'Delete your own account on the page “My account”.');
      await this.#erase(trx, person);
    });
    await this.#ended(userId);
  }

  async #ended(userId: string): Promise<void> {
    await this.#sessions.endAllOf(userId);
    this.#notifier.kick();
    this.#log.info({ userId }, 'an account was deleted');
  }

  /** The administrator goes last, and leaves no site without an owner or a company behind. */
  async #leaveTenant(trx: DbOrTrx, person: User): Promise<void> {
    const { companyId } = person;
    const others = await trx
      .selectFrom('users')
      .select('id')
      .where('companyId', '=', companyId)
      .where('id', '!=', person.id)
      .where('deletedAt', 'is', null)
      .execute();
    if (others.length > 0)
      throw new ProblemError(
        'conflict',
        `You are the administrator, and ${others.length} other people have accounts here. Hand your place over first.`,
      );
    const sites = await trx
      .selectFrom('sites')
      .select('name')
      .where((e) => e.or([e('companyId', '=', companyId), e('ownerId', '=', companyId)]))
      .where('deletedAt', 'is', null)
      .orderBy('name')
      .limit(6)
      .execute();
    if (sites.length > 0) {
      const names = sites.slice(0, 5).map((site) => `“${site.name}”`);
      throw new ProblemError(
        'conflict',
        `These sites are yours: ${names.join(', ')}${sites.length > 5 ? ' and more' : ''}. Delete them or give them back first.`,
      );
    }
    const boxes = await trx
      .selectFrom('boxes')
      .select('serial')
      .where('companyId', '=', companyId)
      .where('state', '!=', 'revoked')
      .limit(1)
      .execute();
    if (boxes.length > 0) throw new ProblemError('conflict', `The box ${boxes[0]?.serial} is yours. Revoke it first.`);
    await trx.deleteFrom('grants').where('companyId', '=', companyId).execute();
    await trx.deleteFrom('join_requests').where('companyId', '=', companyId).execute();
    await trx.deleteFrom('employee_invitations').where('companyId', '=', companyId).execute();
    await trx.deleteFrom('company_authentications').where('companyId', '=', companyId).execute();
    await trx
      .updateTable('companies')
      .set({ name: `Deleted ${companyId.slice(-8)}`, address: '', phone: '', suspendedMs: this.#clock.now() })
      .where('id', '=', companyId)
      .execute();
  }

  async #erase(trx: DbOrTrx, person: User): Promise<void> {
    const userId = person.id;
    const pseudonym = pseudonymOf(userId);
    await this.#keepAManager(trx, person);
    for (const table of ['verifications', 'known_addresses', 'user_roles', 'site_managers'] as const)
      await trx.deleteFrom(table).where('userId', '=', userId).execute();
    await trx.deleteFrom('sessions').where('userId', '=', userId).execute();
    await this.#secondFactor.remove(trx, userId);
    const invitations = await trx
      .updateTable('employee_invitations')
      .set({ name: pseudonym, email: '' })
      .where('email', '=', person.email ?? '')
      .where('state', '!=', 'open')
      .returning('id')
      .execute();
    await this.#notifier.forget(trx, userId);
    const ids = [userId, ...invitations.map((row) => row.id)];
    for (const part of this.#parts) await part.erase(trx, ids);
    await trx
      .updateTable('users')
      .set({
        name: pseudonym,
        email: null,
        phone: null,
        passwordHash: '',
        enabled: 0,
        limited: 1,
        emailVerifiedMs: null,
        phoneVerifiedMs: null,
        deletedAt: iso(this.#clock.now()),
      })
      .where('id', '=', userId)
      .execute();
    if (person.email)
      await this.#notifier.mail(trx, { email: person.email, locale: person.locale }, 'account-deleted', {}, '');
  }

  /** A site keeps a manager whose assignment has no end: where this was the last one, the administrator becomes it. */
  async #keepAManager(trx: DbOrTrx, person: User): Promise<void> {
    const orphans = await trx
      .selectFrom('site_managers as m')
      .select('m.siteId')
      .where('m.userId', '=', person.id)
      .where('m.untilMs', 'is', null)
      .where((e) =>
        e.not(
          e.exists(
            e
              .selectFrom('site_managers as o')
              .select('o.userId')
              .whereRef('o.siteId', '=', 'm.siteId')
              .where('o.userId', '!=', person.id)
              .where('o.untilMs', 'is', null),
          ),
        ),
      )
      .execute();
    const admin = await trx
      .selectFrom('users')
      .select('id')
      .where('companyId', '=', person.companyId)
      .where('admin', '=', 1)
      .where('id', '!=', person.id)
      .where('deletedAt', 'is', null)
      .executeTakeFirst();
    if (!admin) return;
    for (const { siteId } of orphans)
      await trx
        .insertInto('site_managers')
        .values({ siteId, userId: admin.id, untilMs: null })
        .onConflict((c) => c.columns(['siteId', 'userId']).doUpdateSet({ untilMs: null }))
        .execute();
  }
}
