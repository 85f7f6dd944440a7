import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { seal } from '../../protocol/codec/sealed.ts';
import type { AddingMethod, EditDevice } from '../../protocol/wire/adding.ts';
import { AddDevice, type Device, type SetCredentials } from '../../protocol/wire/api.ts';
import { ProbeResult } from '../../protocol/wire/box-api.ts';
import { type DesiredDevice, DesiredRecording } from '../../protocol/wire/desired.ts';
import type { ShownTls } from '../../protocol/wire/device-tls.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { DevicePermission, type Permission } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DeviceRow, SiteRow } from '../db/schema.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { Views } from '../sites/views.ts';
import { deviceTypeOf, mustBeAddable, mustBeUnbound, mustHaveRoom, notByAddress } from './adding-rules.ts';
import type { BoxClient } from './box-client.ts';
import type { DeviceSecrets } from './device-secrets.ts';
import type { DevicesLeave } from './leaving.ts';
import { reachedBy } from './reached-by.ts';

type NewDevice = z.output<typeof AddDevice>;
const PROBE_TIMEOUT_MS = 20_000;
const MAC = AddDevice.shape.mac;

/** Devices of a site: what the relay keeps of them, and what their box is to do with them (desired state). */
export class Devices {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #desired: DesiredStates;
  readonly #box: BoxClient;
  readonly #views: Views;
  readonly #secrets: DeviceSecrets;
  readonly #kept: (companyId: string, siteId: string, mac: string) => Promise<string | null>;
  readonly #leaves: DevicesLeave;
  readonly #recordingChanged: (trx: DbOrTrx, deviceId: string) => Promise<void>;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    desired: DesiredStates;
    box: BoxClient;
    views: Views;
    secrets: DeviceSecrets;
    /** The password kept from a device's activation; null: none. */
    kept: (companyId: string, siteId: string, mac: string) => Promise<string | null>;
    leaves?: DevicesLeave;
    /** What is recorded was changed for all channels of a device, also for those that are under a plan of their own. */
    recordingChanged?: (trx: DbOrTrx, deviceId: string) => Promise<void>;
  }) {
    this.#leaves = deps.leaves ?? (async () => {});
    this.#recordingChanged = deps.recordingChanged ?? (async () => {});
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#desired = deps.desired;
    this.#box = deps.box;
    this.#views = deps.views;
    this.#secrets = deps.secrets;
    this.#kept = deps.kept;
  }

  async list(scope: Scope, siteId: string): Promise<Device[]> {
    const site = await scope.site(siteId);
    const rows = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where('siteId', '=', site.id)
      .where('deletedAt', 'is', null)
      .where(scope.reaches('devices.siteId', 'devices.id', 'list'))
      .orderBy('createdAt')
      .execute();
    const holding = async (permission: Permission) => {
      const held = await this.#db
        .selectFrom('devices')
        .select('id')
        .where('siteId', '=', site.id)
        .where(scope.reaches('devices.siteId', 'devices.id', permission))
        .execute();
      return new Set(held.map((row) => row.id));
    };
    const seen = await holding('view');
    const held = await Promise.all(DevicePermission.options.map(async (one) => [one, await holding(one)] as const));
    return rows.map((row) => {
      const device = this.#views.device(row);
      const permissions = held.flatMap(([permission, ids]) => (ids.has(row.id) ? [permission] : []));
      // That a device is there does not say how it is.
      return { ...device, permissions, ...(!seen.has(row.id) && { health: null }) };
    });
  }

  /**
   * Adds a device: the box tries the credentials once, so that a wrong password is known before anything is kept, and
   * never tried again. Nothing is added when it refuses.
   */
  async add(scope: Scope, siteId: string, wanted: NewDevice, method: AddingMethod = 'lan'): Promise<Device> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    const { boxSerial, name, host, httpPort, username, recordOn } = wanted;
    const box = await this.#db
      .selectFrom('boxes')
      .select(['serial', 'sealKey', 'state'])
      .where('serial', '=', boxSerial)
      .where('siteId', '=', site.id)
      .executeTakeFirst();
    if (!box) throw new ProblemError('not-found', `Box ${boxSerial} is not at this site.`);
    if (box.state === 'revoked') throw new ProblemError('box-revoked');
    await this.#mustBeNew(this.#db, site, boxSerial, wanted);
    const { password = wanted.mac && (await this.#kept(scope.companyId, site.id, wanted.mac)) } = wanted;
    if (!password) throw new ProblemError('invalid-request', 'password: enter it, none is kept for this device.');
    const probed = await this.#box.json(boxSerial, ProbeResult, 'POST', '/v1/devices/probe', {
      body: { host, httpPort, username, password, kind: wanted.kind },
      timeoutMs: PROBE_TIMEOUT_MS,
    });
    const model = probed.model.slice(0, 64);
    const type = deviceTypeOf(probed.deviceType, model);
    mustBeAddable(method, type, site, model);
    const row: DeviceRow = {
      id: uuidv7(this.#clock.now()),
      siteId: site.id,
      boxSerial,
      name,
      kind: probed.kind,
      mac: wanted.mac ?? MAC.safeParse(probed.mac?.toLowerCase().replaceAll(':', '-')).data ?? null,
      serial: wanted.serial ?? (probed.serial.slice(0, 64) || null),
      host,
      httpPort: probed.httpPort ?? httpPort,
      certificate: probed.tls?.certificate ?? null,
      oldTls: probed.tls?.old ? 1 : 0,
      username,
      createdAt: iso(this.#clock.now()),
      deletedAt: null,
      accessMode: 'p2p',
      type,
      model,
      firmware: probed.firmware?.slice(0, 64) ?? '',
      channelCount: probed.channels.length,
    };
    const sealed = seal(password, box.sealKey, `device:${row.id}`);
    const { id } = row;
    const device = { ...reachedBy(row), password: sealed, credentialVersion: 1 };
    const recordings =
      recordOn.length === 0
        ? []
        : probed.channels.map(({ channel }) => DesiredRecording.parse({ deviceId: id, channel, triggers: recordOn }));
    await this.#db.transaction().execute(async (trx) => {
      await this.#mustBeNew(trx, site, boxSerial, row);
      await mustHaveRoom(trx, site, row.channelCount);
      await trx.insertInto('devices').values(row).execute();
      await this.#desired.change(boxSerial, 'devices', (items) => [...items, device], trx);
      await this.#desired.change(boxSerial, 'recording', (items) => [...items, ...recordings], trx);
    });
    this.#desired.announce(boxSerial);
    this.#log.info({ deviceId: id, siteId, boxSerial, model: probed.model, userId: scope.userId }, 'device added');
    return this.#views.device(row);
  }

  async setCredentials(scope: Scope, id: string, wanted: z.infer<typeof SetCredentials>): Promise<Device> {
    const device = await this.#managed(scope, id);
    if (device.kind === 'dc09')
      throw new ProblemError('conflict', `“${device.name}” sends to the box and is not logged in to: change its key.`);
    return this.keepCredentials(scope, device, wanted);
  }

  /**
   * What the box is to log in with; whether the asker may set it was checked. `also`: what becomes true together with it,
   * where it is known that the device took this password.
   */
  async keepCredentials(
    scope: Scope,
    device: DeviceRow,
    wanted: z.infer<typeof SetCredentials>,
    also?: (trx: DbOrTrx) => Promise<void>,
  ): Promise<Device> {
    const { id, boxSerial } = device;
    const { username } = wanted;
    const box = boxSerial === null ? null : await this.#boxOf(boxSerial);
    await this.#db.transaction().execute(async (trx) => {
      await trx.updateTable('devices').set({ username }).where('id', '=', id).execute();
      await also?.(trx);
      if (!box) return this.#secrets.keep(trx, id, wanted.password);
      const password = seal(wanted.password, box.sealKey, `device:${id}`);
      const again = (item: DesiredDevice) =>
        item.id === id ? { ...item, username, password, credentialVersion: item.credentialVersion + 1 } : item;
      await this.#desired.change(box.serial, 'devices', (items) => items.map(again), trx);
    });
    if (boxSerial !== null) this.#desired.announce(boxSerial);
    this.#log.info({ deviceId: id, userId: scope.userId }, 'device credentials set');
    return this.#views.device({ ...device, username });
  }

  /**
   * What the device shows now is what it is to show from now on: another certificate, or HTTPS where it took HTTP. Who asks says
   * which one they mean, so that nothing is accepted that came in between. @returns it, with the certificate that it had
   */
  async trust(scope: Scope, id: string, shown: ShownTls): Promise<{ device: Device; before: string | null }> {
    const row = await scope.device(id, 'configure');
    const { boxSerial } = row;
    if (boxSerial === null || row.kind === 'dc09' || row.kind === 'snmp')
      throw new ProblemError('conflict', `“${row.name}” is not spoken to over HTTPS by a box.`);
    const { certificate, old, httpPort } = shown;
    const set = { certificate, oldTls: old ? 1 : 0, httpPort };
    await this.#db.transaction().execute(async (trx) => {
      await trx.updateTable('devices').set(set).where('id', '=', id).execute();
      const anew = (item: DesiredDevice) => (item.id === id ? { ...item, httpPort, tls: { certificate, old } } : item);
      await this.#desired.change(boxSerial, 'devices', (items) => items.map(anew), trx);
    });
    this.#desired.announce(boxSerial);
    this.#log.info({ deviceId: id, userId: scope.userId, certificate }, 'certificate of a device accepted');
    return { device: this.#views.device({ ...row, ...set }), before: row.certificate };
  }

  /** Its name, and what clips are recorded for. */
  async edit(scope: Scope, id: string, { name, recordOn }: z.output<typeof EditDevice>): Promise<Device> {
    const device = await this.#managed(scope, id);
    const { boxSerial } = device;
    if (recordOn !== undefined && boxSerial === null) throw notByAddress(device, 'Recording');
    await this.#db.transaction().execute(async (trx) => {
      if (name !== undefined) await trx.updateTable('devices').set({ name }).where('id', '=', id).execute();
      if (boxSerial === null) return;
      if (name !== undefined) {
        const named = (item: DesiredDevice) => (item.id === id ? { ...item, name } : item);
        await this.#desired.change(boxSerial, 'devices', (items) => items.map(named), trx);
      }
      if (recordOn === undefined) return;
      await this.#desired.change(
        boxSerial,
        'recording',
        (items) => {
          const old = items.filter((item) => item.deviceId === id);
          const known = old.map((item) => item.channel);
          const channels = known.length > 0 ? known : Array.from({ length: device.channelCount }, (_, i) => i + 1);
          const next = channels.map((channel) => {
            const before = old.find((item) => item.channel === channel) ?? {};
            return DesiredRecording.parse({ ...before, deviceId: id, channel, triggers: recordOn });
          });
          return [...items.filter((item) => item.deviceId !== id), ...(recordOn.length === 0 ? [] : next)];
        },
        trx,
      );
      await this.#recordingChanged(trx, id);
    });
    if (boxSerial !== null) this.#desired.announce(boxSerial);
    this.#log.info({ deviceId: id, userId: scope.userId }, 'device changed');
    return this.#views.device({ ...device, ...(name === undefined ? {} : { name }) });
  }

  /** The box forgets the device and its password; events and clips of it stay. */
  async remove(scope: Scope, id: string): Promise<void> {
    const { boxSerial } = await this.#managed(scope, id);
    const deletedAt = iso(this.#clock.now());
    await this.#db.transaction().execute(async (trx) => {
      await this.#leaves(trx, [id]);
      await trx.updateTable('devices').set({ deletedAt }).where('id', '=', id).execute();
      await trx.deleteFrom('device_secrets').where('deviceId', '=', id).execute();
      if (boxSerial === null) return;
      await this.#desired.change(boxSerial, 'devices', (items) => items.filter((item) => item.id !== id), trx);
      await this.#desired.change(boxSerial, 'recording', (items) => items.filter((r) => r.deviceId !== id), trx);
    });
    if (boxSerial !== null) this.#desired.announce(boxSerial);
    this.#log.info({ deviceId: id, userId: scope.userId }, 'device removed');
  }

  async #managed(scope: Scope, id: string): Promise<DeviceRow> {
    const device = await scope.device(id, 'manage', 'manage-devices');
    scope.must('manage-devices');
    return device;
  }

  async #boxOf(serial: string): Promise<{ serial: string; sealKey: string }> {
    return this.#db
      .selectFrom('boxes')
      .select(['serial', 'sealKey'])
      .where('serial', '=', serial)
      .executeTakeFirstOrThrow();
  }

  async #mustBeNew(
    db: DbOrTrx,
    { companyId }: SiteRow,
    boxSerial: string,
    { mac, serial, host, httpPort }: Pick<DeviceRow, 'mac' | 'serial' | 'host' | 'httpPort'>,
  ): Promise<void> {
    const same = await db
      .selectFrom('devices')
      .select('name')
      .where('boxSerial', '=', boxSerial)
      .where('deletedAt', 'is', null)
      .where((e) =>
        e.or([
          ...(mac ? [e('mac', '=', mac)] : []),
          ...(serial ? [e('serial', '=', serial)] : []),
          ...(mac || serial ? [] : [e.and({ host, httpPort })]),
        ]),
      )
      .executeTakeFirst();
    if (same) throw new ProblemError('conflict', `This device was added already, as “${same.name}”.`);
    if (serial) await mustBeUnbound(db, companyId, serial);
  }
}
