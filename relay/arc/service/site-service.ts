import type { Logger } from 'pino';
import { type Clock, iso } from '../../../protocol/clock.ts';
import type { ArcObstacle, EnableArcDevice, SiteArc } from '../../../protocol/wire/arc-service.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { ProblemError } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import type { Db, DbOrTrx } from '../../db/database.ts';
import type { DeviceRow, SiteRow } from '../../db/schema.ts';
import { lockSite } from '../../handover/sharing-rules.ts';
import type { ServiceNotices } from './notices.ts';
import { obstacleOf, zonesFor } from './rules.ts';
import type { ServiceRow } from './schema.ts';
import { endServices, type SettledAccounts } from './settled-accounts.ts';
import { eventsOf, sameTypes, selectServices, toServices, type ViewDeps, zonesOf } from './view.ts';

/** What stands against a device, in words that say what to do. */
const AGAINST: Record<ArcObstacle, (name: string) => string> = {
  'not-p2p': (name) => `${name} was added by its address: add it again through the box to give it the ARC service.`,
  'no-box': (name) => `${name} is looked after by no box: add it through the box of the site.`,
  type: (name) => `${name} is neither a camera nor a network recorder nor an alarm panel.`,
  model: (name) => `${name} is of a model without ARC service.`,
};

/** The installer's side of the ARC service: a site is authorised to one centre, and its devices are enabled one by one. */
export class SiteService {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notices: ServiceNotices;
  readonly #accounts: SettledAccounts;
  readonly #view: ViewDeps;
  readonly #askMedia: (trx: DbOrTrx, row: ServiceRow, wanted: { picture: boolean; clip: boolean }) => Promise<void>;
  readonly #decider: (trx: DbOrTrx, siteId: string) => Promise<string | null>;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notices: ServiceNotices;
    accounts: SettledAccounts;
    view: ViewDeps;
    /** Asks whoever decides at the site for pictures and clips. */
    askMedia: (trx: DbOrTrx, row: ServiceRow, wanted: { picture: boolean; clip: boolean }) => Promise<void>;
    /** The customer who decides at this site; null: who manages it does. */
    decider: (trx: DbOrTrx, siteId: string) => Promise<string | null>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notices = deps.notices;
    this.#accounts = deps.accounts;
    this.#view = deps.view;
    this.#askMedia = deps.askMedia;
    this.#decider = deps.decider;
  }

  /** For who reaches the whole site: the centre it is authorised to, and every device with what it has or lacks. */
  async of(scope: Scope, siteId: string): Promise<SiteArc> {
    const site = await scope.site(siteId);
    if (!(await scope.holds(siteId, null, 'view'))) throw new ProblemError('permission-needed');
    const available = site.type === 'personal';
    const authorization = await authorizationOf(this.#db, siteId);
    if (!authorization) return { authorization: null, available, devices: [] };
    const devices = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where('siteId', '=', siteId)
      .where('deletedAt', 'is', null)
      .orderBy('createdAt')
      .orderBy('id')
      .limit(2000)
      .execute();
    const rows = await selectServices(this.#db).where('s.siteId', '=', siteId).where('s.endedMs', 'is', null).execute();
    const services = await toServices(this.#db, rows, this.#view);
    return {
      available,
      authorization: {
        arc: { id: authorization.arcId, name: authorization.name },
        since: iso(Number(authorization.createdMs)),
      },
      devices: devices.map((device) => ({
        deviceId: device.id,
        name: device.name,
        type: device.type,
        model: device.model,
        obstacle: obstacleOf(device),
        service: services.find((service) => service.device.id === device.id) ?? null,
      })),
    };
  }

  /** ARC-13. Another centre than before: the former is withdrawn first, by a person. */
  async authorize(scope: Scope, siteId: string, arcId: string): Promise<SiteArc> {
    await this.#managed(scope, siteId);
    await this.#db.transaction().execute(async (trx) => {
      const site = await lockSite(trx, siteId);
      await mustServe(trx, arcId, site);
      const now = await authorizationOf(trx, siteId);
      if (now?.arcId === arcId) return;
      if (now)
        throw new ProblemError(
          'conflict',
          `The site is authorised to ${now.name}: withdraw that before you choose another.`,
        );
      await trx
        .insertInto('arc_authorizations')
        .values({
          id: uuidv7(this.#clock.now()),
          siteId,
          arcId,
          companyId: scope.companyId,
          createdMs: this.#clock.now(),
          endedMs: null,
        })
        .execute();
    });
    this.#log.info({ siteId, arcId, userId: scope.userId }, 'site authorised to a centre');
    return this.of(scope, siteId);
  }

  /** ARC-14: every service of the site ends with it. The owner of the site may, and who manages it. */
  async withdraw(scope: Scope, siteId: string): Promise<{ id: string; name: string }> {
    await this.#mayEnd(scope, siteId);
    const { arc, serials } = await this.#db.transaction().execute(async (trx) => {
      await lockSite(trx, siteId);
      const authorization = await authorizationOf(trx, siteId);
      if (!authorization) throw new ProblemError('conflict', 'The site is authorised to no centre.');
      const arc = { id: authorization.arcId, name: authorization.name };
      return { arc, serials: await this.siteEnds(trx, siteId) };
    });
    this.#told(serials);
    this.#log.info({ siteId, arcId: arc.id, userId: scope.userId }, 'site withdrawn from a centre');
    return arc;
  }

  /** ARC-15, ARC-16: from now on it waits for the centre. A service that runs keeps account and event types. */
  async enable(scope: Scope, siteId: string, deviceId: string, wanted: EnableArcDevice): Promise<DeviceRow> {
    await this.#managed(scope, siteId);
    const device = await scope.device(deviceId, 'view');
    if (device.siteId !== siteId) throw new ProblemError('not-found', 'The device is not at this site.');
    const serials = await this.#db.transaction().execute(async (trx) => {
      await lockSite(trx, siteId);
      const authorization = await authorizationOf(trx, siteId);
      if (!authorization) throw new ProblemError('conflict', 'Authorise the site to a centre first.');
      const obstacle = obstacleOf(device);
      if (obstacle) throw new ProblemError('conflict', AGAINST[obstacle](device.name));
      const old = await liveService(trx, deviceId);
      return old && old.state !== 'rejected' && old.state !== 'waiting'
        ? this.#change(trx, old, wanted)
        : this.#ask(trx, scope, authorization, device, old, wanted);
    });
    this.#told(serials);
    this.#log.info({ siteId, deviceId, userId: scope.userId }, 'ARC service of a device enabled');
    return device;
  }

  /** The owner of the site may, and who manages it. */
  async turnOff(scope: Scope, siteId: string, deviceId: string): Promise<DeviceRow> {
    await this.#mayEnd(scope, siteId);
    const device = await scope.device(deviceId, 'view');
    if (device.siteId !== siteId) throw new ProblemError('not-found', 'The device is not at this site.');
    const serials = await this.#db.transaction().execute(async (trx) => {
      await lockSite(trx, siteId);
      const row = await liveService(trx, deviceId);
      if (!row) throw new ProblemError('conflict', `The ARC service of ${device.name} is off.`);
      return this.#end(trx, [row]);
    });
    this.#told(serials);
    this.#log.info({ siteId, deviceId, userId: scope.userId }, 'ARC service of a device turned off');
    return device;
  }

  /** Inside the caller's transaction; it announces the boxes returned. Devices that leave lose their service (ARC-29). */
  async devicesGo(trx: DbOrTrx, deviceIds: readonly string[]): Promise<string[]> {
    const rows: ServiceRow[] = [];
    for (let i = 0; i < deviceIds.length; i += 500) {
      rows.push(
        ...(await trx
          .selectFrom('arc_services')
          .selectAll()
          .where('deviceId', 'in', deviceIds.slice(i, i + 500))
          .where('endedMs', 'is', null)
          .execute()),
      );
    }
    return this.#end(trx, rows);
  }

  /** The site's authorisation ends, and every service with it. Inside the caller's transaction. */
  async siteEnds(trx: DbOrTrx, siteId: string): Promise<string[]> {
    const rows = await trx
      .selectFrom('arc_services')
      .selectAll()
      .where('siteId', '=', siteId)
      .where('endedMs', 'is', null)
      .execute();
    await trx
      .updateTable('arc_authorizations')
      .set({ endedMs: this.#clock.now() })
      .where('siteId', '=', siteId)
      .where('endedMs', 'is', null)
      .execute();
    return this.#end(trx, rows);
  }

  async #end(trx: DbOrTrx, rows: readonly ServiceRow[]): Promise<string[]> {
    if (rows.length === 0) return [];
    for (const row of rows) if (row.state !== 'rejected') await this.#notices.toCentre(trx, row, 'arc-service-ended');
    const serials = await endServices(trx, rows, this.#clock.now());
    for (const serial of serials) await this.#accounts.settle(trx, serial);
    return serials;
  }

  /** Of a running service only what concerns the site: the delay, and what its alarms may bring along. */
  async #change(trx: DbOrTrx, old: ServiceRow, { account, events, media, offlineDelayMs }: EnableArcDevice) {
    if (account !== old.account || !sameTypes(eventsOf(old), events))
      throw new ProblemError(
        'conflict',
        'The centre has accepted this account and these event types: ask it to change them, or turn the service off first.',
      );
    await trx.updateTable('arc_services').set({ offlineDelayMs }).where('id', '=', old.id).execute();
    await this.#askMedia(trx, { ...old, offlineDelayMs }, media);
    await this.#accounts.settle(trx, old.boxSerial);
    return [old.boxSerial];
  }

  async #ask(
    trx: DbOrTrx,
    scope: Scope,
    authorization: { arcId: string },
    device: DeviceRow,
    old: ServiceRow | undefined,
    { account, events, media, offlineDelayMs }: EnableArcDevice,
  ): Promise<string[]> {
    const now = this.#clock.now();
    const boxSerial = device.boxSerial!;
    const { arcId } = authorization;
    const beside = (await accountOf(trx, arcId, account)).filter((service) => service.id !== old?.id);
    mustFit(device, boxSerial, beside, account);
    if (old) await endServices(trx, [old], now);
    const own = (await this.#decider(trx, device.siteId)) === null;
    const row: ServiceRow = {
      id: uuidv7(now),
      siteId: device.siteId,
      deviceId: device.id,
      boxSerial,
      arcId,
      companyId: scope.companyId,
      receiverId: null,
      state: 'waiting',
      account,
      events: JSON.stringify(events),
      mode: beside[0]?.mode ?? 'direct-or-relay',
      picture: own && media.picture ? 1 : 0,
      clip: own && media.clip ? 1 : 0,
      offlineDelayMs,
      zones: JSON.stringify(zonesOrRefusal(device, beside)),
      note: '',
      createdMs: now,
      decidedMs: null,
      endedMs: null,
    };
    await trx.insertInto('arc_services').values(row).execute();
    if (!own) await this.#askMedia(trx, row, media);
    await this.#notices.toCentre(trx, row, 'arc-service-requested');
    return [];
  }

  async #managed(scope: Scope, siteId: string): Promise<SiteRow> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    return site;
  }

  async #mayEnd(scope: Scope, siteId: string): Promise<void> {
    const site = await scope.site(siteId);
    if (await scope.holds(site.id, null, 'own')) return;
    await scope.site(siteId, 'manage');
    scope.must('manage-devices');
  }

  #told(serials: readonly string[]): void {
    this.#notices.kick();
    for (const serial of serials) this.#accounts.announce(serial);
  }
}

