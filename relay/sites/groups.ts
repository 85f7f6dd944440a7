import type { z } from 'zod';
import type { Clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { BatchResult, MoveToGroup, SiteGroup } from '../../protocol/wire/sites.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Db, DbOrTrx } from '../db/database.ts';
import { batch } from './batch.ts';
import { mustManageSites, onlyPersonal } from './sites.ts';

type Wanted = NonNullable<z.output<typeof MoveToGroup>['group']>;

/** Groups of a company's personal sites: by town, by chain. A site is in at most one (GRP-03). */
export class Groups {
  readonly #db: Db;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Db; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** By name, with how many of their sites are in reach. */
  async list(scope: Scope): Promise<SiteGroup[]> {
    const rows = await this.#db
      .selectFrom('site_groups as g')
      .select(['g.id', 'g.name'])
      .select((e) =>
        e
          .selectFrom('sites as s')
          .select((f) => f.fn.countAll<number>().as('count'))
          .whereRef('s.groupId', '=', 'g.id')
          .whereRef('s.companyId', '=', 'g.companyId')
          .where('s.deletedAt', 'is', null)
          .$if(!scope.may('manage-all-sites'), (q) => q.where('s.id', 'in', scope.siteIds()))
          .as('siteCount'),
      )
      .where('g.companyId', '=', scope.companyId)
      .orderBy('g.name')
      .limit(1000)
      .execute();
    return rows.map((row) => ({ ...row, siteCount: Number(row.siteCount) }));
  }

  async create(scope: Scope, name: string): Promise<SiteGroup> {
    mustManageSites(scope);
    const id = await this.#db.transaction().execute((trx) => this.#make(trx, scope, name, false));
    return { id, name, siteCount: 0 };
  }

  async rename(scope: Scope, id: string, name: string): Promise<SiteGroup> {
    mustManageSites(scope);
    // Others' sites may be in it.
    scope.must('manage-all-sites');
    await this.#db.transaction().execute(async (trx) => {
      await this.find(trx, scope, { id });
      const same = await this.#named(trx, scope, name);
      if (same && same !== id) throw new ProblemError('conflict', `There is a group “${name}” already.`);
      await trx.updateTable('site_groups').set({ name }).where('id', '=', id).execute();
    });
    return (await this.list(scope)).find((group) => group.id === id)!;
  }

  /** Its sites stay, in no group. */
  async remove(scope: Scope, id: string): Promise<void> {
    mustManageSites(scope);
    // Others' sites may be in it.
    scope.must('manage-all-sites');
    await this.#db.transaction().execute(async (trx) => {
      await this.find(trx, scope, { id });
      await trx.updateTable('sites').set({ groupId: null }).where('groupId', '=', id).execute();
      await trx.deleteFrom('site_groups').where('id', '=', id).execute();
    });
  }

  /** Each site for itself: one that cannot be moved holds up no other. */
  async move(scope: Scope, { siteIds, group }: z.output<typeof MoveToGroup>): Promise<BatchResult> {
    mustManageSites(scope);
    const groupId = group ? await this.#db.transaction().execute((trx) => this.find(trx, scope, group)) : null;
    return batch(siteIds, async (id) => {
      const site = await scope.site(id, 'list', 'group');
      if (site.companyId !== scope.companyId)
        throw new ProblemError('not-allowed', `“${site.name}” belongs to another company.`);
      if (site.type !== 'personal') throw onlyPersonal(site.name);
      await this.#db.updateTable('sites').set({ groupId }).where('id', '=', id).execute();
    });
  }

  /** The id of a group of this company; one given by its name is made if it is not there. */
  async find(trx: DbOrTrx, scope: Scope, group: Wanted): Promise<string> {
    if ('name' in group) return (await this.#named(trx, scope, group.name)) ?? this.#make(trx, scope, group.name, true);
    const row = await trx
      .selectFrom('site_groups')
      .select('id')
      .where('id', '=', group.id)
      .where('companyId', '=', scope.companyId)
      .executeTakeFirst();
    if (!row) throw new ProblemError('not-found', 'There is no such group.');
    return row.id;
  }

  async #named(trx: DbOrTrx, scope: Scope, name: string): Promise<string | null> {
    const row = await trx
      .selectFrom('site_groups')
      .select('id')
      .where('companyId', '=', scope.companyId)
      .where('name', '=', name)
      .executeTakeFirst();
    return row?.id ?? null;
  }

  async #make(trx: DbOrTrx, scope: Scope, name: string, fresh: boolean): Promise<string> {
    if (!fresh && (await this.#named(trx, scope, name)) !== null)
      throw new ProblemError('conflict', `There is a group “${name}” already.`);
    const { companyId } = scope;
    const { count } = await trx
      .selectFrom('site_groups')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('companyId', '=', companyId)
      .executeTakeFirstOrThrow();
    if (Number(count) >= MAX_GROUPS)
      throw new ProblemError('limit-reached', `A company has at most ${MAX_GROUPS} groups.`);
    const id = uuidv7(this.#clock.now());
    await trx.insertInto('site_groups').values({ id, companyId, name }).execute();
    return id;
  }
}

/** As many as the list shows. */
const MAX_GROUPS = 1000;
