import type { Clock } from '../../protocol/clock.ts';
import { CloudTrigger } from '../../protocol/wire/cloud.ts';
import { DesiredRecording } from '../../protocol/wire/desired.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';

/** What boxes are told to record of channels with cloud storage: what is switched on and paid, and nothing else. */
export class CloudRecording {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #desired: DesiredStates;
  readonly #key: (trx: DbOrTrx, boxSerial: string) => Promise<DesiredRecording['key']>;

  constructor(deps: {
    db: Db;
    clock: Clock;
    desired: DesiredStates;
    /** What footage of that box's site is encrypted with, sealed to the box. */
    key: (trx: DbOrTrx, boxSerial: string) => Promise<DesiredRecording['key']>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#desired = deps.desired;
    this.#key = deps.key;
  }

  /** Brings the boxes' wishes in line with what holds for these devices; {@link announce} after the commit. */
  async apply(trx: DbOrTrx, deviceIds: string[]): Promise<void> {
    const now = this.#clock.now();
    for (const deviceId of new Set(deviceIds)) {
      const device = await trx
        .selectFrom('devices')
        .select(['boxSerial', 'deletedAt'])
        .where('id', '=', deviceId)
        .executeTakeFirst();
      if (!device?.boxSerial || device.deletedAt !== null) continue;
      const channels = await trx.selectFrom('cloud_channels').selectAll().where('deviceId', '=', deviceId).execute();
      if (channels.length === 0) continue;
      const paid = await trx
        .selectFrom('cloud_services')
        .select('channel')
        .where('deviceId', '=', deviceId)
        .where('endedMs', 'is', null)
        .where('untilMs', '>', now)
        .execute();
      const on = channels.filter((row) => row.enabled && paid.some(({ channel }) => channel === row.channel));
      const fresh = on.length > 0 ? await this.#key(trx, device.boxSerial) : null;
      await this.#desired.change(
        device.boxSerial,
        'recording',
        (items) => {
          const own = (item: DesiredRecording) =>
            item.deviceId === deviceId && channels.some((row) => row.channel === item.channel);
          // The same key sealed anew is other bytes: as it was, so that the box sees no change.
          const held = items.find((item) => item.key !== null && item.key.id === fresh?.id)?.key ?? fresh;
          const wanted = on.map((row) =>
            DesiredRecording.parse({
              deviceId,
              channel: row.channel,
              mode: row.mode,
              stream: row.stream,
              audio: row.audio === 1,
              key: held,
              triggers: CloudTrigger.array().parse(JSON.parse(row.triggers)),
            }),
          );
          return [...items.filter((item) => !own(item)), ...wanted];
        },
        trx,
      );
    }
  }

  /** The channels have no cloud storage any more, and nothing is recorded of them for it. */
  async drop(trx: DbOrTrx, deviceIds: string[]): Promise<void> {
    const rows = await trx
      .selectFrom('cloud_channels as c')
      .innerJoin('devices as d', 'd.id', 'c.deviceId')
      .select(['c.deviceId', 'c.channel', 'd.boxSerial'])
      .where('c.deviceId', 'in', [...deviceIds, ''])
      .execute();
    for (const [boxSerial, own] of Map.groupBy(rows, (row) => row.boxSerial)) {
      if (boxSerial === null) continue;
      const gone = new Set(own.map((row) => `${row.deviceId}/${row.channel}`));
      await this.#desired.change(
        boxSerial,
        'recording',
        (items) => items.filter((item) => !gone.has(`${item.deviceId}/${item.channel}`)),
        trx,
      );
    }
    await trx
      .deleteFrom('cloud_channels')
      .where('deviceId', 'in', [...deviceIds, ''])
      .execute();
  }

  /** Tells the boxes of these devices, after a commit. */
  async announce(deviceIds: string[]): Promise<void> {
    const rows = await this.#db
      .selectFrom('devices')
      .select('boxSerial')
      .distinct()
      .where('id', 'in', [...deviceIds, ''])
      .execute();
    for (const { boxSerial } of rows) if (boxSerial !== null) this.#desired.announce(boxSerial);
  }
}
