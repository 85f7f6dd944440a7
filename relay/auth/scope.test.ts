import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import {
  GIVEN_BY,
  PERMISSIONS,
  type Permission,
  ROLE_PERMISSIONS,
  type RolePermission,
  SITE_OPERATIONS,
  SITE_STATUSES,
  STATUS_ALLOWS,
} from '../../protocol/wire/rights.ts';
import { type Db, openDatabase } from '../db/database.ts';
import { deviceRow } from '../testing/device-row.ts';
import { createScope, type Identity } from './scope.ts';

const HOUR_MS = 3_600_000;
const clock = new ManualClock();
const dir = mkdtempSync(join(tmpdir(), 'gatepost-scope-'));
let db: Db;
const [company, partner, customer, site, camera, doorbell, user] = Array.from({ length: 7 }, () => uuidv7()) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];

const grant = (companyId: string, permission: Permission, more: { deviceId?: string; untilMs?: number } = {}) =>
  db
    .insertInto('grants')
    .values({ id: uuidv7(), companyId, siteId: site, permission, source: 'application', ...more })
    .execute();
const who = (companyId: string, roles: RolePermission[] | 'admin', limited = false): Identity => ({
  userId: user,
  companyId,
  companyType: 'installer',
  admin: roles === 'admin',
  limited,
  permissions: new Set(roles === 'admin' ? [] : roles),
});
const scopeOf = (...args: Parameters<typeof who>) => createScope(db, clock, who(...args));
/** What the scope says of a permission on the site (null) or a device: by probing, in lists, and as a refusal. */
async function answers(scope: ReturnType<typeof scopeOf>, deviceId: string, permission: Permission) {
  const listed = await db
    .selectFrom('devices as d')
    .select('d.id')
    .where('d.id', '=', deviceId)
    .where(scope.reaches('d.siteId', 'd.id', permission))
    .execute();
  const refused = await scope.device(deviceId, permission).then(
    () => null,
    (error) => error.code,
  );
  const held = await scope.holds(site, deviceId, permission);
  return { listed: listed.length === 1, held, refused };
}

beforeAll(async () => {
  db = await openDatabase({ path: join(dir, 'relay.db') });
  const createdAt = iso(clock.now());
  for (const id of [company, partner, customer])
    await db.insertInto('companies').values({ id, name: 'Same name', createdAt }).execute();
  const person = { id: user, companyId: company, email: 'a@b.example', name: 'A', passwordHash: '', createdAt };
  await db.insertInto('users').values(person).execute();
  await db
    .insertInto('sites')
    .values({ id: site, companyId: company, name: 'S', sortName: 's', timeZone: 'UTC', createdAt })
    .execute();
  for (const id of [camera, doorbell])
    await db
      .insertInto('devices')
      .values(deviceRow({ id, siteId: site, name: id }))
      .execute();
});
beforeEach(async () => {
  for (const table of ['grants', 'site_managers'] as const) await db.deleteFrom(table).execute();
  await db.updateTable('sites').set({ status: 'not-handed-over' }).execute();
});
afterAll(async () => {
  await db.destroy();
  rmSync(dir, { recursive: true });
});

describe('a grant', () => {
  it.each(
    PERMISSIONS.flatMap((given) => PERMISSIONS.map((asked) => [given, asked] as const)),
  )('of “%s” on a whole site gives “%s” as the table says', async (given, asked) => {
    await grant(company, given);
    const gives = GIVEN_BY[asked].includes(given);
    const scope = scopeOf(company, 'admin');
    expect(await answers(scope, camera, asked)).toMatchObject({ listed: gives, held: gives });
    const sites = await scope.siteIds(asked).execute();
    expect(sites.length === 1).toBe(gives);
  });

  it('on one device gives nothing of the other, nor of the site as a whole', async () => {
    await grant(customer, 'live', { deviceId: camera });
    const scope = scopeOf(customer, 'admin');
    expect(await answers(scope, camera, 'live')).toEqual({ listed: true, held: true, refused: null });
    expect(await answers(scope, camera, 'playback')).toEqual({
      listed: false,
      held: false,
      refused: 'permission-needed',
    });
    expect(await answers(scope, doorbell, 'list')).toEqual({ listed: false, held: false, refused: 'not-found' });
    expect((await scope.site(site)).id).toBe(site);
    await expect(scope.site(site, 'manage')).rejects.toMatchObject({ code: 'permission-needed' });
    expect(await scope.siteIds('manage').execute()).toEqual([]);
    expect((await scope.permissionsOn([site])).get(site)).toEqual(['list']);
  });

  it('ends in the millisecond it was given until, and a longer one beside it goes on (PERM-03)', async () => {
    await grant(company, 'live', { untilMs: clock.now() + HOUR_MS });
    await grant(company, 'playback', { untilMs: clock.now() + 2 * HOUR_MS });
    const scope = scopeOf(company, 'admin');
    await clock.advance(HOUR_MS - 1);
    expect((await answers(scope, camera, 'live')).refused).toBeNull();
    await clock.advance(1);
    expect(await answers(scope, camera, 'live')).toEqual({ listed: false, held: false, refused: 'permission-needed' });
    expect((await answers(scope, camera, 'playback')).refused).toBeNull();
    await clock.advance(HOUR_MS);
    expect((await answers(scope, camera, 'list')).refused).toBe('not-found');
  });

  it('of one tenant is none of another', async () => {
    await grant(company, 'all');
    expect((await answers(scopeOf(partner, 'admin'), camera, 'list')).refused).toBe('not-found');
  });
});

