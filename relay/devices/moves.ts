import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { seal } from '../../protocol/codec/sealed.ts';
import { ProbeResult } from '../../protocol/wire/box-api.ts';
import type { DesiredState } from '../../protocol/wire/desired.ts';
import type { MoveCandidates, MoveDevices, MovedSetting, MoveResult } from '../../protocol/wire/move.ts';
import { STATUS_ALLOWS } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import { endAccounts } from '../arc/end-accounts.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { type DeviceRow, type SiteRow, sortName } from '../db/schema.ts';
import { contains } from '../db/text-search.ts';
import type { DesiredStates } from '../desired/desired.ts';
import { lockSite } from '../handover/sharing-rules.ts';
import type { Notifier } from '../notify/notifier.ts';
import { isTimeZone } from '../sites/time-zone.ts';
import type { BoxClient } from './box-client.ts';
import type { DevicesLeave } from './leaving.ts';
import { type Plan, planMove, sameOwner, settingsOf } from './move-rules.ts';
import { newSite } from './move-site.ts';
import { reachedBy, tlsOf } from './reached-by.ts';

type Wanted = z.output<typeof MoveDevices>;
const PROBE_TIMEOUT_MS = 20_000;
const MAX_TARGETS = 50;

/** Moves devices between sites of one owner. What was set up for them stays behind. */
export class Moves {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #desired: DesiredStates;
  readonly #box: BoxClient;
  readonly #notifier: Notifier;
  readonly #boxMoved: (serial: string) => Promise<void>;
  readonly #leaves: DevicesLeave;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    desired: DesiredStates;
    box: BoxClient;
    notifier: Notifier;
    /** A connected box belongs to another site now. */
    boxMoved: (serial: string) => Promise<void>;
    leaves?: DevicesLeave;
  }) {
    this.#leaves = deps.leaves ?? (async () => {});
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#desired = deps.desired;
    this.#box = deps.box;
    this.#notifier = deps.notifier;
    this.#boxMoved = deps.boxMoved;
  }

  /** Devices of a site, what each would lose, and the sites they may go to. */
  async candidates(scope: Scope, siteId: string, search: string): Promise<MoveCandidates> {
    const site = await scope.site(siteId, 'manage', 'manage-devices');
    const here = await devicesAt(this.#db, siteId);
    const states = await this.#states(this.#db, here);
    const targets = await this.#db
      .selectFrom('sites')
      .select(['id', 'name'])
      .where('id', 'in', scope.siteIds('manage'))
      .where('id', '<>', siteId)
      .where('companyId', '=', site.companyId)
      .where('ownerId', site.ownerId === null ? 'is' : '=', site.ownerId)
      .where('status', '<>', 'shared')
      .where('status', 'in', STATUS_ALLOWS['manage-devices'])
      .where('deletedAt', 'is', null)
      .$if(search !== '', (q) => q.where(contains('sortName', sortName(search))))
      .orderBy('sortName')
      .orderBy('id')
      .limit(MAX_TARGETS)
      .execute();
    const boxes = await this.#db
      .selectFrom('boxes')
      .select(['serial', 'siteId'])
      .where('siteId', 'in', ['', ...targets.map((target) => target.id)])
      .where('state', '=', 'claimed')
      .orderBy('serial')
      .execute();
    return {
      items: here.map((device) => ({
        deviceId: device.id,
        name: device.name,
        boxSerial: device.boxSerial,
        settings: settingsIn(states, device),
        obstacle: site.status === 'shared' ? 'shared' : device.accessMode === 'p2p' ? null : 'not-p2p',
      })),
      targets: targets.map((target) => ({
        ...target,
        boxes: boxes.filter((box) => box.siteId === target.id).map((box) => box.serial),
      })),
    };
  }

  /** Moves what can go; each device has its own result. */
  async move(scope: Scope, siteId: string, wanted: Wanted): Promise<MoveResult> {
    const from = await scope.site(siteId, 'manage', 'manage-devices');
    scope.must('manage-devices');
    const { target } = wanted;
    const to = 'siteId' in target ? await this.#target(scope, from, target.siteId) : null;
    if ('name' in target) {
      if (from.companyId !== scope.companyId) throw new ProblemError('not-allowed', 'Partners make no sites.');
      if (!isTimeZone(target.timeZone)) {
        throw new ProblemError('invalid-request', `timeZone: ${target.timeZone} is no time zone like Europe/Berlin`);
      }
    }
    const probed = to ? await this.#probe(siteId, to.id, wanted) : new Map<string, ProblemError>();
    const touched = new Set<string>();
    const result = await this.#db.transaction().execute(async (trx): Promise<MoveResult & { boxes: string[] }> => {
      const now = this.#clock.now();
      // Always in the same order, so that two moves in opposite directions cannot wait for one another.
      const ids = [siteId, ...(to ? [to.id] : [])].sort();
      const locked = new Map<string, SiteRow>();
      for (const id of ids) locked.set(id, await lockSite(trx, id));
      const source = locked.get(siteId)!;
      mustAllow(source);
      const here = await devicesAt(trx, siteId);
      const wishes = wanted.devices
        .filter((wish) => !probed.has(wish.deviceId))
        .map(({ deviceId, via }) => ({ deviceId, via: via?.boxSerial ?? null }));
      for (const { deviceId } of wanted.devices) {
        if (!here.some((device) => device.id === deviceId))
          throw new ProblemError('not-found', 'A device is not here.');
      }
      const there = to ? locked.get(to.id)! : { ...source, id: '', status: source.status };
      if (to) mustTake(source, there);
      const plan = planMove({
        wishes,
        here,
        boxesThere: to ? await boxesAt(trx, to.id) : [],
        channelsThere: to ? (await devicesAt(trx, to.id)).reduce((sum, device) => sum + device.channelCount, 0) : 0,
        from: source,
        to: there,
      });
      const states = await this.#states(trx, here);
      const dropped = new Map(plan.moving.map((device) => [device.id, settingsIn(states, device as DeviceRow)]));
      let targetId = to?.id ?? null;
      if (plan.moving.length > 0) {
        targetId ??= await newSite(trx, source, target as { name: string; timeZone: string }, now);
        await this.#carry(trx, siteId, targetId, plan, wanted, touched, now);
        await this.#tell(trx, source, targetId, plan.moving.length);
      }
      return {
        boxes: plan.boxes,
        siteId: plan.moving.length > 0 ? targetId : null,
        items: wanted.devices.map(({ deviceId }) => {
          const moved = dropped.has(deviceId);
          const problem = probed.get(deviceId);
          return {
            deviceId,
            moved,
            dropped: dropped.get(deviceId) ?? ([] as MovedSetting[]),
            code: problem?.code ?? plan.obstacles.get(deviceId) ?? null,
            detail: problem?.detail ?? null,
          };
        }),
      };
    });
    this.#notifier.kick();
    for (const serial of touched) this.#desired.announce(serial);
    for (const serial of result.boxes) await this.#boxMoved(serial);
    const { boxes, ...answer } = result;
    this.#log.info({ siteId, to: answer.siteId, boxes, userId: scope.userId }, 'devices moved');
    return answer;
  }

  async #target(scope: Scope, from: SiteRow, id: string): Promise<SiteRow> {
    if (id === from.id) throw new ProblemError('conflict', 'The devices are at this site already.');
    const to = await scope.site(id, 'manage', 'manage-devices');
    mustTake(from, to);
    return to;
  }

  /** Before the transaction: the boxes that are to take devices over try their passwords, once each. */
  async #probe(siteId: string, targetId: string, wanted: Wanted): Promise<Map<string, ProblemError>> {
    const failed = new Map<string, ProblemError>();
    const devices = await devicesAt(this.#db, siteId);
    const boxes = await boxesAt(this.#db, targetId);
    await Promise.all(
      wanted.devices.map(async ({ deviceId, via }) => {
        const device = devices.find((row) => row.id === deviceId);
        if (!via || !device || !boxes.includes(via.boxSerial)) return;
        const { host, httpPort, username } = device;
        if (device.kind === 'dc09') {
          const text = `“${device.name}” sends to its box: it moves with that, or is added again at the other one.`;
          failed.set(deviceId, new ProblemError('conflict', text));
          return;
        }
        await this.#box
          .json(via.boxSerial, ProbeResult, 'POST', '/v1/devices/probe', {
            body: { host, httpPort, tls: tlsOf(device), username, password: via.password, kind: device.kind },
            timeoutMs: PROBE_TIMEOUT_MS,
          })
          .catch((error) => {
            if (!(error instanceof ProblemError)) throw error;
            failed.set(deviceId, error);
          });
      }),
    );
    return failed;
  }

  async #states(db: DbOrTrx, devices: readonly DeviceRow[]): Promise<Map<string, DesiredState>> {
    const states = new Map<string, DesiredState>();
    for (const serial of new Set(devices.flatMap((device) => device.boxSerial ?? []))) {
      states.set(serial, await this.#desired.get(serial, db));
    }
    return states;
  }

  /** Takes devices, and boxes with them, over to the other site, and drops what was set up for them. */
  async #carry(
    trx: DbOrTrx,
    fromId: string,
    toId: string,
    { moving, boxes }: Plan,
    wanted: Wanted,
    touched: Set<string>,
    now: number,
  ): Promise<void> {
    const ids = new Set(moving.map((device) => device.id));
    await this.#leaves(trx, [...ids]);
    for (const serial of new Set(moving.flatMap((device) => device.boxSerial ?? []))) {
      touched.add(serial);
      await this.#desired.change(serial, 'recording', (items) => items.filter((item) => !ids.has(item.deviceId)), trx);
      if (boxes.includes(serial)) await this.#dropAccounts(trx, serial, now);
      else await this.#dropZones(trx, serial, ids);
    }
    for (const device of moving) {
      const via = wanted.devices.find((wish) => wish.deviceId === device.id)?.via;
      if (via) await this.#handToBox(trx, device.id, device.boxSerial, via, touched);
    }
    for (const serial of boxes) {
      await trx.updateTable('boxes').set({ siteId: toId }).where('serial', '=', serial).execute();
      await trx
        .updateTable('warnables')
        .set({ siteId: toId })
        .where('siteId', '=', fromId)
        .where('subject', '=', `box:${serial}`)
        .execute();
    }
    const list = [...ids];
    await trx.updateTable('devices').set({ siteId: toId }).where('id', 'in', list).execute();
    // What somebody may do with a device goes with the device.
    await trx.updateTable('grants').set({ siteId: toId }).where('deviceId', 'in', list).execute();
    await trx.updateTable('device_invitations').set({ siteId: toId }).where('deviceId', 'in', list).execute();
    await trx
      .updateTable('permission_application_items')
      .set({ state: 'withdrawn', decidedMs: now })
      .where('deviceId', 'in', list)
      .where('state', '=', 'pending')
      .execute();
  }

  /** The box that takes a device over gets its password, sealed to that box. */
  async #handToBox(
    trx: DbOrTrx,
    deviceId: string,
    oldSerial: string | null,
    { boxSerial, password }: { boxSerial: string; password: string },
    touched: Set<string>,
  ): Promise<void> {
    if (oldSerial !== null) {
      await this.#desired.change(oldSerial, 'devices', (items) => items.filter((item) => item.id !== deviceId), trx);
    }
    const { sealKey } = await trx
      .selectFrom('boxes')
      .select('sealKey')
      .where('serial', '=', boxSerial)
      .executeTakeFirstOrThrow();
    await trx.updateTable('devices').set({ boxSerial }).where('id', '=', deviceId).execute();
    const row = await trx.selectFrom('devices').selectAll().where('id', '=', deviceId).executeTakeFirstOrThrow();
    const sealed = seal(password, sealKey, `device:${deviceId}`);
    const item = { ...reachedBy(row), password: sealed, credentialVersion: 1 };
    await this.#desired.change(boxSerial, 'devices', (items) => [...items, item], trx);
    touched.add(boxSerial);
  }

  /** A box that goes to another site reports to no ARC any more before somebody sets that up there. */
  async #dropAccounts(trx: DbOrTrx, serial: string, now: number): Promise<void> {
    await endAccounts(trx, 'boxSerial', serial, iso(now));
    await this.#desired.change(serial, 'arc', () => [], trx);
  }

  async #dropZones(trx: DbOrTrx, serial: string, ids: ReadonlySet<string>): Promise<void> {
    const without = <T extends { deviceId: string }>(zones: T[]) => zones.filter((zone) => !ids.has(zone.deviceId));
    const rows = await trx
      .selectFrom('arc_accounts')
      .select(['id', 'zones'])
      .where('boxSerial', '=', serial)
      .where('deletedAt', 'is', null)
      .execute();
    for (const { id, zones } of rows) {
      const left = JSON.stringify(without(JSON.parse(zones)));
      await trx.updateTable('arc_accounts').set({ zones: left }).where('id', '=', id).execute();
    }
    const update = (items: DesiredState['sections']['arc']['items']) =>
      items.map((item) => ({ ...item, zones: without(item.zones) }));
    await this.#desired.change(serial, 'arc', update, trx);
  }

  async #tell(trx: DbOrTrx, from: SiteRow, toId: string, count: number): Promise<void> {
    if (from.ownerId === null) return;
    const to = await trx.selectFrom('sites').select('name').where('id', '=', toId).executeTakeFirstOrThrow();
    await this.#notifier.toCompany(trx, from.ownerId, {
      category: 'business',
      code: 'devices-moved',
      link: `/sites/${toId}`,
      siteId: toId,
      values: { from: from.name, to: to.name, count: String(count) },
    });
  }
}

