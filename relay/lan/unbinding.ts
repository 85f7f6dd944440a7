import { type Clock, iso } from '../../protocol/clock.ts';
import { Health } from '../../protocol/wire/uplink.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { DevicesLeave } from '../devices/leaving.ts';
import type { Notifier } from '../notify/notifier.ts';

/** Who asks may have forged everything that a box of his own says; so long the other side's box must not have had it. */
const QUIET_MS = 24 * 3_600_000;

/** A device as another account has it. */
export interface Bound {
  id: string;
  name: string;
  boxSerial: string | null;
  createdAt: string;
  siteId: string;
  site: string;
  companyId: string;
  ownerId: string | null;
}

/** Taking devices away from other accounts: never while a box of theirs looks after them (UNBD-01…03). */
export class Unbinding {
  readonly #clock: Clock;
  readonly #desired: DesiredStates;
  readonly #notifier: Pick<Notifier, 'toCompany' | 'kick'>;
  readonly #leaves: DevicesLeave;

  constructor(deps: {
    clock: Clock;
    desired: DesiredStates;
    notifier: Pick<Notifier, 'toCompany' | 'kick'>;
    leaves?: DevicesLeave;
  }) {
    this.#leaves = deps.leaves ?? (async () => {});
    this.#clock = deps.clock;
    this.#desired = deps.desired;
    this.#notifier = deps.notifier;
  }

  /** All or nothing, in the caller's transaction; whose they were is told. Tenants in whose log it has to stand. */
  async take(trx: DbOrTrx, bound: readonly Bound[]): Promise<string[]> {
    for (const device of bound) await this.#mustBeQuiet(trx, device);
    const concerned = new Set<string>();
    for (const device of bound) {
      await this.#release(trx, device);
      for (const companyId of new Set([device.companyId, device.ownerId])) {
        if (companyId === null) continue;
        concerned.add(companyId);
        await this.#notifier.toCompany(trx, companyId, {
          category: 'site',
          code: 'device-unbound',
          values: { device: device.name, site: device.site },
          link: `/sites/${device.siteId}`,
          siteId: device.siteId,
        });
      }
    }
    return [...concerned];
  }

  /** After the commit. */
  announce(bound: readonly Bound[]): void {
    for (const { boxSerial } of bound) if (boxSerial !== null) this.#desired.announce(boxSerial);
    this.#notifier.kick();
  }

  async #mustBeQuiet(trx: DbOrTrx, device: Bound): Promise<void> {
    const lastMs = await this.#lastSeenWell(trx, device);
    if (lastMs !== null && this.#clock.now() - lastMs >= QUIET_MS) return;
    const why = lastMs === null ? 'it has no box that could be asked' : 'its present box still looks after it';
    throw new ProblemError('conflict', `It is added to another account, and ${why}: have its owner remove it there.`);
  }

  /** When its own box last had it online, by that box's own reports; null: no box can tell. */
  async #lastSeenWell(trx: DbOrTrx, { id, boxSerial, createdAt }: Bound): Promise<number | null> {
    if (boxSerial === null) return null;
    const row = await trx
      .selectFrom('box_health')
      .select(['document', 'receivedMs'])
      .where('serial', '=', boxSerial)
      .executeTakeFirst();
    const addedMs = Date.parse(createdAt);
    const known = row && Health.safeParse(JSON.parse(row.document)).data?.devices.find((one) => one.id === id);
    if (!row || !known) return addedMs;
    const receivedMs = Number(row.receivedMs);
    // Not before now in its own time either: a box whose clock is wrong does not make it free earlier.
    const sinceMs = Date.parse(known.since);
    return known.state === 'online' ? receivedMs : Math.max(addedMs, Math.min(sinceMs, receivedMs));
  }

  async #release(trx: DbOrTrx, { id, boxSerial }: Bound): Promise<void> {
    const deletedAt = iso(this.#clock.now());
    await this.#leaves(trx, [id]);
    await trx.updateTable('devices').set({ deletedAt }).where('id', '=', id).execute();
    await trx.deleteFrom('device_secrets').where('deviceId', '=', id).execute();
    if (boxSerial === null) return;
    await this.#desired.change(boxSerial, 'devices', (items) => items.filter((item) => item.id !== id), trx);
    await this.#desired.change(boxSerial, 'recording', (items) => items.filter((r) => r.deviceId !== id), trx);
  }
}
