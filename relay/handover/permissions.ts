import { type Clock, iso } from '../../protocol/clock.ts';
import {
  ASKABLE,
  type Askable,
  authorizationOf,
  type HeldPermission,
  SITE_WIDE,
  type SiteAccess,
  type SitePermissions,
} from '../../protocol/wire/handover.ts';
import { PERMISSIONS, type Permission, STATUS_ALLOWS } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { Notifier } from '../notify/notifier.ts';
import {
  type AuthorizationOver,
  askableOf,
  covers,
  GIVEN_SOURCES,
  later,
  live,
  mustHandle,
  refreshStatus,
} from './rules.ts';

interface Ref {
  deviceId: string | null;
  permission: Askable;
}

/** What a company may do at a site of somebody else: see it, give it back, take it away. */
export class Permissions {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #notifier: Notifier;
  readonly #over: AuthorizationOver;

  constructor(deps: { db: Db; clock: Clock; notifier: Notifier; over: AuthorizationOver }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#notifier = deps.notifier;
    this.#over = deps.over;
  }

  /** Every permission that there is at the site, and how the caller's company stands with it. */
  async held(scope: Scope, siteId: string): Promise<SitePermissions> {
    const site = await scope.site(siteId);
    if (scope.companyType === 'customer') {
      throw new ProblemError(
        'not-allowed',
        'This is for who serves the site. What others may do here, the owner sees.',
      );
    }
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('grants')
      .select(['deviceId', 'permission', 'untilMs', 'source'])
      .where('siteId', '=', site.id)
      .where('companyId', '=', scope.companyId)
      .execute();
    const grants = rows.filter((row) => live(row, now));
    const pending = await this.#db
      .selectFrom('permission_application_items as i')
      .innerJoin('permission_applications as a', 'a.id', 'i.applicationId')
      .select(['i.deviceId', 'i.permission'])
      .where('a.siteId', '=', site.id)
      .where('a.companyId', '=', scope.companyId)
      .where('i.state', '=', 'pending')
      .execute();
    const devices = await this.#db
      .selectFrom('devices')
      .select(['id', 'name'])
      .where('siteId', '=', site.id)
      .where('deletedAt', 'is', null)
      .where(scope.reaches('devices.siteId', 'devices.id', 'list'))
      .orderBy('id')
      .execute();

    const may = (permission: Askable): boolean => {
      try {
        mustHandle(scope, permission);
        return true;
      } catch {
        return false;
      }
    };
    const authorization = authorizationOf(site.type);
    const row = (permission: Askable, device: { id: string; name: string } | null): HeldPermission => {
      const deviceId = device?.id ?? null;
      const giving = grants.filter((grant) => covers(grant, permission, deviceId));
      const until = giving
        .map((grant) => grant.untilMs)
        .reduce<number | null | undefined>((a, b) => (a === undefined ? b : later(a, b)), undefined);
      const granted = until !== undefined;
      const applied = !granted && pending.some((p) => p.permission === permission && p.deviceId === deviceId);
      const waits = pending.some((p) => p.permission === permission && p.deviceId === deviceId);
      const operation = permission === authorization ? 'apply-authorization' : 'apply-permissions';
      return {
        deviceId,
        deviceName: device?.name ?? null,
        permission,
        state: granted ? 'granted' : applied ? 'applied' : 'none',
        until: granted && until !== null ? iso(Number(until)) : null,
        mayApply:
          !waits &&
          until !== null &&
          STATUS_ALLOWS[operation].includes(site.status) &&
          (permission !== authorization || scope.companyId === site.companyId) &&
          may(permission),
        mayRelease:
          may(permission) &&
          grants.some(
            (g) => g.permission === permission && g.deviceId === deviceId && GIVEN_SOURCES.includes(g.source),
          ),
      };
    };
    const owner = site.ownerId
      ? await this.#db.selectFrom('companies').select('name').where('id', '=', site.ownerId).executeTakeFirstOrThrow()
      : null;
    const wide = askableOf(site.type).filter((permission) => SITE_WIDE.includes(permission));
    const each = askableOf(site.type).filter((permission) => !SITE_WIDE.includes(permission));
    return {
      siteId: site.id,
      type: site.type,
      status: site.status,
      owner,
      items: [
        ...wide.map((permission) => row(permission, null)),
        ...devices.flatMap((device) => each.map((permission) => row(permission, device))),
      ],
    };
  }

