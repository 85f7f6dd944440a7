import type { Logger } from 'pino';
import type { z } from 'zod';
import { type ChangePassword, DiscoveryList, PasswordChanged, ProbeResult } from '../../protocol/wire/box-api.ts';
import {
  type BoxRecovery,
  type BoxReset,
  type BoxSetAddress,
  LanDone,
  LanQuestions,
  type LanResult,
  type SetAddresses,
} from '../../protocol/wire/lan.ts';
import type {
  DevicePasswordChanged,
  NewDevicePassword,
  ResetPassword,
  SetRecovery,
  Unbind,
  Unbound,
} from '../../protocol/wire/lan-site.ts';
import { sameSerial } from '../../protocol/wire/serial.ts';
import type { Activations } from '../activation/activations.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { BoxClient } from '../devices/box-client.ts';
import type { Devices } from '../devices/devices.ts';
import type { PasswordRequests } from './password-requests.ts';
import type { Unbinding } from './unbinding.ts';

/** ISAPI, then waiting until the device is seen at its new address. */
const TIMEOUT_MS = 60_000;
/** At one box; it takes a few more, for who else is at work there. */
const AT_ONCE = 4;

/** Work on devices of a site's LANs, found by their MAC, and on their passwords. */
export class SiteLan {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #box: BoxClient;
  readonly #desired: DesiredStates;
  readonly #devices: Pick<Devices, 'keepCredentials'>;
  readonly #unbinding: Unbinding;
  readonly #requests: Pick<PasswordRequests, 'done'>;
  readonly #kept: (companyId: string, siteId: string, mac: string) => Promise<string | null>;
  readonly #replaceKept: Activations['replace'];

  constructor(deps: {
    db: Db;
    log: Logger;
    box: BoxClient;
    desired: DesiredStates;
    devices: Pick<Devices, 'keepCredentials'>;
    unbinding: Unbinding;
    requests: Pick<PasswordRequests, 'done'>;
    /** The password kept from a device's activation; null: none. */
    kept: (companyId: string, siteId: string, mac: string) => Promise<string | null>;
    /** A device took another one: what is kept follows. */
    replaceKept: Activations['replace'];
  }) {
    this.#db = deps.db;
    this.#log = deps.log;
    this.#box = deps.box;
    this.#desired = deps.desired;
    this.#devices = deps.devices;
    this.#unbinding = deps.unbinding;
    this.#requests = deps.requests;
    this.#kept = deps.kept;
    this.#replaceKept = deps.replaceKept;
  }

