import { connect } from 'node:net';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { AddItem, AddingResult } from '../../protocol/wire/adding.ts';
import type { Device } from '../../protocol/wire/api.ts';
import { type DiscoveredDevice, DiscoveryList } from '../../protocol/wire/box-api.ts';
import { Serial, uuidv7, VerificationCode } from '../../protocol/wire/ids.ts';
import { PROBLEMS } from '../../protocol/wire/problem.ts';
import { sameSerial, shortSerial } from '../../protocol/wire/serial.ts';
import { ProblemError } from '../api/problem.ts';
import type { DialGuard } from '../arc/dial-guard.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Scope } from '../auth/scope.ts';
import type { Claims } from '../boxes/claims.ts';
import type { Db } from '../db/database.ts';
import type { DeviceRow, SiteRow } from '../db/schema.ts';
import type { Views } from '../sites/views.ts';
import { mustBeAddable, mustHaveRoom } from './adding-rules.ts';
import type { BoxClient } from './box-client.ts';
import type { DeviceSecrets } from './device-secrets.ts';
import type { Devices } from './devices.ts';

const DISCOVERY_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Connections that a company has tried in a minute: the relay is nobody's port scanner. */
export const TRIES_A_MINUTE = 16;
type Of<M extends AddItem['method']> = Extract<AddItem, { method: M }>;
type BySerial = Exclude<AddItem, Of<'lan'> | Of<'ip'>>;
type Found = DiscoveredDevice & { boxSerial: string };
interface Added {
  device: Device | null;
  boxSerial: string | null;
  detail?: string;
}

