import type { Selectable } from 'kysely';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { CloudPackage, CloudService, CloudServices, Term } from '../../protocol/wire/cloud.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { NoticeCode } from '../../protocol/wire/notify.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import { maxCloudChannels } from '../compat/limits.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { DeviceRow } from '../db/schema.ts';
import { notByAddress } from '../devices/adding-rules.ts';
import type { Notifier } from '../notify/notifier.ts';
import { lockCompany } from '../people/users.ts';
import type { CloudRecording } from './recording.ts';
import type { CloudRegions } from './regions.ts';
import { isSolar, stateOf, termEnd, transferable, triggersFor } from './rules.ts';
import type { CloudTables } from './schema.ts';
import { noneLeft, stockOf, takeFromStock } from './stock.ts';

type Row = Selectable<CloudTables['cloud_services']>;
type NamedRow = Row & { deviceName: string; siteName: string };
type Place = { deviceId: string; channel: number };

const DAY_MS = 86_400_000;
const SWEEP_MS = 30_000;
/** Before the end of a service its company and the site's owner are told, so many days. */
const TOLD_BEFORE = [30, 7, 1] as const;
/** Services that one sweep tells of or ends; the rest is for the next one. */
const AT_ONCE = 200;

/** Services of channels, paid by packages of a company: activated, renewed, handed on, ended (CLOUD-19 … CLOUD-26). */
export class CloudServiceBook {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notifier: Notifier;
  readonly #recording: CloudRecording;
  readonly #regions: CloudRegions;
  #cancel: (() => void) | null = null;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    notifier: Notifier;
    recording: CloudRecording;
    regions: CloudRegions;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notifier = deps.notifier;
    this.#recording = deps.recording;
    this.#regions = deps.regions;
  }

  start(): void {
    this.#cancel = this.#clock.every(SWEEP_MS, () => {
      this.#sweeping = this.#sweeping
        .then(() => this.sweep())
        .catch((error) => this.#log.error({ err: error }, 'services that end could not be looked for'));
    });
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#sweeping;
  }

  /** The company's services whose site is in reach, and its stock. */
  async list(scope: Scope): Promise<CloudServices> {
    const rows = await this.#named(this.#db)
      .where('s.companyId', '=', scope.companyId)
      .where(scope.reaches('s.siteId', 's.deviceId', 'list'))
      .orderBy('s.untilMs')
      .orderBy('s.id')
      .limit(2000)
      .execute();
    const { companyId } = scope;
    const offered = await this.#regions.offered(this.#db, { companyId });
    return { items: rows.map((row) => this.view(row)), stock: await stockOf(this.#db, companyId), offered };
  }

  /** Of each channel of these devices the service that counts: the one that lasts longest, an ended one where there is no other. */
  async ofDevices(db: DbOrTrx, deviceIds: string[]): Promise<Map<string, CloudService>> {
    const rows = await this.#named(db)
      .where('s.deviceId', 'in', [...deviceIds, ''])
      .orderBy('s.untilMs')
      .execute();
    // Later ones replace earlier ones; one that ended before its time, only where there was none.
    const ended = rows.filter((row) => row.endedMs !== null);
    const good = rows.filter((row) => row.endedMs === null);
    return new Map([...ended, ...good].map((row) => [placeKey(row), this.view(row)]));
  }

  /** The service that pays a channel now; undefined: none does. */
  async active(db: DbOrTrx, { deviceId, channel }: Place): Promise<Row | undefined> {
    return db
      .selectFrom('cloud_services')
      .selectAll()
      .where('deviceId', '=', deviceId)
      .where('channel', '=', channel)
      .where('endedMs', 'is', null)
      .where('untilMs', '>', this.#clock.now())
      .executeTakeFirst();
  }

  /** Uses a package for a channel: it lasts from now on, not from its purchase (CLOUD-21). Throws `limit-reached`. */
  async activate(
    trx: DbOrTrx,
    { siteId, deviceId, channel, companyId, ...of }: Place & CloudPackage & { siteId: string; companyId: string },
  ): Promise<Row> {
    const { retentionDays, term } = of;
    await takeFromStock(trx, companyId, of);
    const now = this.#clock.now();
    const row = {
      id: uuidv7(now),
      companyId,
      siteId,
      deviceId,
      channel,
      retentionDays,
      term,
      activatedMs: now,
      untilMs: termEnd(now, term),
      endedMs: null,
      ended: null,
      toldDays: null,
      fromId: null,
    };
    await trx.insertInto('cloud_services').values(row).execute();
    return row;
  }

  /** Another month or year, from its end on; one that has ended begins anew. Uses a package of the same retention. */
  async renew(scope: Scope, id: string, term: Term): Promise<CloudService> {
    const found = await this.#reached(scope, id);
    await scope.device(found.deviceId, 'configure');
    await this.#regions.must(this.#db, { companyId: scope.companyId, siteId: found.siteId });
    const renewed = await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, scope.companyId);
      const row = await this.#own(trx, scope, id);
      if (row.endedMs !== null) throw new ProblemError('conflict', 'The time of this service went to another channel.');
      const { retentionDays } = row;
      const left = (await stockOf(trx, scope.companyId)).find(
        (s) => s.retentionDays === retentionDays && s.term === term,
      );
      if (!left || left.remaining < 1) throw noneLeft({ retentionDays, term });
      await takeFromStock(trx, scope.companyId, { retentionDays, term });
      const now = this.#clock.now();
      const over = row.untilMs <= now;
      if (over && (await this.active(trx, row)))
        throw new ProblemError('conflict', 'The channel has another service now: renew that one.');
      const untilMs = termEnd(Math.max(now, Number(row.untilMs)), term);
      const set = { untilMs, term, toldDays: null, ...(over && { activatedMs: now }) };
      await trx.updateTable('cloud_services').set(set).where('id', '=', id).execute();
      await this.#recording.apply(trx, [row.deviceId]);
      return row.deviceId;
    });
    await this.#recording.announce([renewed]);
    return this.#one(id);
  }

  /**
   * The time that is left goes to another channel, which needs a set-up of its own where it had none; the old one is not
   * recorded any more.
   */
  async transfer(scope: Scope, id: string, to: Place): Promise<CloudService> {
    const found = await this.#reached(scope, id);
    const target = await scope.device(to.deviceId, 'configure');
    if (found.endedMs === null) await scope.device(found.deviceId, 'configure');
    await this.#regions.must(this.#db, { companyId: scope.companyId, siteId: target.siteId });
    const newId = await this.#db.transaction().execute(async (trx) => {
      await lockCompany(trx, scope.companyId);
      const row = await this.#own(trx, scope, id);
      if (!transferable(row, this.#clock.now()))
        throw new ProblemError('conflict', 'No time of this service is left to hand on.');
      if (row.deviceId === to.deviceId && row.channel === to.channel && row.endedMs === null)
        throw new ProblemError('conflict', 'It is the service of that channel already.');
      await this.mustTake(trx, target, [to.channel]);
      if (await this.active(trx, to)) throw new ProblemError('conflict', 'That channel has a service already.');
      const now = this.#clock.now();
      const next = { ...row, ...to, id: uuidv7(now), siteId: target.siteId, fromId: id, activatedMs: now };
      const left = { endedMs: now, ended: 'transferred' as const };
      await trx.updateTable('cloud_services').set(left).where('id', '=', id).execute();
      await trx
        .insertInto('cloud_services')
        .values({ ...next, endedMs: null, ended: null })
        .execute();
      const before = await trx
        .selectFrom('cloud_channels')
        .selectAll()
        .where('deviceId', '=', row.deviceId)
        .where('channel', '=', row.channel)
        .executeTakeFirst();
      await trx
        .insertInto('cloud_channels')
        .values({
          mode: 'event',
          stream: 'main',
          audio: 1,
          createdMs: now,
          ...(before && { stream: before.stream, audio: before.audio }),
          ...(before && !isSolar(target.model) && { mode: before.mode }),
          ...to,
          siteId: target.siteId,
          enabled: 1,
          definition: null,
          triggers: JSON.stringify(triggersFor(target.model)),
        })
        .onConflict((c) => c.columns(['deviceId', 'channel']).doUpdateSet({ enabled: 1 }))
        .execute();
      await this.#recording.apply(trx, [row.deviceId, to.deviceId]);
      return next.id;
    });
    await this.#recording.announce([found.deviceId, to.deviceId]);
    return this.#one(newId);
  }

  /**
   * Refuses a device that can have no cloud storage (BOX-04), a channel that it has not, and more channels than the
   * compatibility list allows (CLOUD-13). `more`: channels that are to come.
   */
  async mustTake(db: DbOrTrx, device: DeviceRow, more: number[]): Promise<void> {
    if (device.accessMode !== 'p2p' || device.boxSerial === null) throw notByAddress(device, 'Cloud storage');
    if (device.kind !== 'isapi' && device.kind !== 'onvif')
      throw new ProblemError('conflict', `“${device.name}” has no video to store.`);
    const beyond = more.find((channel) => channel > device.channelCount);
    if (device.channelCount > 0 && beyond !== undefined)
      throw new ProblemError('conflict', `“${device.name}” has no channel ${beyond}.`);
    const most = await maxCloudChannels(db, device.model, device.firmware);
    if (most === null) return;
    const active = await db
      .selectFrom('cloud_services')
      .select('channel')
      .where('deviceId', '=', device.id)
      .where('endedMs', 'is', null)
      .where('untilMs', '>', this.#clock.now())
      .execute();
    const begun = await db
      .selectFrom('cloud_setups')
      .select('channel')
      .where('deviceId', '=', device.id)
      .where('state', '=', 'pending')
      .execute();
    const all = new Set([...active, ...begun].map((row) => row.channel).concat(more));
    if (all.size > most)
      throw new ProblemError(
        'limit-reached',
        `“${device.name}” (${device.model}) takes cloud storage for ${most} channel${most === 1 ? '' : 's'} at most; with these it would be ${all.size}.`,
      );
  }

  /** Devices leave their site: what was set up is gone, the time that was paid can go elsewhere (CLOUD-26). */
  async devicesLeave(trx: DbOrTrx, deviceIds: string[]): Promise<void> {
    const now = this.#clock.now();
    await trx
      .updateTable('cloud_services')
      .set({ endedMs: now, ended: 'left' })
      .where('deviceId', 'in', [...deviceIds, ''])
      .where('endedMs', 'is', null)
      .execute();
    await trx
      .updateTable('cloud_setups')
      .set({ state: 'failed', code: 'device-left', settledMs: now })
      .where('deviceId', 'in', [...deviceIds, ''])
      .where('state', '=', 'pending')
      .execute();
    await this.#recording.drop(trx, deviceIds);
  }

  /** Tells who has to know of an end that comes, or has come, and ends recording then. */
  async sweep(): Promise<void> {
    const now = this.#clock.now();
    const rows = await this.#named(this.#db)
      .where('s.endedMs', 'is', null)
      .where('s.untilMs', '<=', now + TOLD_BEFORE[0] * DAY_MS)
      .where((e) =>
        e.or([
          // A month that has just begun is told of later.
          e.and([e('s.toldDays', 'is', null), e('s.term', '=', 'year')]),
          e.and([e('s.toldDays', 'is', null), e('s.untilMs', '<=', now + TOLD_BEFORE[1] * DAY_MS)]),
          ...TOLD_BEFORE.map((days) => e.and([e('s.toldDays', '>', days), e('s.untilMs', '<=', now + days * DAY_MS)])),
          e.and([e('s.toldDays', '>', 0), e('s.untilMs', '<=', now)]),
        ]),
      )
      .orderBy('s.untilMs')
      .limit(AT_ONCE)
      .execute();
    for (const row of rows) await this.#tell(row, now);
    if (rows.length > 0) this.#notifier.kick();
  }

  async #tell(row: NamedRow, now: number): Promise<void> {
    const over = row.untilMs <= now;
    const left = TOLD_BEFORE.filter((days) => row.untilMs <= now + days * DAY_MS);
    const toldDays = over ? 0 : Math.min(...left);
    const [code, days]: [NoticeCode, number] = over
      ? ['cloud-service-over', 0]
      : ['cloud-service-ending', Math.max(1, Math.ceil((Number(row.untilMs) - now) / DAY_MS))];
    await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('cloud_services')
        .set({ toldDays })
        .where('id', '=', row.id)
        .where('untilMs', '=', row.untilMs)
        .where('endedMs', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return;
      const site = await trx
        .selectFrom('sites')
        .select(['ownerId', 'timeZone'])
        .where('id', '=', row.siteId)
        .executeTakeFirstOrThrow();
      const day = new Intl.DateTimeFormat('en-CA', { timeZone: site.timeZone, dateStyle: 'short' });
      const notice = {
        category: 'business' as const,
        code,
        link: `/sites/${row.siteId}/cloud`,
        siteId: row.siteId,
        values: {
          device: row.deviceName,
          channel: String(row.channel),
          site: row.siteName,
          date: day.format(Number(row.untilMs)),
          days: String(days),
          keep: String(row.retentionDays),
        },
      };
      for (const id of new Set([row.companyId, site.ownerId])) {
        if (id !== null) await this.#notifier.toCompany(trx, id, notice);
      }
      if (over) await this.#recording.apply(trx, [row.deviceId]);
    });
    if (!over) return;
    await this.#recording.announce([row.deviceId]);
    this.#log.info({ deviceId: row.deviceId, channel: row.channel, serviceId: row.id }, 'a cloud service is over');
  }

  view(row: NamedRow): CloudService {
    const now = this.#clock.now();
    const { id, siteId, siteName, deviceId, deviceName, channel, retentionDays, term } = row;
    return {
      id,
      siteId,
      siteName,
      deviceId,
      deviceName,
      channel,
      retentionDays,
      term,
      state: stateOf(row, now),
      activatedAt: iso(Number(row.activatedMs)),
      until: iso(Number(row.untilMs)),
      ended: row.ended,
      transferable: transferable(row, now),
    };
  }

  async #one(id: string): Promise<CloudService> {
    return this.view(await this.#named(this.#db).where('s.id', '=', id).executeTakeFirstOrThrow());
  }

  /** One whose device is in reach, and not a word of others. */
  async #reached(scope: Scope, id: string): Promise<Row> {
    const row = await this.#db
      .selectFrom('cloud_services')
      .selectAll()
      .where('id', '=', id)
      .where(scope.reaches('cloud_services.siteId', 'cloud_services.deviceId', 'list'))
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }

  async #own(trx: DbOrTrx, scope: Scope, id: string): Promise<Row> {
    const row = await trx.selectFrom('cloud_services').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    if (row.companyId !== scope.companyId)
      throw new ProblemError('not-allowed', 'Another company paid this service: only it renews or hands it on.');
    return row;
  }

  #named(db: DbOrTrx) {
    return db
      .selectFrom('cloud_services as s')
      .innerJoin('devices as d', 'd.id', 's.deviceId')
      .innerJoin('sites as t', 't.id', 's.siteId')
      .selectAll('s')
      .select(['d.name as deviceName', 't.name as siteName']);
  }
}

export const placeKey = ({ deviceId, channel }: Place): string => `${deviceId}/${channel}`;
