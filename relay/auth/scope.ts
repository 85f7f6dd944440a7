import type { SelectQueryBuilder } from 'kysely';
import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { Database, Permission } from '../db/schema.ts';

/**
 * Who asks, and what they may reach: a user with their live grants. Every query of a route goes through a scope, so that
 * a foreign id is not found:
 *
 *   db.selectFrom('devices').where('siteId', 'in', scope.siteIds())
 */
export interface Scope {
  readonly userId: string;
  readonly companyId: string;
  /** Ids of the sites in reach, as a subquery. `manage` is needed for whatever changes something. */
  siteIds(permission?: Permission): SelectQueryBuilder<Database, 'user_sites', { siteId: string }>;
  /** The site's row; throws `not-found`, or `not-allowed` when it may be seen but not changed. */
  site(id: string, permission?: Permission): Promise<{ id: string; companyId: string; name: string; timeZone: string }>;
}

export function createScope(db: DbOrTrx, clock: Clock, user: { userId: string; companyId: string }): Scope {
  const siteIds = (permission: Permission = 'view') =>
    db
      .selectFrom('user_sites')
      .select('siteId')
      .where('userId', '=', user.userId)
      .where((e) => e.or([e('untilMs', 'is', null), e('untilMs', '>', clock.now())]))
      // Who may manage may also see.
      .$if(permission === 'manage', (q) => q.where('permission', '=', 'manage'));
  const find = (id: string, permission: Permission) =>
    db
      .selectFrom('sites')
      .select(['id', 'companyId', 'name', 'timeZone'])
      .where('id', '=', id)
      .where('id', 'in', siteIds(permission))
      .executeTakeFirst();
  return {
    userId: user.userId,
    companyId: user.companyId,
    siteIds,
    async site(id, permission = 'view') {
      const site = await find(id, permission);
      if (site) return site;
      if (permission !== 'view' && (await find(id, 'view'))) throw new ProblemError('not-allowed');
      throw new ProblemError('not-found');
    },
  };
}
