import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { CreateSite, EditSite } from '../../protocol/wire/sites.ts';
import { ProblemError } from '../api/problem.ts';
import { endAccounts } from '../arc/end-accounts.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { type SiteRow, sortName } from '../db/schema.ts';
import type { DesiredStates } from '../desired/desired.ts';
import type { Groups } from './groups.ts';
import type { SiteNotices } from './notices.ts';
import { isTimeZone } from './time-zone.ts';

/** Making, changing and deleting sites. Their status changes in relay/handover. */
export class Sites {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #groups: Groups;
  readonly #desired: DesiredStates;
  readonly #notices: SiteNotices;
  readonly #released: (serial: string) => Promise<void>;
  readonly #ends: (trx: DbOrTrx, siteId: string) => Promise<void>;

  constructor(deps: {
    db: Db;
    clock: Clock;
    log: Logger;
    groups: Groups;
    desired: DesiredStates;
    notices: SiteNotices;
    /** Tells a box that it belongs to nobody, and cuts what only claimed ones have. */
    released: (serial: string) => Promise<void>;
    /** What others have of a site that is deleted ends, and they are told: inside that transaction. */
    ends: (trx: DbOrTrx, siteId: string) => Promise<void>;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#groups = deps.groups;
    this.#desired = deps.desired;
    this.#notices = deps.notices;
    this.#released = deps.released;
    this.#ends = deps.ends;
  }

  async create(scope: Scope, wanted: z.output<typeof CreateSite>): Promise<SiteRow> {
    const { timeZone, syncTime, group, ...text } = wanted;
    if (!isTimeZone(timeZone)) {
      throw new ProblemError('invalid-request', `timeZone: ${timeZone} is no time zone like Europe/Berlin`);
    }
    if (scope.companyType === 'customer') throw new ProblemError('not-allowed', 'Sites are made by installers.');
    mustManageSites(scope);
    if (group && wanted.type !== 'personal') throw onlyPersonal(wanted.name);
    const now = this.#clock.now();
    const { companyId } = scope;
    const site = await this.#db.transaction().execute(async (trx) => {
      const id = uuidv7(now);
      const groupId = group ? await this.#groups.find(trx, scope, group) : null;
      const made = await trx
        .insertInto('sites')
        .values({
          ...text,
          id,
          companyId,
          timeZone,
          groupId,
          syncTime: syncTime ? 1 : 0,
          createdAt: iso(now),
          sortName: sortName(text.name),
        })
        .onConflict((o) => o.columns(['companyId', 'name']).where('deletedAt', 'is', null).doNothing())
        .returningAll()
        .executeTakeFirst();
      if (!made) throw sameName(text.name);
      await trx
        .insertInto('grants')
        .values({ id: uuidv7(now), companyId, siteId: id, permission: 'all', source: 'site' })
        .execute();
      // Who made it manages it for Lifetime: so that there is one from the beginning (ASGN-06).
      await trx.insertInto('site_managers').values({ siteId: id, userId: scope.userId, untilMs: null }).execute();
      return made;
    });
    this.#log.info({ siteId: site.id, userId: scope.userId }, 'site made');
    return site;
  }

  async edit(scope: Scope, id: string, wanted: z.output<typeof EditSite>): Promise<SiteRow> {
    if ('timeZone' in wanted) {
      throw new ProblemError(
        'conflict',
        'The time zone of a site cannot be changed once it is made. Make another site.',
      );
    }
    const site = await scope.site(id, 'manage', 'edit');
    const { syncTime, timeZone: _, remark, ...text } = wanted;
    const changes = {
      ...text,
      ...(syncTime === undefined ? {} : { syncTime: syncTime ? 1 : 0 }),
      ...(text.name === undefined ? {} : { sortName: sortName(text.name) }),
      // A partner neither sees nor writes what the installer notes of the customer.
      ...(remark === undefined || site.companyId !== scope.companyId ? {} : { remark }),
    };
    if (Object.keys(changes).length === 0) return site;
    return this.#db.transaction().execute(async (trx) => {
      if (text.name !== undefined) await mustBeFree(trx, site, text.name);
      return trx.updateTable('sites').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
    });
  }

  /**
   * In every status (SITE-16). A site that a customer owns stays with them: the company gives up what it holds of it.
   * Any other is gone: nobody reaches its events and clips any more, and its boxes can be claimed again.
   */
  async remove(scope: Scope, id: string): Promise<void> {
    const site = await scope.site(id, 'list', 'delete');
    if (site.companyId !== scope.companyId)
      throw new ProblemError('not-allowed', 'Only the company that made the site can delete it.');
    mustManageSites(scope);
    const serials = await this.#db.transaction().execute(async (trx) => {
      await this.#notices.toManagers(trx, [site], 'site-deleted', scope);
      await this.#ends(trx, id);
      await trx.deleteFrom('site_managers').where('siteId', '=', id).execute();
      if (site.ownerId !== null) await this.#giveUp(trx, site, site.ownerId);
      return site.ownerId === null ? this.#erase(trx, site) : [];
    });
    if (site.ownerId !== null) await this.#announce(id);
    this.#notices.kick();
    for (const serial of serials) await this.#released(serial);
    this.#log.info({ siteId: id, userId: scope.userId, boxes: serials }, 'site deleted');
  }

  async #announce(siteId: string): Promise<void> {
    const boxes = await this.#db.selectFrom('boxes').select('serial').where('siteId', '=', siteId).execute();
    for (const { serial } of boxes) this.#desired.announce(serial);
  }

  /** The owner's alone from now on. */
  async #giveUp(trx: DbOrTrx, site: SiteRow, ownerId: string): Promise<void> {
    // Alarms went to the company's receivers: nobody could say any more where to.
    await endAccounts(trx, 'siteId', site.id, iso(this.#clock.now()));
    let { name } = site;
    for (let n = 2; await isTaken(trx, ownerId, name, site.id); n++) name = `${site.name.slice(0, 58)} (${n})`;
    await trx
      .updateTable('sites')
      .set({ companyId: ownerId, groupId: null, remark: '', name, sortName: sortName(name), status: 'not-authorized' })
      .where('id', '=', site.id)
      .execute();
    await trx.updateTable('boxes').set({ companyId: ownerId }).where('siteId', '=', site.id).execute();
    const boxes = await trx.selectFrom('boxes').select('serial').where('siteId', '=', site.id).execute();
    for (const { serial } of boxes) await this.#desired.change(serial, 'arc', () => [], trx);
    // What the company held, and what it had given to its partners.
    await trx.deleteFrom('grants').where('siteId', '=', site.id).where('companyId', '<>', ownerId).execute();
    await trx.updateTable('grants').set({ guest: 0 }).where('siteId', '=', site.id).execute();
  }

  async #erase(trx: DbOrTrx, { id }: SiteRow): Promise<string[]> {
    const deletedAt = iso(this.#clock.now());
    const boxes = await trx.selectFrom('boxes').select('serial').where('siteId', '=', id).execute();
    for (const { serial } of boxes)
      for (const section of ['devices', 'recording', 'arc'] as const)
        await this.#desired.change(serial, section, () => [], trx);
    await trx
      .updateTable('boxes')
      .set((e) => ({
        state: e
          .case()
          .when('state', '=', 'revoked')
          .then('revoked' as const)
          .else('unclaimed' as const)
          .end(),
        siteId: null,
        companyId: null,
      }))
      .where('siteId', '=', id)
      .execute();
    const devices = trx.selectFrom('devices').select('id').where('siteId', '=', id);
    await trx.deleteFrom('device_secrets').where('deviceId', 'in', devices).execute();
    await trx
      .updateTable('devices')
      .set({ deletedAt })
      .where('siteId', '=', id)
      .where('deletedAt', 'is', null)
      .execute();
    await endAccounts(trx, 'siteId', id, deletedAt);
    await trx.deleteFrom('warnables').where('siteId', '=', id).execute();
    await trx.deleteFrom('grants').where('siteId', '=', id).execute();
    await trx.updateTable('sites').set({ deletedAt, groupId: null }).where('id', '=', id).execute();
    return boxes.map((box) => box.serial);
  }
}

export const onlyPersonal = (name: string) =>
  new ProblemError('conflict', `“${name}” is a team site: only personal sites are in groups.`);
const sameName = (name: string) =>
  new ProblemError('conflict', `There is a site “${name}” already. Give this one another name.`, {
    errors: [{ path: 'name', message: `There is a site “${name}” already.` }],
  });

/** Throws unless the person may change sites at all. */
export function mustManageSites(scope: Scope): void {
  scope.must('manage-all-sites', 'manage-assigned-sites');
  if (scope.limited) throw new ProblemError('account-limited');
}

async function isTaken(trx: DbOrTrx, companyId: string, name: string, except: string): Promise<boolean> {
  const same = await trx
    .selectFrom('sites')
    .select('id')
    .where('companyId', '=', companyId)
    .where('name', '=', name)
    .where('deletedAt', 'is', null)
    .where('id', '<>', except)
    .executeTakeFirst();
  return same !== undefined;
}

async function mustBeFree(trx: DbOrTrx, site: SiteRow, name: string): Promise<void> {
  if (await isTaken(trx, site.companyId, name, site.id)) throw sameName(name);
}
