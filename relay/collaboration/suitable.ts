import type { PartnerStage } from '../../protocol/wire/collaboration.ts';
import { RolePermission } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';

/** An account of a company that serves sites, which may sign in and manage. */
export async function findInstaller(trx: DbOrTrx, email: string) {
  const row = await trx
    .selectFrom('users as u')
    .innerJoin('companies as c', 'c.id', 'u.companyId')
    .select(['u.id as userId', 'u.companyId', 'u.admin', 'u.locale', 'u.name', 'c.country'])
    .where('u.email', '=', email)
    .where('u.enabled', '=', 1)
    .where('u.limited', '=', 0)
    .where('u.deletedAt', 'is', null)
    .where('c.suspendedMs', 'is', null)
    .where('c.type', 'not in', ['customer', 'operator'])
    .executeTakeFirst();
  if (!row) return null;
  const roles = await trx
    .selectFrom('user_roles')
    .innerJoin('roles', 'roles.id', 'user_roles.roleId')
    .select('roles.permissions')
    .where('user_roles.userId', '=', row.userId)
    .execute();
  const held = new Set(roles.flatMap((role) => RolePermission.array().catch([]).parse(JSON.parse(role.permissions))));
  const manages = row.admin === 1 || held.has('manage-all-sites') || held.has('manage-assigned-sites');
  return { ...row, admin: row.admin === 1, manages };
}

/**
 * Whom a company can invite to help: an Installer Admin as MSP, somebody who manages sites as ISP, of another company of
 * the same country. One answer for all that is not so: who asks learns nothing about an account of somebody else.
 */
export async function suitablePartner(trx: DbOrTrx, companyId: string, email: string, stage: PartnerStage) {
  const own = await trx.selectFrom('companies').select('country').where('id', '=', companyId).executeTakeFirstOrThrow();
  const found = await findInstaller(trx, email);
  if (found?.companyId === companyId) {
    throw new ProblemError('cannot-be-invited', 'This is an account of your own company.');
  }
  const fits =
    found && own.country !== '' && found.country === own.country && (stage === 'msp' ? found.admin : found.manages);
  if (!fits) {
    const who = stage === 'msp' ? 'an Installer Admin' : 'somebody who may manage all or assigned sites';
    throw new ProblemError(
      'cannot-be-invited',
      `Invite ${who} of another company in your country, by the e-mail address of that account.`,
    );
  }
  return found;
}
