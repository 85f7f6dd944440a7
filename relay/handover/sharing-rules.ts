import type { Selectable } from 'kysely';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { CUSTOMERS_PER_DEVICE, type ShareResource, type ShareState } from '../../protocol/wire/sharing.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { Database, SiteRow } from '../db/schema.ts';
import { TRANSFERABLE } from './rules.ts';

export type SharingRow = Selectable<Database['sharings']>;
export type ShareRow = Selectable<Database['share_customers']>;

const OPEN: readonly ShareState[] = ['to-be-accepted', 'accepted'];

/** What a share is now: what ran out since it was written is expired to the millisecond. */
export function stateAt(share: Pick<ShareRow, 'state' | 'acceptByMs' | 'untilMs'>, nowMs: number): ShareState {
  if (share.state === 'to-be-accepted' && Number(share.acceptByMs) <= nowMs) return 'expired';
  const ended = share.untilMs !== null && Number(share.untilMs) <= nowMs;
  return ended && OPEN.includes(share.state) ? 'expired' : share.state;
}
/** It gives access, or will when it is accepted. */
export const isOpen = (share: Pick<ShareRow, 'state' | 'acceptByMs' | 'untilMs'>, nowMs: number): boolean =>
  OPEN.includes(stateAt(share, nowMs));

/**
 * Changes of one site's sharing wait for one another until the end of the transaction, so that two at once cannot both
 * find the last free place.
 */