  /** Addresses of one device or a batch (INIT-21); one that fails holds up no other. */
  async setAddresses(scope: Scope, siteId: string, wanted: z.output<typeof SetAddresses>): Promise<LanResult[]> {
    const { id, boxSerial } = await this.#at(scope, siteId, wanted.boxSerial);
    const added = await this.#added(boxSerial);
    const results = new Map<string, LanResult>();
    const queue = [...new Map(wanted.items.map((item) => [item.mac, item])).values()];
    const order = queue.map((item) => item.mac);
    const work = async () => {
      for (let item = queue.shift(); item; item = queue.shift()) {
        const { mac, to } = item;
        const password = item.password ?? (await this.#kept(scope.companyId, id, mac));
        const device = added.find((one) => one.mac === mac) ?? null;
        const body: BoxSetAddress = { mac, deviceId: device?.id ?? null, password, to };
        const result = await this.#ask(boxSerial, mac, '/v1/lan/addresses', body);
        results.set(mac, result);
        if (result.done && result.address && device) await this.#follow(boxSerial, device.id, result.address);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return order.map((mac) => results.get(mac) as LanResult);
  }

  async questions(scope: Scope, siteId: string, serial: string, mac: string): Promise<LanQuestions> {
    const { boxSerial } = await this.#at(scope, siteId, serial);
    return this.#box.json(boxSerial, LanQuestions, 'POST', '/v1/lan/questions', {
      body: { mac },
      timeoutMs: TIMEOUT_MS,
    });
  }

  /** Only before a device is added (PWD-08); the device itself refuses a second time. */
  async setRecovery(scope: Scope, siteId: string, wanted: z.output<typeof SetRecovery>): Promise<LanResult> {
    const { id, boxSerial } = await this.#at(scope, siteId, wanted.boxSerial);
    const { mac, recovery } = wanted;
    // Within the asker's reach alone: nobody learns here whether another account has it. The device itself refuses then.
    const added = await this.#db
      .selectFrom('devices')
      .select('id')
      .where('mac', '=', mac)
      .where('deletedAt', 'is', null)
      .where(scope.reaches('devices.siteId', 'devices.id', 'list'))
      .executeTakeFirst();
    if (added) throw new ProblemError('conflict', 'This is set before a device is added; this one is added already.');
    const password = wanted.password ?? (await this.#kept(scope.companyId, id, mac));
    if (password === null)
      throw new ProblemError('invalid-request', 'password: enter it, none is kept for this device.');
    const body: BoxRecovery = { mac, password, recovery };
    return this.#must(boxSerial, mac, '/v1/lan/recovery', body);
  }

  /** A new password for the right answers (PWD-07); the box of an added device learns it. */
  async reset(scope: Scope, siteId: string, wanted: z.output<typeof ResetPassword>): Promise<LanResult> {
    const { id, boxSerial } = await this.#at(scope, siteId, wanted.boxSerial);
    const { mac, answers, newPassword } = wanted;
    const body: BoxReset = { mac, answers, newPassword };
    const result = await this.#must(boxSerial, mac, '/v1/lan/reset', body);
    const also = (trx: DbOrTrx) => this.#replaceKept(trx, { companyId: scope.companyId, siteId: id, mac }, newPassword);
    const added = (await this.#added(boxSerial)).find((one) => one.mac === mac);
    if (!added) await this.#db.transaction().execute(also);
    else {
      const device = await scope.device(added.id, 'manage', 'manage-devices');
      await this.#devices.keepCredentials(scope, device, { username: device.username, password: newPassword }, also);
    }
    return result;
  }

  /**
   * Takes a device away from the account that it is added to (UNBD-01…03): who has it on the LAN of an own box and knows its
   * password, while no box of that account looks after it. Not from a site that is only shared with the asker (UNBD-05):
   * that takes managing it. `companies`: whose log it belongs in.
   */
  async unbind(
    scope: Scope,
    siteId: string,
    wanted: z.output<typeof Unbind>,
  ): Promise<{ unbound: Unbound; companies: string[] }> {
    const { id, boxSerial } = await this.#at(scope, siteId, wanted.boxSerial);
    const { mac, password } = wanted;
    const seen = (await this.#box.json(boxSerial, DiscoveryList, 'GET', '/v1/discovery', { timeoutMs: TIMEOUT_MS }))
      .items;
    const device = seen.find((one) => one.mac === mac);
    if (!device) throw new ProblemError('not-found', `Box ${boxSerial} does not see this device on its LAN.`);
    const { address: host, httpPort } = device;
    const probed = await this.#box.json(boxSerial, ProbeResult, 'POST', '/v1/devices/probe', {
      body: { host, httpPort: httpPort ?? 80, username: 'admin', password },
      timeoutMs: TIMEOUT_MS,
    });
    // Who answered with that password must be the device that is meant.
    if (!device.serial || !sameSerial(probed.serial, device.serial))
      throw new ProblemError('conflict', 'Another device answered at its address: nothing was changed.');
    const own = await this.#db.selectFrom('sites').select('companyId').where('id', '=', id).executeTakeFirstOrThrow();
    const { bound, companies } = await this.#db.transaction().execute(async (trx) => {
      const rows = await trx
        .selectFrom('devices as d')
        .innerJoin('sites as s', 's.id', 'd.siteId')
        .select(['d.id', 'd.name', 'd.serial', 'd.boxSerial', 'd.createdAt', 'd.siteId'])
        .select(['s.companyId', 's.ownerId', 's.name as site'])
        .where('d.deletedAt', 'is', null)
        .where('s.companyId', '<>', own.companyId)
        .where((e) => e.or([e('d.serial', '=', device.serial), e('d.mac', '=', mac)]))
        .execute();
      const found = rows.filter((row) => row.serial && sameSerial(row.serial, device.serial));
      return { bound: found, companies: await this.#unbinding.take(trx, found) };
    });
    if (bound.length > 0) {
      this.#unbinding.announce(bound);
      this.#log.info({ mac, siteId: id, devices: bound.map((row) => row.id), userId: scope.userId }, 'device unbound');
      return { unbound: { fromAccount: true, text: null }, companies };
    }
    const cloud = await this.#ask(boxSerial, mac, '/v1/lan/unbind', { mac, password });
    if (!cloud.done) throw new ProblemError('conflict', `It is added to no account here. ${cloud.detail ?? ''}`.trim());
    return { unbound: { fromAccount: false, text: cloud.detail }, companies };
  }

  /** Another password for a device that is added (PWD-03, PWD-06); nothing is kept that the device did not take. */
  async changePassword(
    scope: Scope,
    deviceId: string,
    { oldPassword, newPassword }: z.output<typeof NewDevicePassword>,
  ): Promise<DevicePasswordChanged> {
    const { siteId } = await scope.device(deviceId);
    // The owner of a site changes the passwords of his own devices (PWD-04, PWD-05).
    const own = await scope.holds(siteId, null, 'own');
    const device = await (own ? scope.device(deviceId, 'own') : scope.device(deviceId, 'manage', 'manage-devices'));
    if (!own) scope.must('manage-devices');
    if (!device.boxSerial) throw new ProblemError('conflict', `“${device.name}” is not behind a box.`);
    const site = await this.#db
      .selectFrom('sites')
      .select('status')
      .where('id', '=', device.siteId)
      .executeTakeFirstOrThrow();
    // Handed over, it is the customer's: of others only who knows the old password changes it.
    if (!own && site.status !== 'not-handed-over' && oldPassword === undefined)
      throw new ProblemError(
        'site-status',
        'The site is handed over: ask the customer for a reset, or enter the old password.',
      );
    const body: ChangePassword = { oldPassword: oldPassword ?? null, newPassword };
    const path = `/v1/devices/${device.id}/password`;
    const changed = await this.#box
      .json(device.boxSerial, PasswordChanged, 'POST', path, { body, timeoutMs: TIMEOUT_MS })
      .catch((error): DevicePasswordChanged => {
        // Its answer got lost, not the change perhaps; who asked knows both passwords.
        const lost = error instanceof ProblemError && error.code === 'box-unreachable';
        if (!lost || !this.#box.isConnected(device.boxSerial as string)) throw error;
        return { outcome: 'uncertain', text: 'The box did not answer in time.' };
      });
    if (changed.outcome === 'changed') {
      const { siteId, mac, username } = device;
      // The one that is kept is the administrator's.
      const at = username === 'admin' && mac !== null ? { companyId: scope.companyId, siteId, mac } : null;
      const also = async (trx: DbOrTrx) => (at ? this.#replaceKept(trx, at, newPassword) : undefined);
      await this.#devices.keepCredentials(scope, device, { username, password: newPassword }, also);
      if (own) await this.#requests.done(scope, device.id);
    }
    this.#log.info({ deviceId, outcome: changed.outcome, userId: scope.userId }, 'device password');
    return changed;
  }

  async #must(boxSerial: string, mac: string, path: string, body: unknown): Promise<LanResult> {
    const { address, text } = await this.#box.json(boxSerial, LanDone, 'POST', path, { body, timeoutMs: TIMEOUT_MS });
    return { mac, done: true, address, code: null, detail: text };
  }

  async #ask(boxSerial: string, mac: string, path: string, body: unknown): Promise<LanResult> {
    try {
      return await this.#must(boxSerial, mac, path, body);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return { mac, done: false, address: null, code: error.code, detail: error.message };
    }
  }

  /** The address that it is listed with; the box follows it by its MAC in any case. */
  async #follow(boxSerial: string, deviceId: string, host: string): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      await trx.updateTable('devices').set({ host }).where('id', '=', deviceId).execute();
      const there = <T extends { id: string }>(item: T) => (item.id === deviceId ? { ...item, host } : item);
      await this.#desired.change(boxSerial, 'devices', (items) => items.map(there), trx);
    });
    this.#desired.announce(boxSerial);
  }

  async #added(boxSerial: string) {
    return this.#db
      .selectFrom('devices')
      .select(['id', 'mac', 'username'])
      .where('boxSerial', '=', boxSerial)
      .where('deletedAt', 'is', null)
      .execute();
  }

  async #at(scope: Scope, siteId: string, serial: string): Promise<{ id: string; boxSerial: string }> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    const box = await this.#db
      .selectFrom('boxes')
      .select(['serial', 'state'])
      .where('serial', '=', serial)
      .where('siteId', '=', site.id)
      .executeTakeFirst();
    if (!box) throw new ProblemError('not-found', `Box ${serial} is not at this site.`);
    if (box.state === 'revoked') throw new ProblemError('box-revoked');
    return { id: site.id, boxSerial: box.serial };
  }
}
