import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { parseDc09Key } from '../../protocol/codec/dc09-cipher.ts';
import { seal } from '../../protocol/codec/sealed.ts';
import type { Device } from '../../protocol/wire/api.ts';
import { PanelsReach } from '../../protocol/wire/box-api.ts';
import type { DesiredDevice, DesiredPanel } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { AddAlarmPanel, AlarmPanel, EditAlarmPanel } from '../../protocol/wire/panels.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { DesiredStates } from '../desired/desired.ts';
import { mustHaveRoom } from '../devices/adding-rules.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { Views } from '../sites/views.ts';

const TIMEOUT_MS = 5_000;
/** It is never dialled. */
const NOWHERE = { host: '0.0.0.0', httpPort: 1 };

/**
 * Alarm panels that send DC-09 to a box: devices of the kind `dc09`. Like other secrets their keys are sealed to the box;
 * how they send stands in its desired state alone.
 */
export class AlarmPanels {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #desired: DesiredStates;
  readonly #box: BoxClient;
  readonly #views: Views;

  constructor(deps: { db: Db; clock: Clock; log: Logger; desired: DesiredStates; box: BoxClient; views: Views }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#desired = deps.desired;
    this.#box = deps.box;
    this.#views = deps.views;
  }

  async add(scope: Scope, siteId: string, wanted: z.output<typeof AddAlarmPanel>): Promise<Device> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    const { boxSerial, name, account, localTime, supervisionMs } = wanted;
    const box = await this.#db
      .selectFrom('boxes')
      .select(['sealKey', 'state'])
      .where('serial', '=', boxSerial)
      .where('siteId', '=', site.id)
      .executeTakeFirst();
    if (!box) throw new ProblemError('not-found', `Box ${boxSerial} is not at this site.`);
    if (box.state === 'revoked') throw new ProblemError('box-revoked');
    const key = keyOf(wanted.key, wanted.keyFormat);
    const row: DeviceRow = {
      id: uuidv7(this.#clock.now()),
      siteId: site.id,
      boxSerial,
      name,
      kind: 'dc09',
      mac: null,
      serial: null,
      ...NOWHERE,
      username: account,
      certificate: null,
      oldTls: 0,
      createdAt: iso(this.#clock.now()),
      deletedAt: null,
      accessMode: 'p2p',
      type: 'panel',
      model: 'DC-09',
      firmware: '',
      channelCount: 0,
    };
    const item: DesiredDevice = {
      id: row.id,
      kind: 'dc09',
      name,
      mac: null,
      serial: null,
      ...NOWHERE,
      username: account,
      password: seal(key, box.sealKey, `device:${row.id}`),
      credentialVersion: 1,
      panel: { account, localTime, supervisionMs },
    };
    await this.#db.transaction().execute(async (trx) => {
      await this.#mustBeFree(trx, boxSerial, account, row.id);
      await mustHaveRoom(trx, site, 0);
      await trx.insertInto('devices').values(row).execute();
      await this.#desired.change(boxSerial, 'devices', (items) => [...items, item], trx);
    });
    this.#desired.announce(boxSerial);
    this.#log.info({ deviceId: row.id, siteId, boxSerial, userId: scope.userId }, 'alarm panel added');
    return this.#views.device(row);
  }

  /** How it is set, and where it sends to as far as its box can be asked. */
  async get(scope: Scope, deviceId: string): Promise<AlarmPanel> {
    const device = await scope.device(deviceId, 'view');
    const { item, boxSerial } = await this.#item(device, this.#db);
    const reach = await this.#box
      .json(boxSerial, PanelsReach, 'GET', '/v1/panel-in', { timeoutMs: TIMEOUT_MS })
      .catch((error) => {
        if (error instanceof ProblemError) return { port: null, addresses: [] };
        throw error;
      });
    // A GCM tag alone is what sealing nothing gives.
    const encrypted = item.password.ciphertext.length > 22;
    return { deviceId, ...item.panel, encrypted, ...reach };
  }

  async edit(scope: Scope, deviceId: string, wanted: z.output<typeof EditAlarmPanel>): Promise<DeviceRow> {
    const device = await scope.device(deviceId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    const { account, localTime, supervisionMs } = wanted;
    const key = wanted.key === undefined ? undefined : keyOf(wanted.key, wanted.keyFormat);
    const { boxSerial } = await this.#item(device, this.#db);
    await this.#db.transaction().execute(async (trx) => {
      await this.#mustBeFree(trx, boxSerial, account, deviceId);
      const { sealKey } = await trx
        .selectFrom('boxes')
        .select('sealKey')
        .where('serial', '=', boxSerial)
        .executeTakeFirstOrThrow();
      await trx.updateTable('devices').set({ username: account }).where('id', '=', deviceId).execute();
      const change = (item: DesiredDevice): DesiredDevice => ({
        ...item,
        username: account,
        panel: { account, localTime, supervisionMs },
        ...(key === undefined ? {} : { password: seal(key, sealKey, `device:${deviceId}`) }),
      });
      await this.#desired.change(
        boxSerial,
        'devices',
        (items) => items.map((item) => (item.id === deviceId ? change(item) : item)),
        trx,
      );
    });
    this.#desired.announce(boxSerial);
    this.#log.info({ deviceId, userId: scope.userId }, 'alarm panel changed');
    return device;
  }

  async #item(
    device: DeviceRow,
    db: DbOrTrx,
  ): Promise<{ item: DesiredDevice & { panel: DesiredPanel }; boxSerial: string }> {
    const { boxSerial } = device;
    const { items } = boxSerial === null ? { items: [] } : (await this.#desired.get(boxSerial, db)).sections.devices;
    const item = items.find((one) => one.id === device.id);
    const panel = item?.panel;
    if (!item || !panel || boxSerial === null)
      throw new ProblemError('conflict', `“${device.name}” is no alarm panel that sends to a box.`);
    return { item: { ...item, panel }, boxSerial };
  }

  async #mustBeFree(trx: DbOrTrx, boxSerial: string, account: string, deviceId: string): Promise<void> {
    const same = await trx
      .selectFrom('devices')
      .select('name')
      .where('boxSerial', '=', boxSerial)
      .where('kind', '=', 'dc09')
      .where('username', '=', account)
      .where('id', '<>', deviceId)
      .where('deletedAt', 'is', null)
      .executeTakeFirst();
    if (same)
      throw new ProblemError(
        'conflict',
        `“${same.name}” sends to this box with the account number ${account} already: give this panel another one.`,
      );
  }
}

/** Hexadecimal digits; empty: none. */
function keyOf(text: string | null, format: 'hex' | 'characters'): string {
  if (text === null) return '';
  const key = parseDc09Key(text, format);
  if (!key)
    throw new ProblemError(
      'invalid-request',
      'key: an AES key has 32, 48 or 64 hexadecimal digits, or 16, 24 or 32 characters.',
    );
  return key.toString('hex');
}
