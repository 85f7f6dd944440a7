import { type Clock, iso } from '../../protocol/clock.ts';
import { HOME_SHOWN, type Home as HomeAnswer, type HomeItem, type HomeKind } from '../../protocol/wire/home.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import type { DeviceStates } from '../devices/device-states.ts';
import type { Presence } from '../health/presence.ts';
import type { Views } from '../sites/views.ts';

const DAY_MS = 86_400_000;
/** A box tells its health every 15 s: one that was heard later than this may be online. */
const HEARD_MS = 60_000;
const ASSIGNMENT_WARNING_MS = 7 * DAY_MS;
const PERMISSION_WARNING_MS = DAY_MS;
/** Candidates that are looked at where more than the database decides. */
const LOOKED_AT = 100;
const RECENT_SITES = 6;

type Found = Omit<HomeItem, 'kind'>;
const SITE = ['s.id as siteId', 's.name as siteName', 's.timeZone'] as const;
const siteOf = (row: { siteId: string; siteName: string; timeZone: string }) => ({
  id: row.siteId,
  name: row.siteName,
  timeZone: row.timeZone,
});
const at = (ms: number | null) => (ms === null ? null : iso(Number(ms)));

/**
 * What needs a person's attention now. Every question is answered from an index and by few rows, so that it costs the same
 * with one site and with a hundred thousand.
 */
export class Home {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #presence: Presence;
  readonly #states: DeviceStates;
  readonly #views: Views;

  constructor(deps: { db: Db; clock: Clock; presence: Presence; states: DeviceStates; views: Views }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#presence = deps.presence;
    this.#states = deps.states;
    this.#views = deps.views;
  }

