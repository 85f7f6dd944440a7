import type { Selectable } from 'kysely';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Invitation, InvitationShown } from '../../protocol/wire/people.ts';
import { ProblemError } from '../api/problem.ts';
import { hashPassword, mustBeStrong } from '../auth/passwords.ts';
import type { Identity } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import { mustHold, rolesOf } from './roles.ts';
import type { PeopleTables } from './schema.ts';
import { lockCompany, type Users, userAt } from './users.ts';
import { hash, newToken, type Verifications } from './verifications.ts';

const VALID_MS = 7 * 24 * 3_600_000;
const MOST_OPEN = 500;
type Row = Selectable<PeopleTables['employee_invitations']>;

/** Employees are invited by e-mail: the link lets them register. The newest link alone is valid, once, for seven days. */
export class Invitations {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #users: Users;
  readonly #verifications: Verifications;
  readonly #notifier: Notifier;

  constructor(o: { db: Db; clock: Clock; users: Users; verifications: Verifications; notifier: Notifier }) {
    this.#db = o.db;
    this.#clock = o.clock;
    this.#users = o.users;
    this.#verifications = o.verifications;
    this.#notifier = o.notifier;
  }

  async list(companyId: string, cursor: string | undefined, limit: number) {
    const rows = await this.#db
      .selectFrom('employee_invitations as i')
      .innerJoin('users as u', 'u.id', 'i.invitedBy')
      .selectAll('i')
      .select('u.name as inviter')
      .where('i.companyId', '=', companyId)
      .$if(cursor !== undefined, (q) => q.where('i.id', '<', cursor ?? ''))
      .orderBy('i.id', 'desc')
      .limit(limit + 1)
      .execute();
    const roles = await this.#db
      .selectFrom('roles')
      .select(['id', 'name'])
      .where('companyId', '=', companyId)
      .execute();
    const items = rows.slice(0, limit).map((row): Invitation => {
      const { id, email, name, inviter } = row;
      const held = new Set<string>(JSON.parse(row.roles));
      return {
        id,
        email,
        name,
        roles: roles.filter((role) => held.has(role.id)),
        state: row.state === 'open' && row.expiresMs <= this.#clock.now() ? 'expired' : row.state,
        invitedBy: inviter,
        createdAt: iso(row.createdMs),
        sentAt: iso(row.sentMs),
        expiresAt: iso(row.expiresMs),
      };
    });
    return { items, nextCursor: rows.length > limit ? items.at(-1)!.id : null };
  }

  async get(companyId: string, id: string): Promise<Invitation> {
    const { items } = await this.list(companyId, `${id}~`, 1);
    if (items[0]?.id !== id) throw new ProblemError('not-found');
    return items[0];
  }

