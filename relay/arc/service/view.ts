import { iso } from '../../../protocol/clock.ts';
import type { ArcService, ArcZoneLine } from '../../../protocol/wire/arc-service.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import type { Health } from '../../../protocol/wire/uplink.ts';
import type { DbOrTrx } from '../../db/database.ts';
import type { RequestRow } from './schema.ts';

export interface ViewDeps {
  /** Whether a box is connected. */
  online: (serial: string) => boolean;
  /** What a connected box last said of itself. */
  health: (serial: string) => Health | null;
}

/** Services with the names that people know them by; of what has not ended unless the caller says otherwise. */
export const selectServices = (db: DbOrTrx) =>
  db
    .selectFrom('arc_services as s')
    .innerJoin('devices as d', 'd.id', 's.deviceId')
    .innerJoin('sites as i', 'i.id', 's.siteId')
    .innerJoin('companies as arc', 'arc.id', 's.arcId')
    .innerJoin('companies as c', 'c.id', 's.companyId')
    .leftJoin('arc_receivers as r', 'r.id', 's.receiverId')
    .leftJoin('arc_accounts as a', (j) =>
      j
        .onRef('a.boxSerial', '=', 's.boxSerial')
        .onRef('a.receiverId', '=', 's.receiverId')
        .onRef('a.account', '=', 's.account')
        .onRef('a.arcId', '=', 's.arcId')
        .on('a.deletedAt', 'is', null),
    )
    .selectAll('s')
    .select([
      ...(['d.name as deviceName', 'd.type', 'd.model', 'i.name as siteName', 'i.timeZone'] as const),
      ...(['arc.name as arcName', 'c.name as companyName', 'r.name as receiverName', 'a.id as accountId'] as const),
    ]);
export type ServiceWithNames = Awaited<ReturnType<ReturnType<typeof selectServices>['execute']>>[number];

export const eventsOf = (row: { events: string }): EventType[] => JSON.parse(row.events);
export const sameTypes = (a: readonly EventType[], b: readonly EventType[]): boolean =>
  a.length === b.length && a.every((type) => b.includes(type));
export const zonesOf = (row: { zones: string }): ArcZoneLine[] => JSON.parse(row.zones);

/** As everybody who may see a service sees it, with what waits for approval. */
export async function toServices(
  db: DbOrTrx,
  rows: readonly ServiceWithNames[],
  deps: ViewDeps,
): Promise<ArcService[]> {
  const pending = await pendingOf(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => {
    const of = (kind: RequestRow['kind']) => pending.find((r) => r.serviceId === row.id && r.kind === kind);
    const [events, media] = [of('events'), of('media')];
    const { id, siteId, siteName, timeZone, boxSerial, state, account, mode, note } = row;
    const online = deps.online(boxSerial);
    const sending = state === 'active' && online && row.accountId !== null;
    const path = sending ? deps.health(boxSerial)?.arc.find((arc) => arc.accountId === row.accountId) : undefined;
    return {
      id,
      siteId,
      siteName,
      timeZone,
      state,
      account,
      mode,
      note,
      device: { id: row.deviceId, name: row.deviceName, type: row.type, model: row.model, boxSerial, online },
      arc: { id: row.arcId, name: row.arcName },
      company: { id: row.companyId, name: row.companyName },
      events: eventsOf(row),
      media: { picture: row.picture === 1, clip: row.clip === 1 },
      offlineDelayMs: row.offlineDelayMs === null ? null : Number(row.offlineDelayMs),
      zones: zonesOf(row),
      receiver: row.receiverId === null ? null : { id: row.receiverId, name: row.receiverName ?? '' },
      pendingEvents: events ? JSON.parse(events.events ?? '[]') : null,
      pendingMedia: media ? { picture: media.picture === 1, clip: media.clip === 1 } : null,
      path: path ?? null,
      createdAt: iso(Number(row.createdMs)),
      decidedAt: row.decidedMs === null ? null : iso(Number(row.decidedMs)),
    };
  });
}

async function pendingOf(db: DbOrTrx, serviceIds: readonly string[]): Promise<RequestRow[]> {
  const found: RequestRow[] = [];
  for (let i = 0; i < serviceIds.length; i += 500) {
    found.push(
      ...(await db
        .selectFrom('arc_requests')
        .selectAll()
        .where('serviceId', 'in', serviceIds.slice(i, i + 500))
        .where('state', '=', 'pending')
        .execute()),
    );
  }
  return found;
}