const devicesAt = (db: DbOrTrx, siteId: string): Promise<DeviceRow[]> =>
  db
    .selectFrom('devices')
    .selectAll()
    .where('siteId', '=', siteId)
    .where('deletedAt', 'is', null)
    .orderBy('createdAt')
    .orderBy('id')
    .execute();

const boxesAt = async (db: DbOrTrx, siteId: string): Promise<string[]> =>
  (
    await db.selectFrom('boxes').select('serial').where('siteId', '=', siteId).where('state', '=', 'claimed').execute()
  ).map((box) => box.serial);

function settingsIn(states: ReadonlyMap<string, DesiredState>, device: DeviceRow): MovedSetting[] {
  const sections = device.boxSerial === null ? undefined : states.get(device.boxSerial)?.sections;
  return sections ? settingsOf(device.id, sections.recording.items, sections.arc.items) : [];
}

function mustAllow(site: SiteRow): void {
  if (!STATUS_ALLOWS['manage-devices'].includes(site.status)) throw new ProblemError('site-status');
}

function mustTake(from: SiteRow, to: SiteRow): void {
  mustAllow(to);
  if (to.status === 'shared') {
    throw new ProblemError('site-status', 'The site is shared with tenants: devices cannot be moved there.');
  }
  if (!sameOwner(from, to)) throw new ProblemError('conflict', 'Both sites must have the same owner.');
}
