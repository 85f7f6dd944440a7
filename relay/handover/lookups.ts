import { iso } from '../../protocol/clock.ts';
import { type AskedPermission, type Provider, type Transfer, TransferAsk } from '../../protocol/wire/handover.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { HandoverTables } from './schema.ts';

export type TransferRow = HandoverTables['transfers'];

/** What was asked for with a transfer, with the devices' names; devices that are gone are left out. */
export function asked(
  row: Pick<TransferRow, 'requests'>,
  devices: readonly { id: string; name: string }[],
): AskedPermission[] {
  return TransferAsk.array()
    .parse(JSON.parse(row.requests))
    .map(({ permission, deviceIds, validity }) => ({
      permission,
      validity,
      devices:
        deviceIds && devices.filter((device) => deviceIds.includes(device.id)).map(({ id, name }) => ({ id, name })),
    }));
}

export function transferOf(row: TransferRow, devices: readonly { id: string; name: string }[]): Transfer {
  return {
    id: row.id,
    siteId: row.siteId,
    method: row.method,
    recipient: row.recipient,
    customerName: row.customerName,
    remark: row.remark,
    requests: asked(row, devices),
    sentAt: iso(Number(row.sentMs)),
    expiresAt: iso(Number(row.expiresMs)),
    state: row.state,
    decidedAt: row.decidedMs === null ? null : iso(Number(row.decidedMs)),
  };
}

/** Devices of a site as a handover shows them. */
export const devicesOf = (db: DbOrTrx, siteId: string) =>
  db
    .selectFrom('devices')
    .select(['id', 'name', 'type', 'accessMode'])
    .where('siteId', '=', siteId)
    .where('deletedAt', 'is', null)
    .orderBy('id')
    .execute();

/** The company as its customers see it: its own contact, or that of its first administrator. */
export async function providerOf(db: DbOrTrx, companyId: string): Promise<Provider> {
  const company = await db
    .selectFrom('companies')
    .select(['id', 'name', 'phone', 'address'])
    .where('id', '=', companyId)
    .executeTakeFirstOrThrow();
  const admin = await db
    .selectFrom('users')
    .select('email')
    .where('companyId', '=', companyId)
    .where('admin', '=', 1)
    .where('enabled', '=', 1)
    .where('deletedAt', 'is', null)
    .where('email', 'is not', null)
    .orderBy('createdAt')
    .executeTakeFirst();
  return { ...company, email: admin?.email ?? null };
}

/** A recipient as somebody else may see it: enough to know which of one's own addresses it is. */
export function masked(recipient: string): string {
  const at = recipient.indexOf('@');
  if (at < 0) return `${recipient.slice(0, 4)}…${recipient.slice(-2)}`;
  return `${recipient.slice(0, 1)}…${recipient.slice(at)}`;
}

/** The customer whose verified address or number this was sent to. */
export async function accountOf(db: DbOrTrx, row: Pick<TransferRow, 'method' | 'recipient'>): Promise<string | null> {
  if (row.recipient === null) return null;
  const column = row.method === 'email' ? 'email' : 'phone';
  const user = await db
    .selectFrom('users as u')
    .innerJoin('companies as c', 'c.id', 'u.companyId')
    .select('u.id')
    .where(`u.${column}`, '=', row.recipient)
    .where(`u.${column}VerifiedMs`, 'is not', null)
    .where('u.deletedAt', 'is', null)
    .where('c.type', '=', 'customer')
    .executeTakeFirst();
  return user?.id ?? null;
}

export const boxCount = async (db: DbOrTrx, siteId: string): Promise<number> =>
  (await db.selectFrom('boxes').select('serial').where('siteId', '=', siteId).where('state', '=', 'claimed').execute())
    .length;
