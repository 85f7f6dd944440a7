import type { Logger } from 'pino';
import type { z } from 'zod';
import { type Clock, iso } from '../../protocol/clock.ts';
import { RolePermission } from '../../protocol/wire/rights.ts';
import { type AssignSites, type BatchResult, MAX_SITE_MANAGERS, type SiteManager } from '../../protocol/wire/sites.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import type { SiteRow } from '../db/schema.ts';
import { batch } from './batch.ts';
import type { SiteNotices } from './notices.ts';

const SWEEP_MS = 30_000;
type Ended = { id: string; name: string; timeZone: string; userId: string; untilMs: number | null; companyId: string };
type Wanted = z.output<typeof AssignSites>['managers'][number];
interface Person {
  id: string;
  name: string;
  email: string | null;
  enabled: number;
  /** Holds Manage All Sites. */
  fixed: boolean;
}

/**
 * Who of a company manages which of its sites, and until when. The right itself ends at that moment, because every query
 * compares it with the clock; here the row is taken away and people are told.
 */
export class Managers {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #notices: SiteNotices;
  #cancel: (() => void) | null = null;
  #sweeping: Promise<void> | null = null;

  constructor(deps: { db: Db; clock: Clock; log: Logger; notices: SiteNotices }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#notices = deps.notices;
  }