/** Adds several devices in whatever way, each for itself: the adding-result page shows what became of each (ADD-20). */
export class Adding {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #devices: Devices;
  readonly #secrets: DeviceSecrets;
  readonly #box: BoxClient;
  readonly #guard: DialGuard;
  readonly #claims: Claims;
  readonly #views: Views;
  readonly #tries: Limiter;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    devices: Devices;
    secrets: DeviceSecrets;
    box: BoxClient;
    guard: DialGuard;
    claims: Claims;
    views: Views;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#devices = deps.devices;
    this.#secrets = deps.secrets;
    this.#box = deps.box;
    this.#guard = deps.guard;
    this.#claims = deps.claims;
    this.#views = deps.views;
    this.#tries = new Limiter({ clock: deps.clock, limit: TRIES_A_MINUTE, windowMs: 60_000 });
  }

  /** @param remote whose wrong claim codes are counted */
  async add(scope: Scope, siteId: string, wanted: AddItem[], remote: string): Promise<AddingResult[]> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    let inventory: Promise<Found[]> | null = null;
    const seen = () => (inventory ??= this.#inventory(site));
    const results: AddingResult[] = [];
    for (const item of wanted) {
      const name =
        'name' in item && item.name
          ? item.name
          : 'serial' in item && item.serial
            ? item.serial
            : 'host' in item
              ? item.host
              : '';
      try {
        const { device, boxSerial, detail } = await this.#one(scope, site, item, seen, remote);
        results.push({ name, result: 'added', device, boxSerial, code: null, detail: detail ?? null, actions: [] });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        const { code } = error;
        const detail = error.detail ?? PROBLEMS[code][1];
        const actions: AddingResult['actions'] =
          code === 'added-to-another-account' ? ['unbind', 'add-again'] : code === 'limit-reached' ? [] : ['add-again'];
        results.push({ name, result: 'failed', device: null, boxSerial: null, code, detail, actions });
      }
    }
    return results;
  }

  async #one(scope: Scope, site: SiteRow, item: AddItem, seen: () => Promise<Found[]>, remote: string): Promise<Added> {
    if (item.method === 'ip') return this.#byAddress(scope, site, item);
    if (item.method === 'lan') {
      const { method: _, ...device } = item;
      return { device: await this.#devices.add(scope, site.id, device), boxSerial: null };
    }
    return this.#bySerial(scope, site, item, await seen(), remote);
  }

  /** What a box of the site sees under that serial; else the box that has it. */
  async #bySerial(scope: Scope, site: SiteRow, item: BySerial, seen: Found[], remote: string): Promise<Added> {
    const found = seen.find((device) => sameSerial(device.serial, item.serial));
    if (!found) {
      const serial = Serial.safeParse(shortSerial(item.serial));
      const code = VerificationCode.safeParse((item.code ?? '').replaceAll(/[\s-]/g, '').toUpperCase());
      if (serial.success && code.success) {
        mustBeAddable(item.method, 'box', site, '');
        await this.#claims.claim(scope, site.id, serial.data, code.data, remote);
        return { device: null, boxSerial: serial.data };
      }
      const text = `No box of “${site.name}” sees ${shortSerial(item.serial)} on its network. Check the serial number, its cable and power; a box itself needs its code.`;
      throw new ProblemError('not-found', text);
    }
    if (found.activated === false) {
      throw new ProblemError('device-not-activated', `${found.model} at ${found.address} needs its first password.`);
    }
    if (!item.username) {
      const text = `${found.model} at ${found.address} was found: enter its user name and password.`;
      throw new ProblemError('invalid-request', text);
    }
    const { mac, serial, address, httpPort, model, boxSerial } = found;
    const device = {
      boxSerial,
      mac: mac.toLowerCase().replaceAll(':', '-'),
      serial,
      host: address,
      httpPort: httpPort ?? 80,
      name: item.name ?? (model.slice(0, 64) || shortSerial(serial)),
      username: item.username,
      password: item.password ?? undefined,
      recordOn: item.recordOn,
    };
    return { device: await this.#devices.add(scope, site.id, device, item.method), boxSerial };
  }

  /** Only encoding devices; nothing is asked of the device but whether it answers there. */
  async #byAddress(scope: Scope, site: SiteRow, item: Of<'ip'>): Promise<Added> {
    mustBeAddable('ip', 'encoding', site, '');
    await mustHaveRoom(this.#db, site, item.channelCount);
    const { name, host, port, username, channelCount } = item;
    const waitMs = this.#tries.take(scope.companyId);
    if (waitMs > 0)
      throw new ProblemError(
        'too-many-tries',
        `Your company has tried ${TRIES_A_MINUTE} addresses in a minute: go on in ${Math.ceil(waitMs / 1000)} s.`,
        { headers: retryAfter(waitMs) },
      );
    await this.#mustAnswer(host, port);
    const now = this.#clock.now();
    const row: DeviceRow = {
      id: uuidv7(now),
      siteId: site.id,
      boxSerial: null,
      name,
      kind: 'isapi',
      mac: null,
      serial: null,
      host,
      httpPort: port,
      username,
      certificate: null,
      oldTls: 0,
      createdAt: iso(now),
      deletedAt: null,
      accessMode: 'ip',
      type: 'encoding',
      model: '',
      firmware: '',
      channelCount,
    };
    await this.#db.transaction().execute(async (trx) => {
      const same = await trx
        .selectFrom('devices')
        .select('name')
        .where('siteId', '=', site.id)
        .where('accessMode', '=', 'ip')
        .where('host', '=', host)
        .where('httpPort', '=', port)
        .where('deletedAt', 'is', null)
        .executeTakeFirst();
      if (same) throw new ProblemError('conflict', `${host}:${port} was added already, as “${same.name}”.`);
      await mustHaveRoom(trx, site, channelCount);
      await trx.insertInto('devices').values(row).execute();
      await this.#secrets.keep(trx, row.id, item.password);
    });
    this.#log.info({ deviceId: row.id, siteId: site.id, userId: scope.userId }, 'device added by its address');
    const detail = `${host}:${port} takes connections. User name and password were not tried.`;
    return { device: this.#views.device(row), boxSerial: null, detail };
  }

  /** A plain TCP connect, to the address that the guard found. */
  async #mustAnswer(host: string, port: number): Promise<void> {
    const found = await this.#guard.resolve(host);
    if (!found.ok) {
      throw new ProblemError(
        'invalid-request',
        `${found.text}. A device added by its address must be reachable in the internet.`,
      );
    }
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: found.address, port, timeout: CONNECT_TIMEOUT_MS });
      const done = (answer: boolean) => {
        socket.destroy();
        resolve(answer);
      };
      socket.once('connect', () => done(true));
      socket.once('timeout', () => done(false));
      socket.once('error', () => done(false));
    });
    if (answers) return;
    const text = `Nothing takes connections at ${host}, port ${port}. Check the address, the port and that the router passes it on.`;
    throw new ProblemError('device-unreachable', text);
  }

  /** What the boxes of the site see; one that does not answer sees nothing. */
  async #inventory(site: SiteRow): Promise<Found[]> {
    const boxes = await this.#db
      .selectFrom('boxes')
      .select('serial')
      .where('siteId', '=', site.id)
      .where('state', '=', 'claimed')
      .execute();
    const lists = await Promise.all(
      boxes.map(({ serial }) =>
        this.#box
          .json(serial, DiscoveryList, 'GET', '/v1/discovery', { timeoutMs: DISCOVERY_TIMEOUT_MS })
          .then(({ items }) => items.map((item) => ({ ...item, boxSerial: serial })))
          .catch((error) => {
            if (error instanceof ProblemError) return [];
            throw error;
          }),
      ),
    );
    return lists.flat();
  }
}
