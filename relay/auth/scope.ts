import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Clock } from '../../protocol/clock.ts';
import type { CompanyType } from '../../protocol/wire/rights.ts';
import {
  DevicePermission,
  GIVEN_BY,
  PERMISSIONS,
  type Permission,
  type RolePermission,
  type SiteOperation,
  STATUS_ALLOWS,
} from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { Database, DeviceRow, SiteRow } from '../db/schema.ts';

/** Who asks. */
export interface Identity {
  userId: string;
  companyId: string;
  companyType: CompanyType;
  /** The company's administrator: holds every role permission. */
  admin: boolean;
  /** Signed in, but not to manage sites and devices until the account limit is removed. */
  limited: boolean;
  permissions: ReadonlySet<RolePermission>;
  /** Of a key for certain sites: nothing else is in reach, nor what concerns all sites. */
  sites?: readonly string[];
}

/**
 * Who asks, and what they may reach: their tenant's live grants, narrowed by role and assigned sites. Every query of a
 * route goes through a scope, so that a foreign id is not found:
 *
 *   db.selectFrom('sites').where('id', 'in', scope.siteIds())                          rows of whole sites
 *   db.selectFrom('events as e').where(scope.reaches('e.siteId', 'e.deviceId', 'view'))  rows that belong to a device
 */
export interface Scope extends Identity {
  /** Ids of the sites of which something is in reach, as a subquery; for `manage` and `own`: the whole site. */
  siteIds(permission?: Permission): SelectQueryBuilder<Database, 'grants', { siteId: string }>;
  /** True for rows of what the permission is held on. `device` null: only who holds it on the whole site. */
  reaches(site: string, device: string | null, permission: Permission): Expression<SqlBool>;
  /**
   * The site's row. Throws `not-found`; or, when it may be seen: `account-limited`, `not-allowed` (role),
   * `permission-needed` (the grant), `site-status` (the operation is not for this status).
   */
  site(id: string, permission?: Permission, operation?: SiteOperation): Promise<SiteRow>;
  /** The device's row, not a deleted one; throws as {@link site} does. */
  device(id: string, permission?: Permission, operation?: SiteOperation): Promise<DeviceRow>;
  /** Whether the permission is held on a device, or (null) on the whole site. */
  holds(siteId: string, deviceId: string | null, permission: Permission): Promise<boolean>;
  /** What is held on each whole site: every permission that its grants and the role give. */
  permissionsOn(siteIds: string[]): Promise<Map<string, Permission[]>>;
  may(permission: RolePermission): boolean;
  /** Throws `not-allowed` when the role lacks all of these; `account-limited` where it is about sites and devices. */
  must(...anyOf: RolePermission[]): void;
}

/** What a role must hold for a permission, beside reaching the site. */
const ROLE_FOR: Partial<Record<Permission, RolePermission>> = {
  configure: 'configure-devices',
  live: 'live-view',
  playback: 'playback',
};
const WHOLE_SITE = new Set<Permission>(['manage', 'own', 'all']);