  /** @param visited the sites that the person was at last */
  async of(scope: Scope, visited: readonly string[]): Promise<HomeAnswer> {
    const kinds: [HomeKind, Promise<Found[]>][] = [
      ['box-duplicate', this.#duplicates(scope)],
      ['box-gone', this.#gone(scope)],
      ['device-trouble', this.#devices(scope)],
      ['problem', this.#problems(scope)],
      ['join-request', this.#joinRequests(scope)],
      ['partner-invitation', this.#partnerInvitations(scope)],
      ['permission-request', this.#permissionRequests(scope)],
      ['permission-asked', this.#permissionsAsked(scope)],
      ['transfer-open', this.#transfers(scope)],
      ['assignment-ends', this.#assignments(scope)],
      ['permission-ends', this.#permissions(scope)],
      ['company-unproven', this.#company(scope)],
    ];
    const items: HomeItem[] = [];
    const more: HomeKind[] = [];
    for (const [kind, asked] of kinds) {
      const found = await asked;
      items.push(...found.slice(0, HOME_SHOWN).map((item) => ({ kind, ...item })));
      if (found.length > HOME_SHOWN) more.push(kind);
    }
    const rows = await this.#sites(scope, visited);
    return { items, more, sites: await this.#views.sites(scope, rows), anySite: rows.length > 0 };
  }

  #boxes(scope: Scope) {
    return this.#db
      .selectFrom('boxes as b')
      .innerJoin('sites as s', 's.id', 'b.siteId')
      .select(['b.serial', 'b.seenMs', ...SITE])
      .where('s.deletedAt', 'is', null)
      .where(scope.reaches('s.id', null, 'view'))
      .orderBy('b.seenMs');
  }

  async #duplicates(scope: Scope): Promise<Found[]> {
    const rows = await this.#boxes(scope)
      .where('b.state', '=', 'duplicate')
      .limit(HOME_SHOWN + 1)
      .execute();
    return rows.map((row) => ({ name: row.serial, site: siteOf(row), deviceId: null, text: null, at: at(row.seenMs) }));
  }

  async #gone(scope: Scope): Promise<Found[]> {
    const late = this.#boxes(scope)
      .where('b.state', '=', 'claimed')
      .where('b.seenMs', '<', this.#clock.now() - HEARD_MS)
      .limit(LOOKED_AT);
    // Asked apart, each by an index: else everybody's silent boxes would be looked at.
    const own = await late.where('b.companyId', '=', scope.companyId).execute();
    const others = await late.where('b.siteId', 'in', scope.siteIds('view').where('grants.guest', '=', 1)).execute();
    return [...own, ...others]
      .sort((a, b) => Number(a.seenMs) - Number(b.seenMs))
      .filter((row) => !this.#presence.online(row.serial))
      .slice(0, HOME_SHOWN + 1)
      .map((row) => ({
        name: row.serial,
        site: siteOf(row),
        deviceId: null,
        text: null,
        at: at(this.#presence.sinceMs(row.serial) ?? row.seenMs),
      }));
  }

  async #devices(scope: Scope): Promise<Found[]> {
    const offline = this.#states.offline();
    const rows = [];
    for (let i = 0; i < offline.length && rows.length <= HOME_SHOWN; i += 500) {
      rows.push(
        ...(await this.#db
          .selectFrom('devices as d')
          .innerJoin('sites as s', 's.id', 'd.siteId')
          .select(['d.id', 'd.name', ...SITE])
          .where('d.id', 'in', offline.slice(i, i + 500))
          .where('d.deletedAt', 'is', null)
          .where('s.deletedAt', 'is', null)
          .where(scope.reaches('d.siteId', 'd.id', 'view'))
          .limit(HOME_SHOWN + 1)
          .execute()),
      );
    }
    return rows.map((row) => ({ name: row.name, site: siteOf(row), deviceId: row.id, text: null, at: null }));
  }

  async #problems(scope: Scope): Promise<Found[]> {
    const rows = await this.#db
      .selectFrom('warnables as w')
      .innerJoin('sites as s', 's.id', 'w.siteId')
      .select(['w.text', 'w.since', 'w.subject', ...SITE])
      .where('w.severity', '<>', 'info')
      .where('w.code', '<>', 'duplicate-identity')
      .where((e) => e.or([e('w.untilMs', 'is', null), e('w.untilMs', '>', this.#clock.now())]))
      .where('s.deletedAt', 'is', null)
      .where(scope.reaches('s.id', null, 'view'))
      .orderBy('w.since')
      .limit(HOME_SHOWN + 1)
      .execute();
    return rows.map((row) => ({
      name: row.subject,
      site: siteOf(row),
      deviceId: null,
      text: row.text,
      at: row.since,
    }));
  }

  async #joinRequests(scope: Scope): Promise<Found[]> {
    if (!scope.may('manage-accounts')) return [];
    const rows = await this.#db
      .selectFrom('join_requests')
      .select(['name', 'createdMs'])
      .where('companyId', '=', scope.companyId)
      .where('expiresMs', '>', this.#clock.now())
      .orderBy('createdMs')
      .limit(HOME_SHOWN + 1)
      .execute();
    return rows.map((row) => ({ name: row.name, site: null, deviceId: null, text: null, at: at(row.createdMs) }));
  }

  async #partnerInvitations(scope: Scope): Promise<Found[]> {
    const rows = await this.#db
      .selectFrom('collaborations as x')
      .innerJoin('companies as c', 'c.id', 'x.companyId')
      .select(['c.name', 'x.createdMs'])
      .where('x.partnerId', '=', scope.companyId)
      .where('x.userId', '=', scope.userId)
      .where('x.partnerAnswer', '=', 'pending')
      .where('x.state', '=', 'invited')
      .orderBy('x.createdMs')
      .limit(HOME_SHOWN + 1)
      .execute();
    return rows.map((row) => ({ name: row.name, site: null, deviceId: null, text: null, at: at(row.createdMs) }));
  }

  /** What others ask of this tenant. */
  #permissionRequests(scope: Scope): Promise<Found[]> {
    return this.#applications('deciderId', 'companyId', scope);
  }

  /** What this tenant asked of others, who have not decided yet. */
  #permissionsAsked(scope: Scope): Promise<Found[]> {
    return this.#applications('companyId', 'deciderId', scope);
  }

  async #applications(own: 'companyId' | 'deciderId', named: 'companyId' | 'deciderId', scope: Scope) {
    const rows = await this.#db
      .selectFrom('permission_applications as a')
      .innerJoin('companies as c', 'c.id', `a.${named}`)
      .innerJoin('sites as s', 's.id', 'a.siteId')
      .select(['c.name', 'a.createdMs', ...SITE])
      .where(`a.${own}`, '=', scope.companyId)
      .$if(own === 'companyId', (q) => q.where('s.deletedAt', 'is', null).where(scope.reaches('s.id', null, 'list')))
      .where((e) =>
        e.exists(
          e
            .selectFrom('permission_application_items as i')
            .select('i.id')
            .whereRef('i.applicationId', '=', 'a.id')
            .where('i.state', '=', 'pending'),
        ),
      )
      .orderBy('a.createdMs')
      .limit(HOME_SHOWN + 1)
      .execute();
    return rows.map((row) => ({
      name: row.name,
      site: siteOf(row),
      deviceId: null,
      text: null,
      at: at(row.createdMs),
    }));
  }

  /** Handovers that wait for the customer, those that end first at the top. */
  async #transfers(scope: Scope): Promise<Found[]> {
    const rows = await this.#db
      .selectFrom('transfers as t')
      .innerJoin('sites as s', 's.id', 't.siteId')
      .select(['t.customerName', 't.expiresMs', ...SITE])
      .where('t.companyId', '=', scope.companyId)
      .where('t.state', '=', 'sent')
      .where('t.expiresMs', '>', this.#clock.now())
      .where('s.deletedAt', 'is', null)
      .where(scope.reaches('s.id', null, 'list'))
      .orderBy('t.expiresMs')
      .limit(HOME_SHOWN + 1)
      .execute();
    return rows.map((row) => ({
      name: row.customerName,
      site: siteOf(row),
      deviceId: null,
      text: null,
      at: at(row.expiresMs),
    }));
  }

  async #assignments(scope: Scope): Promise<Found[]> {
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('site_managers as m')
      .innerJoin('sites as s', 's.id', 'm.siteId')
      .select(['m.untilMs', ...SITE])
      .where('m.userId', '=', scope.userId)
      .where('m.untilMs', '>', now)
      .where('m.untilMs', '<', now + ASSIGNMENT_WARNING_MS)
      .where('s.id', 'in', scope.siteIds())
      .where('s.deletedAt', 'is', null)
      .orderBy('m.untilMs')
      .limit(HOME_SHOWN + 1)
      .execute();
    return rows.map((row) => ({
      name: row.siteName,
      site: siteOf(row),
      deviceId: null,
      text: null,
      at: at(row.untilMs),
    }));
  }

  async #permissions(scope: Scope): Promise<Found[]> {
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('grants as g')
      .innerJoin('devices as d', 'd.id', 'g.deviceId')
      .innerJoin('sites as s', 's.id', 'd.siteId')
      .select(['d.id', 'd.name', 'g.untilMs', 'g.permission', ...SITE])
      .where('g.companyId', '=', scope.companyId)
      .where('g.untilMs', '>', now)
      .where('g.untilMs', '<', now + PERMISSION_WARNING_MS)
      .where('d.deletedAt', 'is', null)
      .where(scope.reaches('d.siteId', 'd.id', 'view'))
      .orderBy('g.untilMs')
      .limit(LOOKED_AT)
      .execute();
    // Live view and playback of one camera that end together are one thing to look at.
    const ends = Map.groupBy(rows, (row) => `${row.id} ${row.untilMs}`);
    return [...ends.values()].slice(0, HOME_SHOWN + 1).map(([row]) => ({
      name: row!.name,
      site: siteOf(row!),
      deviceId: row!.id,
      text: null,
      at: at(row!.untilMs),
    }));
  }

  async #company(scope: Scope): Promise<Found[]> {
    if (!scope.admin || scope.companyType === 'customer' || scope.companyType === 'operator') return [];
    const company = await this.#db
      .selectFrom('companies')
      .select('name')
      .where('id', '=', scope.companyId)
      .where('authentication', 'in', ['none', 'rejected'])
      .executeTakeFirst();
    return company ? [{ name: company.name, site: null, deviceId: null, text: null, at: null }] : [];
  }

  async #sites(scope: Scope, visited: readonly string[]): Promise<SiteRow[]> {
    const query = this.#db
      .selectFrom('sites')
      .selectAll()
      .where('deletedAt', 'is', null)
      .where(scope.reaches('sites.id', null, 'list'));
    const known = visited.length === 0 ? [] : await query.where('id', 'in', visited).execute();
    if (known.length > 0) return known.sort((a, b) => visited.indexOf(a.id) - visited.indexOf(b.id));
    return this.#first(scope);
  }

  /** For who was at none yet: a few, without listing all that are in reach. */
  async #first(scope: Scope): Promise<SiteRow[]> {
    const sites = this.#db.selectFrom('sites').selectAll().where('deletedAt', 'is', null).limit(RECENT_SITES);
    const reached = sites.where((e) => e.exists(scope.siteIds().where('grants.siteId', '=', e.ref('sites.id'))));
    if (!scope.may('manage-all-sites')) {
      const assigned = this.#db.selectFrom('site_managers').select('siteId').where('userId', '=', scope.userId);
      return reached.where('id', 'in', assigned).orderBy('id', 'desc').execute();
    }
    const own = await reached.where('companyId', '=', scope.companyId).orderBy('sortName').orderBy('id').execute();
    if (own.length > 0) return own;
    return sites
      .where('id', 'in', scope.siteIds().where('grants.guest', '=', 1))
      .orderBy('id', 'desc')
      .execute();
  }
}