  async create(
    who: Identity & { name: string },
    wanted: { email: string; name: string; roles: string[]; locale: string },
  ): Promise<string> {
    const id = await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const roles = await rolesOf(trx, who.companyId, wanted.roles);
      mustHold(
        who,
        roles.flatMap((role) => role.permissions),
      );
      const user = await userAt(trx, { email: wanted.email });
      // Of other companies' people nothing is told: the link says it to who reads that mail.
      if (user?.companyId === who.companyId)
        throw new ProblemError('conflict', `${user.name} is one of your people already.`);
      const open = await trx
        .selectFrom('employee_invitations')
        .select(['id', 'email', 'expiresMs'])
        .where('companyId', '=', who.companyId)
        .where('state', '=', 'open')
        .where('expiresMs', '>', this.#clock.now())
        .execute();
      if (open.some((row) => row.email === wanted.email))
        throw new ProblemError('conflict', `${wanted.email} is invited already. Send the invitation again instead.`);
      if (open.length >= MOST_OPEN)
        throw new ProblemError('limit-reached', `At most ${MOST_OPEN} invitations are open at once.`);
      await this.#verifications.mustMaySend(trx, `invitation ${who.companyId}`, wanted.email);
      const now = this.#clock.now();
      const token = newToken();
      const row: Row = {
        ...wanted,
        id: uuidv7(now),
        companyId: who.companyId,
        roles: JSON.stringify([...new Set(wanted.roles)]),
        state: 'open',
        secretHash: hash(token),
        invitedBy: who.userId,
        createdMs: now,
        sentMs: now,
        expiresMs: now + VALID_MS,
      };
      await trx.insertInto('employee_invitations').values(row).execute();
      await this.#send(trx, row, { company: company.name, inviter: who.name }, token);
      return row.id;
    });
    this.#notifier.kick();
    return id;
  }

  /** A new link, valid from now; the former one is not any more. Also of one that has expired. */
  async resend(who: Identity & { name: string }, id: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      const company = await lockCompany(trx, who.companyId);
      const row = await this.#mustBeOpen(trx, who.companyId, id);
      await this.#verifications.mustMaySend(trx, `invitation ${who.companyId}`, row.email);
      const now = this.#clock.now();
      const token = newToken();
      const next = { secretHash: hash(token), sentMs: now, expiresMs: now + VALID_MS };
      await trx.updateTable('employee_invitations').set(next).where('id', '=', id).execute();
      await this.#send(trx, { ...row, ...next }, { company: company.name, inviter: who.name }, token);
    });
    this.#notifier.kick();
  }

  async withdraw(who: Identity, id: string): Promise<string> {
    return this.#db.transaction().execute(async (trx) => {
      const row = await this.#mustBeOpen(trx, who.companyId, id);
      await trx
        .updateTable('employee_invitations')
        .set({ state: 'withdrawn', secretHash: null })
        .where('id', '=', id)
        .execute();
      return row.email;
    });
  }

  async show(token: string): Promise<InvitationShown> {
    const { row, company } = await this.#byToken(this.#db, token);
    const ids: string[] = JSON.parse(row.roles);
    const roles = await rolesOf(this.#db, row.companyId, ids).catch(() => []);
    return {
      company,
      email: row.email,
      name: row.name,
      roles: roles.map((role) => role.name),
      expiresAt: iso(row.expiresMs),
    };
  }

  /** Who follows the link becomes an employee: the link proves the address. */
  async accept(wanted: { token: string; name: string; locale: string; password: string }): Promise<string> {
    const { row, company } = await this.#byToken(this.#db, wanted.token);
    mustBeStrong(wanted.password, [row.email, wanted.name, company]);
    const passwordHash = await hashPassword(wanted.password);
    return this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, row.companyId);
      const { numUpdatedRows } = await trx
        .updateTable('employee_invitations')
        .set({ state: 'accepted', secretHash: null })
        .where('id', '=', row.id)
        .where('secretHash', '=', hash(wanted.token))
        .executeTakeFirstOrThrow();
      if (numUpdatedRows !== 1n) throw new ProblemError('link-invalid');
      const { name, locale } = wanted;
      const { companyId } = row;
      const target = { email: row.email };
      const userId = await this.#users.add(trx, { companyId, name, target, passwordHash, locale, admin: false });
      const held: string[] = JSON.parse(row.roles);
      const still = await trx
        .selectFrom('roles')
        .select('id')
        .where('companyId', '=', row.companyId)
        .where('id', 'in', held.length > 0 ? held : [''])
        .execute();
      for (const role of still) await trx.insertInto('user_roles').values({ userId, roleId: role.id }).execute();
      return userId;
    });
  }

  async #byToken(db: DbOrTrx, token: string): Promise<{ row: Row; company: string }> {
    const found = await db
      .selectFrom('employee_invitations as i')
      .innerJoin('companies as c', 'c.id', 'i.companyId')
      .selectAll('i')
      .select('c.name as company')
      .where('i.secretHash', '=', hash(token))
      .where('i.state', '=', 'open')
      .where('i.expiresMs', '>', this.#clock.now())
      .where('c.suspendedMs', 'is', null)
      .executeTakeFirst();
    if (!found) throw new ProblemError('link-invalid');
    const { company, ...row } = found;
    return { row, company };
  }

  async #mustBeOpen(trx: DbOrTrx, companyId: string, id: string): Promise<Row> {
    const row = await trx
      .selectFrom('employee_invitations')
      .selectAll()
      .where('id', '=', id)
      .where('companyId', '=', companyId)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    if (row.state !== 'open')
      throw new ProblemError('conflict', `The invitation of ${row.email} is ${row.state} already.`);
    return row;
  }

  #send(trx: DbOrTrx, row: Row, from: { company: string; inviter: string }, token: string): Promise<void> {
    const to = { email: row.email, locale: row.locale, name: row.name };
    return this.#notifier.mail(trx, to, 'employee-invitation', from, `/invitation#${token}`, row.companyId);
  }
}