describe('a role', () => {
  const NEEDS: Partial<Record<Permission, RolePermission>> = {
    configure: 'configure-devices',
    live: 'live-view',
    playback: 'playback',
  };
  const asked = ['list', 'view', 'manage', 'configure', 'live', 'playback'] as const;
  const cells = ROLE_PERMISSIONS.flatMap((role) => asked.map((permission) => [role, permission] as const));
  it.each(
    cells,
  )('of manage-all-sites and “%s” lets use “%s” as far as it holds it (EMPL-04)', async (role, permission) => {
    await grant(company, 'all');
    const allowed = !NEEDS[permission] || NEEDS[permission] === role;
    const scope = scopeOf(company, ['manage-all-sites', role]);
    expect(await answers(scope, camera, permission)).toEqual({
      listed: allowed,
      held: allowed,
      refused: allowed ? null : 'not-allowed',
    });
  });

  it('that manages assigned sites reaches those, until the assignment ends; one without sites reaches none (ASGN-01)', async () => {
    await grant(company, 'all');
    const assigned = scopeOf(company, ['manage-assigned-sites']);
    expect((await answers(assigned, camera, 'list')).refused).toBe('not-found');
    const untilMs = clock.now() + HOUR_MS;
    await db.insertInto('site_managers').values({ siteId: site, userId: user, untilMs }).execute();
    expect((await assigned.site(site, 'manage')).id).toBe(site);
    expect((await answers(scopeOf(company, ['live-view', 'manage-accounts']), camera, 'list')).refused).toBe(
      'not-found',
    );
    await clock.advance(HOUR_MS - 1);
    expect((await answers(assigned, camera, 'manage')).refused).toBeNull();
    await clock.advance(1);
    expect((await answers(assigned, camera, 'list')).refused).toBe('not-found');
  });

  it('of a limited account sees, and does nothing (EMPL-07)', async () => {
    await grant(company, 'all');
    const limited = scopeOf(company, 'admin', true);
    for (const permission of PERMISSIONS) {
      const sees = permission === 'list' || permission === 'view';
      expect(await answers(limited, camera, permission)).toMatchObject({
        held: sees,
        refused: sees ? null : 'account-limited',
      });
    }
    expect((await limited.permissionsOn([site])).get(site)).toEqual(['list', 'view']);
  });
});

describe('the status of a site', () => {
  const cells = SITE_OPERATIONS.flatMap((operation) => SITE_STATUSES.map((status) => [operation, status] as const));
  it.each(cells)('%s in %s (SITE-13)', async (operation, status) => {
    await grant(company, 'all');
    await db.updateTable('sites').set({ status }).execute();
    const answer = scopeOf(company, 'admin').site(site, 'list', operation);
    if (STATUS_ALLOWS[operation].includes(status)) expect((await answer).status).toBe(status);
    else await expect(answer).rejects.toMatchObject({ code: 'site-status' });
  });

  it('allows what the printed table marks, cell by cell (SITE-13)', () => {
    // Columns: Not Handed Over, To Be Accepted / Not Registered, Handed Over Not Authorized, Authorized, Shared, Disbanded.
    const printed = {
      search: 'xxxxxx',
      assign: 'xxxxx-',
      transfer: 'x-----',
      share: 'x-----',
      'manage-devices': 'xx-xx-',
      edit: 'xx-xx-',
      delete: 'xxxxxx',
      'apply-authorization': '--x---',
      'apply-permissions': '--xxx-',
      collaborate: 'x--x--',
      'batch-share': '----x-',
      group: 'xxxxx-',
    } as const;
    const columns = [
      ['not-handed-over'],
      ['to-be-accepted', 'not-registered'],
      ['not-authorized'],
      ['authorized'],
      ['shared'],
      ['disbanded'],
    ] as const;
    for (const [operation, row] of Object.entries(printed)) {
      const allowed = columns.flatMap((statuses, i) => (row[i] === 'x' ? statuses : []));
      expect([operation, [...STATUS_ALLOWS[operation as keyof typeof printed]].sort()]).toEqual([
        operation,
        [...allowed].sort(),
      ]);
    }
  });
});