export async function lockSite(trx: DbOrTrx, siteId: string): Promise<SiteRow> {
  return trx
    .updateTable('sites')
    .set((e) => ({ status: e.ref('status') }))
    .where('id', '=', siteId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The sharing of a site that has not ended. */
export const activeSharing = (db: DbOrTrx, siteId: string): Promise<SharingRow | undefined> =>
  db.selectFrom('sharings').selectAll().where('siteId', '=', siteId).where('endedMs', 'is', null).executeTakeFirst();

export const sharesOf = (db: DbOrTrx, sharingId: string): Promise<ShareRow[]> =>
  db.selectFrom('share_customers').selectAll().where('sharingId', '=', sharingId).orderBy('id').execute();

/** The customer who decides what is asked for at a shared site (mode A): null while nobody has accepted that. */
export async function customerAdministrator(db: DbOrTrx, siteId: string, nowMs: number): Promise<string | null> {
  const row = await db
    .selectFrom('share_customers as c')
    .innerJoin('sharings as s', 's.id', 'c.sharingId')
    .select('c.customerId')
    .where('s.siteId', '=', siteId)
    .where('s.endedMs', 'is', null)
    .where('s.mode', '=', 'A')
    .where('c.administrator', '=', 1)
    .where('c.state', '=', 'accepted')
    .where((e) => e.or([e('c.untilMs', 'is', null), e('c.untilMs', '>', nowMs)]))
    .executeTakeFirst();
  return row?.customerId ?? null;
}

/** Mode A has exactly one customer administrator among those it is open for; an only customer is it. */
export async function settleAdministrator(trx: DbOrTrx, sharing: SharingRow, nowMs: number): Promise<void> {
  if (sharing.mode !== 'A') return;
  const open = (await sharesOf(trx, sharing.id)).filter((share) => isOpen(share, nowMs));
  const chosen = open.filter((share) => share.administrator === 1);
  if (chosen.length === 1 || open.length === 0) return;
  if (chosen.length === 0 && open.length === 1) return makeAdministrator(trx, sharing.id, open[0]!.id);
  throw new ProblemError(
    'conflict',
    'Choose the one customer who reviews what you ask for: the customer administrator.',
  );
}

export async function makeAdministrator(trx: DbOrTrx, sharingId: string, shareId: string): Promise<void> {
  await trx
    .updateTable('share_customers')
    .set((e) => ({ administrator: e.case().when('id', '=', shareId).then(1).else(0).end() }))
    .where('sharingId', '=', sharingId)
    .execute();
}

/** Devices of the site that can be shared; throws for any that cannot. */
export async function mustBeShareable(trx: DbOrTrx, siteId: string, deviceIds: string[]): Promise<void> {
  if (deviceIds.length === 0) return;
  const rows = await trx
    .selectFrom('devices')
    .select(['id', 'name', 'type', 'accessMode'])
    .where('siteId', '=', siteId)
    .where('deletedAt', 'is', null)
    .where('id', 'in', deviceIds)
    .execute();
  if (rows.length < new Set(deviceIds).size) throw new ProblemError('not-found', 'A device is not at this site.');
  const byAddress = rows.filter((row) => row.accessMode !== 'p2p').map((row) => row.name);
  if (byAddress.length > 0) {
    const names = byAddress.join(', ').slice(0, 300);
    throw new ProblemError('conflict', `Reached by address, add them again as P2P to share them: ${names}.`);
  }
  const others = rows.filter((row) => !TRANSFERABLE.includes(row.type)).map((row) => row.name);
  if (others.length > 0) {
    throw new ProblemError('conflict', `This kind of device cannot be shared: ${others.join(', ').slice(0, 300)}.`);
  }
}

/** With how many customers each device is shared now, without `except`. */
export async function customersPerDevice(
  trx: DbOrTrx,
  siteId: string,
  nowMs: number,
  except: readonly string[],
): Promise<Map<string, number>> {
  const rows = await trx
    .selectFrom('share_resources as r')
    .innerJoin('share_customers as c', 'c.id', 'r.shareId')
    .select(['r.deviceId', 'c.id', 'c.state', 'c.acceptByMs', 'c.untilMs'])
    .distinct()
    .where('c.siteId', '=', siteId)
    .where('c.state', 'in', OPEN)
    .execute();
  const counts = new Map<string, number>();
  for (const row of rows) {
    if (isOpen(row, nowMs) && !except.includes(row.id)) counts.set(row.deviceId, (counts.get(row.deviceId) ?? 0) + 1);
  }
  return counts;
}

/** Throws when one of these shares would be the eleventh of a device. The site is locked. */
export async function mustHaveRoom(
  trx: DbOrTrx,
  siteId: string,
  nowMs: number,
  shares: readonly { id: string; deviceIds: readonly string[] }[],
): Promise<void> {
  const counts = await customersPerDevice(
    trx,
    siteId,
    nowMs,
    shares.map((share) => share.id),
  );
  for (const { deviceIds } of shares) {
    for (const deviceId of new Set(deviceIds)) {
      const count = (counts.get(deviceId) ?? 0) + 1;
      counts.set(deviceId, count);
      if (count > CUSTOMERS_PER_DEVICE) {
        const { name } = await trx
          .selectFrom('devices')
          .select('name')
          .where('id', '=', deviceId)
          .executeTakeFirstOrThrow();
        throw new ProblemError('limit-reached', `“${name}” is shared with ten customers already: cancel one first.`);
      }
    }
  }
}

export async function resourcesOf(db: DbOrTrx, shareIds: string[]): Promise<Map<string, ShareResource[]>> {
  const found = new Map<string, ShareResource[]>();
  if (shareIds.length === 0) return found;
  const rows = await db
    .selectFrom('share_resources as r')
    .innerJoin('devices as d', 'd.id', 'r.deviceId')
    .select(['r.shareId', 'r.deviceId', 'r.permission'])
    .where('r.shareId', 'in', shareIds)
    .where('d.deletedAt', 'is', null)
    .orderBy('d.createdAt')
    .orderBy('d.id')
    .orderBy('r.permission')
    .execute();
  for (const { shareId, deviceId, permission } of rows) {
    const list = found.get(shareId) ?? [];
    const last = list.at(-1);
    if (last?.deviceId === deviceId) last.permissions.push(permission);
    else list.push({ deviceId, permissions: [permission] });
    found.set(shareId, list);
  }
  return found;
}

export async function setResources(trx: DbOrTrx, shareId: string, resources: ShareResource[]): Promise<void> {
  await trx.deleteFrom('share_resources').where('shareId', '=', shareId).execute();
  const rows = resources.flatMap(({ deviceId, permissions }) =>
    permissions.map((permission) => ({ shareId, deviceId, permission })),
  );
  if (rows.length === 0) return;
  await trx
    .insertInto('share_resources')
    .values(rows)
    .onConflict((c) => c.columns(['shareId', 'deviceId', 'permission']).doNothing())
    .execute();
}

/** Makes the customer's grants what his share says: none unless he has accepted it. */
export async function settleGrants(trx: DbOrTrx, shareId: string, nowMs: number): Promise<void> {
  await trx.deleteFrom('grants').where('source', '=', 'sharing').where('sourceId', '=', shareId).execute();
  const share = await trx.selectFrom('share_customers').selectAll().where('id', '=', shareId).executeTakeFirstOrThrow();
  if (stateAt(share, nowMs) !== 'accepted' || !share.customerId) return;
  const { customerId: companyId, siteId, untilMs } = share;
  const rows = await trx
    .selectFrom('share_resources')
    .select(['deviceId', 'permission'])
    .where('shareId', '=', shareId)
    .execute();
  if (rows.length === 0) return;
  await trx
    .insertInto('grants')
    .values(
      rows.map((row) => ({
        ...row,
        companyId,
        siteId,
        untilMs,
        id: uuidv7(nowMs),
        source: 'sharing',
        sourceId: shareId,
      })),
    )
    .execute();
}

/**
 * Takes a site back from being shared. It is Not Handed Over again: nobody else uses it or has been asked to, its
 * installer has all permissions, and in any other status he could neither share it anew nor transfer it.
 */
export async function endSharing(trx: DbOrTrx, sharing: SharingRow, nowMs: number): Promise<void> {
  for (const share of await sharesOf(trx, sharing.id)) {
    if (OPEN.includes(share.state)) {
      await trx.updateTable('share_customers').set({ state: 'cancelled' }).where('id', '=', share.id).execute();
    }
    await settleGrants(trx, share.id, nowMs);
  }
  await trx.updateTable('sharings').set({ endedMs: nowMs }).where('id', '=', sharing.id).execute();
  await trx.updateTable('sites').set({ status: 'not-handed-over' }).where('id', '=', sharing.siteId).execute();
  // What the customers gave (mode A) is part of all that the company has again; what was still asked of them is off.
  await trx
    .deleteFrom('grants')
    .where('siteId', '=', sharing.siteId)
    .where('companyId', '=', sharing.companyId)
    .where('source', 'in', ['sharing', 'application', 'site'])
    .execute();
  await trx
    .updateTable('permission_application_items')
    .set({ state: 'withdrawn', decidedMs: nowMs })
    .where('state', '=', 'pending')
    .where('applicationId', 'in', (e) =>
      e.selectFrom('permission_applications').select('id').where('siteId', '=', sharing.siteId),
    )
    .execute();
  await trx
    .insertInto('grants')
    .values({
      id: uuidv7(nowMs),
      companyId: sharing.companyId,
      siteId: sharing.siteId,
      permission: 'all',
      source: 'site',
    })
    .execute();
}
