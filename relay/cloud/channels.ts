import type { Selectable } from 'kysely';
import type { Clock } from '../../protocol/clock.ts';
import {
  type CloudChannel,
  type CloudChannels,
  CloudTrigger,
  type EditCloudChannel,
} from '../../protocol/wire/cloud.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { mustFit } from './fits.ts';
import type { CloudRecording } from './recording.ts';
import type { CloudRegions } from './regions.ts';
import { isSolar } from './rules.ts';
import type { CloudTables } from './schema.ts';
import { type CloudServiceBook, placeKey } from './services.ts';
import { cloudDevices, setUpState, setupsOf } from './set-up-state.ts';
import { readSilent } from './silence.ts';

type Row = Selectable<CloudTables['cloud_channels']>;

/** What is recorded of each channel that was set up for cloud storage: the switch, the kind, the stream (CLOUD-10, CLOUD-11). */
export class CloudChannelList {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #services: CloudServiceBook;
  readonly #recording: CloudRecording;
  readonly #regions: CloudRegions;

  constructor(deps: {
    db: Db;
    clock: Clock;
    services: CloudServiceBook;
    recording: CloudRecording;
    regions: CloudRegions;
  }) {
    const { db, clock, services, recording, regions } = deps;
    this.#regions = regions;
    this.#db = db;
    this.#clock = clock;
    this.#services = services;
    this.#recording = recording;
  }

  /** Those of a site that may be seen, and what its devices have room for. */
  async list(scope: Scope, siteId: string): Promise<CloudChannels> {
    const site = await scope.site(siteId);
    const devices = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where('siteId', '=', site.id)
      .where('deletedAt', 'is', null)
      .where(scope.reaches('devices.siteId', 'devices.id', 'view'))
      .orderBy('createdAt')
      .execute();
    const setups = await setupsOf(this.#db, devices);
    return {
      items: await this.#views(devices, setups),
      devices: await cloudDevices(this.#db, devices, setups, this.#clock.now()),
      offered: await this.#regions.offered(this.#db, { companyId: scope.companyId, siteId }),
    };
  }

  async get(scope: Scope, deviceId: string, channel: number): Promise<CloudChannel> {
    const devices = [await scope.device(deviceId, 'view')];
    const all = await this.#views(devices, await setupsOf(this.#db, devices));
    const found = all.find((one) => one.channel === channel);
    if (!found) throw new ProblemError('not-found', `Channel ${channel} has no cloud storage.`);
    return found;
  }

  async edit(scope: Scope, deviceId: string, channel: number, set: EditCloudChannel): Promise<CloudChannel> {
    const device = await scope.device(deviceId, 'configure');
    const { triggers, enabled, audio, ...rest } = set;
    if (isSolar(device.model) && triggers?.some((type) => type !== 'motion'))
      throw new ProblemError('conflict', `“${device.name}” is a solar camera: only motion may have it send footage.`);
    await mustFit(this.#db, device, rest);
    await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('cloud_channels')
        .set({
          ...rest,
          ...(triggers && { triggers: JSON.stringify([...new Set(triggers)]) }),
          ...(enabled !== undefined && { enabled: enabled ? 1 : 0 }),
          ...(audio !== undefined && { audio: audio ? 1 : 0 }),
        })
        .where('deviceId', '=', deviceId)
        .where('channel', '=', channel)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new ProblemError('not-found', `Channel ${channel} has no cloud storage.`);
      await this.#recording.apply(trx, [deviceId]);
    });
    await this.#recording.announce([deviceId]);
    return this.get(scope, deviceId, channel);
  }

  async #views(devices: DeviceRow[], setups: Awaited<ReturnType<typeof setupsOf>>): Promise<CloudChannel[]> {
    const ids = devices.map((device) => device.id);
    const rows = await this.#db
      .selectFrom('cloud_channels')
      .selectAll()
      .where('deviceId', 'in', [...ids, ''])
      .orderBy('channel')
      .execute();
    const services = await this.#services.ofDevices(this.#db, ids);
    return devices.flatMap((device) =>
      rows.flatMap((row) =>
        row.deviceId === device.id
          ? { ...view(row, device, services.get(placeKey(row)) ?? null), setUp: setUpState(setups, row) }
          : [],
      ),
    );
  }
}

function view(row: Row, device: DeviceRow, service: CloudChannel['service']): Omit<CloudChannel, 'setUp'> {
  const { siteId, deviceId, channel, mode, stream, definition } = row;
  const enabled = row.enabled === 1;
  const paid = service?.state === 'active' || service?.state === 'expiring';
  return {
    siteId,
    deviceId,
    deviceName: device.name,
    boxSerial: device.boxSerial,
    channel,
    enabled,
    mode,
    stream,
    definition,
    triggers: CloudTrigger.array().parse(JSON.parse(row.triggers)),
    audio: row.audio === 1,
    motionOnly: isSolar(device.model),
    service,
    recording: enabled && paid,
    silent: readSilent(row.silent),
  };
}
