import type { Askable, Obstacle } from '../../protocol/wire/handover.ts';
import {
  type DeviceType,
  GIVEN_BY,
  type Permission,
  type RolePermission,
  type Validity,
} from '../../protocol/wire/rights.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { GrantSource, SiteRow } from '../db/schema.ts';

const HOUR_MS = 3_600_000;
const HOURS: Record<Validity, number | null> = { permanent: null, '1h': 1, '2h': 2, '4h': 4, '8h': 8 };

/** When something that begins now ends; null: never. */
export function endOf(validity: Validity, nowMs: number): number | null {
  const hours = HOURS[validity];
  return hours === null ? null : nowMs + hours * HOUR_MS;
}

/** Types of devices that a customer can take over. */
export const TRANSFERABLE: readonly DeviceType[] = [
  'panel',
  'access',
  'encoding',
  'intercom',
  'doorbell',
  'box',
  'radar',
];

/** What a site's devices have against a transfer of it. */
export function obstaclesOf(
  devices: readonly { id: string; name: string; type: DeviceType; accessMode: 'p2p' | 'ip' }[],
  boxes: number,
): Obstacle[] {
  if (devices.length + boxes === 0) return [{ code: 'no-device', device: null }];
  return devices.flatMap(({ id, name, type, accessMode }): Obstacle[] => {
    if (accessMode === 'ip') return [{ code: 'ip-device', device: { id, name } }];
    return TRANSFERABLE.includes(type) ? [] : [{ code: 'device-type', device: { id, name } }];
  });
}

/** Refuses a handover, with each device that is in its way. */
export function blocked(obstacles: readonly Obstacle[]): ProblemError {
  if (obstacles[0]?.code === 'no-device')
    return new ProblemError('handover-blocked', 'There is no device at this site.');
  const names = (code: string) => obstacles.flatMap((o) => (o.code === code ? [o.device?.name] : [])).join(', ');
  const [ip, type] = [names('ip-device'), names('device-type')];
  return new ProblemError(
    'handover-blocked',
    [
      ip && `Added by address: ${ip}. Add them again with the P2P service, or take them away.`,
      type && `Of a type that cannot be handed over: ${type}. Move them to another site, or take them away.`,
    ]
      .filter(Boolean)
      .join(' '),
    { errors: obstacles.map((o) => ({ path: `devices.${o.device?.id}`, message: `${o.code}: ${o.device?.name}` })) },
  );
}

/** The day that a site lives in: `2026-11-22`. */
export const dayIn = (timeZone: string, ms: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms);

/** Sources of what an owner gave: it can be released, taken back, and its end is told. */
export const GIVEN_SOURCES: readonly GrantSource[] = ['transfer', 'application', 'authorization', 'invitation'];

const PERSONAL: readonly Askable[] = ['manage', 'configure', 'live', 'playback'];
const TEAM: readonly Askable[] = ['services', 'system'];
/** What the owner of such a site can be asked for. */
export const askableOf = (type: SiteRow['type']): readonly Askable[] => (type === 'team' ? TEAM : PERSONAL);

const ROLE_FOR: Partial<Record<Askable, RolePermission>> = {
  configure: 'configure-devices',
  live: 'live-view',
  playback: 'playback',
};

/** Throws unless the caller is an employee who may ask for, or give back, this permission. */
export function mustHandle(scope: Scope, permission: Askable): void {
  if (scope.companyType === 'customer') throw new ProblemError('not-allowed', 'This is for who serves the site.');
  if (scope.limited) throw new ProblemError('account-limited');
  const role = ROLE_FOR[permission];
  if (permission === 'manage' || permission === 'services') scope.must('manage-all-sites', 'manage-assigned-sites');
  else scope.must('manage-devices', ...(role ? [role] : []));
}

export const live = (row: { untilMs: number | null }, nowMs: number): boolean =>
  row.untilMs === null || Number(row.untilMs) > nowMs;

/** Whether a grant is enough for a permission on a device, or (null) on the whole site. */
export const covers = (
  grant: { permission: Permission; deviceId: string | null },
  permission: Permission,
  deviceId: string | null,
): boolean =>
  GIVEN_BY[permission].includes(grant.permission) && (grant.deviceId === null || grant.deviceId === deviceId);

/** The later of two ends; null is never. */
export const later = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : Math.max(a, b);

/** A customer decides at a site from now on: what else he is asked for. Inside the transaction. */
export type CustomerDecides = (trx: DbOrTrx, siteId: string, customerId: string) => Promise<void>;

/** What else is over with a company's right to manage a site: the help of its partners. */
export type AuthorizationOver = (trx: DbOrTrx, siteId: string) => Promise<void>;

/** Until when a company manages a site: its latest end, null for ever; undefined: not at all. */
export async function managedUntil(
  db: DbOrTrx,
  siteId: string,
  companyId: string,
  nowMs: number,
): Promise<number | null | undefined> {
  const grants = await db
    .selectFrom('grants')
    .select('untilMs')
    .where('siteId', '=', siteId)
    .where('companyId', '=', companyId)
    .where('deviceId', 'is', null)
    .where('permission', 'in', GIVEN_BY.manage)
    .execute();
  const ends = grants.filter((grant) => live(grant, nowMs)).map(({ untilMs }) => untilMs);
  return ends.length === 0 ? undefined : ends.reduce(later);
}

/**
 * Sets a transferred site's status by what its company may do now: Authorized and Monitoring while it holds the site
 * authorisation. Stored rather than worked out by each reader, because lists filter and sort by it; {@link Deadlines} calls
 * it before a request could see an authorisation that has run out. Whoever helped the company under it is out with it.
 */
export async function refreshStatus(
  trx: DbOrTrx,
  siteId: string,
  nowMs: number,
  over: AuthorizationOver,
): Promise<void> {
  const { companyId } = await trx
    .selectFrom('sites')
    .select('companyId')
    .where('id', '=', siteId)
    .executeTakeFirstOrThrow();
  const authorized = (await managedUntil(trx, siteId, companyId, nowMs)) !== undefined;
  await trx
    .updateTable('sites')
    .set({ status: authorized ? 'authorized' : 'not-authorized' })
    .where('id', '=', siteId)
    .where('ownerId', 'is not', null)
    .where('status', 'in', ['authorized', 'not-authorized'])
    .execute();
  if (!authorized) await over(trx, siteId);
}
