import type { NoticeCode } from '../../protocol/wire/notify.ts';
import type { Person } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import type { Identity } from '../auth/scope.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { contains } from '../db/text-search.ts';
import type { Notifier } from '../notify/notifier.ts';
import { mustHold, permissionsIn, rolesOf } from './roles.ts';
import { lockCompany, personOf, type User } from './users.ts';

/** How many accounts without limit a company has beside its administrator's. */
export async function slotsUsed(db: DbOrTrx, companyId: string): Promise<number> {
  const { n } = await db
    .selectFrom('users')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('companyId', '=', companyId)
    .where('admin', '=', 0)
    .where('limited', '=', 0)
    .where('deletedAt', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(n);
}

/** Who manages a company's accounts: its administrator, and who has that in a role. */
export async function accountManagers(db: DbOrTrx, companyId: string): Promise<string[]> {
  const admins = await db
    .selectFrom('users')
    .select('id')
    .where('companyId', '=', companyId)
    .where('admin', '=', 1)
    .execute();
  const holders = await db
    .selectFrom('user_roles as u')
    .innerJoin('roles as r', 'r.id', 'u.roleId')
    .select(['u.userId as id', 'r.permissions'])
    .where('r.companyId', '=', companyId)
    .execute();
  const managing = holders.filter((row) => permissionsIn(row.permissions).includes('manage-accounts'));
  return [...new Set([...admins, ...managing].map((row) => row.id))];
}

/** Who manages accounts decides about others: nobody gives themselves more, or out of an accident less. */
function mustBeAnother(who: Identity, userId: string): void {
  if (userId === who.userId)
    throw new ProblemError('not-allowed', 'Nobody changes their own account: ask somebody else who manages accounts.');
}

/** The people of a company: what they may do, whether they may sign in, and whether their account is limited. */
export class Employees {
  readonly #db: Db;
  readonly #sessions: Sessions;
  readonly #notifier: Notifier;

  constructor(o: { db: Db; sessions: Sessions; notifier: Notifier }) {
    this.#db = o.db;
    this.#sessions = o.sessions;
    this.#notifier = o.notifier;
  }

  async list(companyId: string, q: { search?: string; cursor?: string; limit: number }) {
    const rows = await this.#db
      .selectFrom('users')
      .selectAll()
      .where('companyId', '=', companyId)
      .where('deletedAt', 'is', null)
      .$if(q.cursor !== undefined, (b) => b.where('id', '>', q.cursor ?? ''))
      .$if(Boolean(q.search), (b) => {
        const has = (column: string) => contains(column, q.search!);
        return b.where((e) => e.or([has('name'), has('email'), has('phone')]));
      })
      .orderBy('id')
      .limit(q.limit + 1)
      .execute();
    const items = await this.#views(rows.slice(0, q.limit));
    return { items, nextCursor: rows.length > q.limit ? items.at(-1)!.id : null };
  }

  async get(companyId: string, userId: string): Promise<Person> {
    return (await this.#views([await personOf(this.#db, companyId, userId)]))[0]!;
  }

  /** What was added must be held by who gives it; anything may be taken away. */
  async setRoles(who: Identity, userId: string, roleIds: readonly string[]): Promise<void> {
    mustBeAnother(who, userId);
    await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, who.companyId);
      const person = await personOf(trx, who.companyId, userId);
      if (person.admin === 1)
        throw new ProblemError('conflict', `${person.name} is the administrator and may do everything already.`);
      const roles = await rolesOf(trx, who.companyId, roleIds);
      const had = await trx.selectFrom('user_roles').select('roleId').where('userId', '=', userId).execute();
      const added = roles.filter((role) => !had.some((row) => row.roleId === role.id));
      mustHold(
        who,
        added.flatMap((role) => role.permissions),
      );
      await trx.deleteFrom('user_roles').where('userId', '=', userId).execute();
      for (const role of roles) await trx.insertInto('user_roles').values({ userId, roleId: role.id }).execute();
      await this.#tell(trx, userId, 'roles-changed', { roles: roles.map((role) => role.name).join(', ') || '–' });
    });
    this.#notifier.kick();
  }

  /** Whether they may sign in. Who was disabled is signed out everywhere at once. */
  async setEnabled(who: Identity, userId: string, enabled: boolean): Promise<void> {
    mustBeAnother(who, userId);
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const person = await personOf(trx, who.companyId, userId);
      if (!enabled && person.admin === 1)
        throw new ProblemError('conflict', 'The administrator’s account cannot be disabled.');
      if ((person.enabled === 1) === enabled) return;
      await trx
        .updateTable('users')
        .set({ enabled: enabled ? 1 : 0 })
        .where('id', '=', userId)
        .execute();
      if (person.email) {
        const to = { email: person.email, locale: person.locale, name: person.name };
        const values = { company: company.name };
        await this.#notifier.mail(trx, to, enabled ? 'account-enabled' : 'account-disabled', values, '', who.companyId);
      }
    });
    if (!enabled) await this.#sessions.endAllOf(userId);
    this.#notifier.kick();
  }

  /** Removing the limit needs an add-on slot; it lets the person manage sites and devices. */
  async setLimited(who: Identity, userId: string, limited: boolean): Promise<void> {
    mustBeAnother(who, userId);
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const person = await personOf(trx, who.companyId, userId);
      if (person.admin === 1) throw new ProblemError('conflict', 'The administrator’s account has no limit.');
      if ((person.limited === 1) === limited) return;
      if (!limited && (await slotsUsed(trx, who.companyId)) >= company.slots)
        throw new ProblemError(
          'limit-reached',
          `All ${company.slots} employee account add-ons are in use. Limit another account, or buy an add-on.`,
        );
      await trx
        .updateTable('users')
        .set({ limited: limited ? 1 : 0 })
        .where('id', '=', userId)
        .execute();
      await this.#tell(trx, userId, limited ? 'account-limited' : 'limit-removed', { company: company.name });
    });
    this.#notifier.kick();
  }

  /** Hands the administrator's place to another employee; the former one keeps what a free slot and their roles give. */
  async setAdministrator(who: Identity, userId: string): Promise<void> {
    if (!who.admin) throw new ProblemError('not-allowed', 'Only the administrator hands over the place.');
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const person = await personOf(trx, who.companyId, userId);
      const former = await personOf(trx, who.companyId, who.userId);
      if (former.admin !== 1 || person.admin === 1) throw new ProblemError('conflict', 'This is the administrator.');
      if (person.enabled !== 1) throw new ProblemError('conflict', `${person.name}’s account is disabled.`);
      await trx.updateTable('users').set({ admin: 1, limited: 0 }).where('id', '=', userId).execute();
      const free = (await slotsUsed(trx, who.companyId)) < company.slots;
      await trx
        .updateTable('users')
        .set({ admin: 0, limited: free ? 0 : 1 })
        .where('id', '=', who.userId)
        .execute();
      await this.#tell(trx, userId, 'administrator-now', { company: company.name, name: former.name });
    });
    this.#notifier.kick();
  }

  #tell(trx: DbOrTrx, userId: string, code: NoticeCode, values: Record<string, string>): Promise<void> {
    return this.#notifier.toUsers(trx, [userId], { category: 'business', code, values, link: '/account' });
  }

  async #views(rows: readonly User[]): Promise<Person[]> {
    const held = await this.#db
      .selectFrom('user_roles as u')
      .innerJoin('roles as r', 'r.id', 'u.roleId')
      .select(['u.userId', 'r.id', 'r.name'])
      .where('u.userId', 'in', [...rows.map((row) => row.id), ''])
      .orderBy('r.name')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      email: row.email,
      phone: row.phone,
      admin: row.admin === 1,
      enabled: row.enabled === 1,
      limited: row.limited === 1,
      roles: held.filter((role) => role.userId === row.id).map(({ id, name }) => ({ id, name })),
      createdAt: row.createdAt,
    }));
  }
}