export function createScope(db: DbOrTrx, clock: Clock, who: Identity): Scope {
  const has = (permission: RolePermission) => who.admin || who.permissions.has(permission);
  const may = (permission: RolePermission) => has(permission) && !(who.sites && permission === 'manage-all-sites');
  const everywhere = has('manage-all-sites');
  const nowhere = !everywhere && !may('manage-assigned-sites');

  const refusal = (permission: Permission): ProblemError | null => {
    if (permission === 'list' || permission === 'view') return null;
    if (who.limited) return new ProblemError('account-limited');
    const role = ROLE_FOR[permission];
    return role && !may(role) ? new ProblemError('not-allowed', 'Your role does not let you do this.') : null;
  };

  const grants = (permission: Permission) =>
    db
      .selectFrom('grants')
      .where('grants.companyId', '=', who.companyId)
      .where('grants.permission', 'in', GIVEN_BY[permission])
      .where((e) => e.or([e('grants.untilMs', 'is', null), e('grants.untilMs', '>', clock.now())]))
      .$if(nowhere || refusal(permission) !== null, (q) => q.where(sql<SqlBool>`1 = 0`))
      .$if(who.sites !== undefined, (q) => q.where('grants.siteId', 'in', who.sites ?? []))
      .$if(!everywhere, (q) =>
        q.where((e) =>
          e.exists(
            e
              .selectFrom('site_managers as m')
              .select('m.userId')
              .whereRef('m.siteId', '=', 'grants.siteId')
              .where('m.userId', '=', who.userId)
              .where((f) => f.or([f('m.untilMs', 'is', null), f('m.untilMs', '>', clock.now())])),
          ),
        ),
      );

  const siteIds = (permission: Permission = 'list') =>
    grants(permission)
      .select('grants.siteId')
      .$if(WHOLE_SITE.has(permission), (q) => q.where('grants.deviceId', 'is', null));

  const reaches = (site: string, device: string | null, permission: Permission) => {
    // biome-ignore lint/suspicious/noExplicitAny: columns of whichever tables the caller joins
    const ref = (name: string) => sql.ref<any>(name);
    return sql<SqlBool>`exists ${grants(permission)
      .select('grants.id')
      .where('grants.siteId', '=', ref(site))
      .where((e: ExpressionBuilder<Database, 'grants'>) =>
        device === null
          ? e('grants.deviceId', 'is', null)
          : e.or([e('grants.deviceId', 'is', null), e('grants.deviceId', '=', ref(device))]),
      )}`;
  };

  const holds = async (siteId: string, deviceId: string | null, permission: Permission) => {
    const row = await grants(permission)
      .select('grants.id')
      .where('grants.siteId', '=', siteId)
      .where((e) =>
        deviceId === null
          ? e('grants.deviceId', 'is', null)
          : e.or([e('grants.deviceId', 'is', null), e('grants.deviceId', '=', deviceId)]),
      )
      .executeTakeFirst();
    return row !== undefined;
  };

  const check = async (site: SiteRow, deviceId: string | null, permission: Permission, operation?: SiteOperation) => {
    if (operation && !STATUS_ALLOWS[operation].includes(site.status)) throw new ProblemError('site-status');
    // Of a site it is enough to reach something of it, unless the permission is one over the whole.
    if (permission === 'list' || (permission === 'view' && deviceId === null)) return;
    const refused = refusal(permission);
    if (refused) throw refused;
    if (!(await holds(site.id, deviceId, permission))) {
      throw new ProblemError(
        DevicePermission.safeParse(permission).success || permission === 'manage' ? 'permission-needed' : 'not-allowed',
      );
    }
  };

  const permissionsOn = async (ids: string[]) => {
    if (ids.length === 0) return new Map<string, Permission[]>();
    const rows = await grants('list')
      .select(['grants.siteId', 'grants.deviceId', 'grants.permission'])
      .where('grants.siteId', 'in', ids)
      .execute();
    return new Map(
      [...Map.groupBy(rows, (row) => row.siteId)].map(([siteId, held]) => [
        siteId,
        PERMISSIONS.filter(
          (permission) =>
            refusal(permission) === null &&
            held.some(
              (row) =>
                GIVEN_BY[permission].includes(row.permission) && (permission === 'list' || row.deviceId === null),
            ),
        ),
      ]),
    );
  };

  const scope: Scope = {
    ...who,
    permissionsOn,
    siteIds,
    reaches,
    holds,
    may,
    must(...anyOf) {
      if (who.limited && !anyOf.includes('manage-accounts')) throw new ProblemError('account-limited');
      if (!anyOf.some(may)) throw new ProblemError('not-allowed', 'Your role does not let you do this.');
    },
    async site(id, permission = 'list', operation) {
      const site = await db
        .selectFrom('sites')
        .selectAll()
        .where('id', '=', id)
        .where('deletedAt', 'is', null)
        // Not `in siteIds()`: databases would list all that is in reach for it.
        .where((e) => e.exists(siteIds().where('grants.siteId', '=', id)))
        .executeTakeFirst();
      if (!site) throw new ProblemError('not-found');
      await check(site, null, permission, operation);
      return site;
    },
    async device(id, permission = 'list', operation) {
      const device = await db
        .selectFrom('devices')
        .selectAll()
        .where('id', '=', id)
        .where('deletedAt', 'is', null)
        .where(reaches('devices.siteId', 'devices.id', 'list'))
        .executeTakeFirst();
      if (!device) throw new ProblemError('not-found');
      const site = await db.selectFrom('sites').selectAll().where('id', '=', device.siteId).executeTakeFirstOrThrow();
      await check(site, WHOLE_SITE.has(permission) ? null : device.id, permission, operation);
      return device;
    },
  };
  return scope;
}
