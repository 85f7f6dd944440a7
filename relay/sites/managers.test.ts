import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { RolePermission } from '../../protocol/wire/rights.ts';
import { hashToken } from '../auth/sessions.ts';
import { type Call, type Company, TestRelay, until } from '../testing/relay.ts';

const HOUR = 3_600_000;
const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let acme: Company;

/** Somebody who works for the company, signed in. */
async function employee(name: string, permissions: RolePermission[]): Promise<{ userId: string; api: Call }> {
  const [userId, token, now] = [uuidv7(), `${uuidv7()}`, clock.now()];
  const { companyId } = acme;
  await relay.withDb(async (db) => {
    const person = {
      id: userId,
      companyId,
      email: `${userId}@acme.example`,
      name,
      passwordHash: '',
      createdAt: iso(now),
    };
    await db
      .insertInto('users')
      .values({ ...person, emailVerifiedMs: now })
      .execute();
    const role = { id: uuidv7(), companyId, name: userId, permissions: JSON.stringify(permissions) };
    await db.insertInto('roles').values(role).execute();
    await db.insertInto('user_roles').values({ userId, roleId: role.id }).execute();
    const session = { id: uuidv7(), tokenHash: hashToken(token), userId, createdMs: now, seenMs: now };
    await db
      .insertInto('sessions')
      .values({ ...session, expiresMs: now + 1000 * HOUR, remote: '', userAgent: '' })
      .execute();
  });
  const api: Call = (method, path, body, headers) =>
    relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}`, ...headers });
  return { userId, api };
}
const make = async () => (await acme.api('POST', '/sites', { name: uuidv7(), timeZone: 'Europe/Berlin' })).body;
const assign = (siteIds: string[], managers: object[], api = acme.api) =>
  api('POST', '/site-assignments', { siteIds, managers });
const in1h = () => iso(clock.now() + HOUR);
const told = (userId: string) =>
  relay.withDb(async (db) => {
    const rows = await db.selectFrom('notifications').selectAll().where('userId', '=', userId).orderBy('id').execute();
    return rows.map((row) => row.code);
  });

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

describe('assigning', () => {
  it('several sites to several people, each until their own time; they are told once (ASGN-01, ASGN-03, ASGN-05, ASGN-08)', async () => {
    const [a, b] = [await make(), await make()];
    const ann = await employee('Ann', ['manage-assigned-sites', 'manage-devices']);
    const bob = await employee('Bob', ['manage-assigned-sites']);
    expect((await ann.api('GET', '/sites')).body.items).toEqual([]);
    const end = in1h();
    const done = await assign([a.id, b.id], [{ userId: ann.userId }, { userId: bob.userId, until: end }]);
    expect(done).toMatchObject({ status: 201, body: { done: [a.id, b.id], failed: [] } });
    expect(await told(ann.userId)).toEqual(['site-assigned']);
    expect(await told(bob.userId)).toEqual(['site-assigned-until']);
    const seen = (await ann.api('GET', '/sites')).body.items;
    expect(seen.map((site: { id: string }) => site.id).sort()).toEqual([a.id, b.id].sort());
    expect((await ann.api('PATCH', `/sites/${a.id}`, { city: 'Kiel' })).status).toBe(200);
    const managers = (await acme.api('GET', `/sites/${a.id}/managers`)).body.items;
    expect(managers).toMatchObject([
      { name: 'Ann', until: null, fixed: false },
      { name: 'Bob', until: end, fixed: false },
      { name: 'Owner', until: null, fixed: true },
    ]);
    // The countdown of the list begins with who ends first (ASGN-09).
    const [listed] = (await acme.api('GET', `/sites?q=${a.name.slice(0, 8)}`)).body.items;
    expect(listed.managers).toMatchObject({ count: 3, first: [{ name: 'Bob', until: end }, {}, {}] });
  });

  it('needs Manage All Sites (ASGN-02), and names only people of the company', async () => {
    const site = await make();
    const ann = await employee('Ann', ['manage-assigned-sites']);
    await assign([site.id], [{ userId: ann.userId }]);
    expect((await assign([site.id], [{ userId: ann.userId }], ann.api)).body.code).toBe('not-allowed');
    expect((await ann.api('GET', '/assignable-employees')).body.code).toBe('not-allowed');
    const rival = await relay.company('Rival');
    expect((await assign([site.id], [{ userId: rival.userId }])).body.code).toBe('not-found');
    expect((await assign([rival.siteId], [{ userId: ann.userId }])).body.failed).toMatchObject([{ code: 'not-found' }]);
    const names = (await acme.api('GET', '/assignable-employees')).body.items;
    expect(names).toContainEqual({ userId: acme.userId, name: 'Owner', email: acme.email, fixed: true });
    expect(JSON.stringify(names)).not.toContain(rival.userId);
  });

  it('keeps to a hundred managers, one of them for Lifetime (ASGN-04, ASGN-06)', async () => {
    const site = await make();
    const people = await Promise.all(
      Array.from({ length: 100 }, (_, i) => employee(`P${i}`, ['manage-assigned-sites'])),
    );
    const wanted = people.map(({ userId }) => ({ userId, until: in1h() }));
    const full = await assign([site.id], wanted.slice(0, 99));
    expect(full.body.done).toEqual([site.id]);
    expect((await assign([site.id], wanted.slice(99))).body.failed).toMatchObject([{ code: 'limit-reached' }]);
    expect((await acme.api('GET', `/sites/${site.id}/managers`)).body.items).toHaveLength(100);
    const last = await acme.api('DELETE', `/sites/${site.id}/managers/${acme.userId}`);
    expect(last).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(last.body.detail).toContain('Lifetime');
  });

  it('never gives an end to who holds Manage All Sites, or one in the past to anybody (ASGN-07)', async () => {
    const site = await make();
    const boss = await employee('Boss', ['manage-all-sites']);
    const refused = await assign([site.id], [{ userId: boss.userId, until: in1h() }]);
    expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
    await assign([site.id], [{ userId: boss.userId }]);
    const put = await acme.api('PUT', `/sites/${site.id}/managers/${boss.userId}`, { until: in1h() });
    expect(put).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const ann = await employee('Ann', ['manage-assigned-sites']);
    const past = await assign([site.id], [{ userId: ann.userId, until: iso(clock.now()) }]);
    expect(past).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });
});

describe('ending', () => {
  it('without Manage All Sites is for oneself alone, with it for anybody (ASGN-10)', async () => {
    const site = await make();
    const ann = await employee('Ann', ['manage-assigned-sites']);
    const bob = await employee('Bob', ['manage-assigned-sites']);
    await assign([site.id], [{ userId: ann.userId }, { userId: bob.userId }]);
    expect((await ann.api('DELETE', `/sites/${site.id}/managers/${bob.userId}`)).body.code).toBe('not-allowed');
    expect((await ann.api('DELETE', `/sites/${site.id}/managers/${ann.userId}`)).status).toBe(204);
    expect((await ann.api('GET', `/sites/${site.id}`)).status).toBe(404);
    expect(await told(bob.userId)).toContain('site-managers-changed');
    expect((await acme.api('DELETE', `/sites/${site.id}/managers/${bob.userId}`)).status).toBe(204);
    expect(await told(bob.userId)).toContain('site-unassigned');
    expect((await acme.api('DELETE', `/sites/${site.id}/managers/${bob.userId}`)).status).toBe(404);
  });

  it('comes by itself at that very moment, and people are told (ASGN-08)', { timeout: 60_000 }, async () => {
    const site = await make();
    const ann = await employee('Ann', ['manage-assigned-sites']);
    await assign([site.id], [{ userId: ann.userId, until: in1h() }]);
    const longer = iso(clock.now() + 2 * HOUR);
    expect((await acme.api('PUT', `/sites/${site.id}/managers/${ann.userId}`, { until: longer })).status).toBe(200);
    clock.step(2 * HOUR - 1);
    expect((await ann.api('GET', `/sites/${site.id}`)).status).toBe(200);
    clock.step(1);
    expect((await ann.api('GET', `/sites/${site.id}`)).status).toBe(404);
    expect((await acme.api('GET', `/sites/${site.id}/managers`)).body.items).toHaveLength(1);
    await clock.advance(30_000);
    await until('the message', async () => (await told(ann.userId)).includes('site-validity-ended'), 30_000);
    expect(await told(acme.userId)).toContain('site-managers-changed');
  });

  it('passes by who has come to hold Manage All Sites meanwhile', { timeout: 60_000 }, async () => {
    const site = await make();
    const ann = await employee('Ann', ['manage-assigned-sites']);
    await assign([site.id], [{ userId: ann.userId, until: in1h() }]);
    await relay.withDb((db) => db.updateTable('users').set({ admin: 1 }).where('id', '=', ann.userId).execute());
    clock.step(2 * HOUR);
    await clock.advance(30_000);
    const row = await until(
      'Lifetime',
      () =>
        relay.withDb(async (db) => {
          const rows = await db.selectFrom('site_managers').selectAll().where('userId', '=', ann.userId).execute();
          return rows.find((manager) => manager.untilMs === null);
        }),
      30_000,
    );
    expect(row.siteId).toBe(site.id);
  });
});
