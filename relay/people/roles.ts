import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Role } from '../../protocol/wire/people.ts';
import { RolePermission } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Identity, Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { lockCompany } from './users.ts';

const MOST_ROLES = 100;
export const permissionsIn = (text: string): RolePermission[] =>
  RolePermission.array().catch([]).parse(JSON.parse(text));

/** Only who manages accounts, and only where there are employees. */
export function mustManageAccounts(scope: Scope): void {
  scope.must('manage-accounts');
  if (scope.companyType === 'customer')
    throw new ProblemError('not-allowed', 'A customer has one account: there are no employees to manage.');
}

/** Nobody gives a permission that they do not hold themselves. */
export function mustHold(who: Identity, permissions: Iterable<RolePermission>): void {
  const missing = [...permissions].filter((one) => !who.admin && !who.permissions.has(one));
  if (missing.length > 0)
    throw new ProblemError('not-allowed', `You cannot give what you do not hold yourself: ${missing.join(', ')}.`);
}

/** The company's roles of these ids. Throws `not-found` when one is not the company's. */
export async function rolesOf(db: DbOrTrx, companyId: string, ids: readonly string[]) {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('roles')
    .selectAll()
    .where('companyId', '=', companyId)
    .where('id', 'in', ids)
    .orderBy('name')
    .execute();
  if (rows.length !== new Set(ids).size) throw new ProblemError('not-found', 'There is no such role here.');
  return rows.map((row) => ({ ...row, permissions: permissionsIn(row.permissions) }));
}

/** Roles of a company: named sets of permissions. */
export class Roles {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  async list(companyId: string): Promise<Role[]> {
    const rows = await this.#db
      .selectFrom('roles as r')
      .leftJoin('user_roles as u', 'u.roleId', 'r.id')
      .select(['r.id', 'r.name', 'r.permissions'])
      .select((e) => e.fn.count<number>('u.userId').as('people'))
      .where('r.companyId', '=', companyId)
      .groupBy(['r.id', 'r.name', 'r.permissions'])
      .orderBy('r.name')
      .orderBy('r.id')
      .execute();
    return rows.map((row) => ({ ...row, permissions: permissionsIn(row.permissions), people: Number(row.people) }));
  }

  async get(companyId: string, roleId: string): Promise<Role> {
    const found = (await this.list(companyId)).find((role) => role.id === roleId);
    if (!found) throw new ProblemError('not-found');
    return found;
  }

  async create(who: Identity, wanted: { name: string; permissions: RolePermission[] }): Promise<string> {
    mustHold(who, wanted.permissions);
    const id = uuidv7(this.#clock.now());
    await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, who.companyId);
      const rows = await this.#mustBeFree(trx, who.companyId, wanted.name, null);
      if (rows >= MOST_ROLES)
        throw new ProblemError('limit-reached', `A company has at most ${MOST_ROLES} roles. Take one away first.`);
      await trx
        .insertInto('roles')
        .values({ id, companyId: who.companyId, name: wanted.name, permissions: set(wanted.permissions) })
        .execute();
    });
    return id;
  }

  async change(who: Identity, roleId: string, wanted: { name: string; permissions: RolePermission[] }): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, who.companyId);
      const [role] = await rolesOf(trx, who.companyId, [roleId]);
      mustHold(
        who,
        wanted.permissions.filter((one) => !role?.permissions.includes(one)),
      );
      await this.#mustBeFree(trx, who.companyId, wanted.name, roleId);
      await trx
        .updateTable('roles')
        .set({ name: wanted.name, permissions: set(wanted.permissions) })
        .where('id', '=', roleId)
        .execute();
    });
  }

  /** A role that somebody has, or was invited with, stays. */
  async remove(who: Identity, roleId: string): Promise<string> {
    return this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, who.companyId);
      const [role] = await rolesOf(trx, who.companyId, [roleId]);
      const holders = await trx.selectFrom('user_roles').select('userId').where('roleId', '=', roleId).execute();
      const invited = await trx
        .selectFrom('employee_invitations')
        .select('roles')
        .where('companyId', '=', who.companyId)
        .where('state', '=', 'open')
        .where('expiresMs', '>', this.#clock.now())
        .execute();
      const waiting = invited.filter((row) => row.roles.includes(roleId)).length;
      if (holders.length + waiting > 0)
        throw new ProblemError(
          'conflict',
          `The role “${role?.name}” is in use: ${holders.length} people have it, ${waiting} are invited with it. Take it from them first.`,
        );
      await trx.deleteFrom('roles').where('id', '=', roleId).execute();
      return role?.name ?? '';
    });
  }

  /** Returns how many roles there are. */
  async #mustBeFree(trx: DbOrTrx, companyId: string, name: string, except: string | null): Promise<number> {
    const rows = await trx.selectFrom('roles').select(['id', 'name']).where('companyId', '=', companyId).execute();
    if (rows.some((row) => row.id !== except && row.name.toLowerCase() === name.toLowerCase()))
      throw new ProblemError('conflict', `There is a role “${name}” already.`);
    return rows.length;
  }
}

const set = (permissions: RolePermission[]) => JSON.stringify([...new Set(permissions)].sort());