  start(): void {
    this.#cancel = this.#clock.every(SWEEP_MS, () => {
      this.#sweeping ??= this.sweep()
        .catch((error) => this.#log.error({ err: error }, 'ended assignments could not be swept'))
        .finally(() => {
          this.#sweeping = null;
        });
    });
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#sweeping;
  }

  async list(scope: Scope, siteId: string): Promise<SiteManager[]> {
    const site = await scope.site(siteId);
    const rows = await this.#live(this.#db, site.id)
      .innerJoin('users as u', 'u.id', 'm.userId')
      .select(['m.userId', 'm.untilMs'])
      .where('u.companyId', '=', scope.companyId)
      .execute();
    const people = await this.#people(
      this.#db,
      scope.companyId,
      rows.map((row) => row.userId),
    );
    return rows
      .flatMap(({ userId, untilMs }) => {
        const person = people.get(userId);
        if (!person) return [];
        const { name, email, fixed } = person;
        return [{ userId, name, email, fixed, until: untilMs === null || fixed ? null : iso(untilMs) }];
      })
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Whom sites can be assigned to, by name. */
  async candidates(scope: Scope): Promise<Omit<SiteManager, 'until'>[]> {
    scope.must('manage-all-sites');
    const people = [...(await this.#people(this.#db, scope.companyId)).values()];
    return people
      .filter((person) => person.enabled === 1)
      .map(({ id, name, email, fixed }) => ({ userId: id, name, email, fixed }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Each site for itself: one that refuses holds up no other. */
  async assign(scope: Scope, { siteIds, managers }: z.output<typeof AssignSites>): Promise<BatchResult> {
    this.#mustAssign(scope);
    const wanted = [...new Map(managers.map((manager) => [manager.userId, manager])).values()];
    const people = await this.#people(
      this.#db,
      scope.companyId,
      wanted.map((manager) => manager.userId),
    );
    for (const manager of wanted) this.#check(people.get(manager.userId), manager);
    const changed: SiteRow[] = [];
    const result = await batch(siteIds, async (id) => {
      const site = await scope.site(id, 'list', 'assign');
      await this.#db.transaction().execute(async (trx) => {
        for (const { userId, until } of wanted)
          await this.#set(trx, site, userId, until === null ? null : Date.parse(until));
        await this.#mustHold(trx, scope, site);
      });
      changed.push(site);
    });
    await this.#db.transaction().execute(async (trx) => {
      const by = await this.#nameOf(trx, scope);
      for (const { userId, until } of wanted)
        await this.#notices.assigned(trx, userId, changed, until === null ? null : Date.parse(until), by);
      await this.#notices.othersChanged(trx, changed, [scope.userId, ...wanted.map((manager) => manager.userId)]);
    });
    this.#notices.kick();
    this.#log.info({ sites: result.done.length, people: wanted.length, userId: scope.userId }, 'sites assigned');
    return result;
  }

  async setValidity(scope: Scope, siteId: string, manager: Wanted): Promise<SiteManager[]> {
    const site = await scope.site(siteId, 'list', 'assign');
    this.#mustAssign(scope);
    const { userId, until } = manager;
    const people = await this.#people(this.#db, scope.companyId, [userId]);
    const untilMs = until === null ? null : Date.parse(until);
    await this.#db.transaction().execute(async (trx) => {
      await this.#mustManage(trx, people.get(userId), site);
      this.#check(people.get(userId), manager);
      await this.#set(trx, site, userId, untilMs);
      await this.#mustHold(trx, scope, site);
      await this.#notices.assigned(trx, userId, [site], untilMs, await this.#nameOf(trx, scope));
      await this.#notices.othersChanged(trx, [site], [scope.userId, userId]);
    });
    this.#notices.kick();
    return this.list(scope, siteId);
  }

  /** Without Manage All Sites only oneself (ASGN-10). */
  async remove(scope: Scope, siteId: string, userId: string): Promise<void> {
    const site = await scope.site(siteId, 'list', 'assign');
    if (userId !== scope.userId) this.#mustAssign(scope);
    const people = await this.#people(this.#db, scope.companyId, [userId]);
    await this.#db.transaction().execute(async (trx) => {
      await this.#mustManage(trx, people.get(userId), site);
      await trx.deleteFrom('site_managers').where('siteId', '=', site.id).where('userId', '=', userId).execute();
      await this.#mustHold(trx, scope, site);
      if (userId !== scope.userId) await this.#notices.unassigned(trx, userId, [site], await this.#nameOf(trx, scope));
      await this.#notices.othersChanged(trx, [site], [scope.userId, userId]);
    });
    this.#notices.kick();
    this.#log.info({ siteId, managerId: userId, userId: scope.userId }, 'site manager removed');
  }

  /** Takes away what has ended, and tells whom it concerns. Who has come to hold Manage All Sites keeps it for good. */
  async sweep(): Promise<void> {
    const ended = await this.#db
      .selectFrom('site_managers as m')
      .innerJoin('sites as s', 's.id', 'm.siteId')
      .innerJoin('users as u', 'u.id', 'm.userId')
      .select(['m.siteId as id', 's.name', 's.timeZone', 'm.userId', 'm.untilMs', 'u.companyId'])
      .where('m.untilMs', '<=', this.#clock.now())
      .limit(500)
      .execute();
    if (ended.length === 0) return;
    // Those who stay hear once of a site, however many left it.
    for (const list of Map.groupBy(ended, (row) => row.id).values())
      await this.#db.transaction().execute((trx) => this.#end(trx, list));
    this.#notices.kick();
    this.#log.info({ count: ended.length }, 'assignments ended');
  }

  async #end(trx: DbOrTrx, ended: Ended[]): Promise<void> {
    const left: string[] = [];
    for (const { id: siteId, userId, untilMs, companyId } of ended) {
      const row = { siteId, userId, untilMs };
      const person = (await this.#people(trx, companyId, [userId])).get(userId);
      if (person?.fixed) await trx.updateTable('site_managers').set({ untilMs: null }).where(same(row)).execute();
      else if ((await trx.deleteFrom('site_managers').where(same(row)).executeTakeFirst()).numDeletedRows > 0n)
        left.push(userId);
    }
    const [site] = ended;
    if (!site || left.length === 0) return;
    await this.#notices.ended(trx, left, site);
    await this.#notices.othersChanged(trx, [site], left);
  }

  #live(db: DbOrTrx, siteId: string) {
    return db
      .selectFrom('site_managers as m')
      .where('m.siteId', '=', siteId)
      .where((e) => e.or([e('m.untilMs', 'is', null), e('m.untilMs', '>', this.#clock.now())]));
  }

  #mustAssign(scope: Scope): void {
    scope.must('manage-all-sites');
    if (scope.limited) throw new ProblemError('account-limited');
  }

  #check(person: Person | undefined, { until }: Wanted): void {
    if (!person) throw new ProblemError('not-found', 'There is no such employee.');
    if (person.enabled !== 1)
      throw new ProblemError('conflict', `${person.name} is disabled. Enable the account first.`);
    if (until === null) return;
    if (person.fixed) {
      const text = `${person.name} holds Manage All Sites: that has no end. Choose Lifetime.`;
      throw new ProblemError('conflict', text);
    }
    if (Date.parse(until) <= this.#clock.now())
      throw new ProblemError('invalid-request', 'until: choose a time that is still to come.');
  }

  async #mustManage(trx: DbOrTrx, person: Person | undefined, site: SiteRow): Promise<void> {
    const row = await this.#live(trx, site.id)
      .select('m.userId')
      .where('m.userId', '=', person?.id ?? '')
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found', `There is no such manager of “${site.name}”.`);
  }

  async #set(trx: DbOrTrx, site: SiteRow, userId: string, untilMs: number | null): Promise<void> {
    await trx
      .insertInto('site_managers')
      .values({ siteId: site.id, userId, untilMs })
      .onConflict((o) => o.columns(['siteId', 'userId']).doUpdateSet({ untilMs }))
      .execute();
  }

  /** After a change, before its commit: at most a hundred, and one of them for Lifetime (ASGN-04, ASGN-06). */
  async #mustHold(trx: DbOrTrx, scope: Scope, site: SiteRow): Promise<void> {
    const rows = await this.#live(trx, site.id)
      .innerJoin('users as u', 'u.id', 'm.userId')
      .select('m.untilMs')
      .where('u.companyId', '=', scope.companyId)
      .execute();
    if (rows.length > MAX_SITE_MANAGERS) {
      const text = `“${site.name}” would have ${rows.length} managers; ${MAX_SITE_MANAGERS} are the most.`;
      throw new ProblemError('limit-reached', text);
    }
    if (!rows.some((row) => row.untilMs === null)) {
      const text = `“${site.name}” needs a manager for Lifetime: choose Lifetime for one of them first.`;
      throw new ProblemError('conflict', text);
    }
  }

  async #nameOf(trx: DbOrTrx, scope: Scope): Promise<string> {
    return (await this.#people(trx, scope.companyId, [scope.userId])).get(scope.userId)?.name ?? '';
  }

  /** Employees of a company; all of them, or those named. */
  async #people(db: DbOrTrx, companyId: string, ids?: string[]): Promise<Map<string, Person>> {
    const rows = await db
      .selectFrom('users as u')
      .leftJoin('user_roles as ur', 'ur.userId', 'u.id')
      .leftJoin('roles as r', 'r.id', 'ur.roleId')
      .select(['u.id', 'u.name', 'u.email', 'u.enabled', 'u.admin', 'r.permissions'])
      .where('u.companyId', '=', companyId)
      .where('u.deletedAt', 'is', null)
      .$if(ids !== undefined, (q) => q.where('u.id', 'in', [...ids!, '']))
      .execute();
    const people = new Map<string, Person>();
    for (const { permissions, admin, ...row } of rows) {
      const held = permissions === null ? [] : RolePermission.array().catch([]).parse(JSON.parse(permissions));
      const fixed = admin === 1 || held.includes('manage-all-sites') || (people.get(row.id)?.fixed ?? false);
      people.set(row.id, { ...row, fixed });
    }
    return people;
  }
}

/** The row as it was read: one that was given a new end meanwhile is another. */
const same =
  ({ siteId, userId, untilMs }: { siteId: string; userId: string; untilMs: number | null }) =>
  // biome-ignore lint/suspicious/noExplicitAny: the builder of an update and of a deletion
  (e: any) =>
    e.and({ siteId, userId, untilMs });
