import { type Clock, iso } from '../../protocol/clock.ts';
import type { Page } from '../../protocol/wire/api.ts';
import {
  type ApplyPermissions,
  authorizationOf,
  type DecideApplication,
  type PermissionApplication,
  SITE_WIDE,
} from '../../protocol/wire/handover.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { NoticeCode } from '../../protocol/wire/notify.ts';
import type { Validity } from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import type { Notifier } from '../notify/notifier.ts';
import { nameOf } from './permissions.ts';
import { type AuthorizationOver, askableOf, covers, endOf, live, mustHandle, refreshStatus } from './rules.ts';
import type { HandoverTables } from './schema.ts';

type Items = ApplyPermissions['items'];
type ApplicationRow = HandoverTables['permission_applications'];
interface Filter {
  siteId?: string | undefined;
  open?: boolean | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** Asking a customer for permissions, and his decisions, item by item. */
export class Applications {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #notifier: Notifier;
  readonly #administrator: (trx: DbOrTrx, siteId: string) => Promise<string | null>;
  readonly #over: AuthorizationOver;

  /** `administrator`: the tenant that decides at a shared site, which has no owner; null: nobody is to be asked. */
  constructor(deps: {
    db: Db;
    clock: Clock;
    notifier: Notifier;
    administrator: (trx: DbOrTrx, siteId: string) => Promise<string | null>;
    over: AuthorizationOver;
  }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#notifier = deps.notifier;
    this.#administrator = deps.administrator;
    this.#over = deps.over;
  }

  /** Asks to manage the site again. Only who handed it over can. */
  async applyAuthorization(
    scope: Scope,
    siteId: string,
    { validity, remark }: { validity: Validity; remark: string },
  ): Promise<PermissionApplication> {
    const site = await scope.site(siteId, 'list', 'apply-authorization');
    const permission = authorizationOf(site.type);
    mustHandle(scope, permission);
    if (scope.companyId !== site.companyId) {
      throw new ProblemError('not-allowed', 'Only the company that handed the site over can ask to manage it.');
    }
    return this.#apply(scope, site, [{ permission, deviceId: null, validity }], remark, 'authorization-requested');
  }

  async apply(scope: Scope, siteId: string, { items, remark }: ApplyPermissions): Promise<PermissionApplication> {
    const site = await scope.site(siteId, 'list', 'apply-permissions');
    for (const { permission, deviceId } of items) {
      mustHandle(scope, permission);
      if (permission === 'manage' || !askableOf(site.type).includes(permission))
        throw new ProblemError('invalid-request', `items: “${permission}” is not asked for this way at this site`);
      if (SITE_WIDE.includes(permission) !== (deviceId === null))
        throw new ProblemError(
          'invalid-request',
          `items: “${permission}” is for ${deviceId ? 'the site' : 'a device'}`,
        );
      if (permission === 'services' && scope.companyId !== site.companyId) throw new ProblemError('not-allowed');
      if (deviceId && (await scope.device(deviceId)).siteId !== site.id) throw new ProblemError('not-found');
    }
    return this.#apply(scope, site, items, remark, 'permissions-requested');
  }