  /** Gives back what the caller's company was granted: it is gone at once. */
  async release(scope: Scope, siteId: string, refs: readonly Ref[]): Promise<SitePermissions> {
    const site = await scope.site(siteId);
    for (const { permission } of refs) mustHandle(scope, permission);
    await this.#db.transaction().execute(async (trx) => {
      await this.#drop(trx, site.id, scope.companyId, refs);
      if (site.ownerId) {
        await this.#notifier.toCompany(trx, site.ownerId, {
          category: 'site',
          code: 'permissions-released',
          values: { site: site.name, company: await nameOf(trx, scope.companyId), count: String(refs.length) },
          link: `/sites/${site.id}/access`,
          siteId: site.id,
        });
      }
    });
    this.#notifier.kick();
    return this.held(scope, siteId);
  }

  /** Who may do what at a site of the caller's now. */
  async access(scope: Scope, siteId: string): Promise<SiteAccess> {
    const site = await scope.site(siteId, 'own');
    const now = this.#clock.now();
    const rows = await this.#db
      .selectFrom('grants as g')
      .innerJoin('companies as c', 'c.id', 'g.companyId')
      .leftJoin('devices as d', 'd.id', 'g.deviceId')
      .select([
        'g.deviceId',
        'g.permission',
        'g.untilMs',
        'g.source',
        'c.id',
        'c.name',
        'c.type',
        'd.name as deviceName',
      ])
      .where('g.siteId', '=', site.id)
      .where('g.companyId', '!=', scope.companyId)
      .where('d.deletedAt', 'is', null)
      .execute();
    // By company; of each the whole site before its devices.
    const rank = (row: (typeof rows)[0]) =>
      `${row.name}\0${row.id}\0${row.deviceId ?? ''}\0${PERMISSIONS.indexOf(row.permission)}`;
    const merged = Map.groupBy(
      rows.filter((row) => live(row, now)).sort((a, b) => (rank(a) < rank(b) ? -1 : 1)),
      (row) => `${row.id} ${row.deviceId} ${row.permission}`,
    );
    return {
      siteId: site.id,
      items: [...merged.values()].map((same) => {
        const [first] = same as [(typeof rows)[0]];
        const until = same.map((row) => row.untilMs).reduce(later);
        return {
          company: { id: first.id, name: first.name, type: first.type },
          permission: first.permission,
          deviceId: first.deviceId,
          deviceName: first.deviceName,
          until: until === null ? null : iso(Number(until)),
          mayWithdraw: isAskable(first.permission) && same.some((row) => WITHDRAWN.includes(row.source)),
        };
      }),
    };
  }

  /** The owner takes back what a company may do: it is gone at once. */
  async withdraw(scope: Scope, siteId: string, companyId: string, refs: readonly Ref[]): Promise<SiteAccess> {
    const site = await scope.site(siteId, 'own');
    if (companyId === scope.companyId) throw new ProblemError('not-found');
    await this.#db.transaction().execute(async (trx) => {
      await this.#drop(trx, site.id, companyId, refs);
      await this.#notifier.toCompany(trx, companyId, {
        category: 'site',
        code: 'permissions-withdrawn',
        values: { site: site.name, customer: await nameOf(trx, scope.companyId), count: String(refs.length) },
        link: `/sites/${site.id}/customer`,
        siteId: site.id,
      });
    });
    this.#notifier.kick();
    return this.access(scope, siteId);
  }

  /** All or nothing: a reference to what is not held undoes the rest. */
  async #drop(trx: DbOrTrx, siteId: string, companyId: string, refs: readonly Ref[]): Promise<void> {
    for (const { permission, deviceId } of refs) {
      const { numDeletedRows } = await trx
        .deleteFrom('grants')
        .where('siteId', '=', siteId)
        .where('companyId', '=', companyId)
        .where('permission', '=', permission)
        .where('deviceId', deviceId === null ? 'is' : '=', deviceId)
        .where('source', 'in', WITHDRAWN)
        .where((e) => e.or([e('untilMs', 'is', null), e('untilMs', '>', this.#clock.now())]))
        .executeTakeFirst();
      if (numDeletedRows === 0n) throw new ProblemError('conflict', `“${permission}” is not held there any more.`);
    }
    await refreshStatus(trx, siteId, this.#clock.now(), this.#over);
  }
}

/** What an owner can take back: also what a partner has of it. */
const WITHDRAWN = [...GIVEN_SOURCES, 'collaboration' as const];
const isAskable = (permission: Permission): boolean => (ASKABLE as readonly string[]).includes(permission);

export const nameOf = async (db: DbOrTrx, companyId: string): Promise<string> =>
  (await db.selectFrom('companies').select('name').where('id', '=', companyId).executeTakeFirstOrThrow()).name;