export const authorizationOf = (db: DbOrTrx, siteId: string) =>
  db
    .selectFrom('arc_authorizations as a')
    .innerJoin('companies as c', 'c.id', 'a.arcId')
    .select(['a.arcId', 'a.createdMs', 'c.name'])
    .where('a.siteId', '=', siteId)
    .where('a.endedMs', 'is', null)
    .executeTakeFirst();

const liveService = (db: DbOrTrx, deviceId: string): Promise<ServiceRow | undefined> =>
  db
    .selectFrom('arc_services')
    .selectAll()
    .where('deviceId', '=', deviceId)
    .where('endedMs', 'is', null)
    .executeTakeFirst();

/** Services under an account number of a centre; rejected ones count for nothing. */
export const accountOf = (db: DbOrTrx, arcId: string, account: string) =>
  db
    .selectFrom('arc_services as s')
    .innerJoin('devices as d', 'd.id', 's.deviceId')
    .selectAll('s')
    .select(['d.type', 'd.name as deviceName'])
    .where('s.arcId', '=', arcId)
    .where('s.account', '=', account)
    .where('s.state', '<>', 'rejected')
    .where('s.endedMs', 'is', null)
    .execute();
type Beside = Awaited<ReturnType<typeof accountOf>>;

/** One box an account, and one panel: its zones keep their own numbers. Of other companies' sites nothing is said. */
export function mustFit(
  device: Pick<DeviceRow, 'type' | 'siteId'>,
  boxSerial: string,
  beside: Beside,
  account: string,
): void {
  const other = beside.find((service) => service.boxSerial !== boxSerial && service.siteId === device.siteId);
  if (other)
    throw new ProblemError(
      'conflict',
      `Account ${account} is used by ${other.deviceName} at another box of this site: give this device another one.`,
    );
  const panel = beside.find((service) => service.boxSerial === boxSerial && service.type === 'panel');
  if (panel && device.type === 'panel')
    throw new ProblemError(
      'conflict',
      `Account ${account} belongs to the panel ${panel.deviceName}, whose zones have the same numbers: a panel has an account of its own.`,
    );
}