  async #apply(scope: Scope, site: SiteRow, items: Items, remark: string, code: NoticeCode) {
    const id = await this.#db.transaction().execute(async (trx) => {
      const deciderId = site.ownerId ?? (await this.#administrator(trx, site.id));
      if (!deciderId) throw new ProblemError('conflict', 'There is nobody at this site who is to be asked.');
      await this.#mustBeNew(trx, scope, site.id, items);
      const now = this.#clock.now();
      const application: ApplicationRow = {
        id: uuidv7(now),
        siteId: site.id,
        companyId: scope.companyId,
        userId: scope.userId,
        deciderId,
        remark,
        createdMs: now,
      };
      await trx.insertInto('permission_applications').values(application).execute();
      const rows = items.map((item) => ({
        ...item,
        id: uuidv7(now),
        applicationId: application.id,
        state: 'pending' as const,
        decidedMs: null,
      }));
      for (let i = 0; i < rows.length; i += 100)
        await trx
          .insertInto('permission_application_items')
          .values(rows.slice(i, i + 100))
          .execute();
      await this.#notifier.toCompany(trx, deciderId, {
        category: 'site',
        code,
        values: {
          site: site.name,
          company: await nameOf(trx, scope.companyId),
          count: String(items.length),
          remark: remark || '–',
        },
        link: `/requests/${application.id}`,
        siteId: site.id,
      });
      return application.id;
    });
    this.#notifier.kick();
    return this.#view(await this.#row(id));
  }

  /** Nothing is asked for twice, nor what is held for good. */
  async #mustBeNew(trx: DbOrTrx, scope: Scope, siteId: string, items: Items): Promise<void> {
    const key = (item: { permission: string; deviceId: string | null }) => `${item.permission} ${item.deviceId}`;
    if (new Set(items.map(key)).size < items.length)
      throw new ProblemError('invalid-request', 'items: the same permission twice');
    const pending = await trx
      .selectFrom('permission_application_items as i')
      .innerJoin('permission_applications as a', 'a.id', 'i.applicationId')
      .select(['i.permission', 'i.deviceId'])
      .where('a.siteId', '=', siteId)
      .where('a.companyId', '=', scope.companyId)
      .where('i.state', '=', 'pending')
      .execute();
    const waiting = new Set(pending.map(key));
    const grants = await trx
      .selectFrom('grants')
      .select(['permission', 'deviceId', 'untilMs'])
      .where('siteId', '=', siteId)
      .where('companyId', '=', scope.companyId)
      .where('untilMs', 'is', null)
      .execute();
    for (const item of items) {
      if (waiting.has(key(item))) throw new ProblemError('conflict', `“${item.permission}” is asked for already.`);
      if (grants.some((grant) => covers(grant, item.permission, item.deviceId)))
        throw new ProblemError('conflict', `“${item.permission}” is held permanently.`);
    }
  }

  /** The company's own ones, newest first. */
  async sent(scope: Scope, filter: Filter): Promise<Page<PermissionApplication>> {
    if (filter.siteId) await scope.site(filter.siteId);
    return this.#page('companyId', scope, filter);
  }

  /** What waits, or waited, for this tenant's decision, newest first. */
  async received(scope: Scope, filter: Filter): Promise<Page<PermissionApplication>> {
    return this.#page('deciderId', scope, filter);
  }

  async get(scope: Scope, id: string, side: 'companyId' | 'deciderId'): Promise<PermissionApplication> {
    return this.#view(await this.#mine(this.#db, scope, id, side));
  }

  /** The employee took back what is not decided yet. */
  async cancel(scope: Scope, id: string): Promise<PermissionApplication> {
    const row = await this.#mine(this.#db, scope, id, 'companyId');
    if (scope.limited) throw new ProblemError('account-limited');
    await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('permission_application_items')
        .set({ state: 'withdrawn', decidedMs: this.#clock.now() })
        .where('applicationId', '=', row.id)
        .where('state', '=', 'pending')
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'Everything of it was decided already.');
      const site = await trx.selectFrom('sites').select('name').where('id', '=', row.siteId).executeTakeFirstOrThrow();
      await this.#notifier.toCompany(trx, row.deciderId, {
        category: 'site',
        code: 'permissions-request-cancelled',
        values: { site: site.name, company: await nameOf(trx, row.companyId) },
        link: `/requests/${row.id}`,
        siteId: row.siteId,
      });
    });
    this.#notifier.kick();
    return this.#view(row);
  }

  /** Approves or refuses items. What is approved holds from this moment on. */
  async decide(scope: Scope, id: string, { items }: DecideApplication): Promise<PermissionApplication> {
    const row = await this.#db.transaction().execute(async (trx) => {
      const row = await this.#mine(trx, scope, id, 'deciderId');
      const site = await trx.selectFrom('sites').selectAll().where('id', '=', row.siteId).executeTakeFirstOrThrow();
      const decider = site.ownerId ?? (await this.#administrator(trx, site.id));
      if (decider !== scope.companyId || site.deletedAt) throw new ProblemError('not-found');
      const now = this.#clock.now();
      if (items.some((item) => item.approve)) await this.#mustStillServe(trx, row, now);
      for (const { id: itemId, approve, validity } of items) {
        const item = await trx
          .selectFrom('permission_application_items')
          .selectAll()
          .where('id', '=', itemId)
          .where('applicationId', '=', row.id)
          .executeTakeFirst();
        if (!item) throw new ProblemError('not-found');
        const given = validity ?? item.validity;
        const { numUpdatedRows } = await trx
          .updateTable('permission_application_items')
          .set({ state: approve ? 'approved' : 'refused', validity: given, decidedMs: now })
          .where('id', '=', item.id)
          .where('state', '=', 'pending')
          .executeTakeFirst();
        if (numUpdatedRows === 0n) throw new ProblemError('conflict', 'This was decided, or taken back, already.');
        if (!approve) continue;
        await trx
          .insertInto('grants')
          .values({
            id: uuidv7(now),
            companyId: row.companyId,
            siteId: row.siteId,
            deviceId: item.deviceId,
            permission: item.permission,
            untilMs: endOf(given, now),
            source: item.permission === authorizationOf(site.type) ? 'authorization' : 'application',
            sourceId: item.id,
          })
          .execute();
      }
      await refreshStatus(trx, row.siteId, now, this.#over);
      // The notice tells how the whole application stands: of three, one may be approved now and two wait.
      const all = await trx
        .selectFrom('permission_application_items')
        .select('state')
        .where('applicationId', '=', row.id)
        .execute();
      const count = (state: string) => all.filter((item) => item.state === state).length;
      const [approved, refused] = [count('approved'), count('refused')];
      await this.#notifier.toCompany(trx, row.companyId, {
        category: 'site',
        code:
          approved === all.length
            ? 'permissions-approved'
            : refused === all.length
              ? 'permissions-refused'
              : 'permissions-decided',
        values: {
          site: site.name,
          customer: await nameOf(trx, scope.companyId),
          approved: String(approved),
          refused: String(refused),
          pending: String(count('pending')),
        },
        link: `/sites/${site.id}/customer`,
        siteId: site.id,
      });
      return row;
    });
    this.#notifier.kick();
    return this.#view(row);
  }

  /** A company that has left the site, or was taken everything, is given nothing any more. */
  async #mustStillServe(trx: DbOrTrx, { siteId, companyId }: ApplicationRow, now: number): Promise<void> {
    const grants = await trx
      .selectFrom('grants')
      .select('untilMs')
      .where('siteId', '=', siteId)
      .where('companyId', '=', companyId)
      .execute();
    if (!grants.some((grant) => live(grant, now)))
      throw new ProblemError('conflict', 'This company no longer serves the site. Refuse what it asked for.');
  }

  async #page(side: 'companyId' | 'deciderId', scope: Scope, { siteId, open, limit, cursor }: Filter) {
    const rows = await this.#db
      .selectFrom('permission_applications as a')
      .selectAll('a')
      .where(`a.${side}`, '=', scope.companyId)
      .where('a.siteId', 'in', scope.siteIds())
      .$if(siteId !== undefined, (q) => q.where('a.siteId', '=', siteId as string))
      .$if(cursor !== undefined, (q) => q.where('a.id', '<', cursor as string))
      .$if(open !== undefined, (q) =>
        q.where((e) => {
          const pending = e.exists(
            e
              .selectFrom('permission_application_items as i')
              .select('i.id')
              .whereRef('i.applicationId', '=', 'a.id')
              .where('i.state', '=', 'pending'),
          );
          return open ? pending : e.not(pending);
        }),
      )
      .orderBy('a.id', 'desc')
      .limit(limit + 1)
      .execute();
    const items = await Promise.all(rows.slice(0, limit).map((row) => this.#view(row)));
    return { items, nextCursor: rows.length > limit ? items.at(-1)!.id : null };
  }

  /** Of the caller's tenant and of a site in reach; else it is not there. */
  async #mine(db: DbOrTrx, scope: Scope, id: string, side: 'companyId' | 'deciderId'): Promise<ApplicationRow> {
    const row = await db
      .selectFrom('permission_applications')
      .selectAll()
      .where('id', '=', id)
      .where(side, '=', scope.companyId)
      .where('siteId', 'in', scope.siteIds())
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found');
    return row;
  }

  #row(id: string): Promise<ApplicationRow> {
    return this.#db.selectFrom('permission_applications').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }

  async #view(row: ApplicationRow): Promise<PermissionApplication> {
    const site = await this.#db
      .selectFrom('sites')
      .select(['name', 'timeZone'])
      .where('id', '=', row.siteId)
      .executeTakeFirstOrThrow();
    const items = await this.#db
      .selectFrom('permission_application_items as i')
      .leftJoin('devices as d', 'd.id', 'i.deviceId')
      .select(['i.id', 'i.deviceId', 'd.name as deviceName', 'i.permission', 'i.validity', 'i.state', 'i.decidedMs'])
      .where('i.applicationId', '=', row.id)
      .orderBy('i.id')
      .execute();
    return {
      id: row.id,
      siteId: row.siteId,
      siteName: site.name,
      timeZone: site.timeZone,
      applicant: { companyId: row.companyId, name: await nameOf(this.#db, row.companyId) },
      remark: row.remark,
      createdAt: iso(Number(row.createdMs)),
      open: items.some((item) => item.state === 'pending'),
      items: items.map(({ decidedMs, ...item }) => ({
        ...item,
        decidedAt: decidedMs === null ? null : iso(Number(decidedMs)),
      })),
    };
  }
}
