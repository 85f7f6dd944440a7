import { type Clock, iso } from '../../../protocol/clock.ts';
import type { DesiredArcAccount } from '../../../protocol/wire/desired.ts';
import type { EventType } from '../../../protocol/wire/event.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { ProblemError } from '../../api/problem.ts';
import type { DbOrTrx } from '../../db/database.ts';
import type { DesiredStates } from '../../desired/desired.ts';
import { endAccounts } from '../end-accounts.ts';
import { userOfNumber } from '../number.ts';
import type { Receivers } from '../receivers.ts';
import type { ServiceRow } from './schema.ts';
import { eventsOf, zonesOf } from './view.ts';

/**
 * Makes accounts of services: each box has one account per receiver and account number that its active services name, with
 * the devices that may use it. An account without any rests; its id, and with it the box's sequence numbers, come back with
 * the next service. One whose number alone changes keeps its id.
 */
export class SettledAccounts {
  readonly #clock: Clock;
  readonly #desired: DesiredStates;
  readonly #receivers: Pick<Receivers, 'fields' | 'profile'>;

  constructor(deps: { clock: Clock; desired: DesiredStates; receivers: Pick<Receivers, 'fields' | 'profile'> }) {
    this.#clock = deps.clock;
    this.#desired = deps.desired;
    this.#receivers = deps.receivers;
  }

  /** Inside the caller's transaction, after services of the box have changed; {@link announce} comes after its commit. */
  async settle(trx: DbOrTrx, serial: string): Promise<void> {
    const services = await trx
      .selectFrom('arc_services')
      .selectAll()
      .where('boxSerial', '=', serial)
      .where('state', '=', 'active')
      .where('endedMs', 'is', null)
      .orderBy('id')
      .execute();
    const known = await trx
      .selectFrom('arc_accounts')
      .selectAll()
      .where('boxSerial', '=', serial)
      .where('arcId', 'is not', null)
      .execute();
    const { sealKey } = await trx
      .selectFrom('boxes')
      .select('sealKey')
      .where('serial', '=', serial)
      .executeTakeFirstOrThrow();
    const before = (await this.#desired.get(serial, trx)).sections.arc.items;
    const items: DesiredArcAccount[] = [];
    const groups = [...Map.groupBy(services, (s) => `${s.receiverId} ${s.account}`).values()];
    for (const group of groups) {
      const { receiverId, account, siteId, arcId, mode } = group[0]!;
      if (receiverId === null) throw new Error('an active service has a receiver');
      const own = known.filter((a) => a.receiverId === receiverId && a.siteId === siteId);
      const same = own.filter((a) => a.account === account);
      const row =
        same.find((a) => a.deletedAt === null) ??
        own.find((a) => a.deletedAt === null && isRenumbered(a, group, groups, before)) ??
        same[0];
      const id = row?.id ?? uuidv7(this.#clock.now());
      if (!row || row.deletedAt !== null || row.account !== account) await mustBeFree(trx, receiverId, account, id);
      const fields = await this.#receivers.fields(trx, receiverId, { id, sealKey });
      const { encrypted } = await this.#receivers.profile(trx, receiverId);
      const devices = group.map((service) => ({
        deviceId: service.deviceId,
        events: eventsOf(service),
        offlineDelayMs: Number(service.offlineDelayMs ?? 0),
      }));
      const events = [...new Set(devices.flatMap((device): EventType[] => device.events))];
      const zones = group.flatMap((service) =>
        zonesOf(service).map((line) => ({ deviceId: service.deviceId, ...line })),
      );
      items.push({ ...fields, id, account, mode, events, devices, zones });
      const values = {
        siteId,
        boxSerial: serial,
        receiverId,
        account,
        arcId,
        mode,
        deletedAt: null,
        endedSiteName: null,
        protocol: fields.protocol,
        encrypted: encrypted ? 1 : 0,
        events: JSON.stringify(events),
        zones: JSON.stringify(zones),
        supervisionKind: fields.supervision.kind,
        supervisionIntervalMs: fields.supervision.intervalMs,
      };
      if (row) await trx.updateTable('arc_accounts').set(values).where('id', '=', id).execute();
      else {
        const createdAt = iso(this.#clock.now());
        await trx
          .insertInto('arc_accounts')
          .values({ id, createdAt, ...values })
          .execute();
      }
    }
    const kept = new Set(items.map((item) => item.id));
    for (const row of known) {
      if (kept.has(row.id) || row.deletedAt !== null) continue;
      await endAccounts(trx, 'id', row.id, iso(this.#clock.now()));
    }
    const ours = new Set([...known.map((row) => row.id), ...kept]);
    await this.#desired.change(serial, 'arc', (all) => [...all.filter((item) => !ours.has(item.id)), ...items], trx);
  }

  announce(serial: string): void {
    this.#desired.announce(serial);
  }
}

/**
 * Whether the devices of this account, all of them and no others, have another number now (ARC-21): it keeps its id then, and
 * with it what waits on the box.
 */
function isRenumbered(
  row: { id: string; receiverId: string; account: string },
  group: readonly ServiceRow[],
  groups: readonly (readonly ServiceRow[])[],
  before: readonly DesiredArcAccount[],
): boolean {
  if (groups.some(([one]) => one?.receiverId === row.receiverId && one.account === row.account)) return false;
  const had = before.find((item) => item.id === row.id)?.devices?.map((device) => device.deviceId) ?? [];
  return had.length === group.length && group.every((service) => had.includes(service.deviceId));
}

async function mustBeFree(trx: DbOrTrx, receiverId: string, account: string, id: string): Promise<void> {
  const user = await userOfNumber(trx, { receiverId, account, id });
  if (!user) return;
  const who = user === 'box' ? 'Another box sends' : 'A device that the centre entered itself sends';
  throw new ProblemError(
    'conflict',
    `${who} as account ${account} to this receiver: give the device another account number first.`,
  );
}

/** Ends services: their accounts, what the centre may see, and what waits for approval. The caller settles the boxes. */
export async function endServices(trx: DbOrTrx, rows: readonly ServiceRow[], now: number): Promise<string[]> {
  const ids = rows.map((row) => row.id);
  for (let i = 0; i < ids.length; i += 500) {
    const some = ids.slice(i, i + 500);
    await trx.updateTable('arc_services').set({ endedMs: now }).where('id', 'in', some).execute();
    await trx.deleteFrom('grants').where('source', '=', 'arc').where('sourceId', 'in', some).execute();
    await trx
      .updateTable('arc_requests')
      .set({ state: 'withdrawn', decidedMs: now })
      .where('serviceId', 'in', some)
      .where('state', '=', 'pending')
      .execute();
  }
  return [...new Set(rows.map((row) => row.boxSerial))];
}