export function zonesOrRefusal(device: Pick<DeviceRow, 'type' | 'channelCount'>, beside: Beside) {
  const zones = zonesFor(
    device,
    beside.flatMap((service) => zonesOf(service)),
  );
  if (!zones) throw new ProblemError('conflict', 'This account has no room for so many channels: use another one.');
  return zones;
}

/** A listed centre for a personal site; it serves the country where that is known (ARC-01, ARC-03). */
async function mustServe(trx: DbOrTrx, arcId: string, site: SiteRow): Promise<void> {
  if (site.type !== 'personal')
    throw new ProblemError('conflict', 'The ARC service is for personal sites, not for sites of a team.');
  const row = await trx
    .selectFrom('arc_profiles as p')
    .innerJoin('companies as c', 'c.id', 'p.companyId')
    .select(['c.name', 'c.suspendedMs', 'p.state', 'p.information'])
    .where('p.companyId', '=', arcId)
    .executeTakeFirst();
  if (row?.state !== 'listed' || row.suspendedMs !== null)
    throw new ProblemError('not-found', 'There is no such alarm receiving centre on the list.');
  const own = await trx
    .selectFrom('companies')
    .select('country')
    .where('id', '=', site.companyId)
    .executeTakeFirstOrThrow();
  const country = site.country || own.country;
  const { countries } = JSON.parse(row.information) as { countries: string[] };
  if (country !== '' && !countries.includes(country))
    throw new ProblemError('conflict', `${row.name} does not serve sites in this country (${country}).`);
}
