import { iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';
import { type SiteRow, sortName } from '../db/schema.ts';

/** A site of the same owner, in the same status: who may do what there is as it was. */
export async function newSite(
  trx: DbOrTrx,
  from: SiteRow,
  { name, timeZone }: { name: string; timeZone: string },
  now: number,
): Promise<string> {
  const same = await trx
    .selectFrom('sites')
    .select('id')
    .where('companyId', '=', from.companyId)
    .where('name', '=', name)
    .where('deletedAt', 'is', null)
    .executeTakeFirst();
  if (same) throw new ProblemError('conflict', `There is a site “${name}” already.`);
  const id = uuidv7(now);
  const { companyId, ownerId, type } = from;
  // What is on its way to a customer stays on its way alone: the new site is not handed over yet.
  const status = ownerId === null ? 'not-handed-over' : from.status;
  const row = { id, companyId, ownerId, type, status, name, timeZone, createdAt: iso(now), sortName: sortName(name) };
  await trx.insertInto('sites').values(row).execute();
  const managers = await trx
    .selectFrom('site_managers')
    .selectAll()
    .where('siteId', '=', from.id)
    // Not guests of other companies: what they were invited to is the old site.
    .where('userId', 'in', (e) => e.selectFrom('users').select('id').where('companyId', '=', companyId))
    .execute();
  if (managers.length > 0) {
    await trx
      .insertInto('site_managers')
      .values(managers.map((manager) => ({ ...manager, siteId: id })))
      .execute();
  }
  if (ownerId === null) {
    await trx
      .insertInto('grants')
      .values({ id: uuidv7(now), companyId, siteId: id, permission: 'all', source: 'site' })
      .execute();
    return id;
  }
  const grants = await trx
    .selectFrom('grants')
    .selectAll()
    .where('siteId', '=', from.id)
    .where('deviceId', 'is', null)
    .where('companyId', 'in', [companyId, ownerId])
    .execute();
  if (grants.length > 0) {
    await trx
      .insertInto('grants')
      .values(grants.map((grant) => ({ ...grant, id: uuidv7(now), siteId: id })))
      .execute();
  }
  return id;
}
