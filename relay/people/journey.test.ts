import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { COMPANY_TYPES } from '../../protocol/wire/rights.ts';
import { type Answer, type Call, TestRelay, until } from '../testing/relay.ts';
import { anybody, as, employ, giveSlots, lastSentTo } from './testing.ts';

/* Company, employees, roles and log, step by step as a person goes through them; each step builds on the one before. */

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const password = 'zu viert im Regen';
const clock = new ManualClock(Date.UTC(2026, 5, 1, 8));
const relay = new TestRelay({ clock });
const call = anybody(relay);
const people: Record<string, { api: Call; userId: string }> = {};
let operator: Call;
let admin: Call;
let companyId: string;
const sites: string[] = [];

beforeAll(async () => {
  await relay.start();
  operator = await relay.operator();
});
afterAll(() => relay.stop());

const register = async (type: string): Promise<Answer> => {
  const email = `admin@${type}.example`;
  const companyName = `Nordlicht ${type}`;
  await call('POST', '/auth/register', { kind: 'company', type, companyName, country: 'DE', email, name: 'Ada Min' });
  const { secret: token } = await lastSentTo(relay, email);
  return call('POST', '/auth/register/link', { token, password });
};
const newSite = async (name: string): Promise<string> => {
  const made = await admin('POST', '/sites', { name, timeZone: 'Europe/Berlin' });
  expect(made.status).toBe(201);
  return made.body.id;
};
const assign = (siteId: string, managers: { userId: string; until: string | null }[]): Promise<Answer> =>
  admin('POST', '/site-assignments', { siteIds: [siteId], managers });
const namesOf = async (api: Call) =>
  (await api('GET', '/sites')).body.items.map((site: { name: string }) => site.name).sort();

describe('a company, its people and their log', () => {
  it('1. registers with each type, is authenticated later, and its administrator is told (ACCT-03, ACCT-06)', async () => {
    for (const type of COMPANY_TYPES) {
      const done = await register(type);
      expect(done.body.me.company).toMatchObject({ type, authentication: 'none' });
      if (type !== 'installer') continue;
      admin = as(relay, done);
      companyId = done.body.me.company.id;
    }
    const { asked } = (await admin('GET', '/company/authentication')).body;
    const fields = Object.fromEntries(asked.map(({ field }: { field: string }) => [field, 'given']));
    expect((await admin('POST', '/company/authentication', { fields })).status).toBe(201);
    await operator('PUT', `/operator/companies/${companyId}/decision`, { approved: true });
    expect((await lastSentTo(relay, 'admin@installer.example')).code).toBe('company-approved');
    const { items } = (await admin('GET', '/notifications')).body;
    expect(items[0]).toMatchObject({ code: 'company-approved', category: 'business' });
  });

  it('3. takes in an invited employee, and one who registers and asks to join (EMPL-01, EMPL-02)', async () => {
    const roles = { technician: ['manage-assigned-sites', 'manage-devices', 'configure-devices', 'live-view'] };
    const { body: role } = await admin('POST', '/roles', { name: 'Technician', permissions: roles.technician });
    const email = 'in3@nordlicht.example';
    people.in3 = await employ(relay, admin, { email, name: 'Ina Drei', password, roles: [role.id] });

    const applicant = { kind: 'employee', companyName: 'nordlicht instal', name: 'Ivo Vier', email: 'in4@new.example' };
    await call('POST', '/auth/register', applicant);
    const { secret: token } = await lastSentTo(relay, applicant.email);
    const { companies } = (await call('POST', '/auth/link', { token })).body;
    expect(companies[0]).toMatchObject({ id: companyId, name: 'Nordlicht installer' });
    await call('POST', '/auth/register/join', { token, companyId, password });
    const [request] = (await admin('GET', '/join-requests')).body.items;
    const accepted = await admin('POST', `/join-requests/${request.id}/accept`, { roles: [role.id] });
    const signedIn = await call('POST', '/auth/login', { email: applicant.email, password });
    people.in4 = { api: as(relay, signedIn), userId: accepted.body.id };
    expect((await admin('GET', '/company')).body).toMatchObject({ people: 3, slotsUsed: 0 });
  });

  it('4. shows who does not hold Manage All Sites the assigned ones only, and their own log (EMPL-09)', async () => {
    for (const name of ['Bakery', 'Cinema', 'Depot']) sites.push(await newSite(name));
    await assign(sites[1]!, [{ userId: people.in3!.userId, until: null }]);
    expect(await namesOf(admin)).toEqual(['Bakery', 'Cinema', 'Depot']);
    expect(await namesOf(people.in3!.api)).toEqual(['Cinema']);
    expect(await namesOf(people.in4!.api)).toEqual([]);
    expect((await people.in3!.api('GET', `/sites/${sites[0]}`)).status).toBe(404);
    await people.in3!.api('PUT', '/me/profile', { name: 'Ina Drei', locale: 'de' });
    const log = async (api: Call) =>
      (await api('GET', '/log')).body.items.map(
        (entry: { operator: { userId: string }; action: string }) => `${entry.operator.userId} ${entry.action}`,
      );
    const own = await log(people.in3!.api);
    expect(own).toContain(`${people.in3!.userId} changeProfile`);
    expect(own.every((entry: string) => entry.startsWith(people.in3!.userId))).toBe(true);
    expect(await log(admin)).toEqual(expect.arrayContaining([expect.stringContaining('createSite'), own[0]]));
  });

  it('5. lets a limited employee sign in, not manage; a slot changes that, enabling is another switch (EMPL-07)', async () => {
    const { api, userId } = people.in3!;
    const manage = () => api('PATCH', `/sites/${sites[1]}`, { remark: 'Key at the counter' });
    expect((await api('GET', `/sites/${sites[1]}`)).status).toBe(200);
    expect((await manage()).body.code).toBe('account-limited');
    const unlimit = () => admin('PUT', `/people/${userId}/limited`, { limited: false });
    expect((await unlimit()).body.code).toBe('limit-reached');
    await giveSlots(relay, companyId, 1);
    expect((await unlimit()).status).toBe(200);
    expect((await manage()).status).toBe(200);
    await admin('PUT', `/people/${userId}/enabled`, { enabled: false });
    expect((await api('GET', '/auth/me')).status).toBe(401);
    expect((await admin('GET', `/people/${userId}`)).body).toMatchObject({ enabled: false, limited: false });
    const back = await admin('PUT', `/people/${userId}/enabled`, { enabled: true });
    expect(back.body).toMatchObject({ enabled: true, limited: false });
    const signedIn = await call('POST', '/auth/login', { email: 'in3@nordlicht.example', password });
    people.in3 = { api: as(relay, signedIn), userId };
  });

  it('6. takes no more than a hundred managers of a site (ASGN-04)', async () => {
    const managers = Array.from({ length: 101 }, () => ({ userId: uuidv7(), until: null }));
    expect((await assign(sites[0]!, managers)).status).toBe(400);
  });

  it('7. ends an assignment with its validity (ASGN-08)', async () => {
    const { api, userId } = people.in3!;
    const made = await assign(sites[2]!, [{ userId, until: iso(clock.now() + HOUR_MS) }]);
    expect([made.status, made.body]).toEqual([
      expect.any(Number),
      expect.not.objectContaining({ code: expect.anything() }),
    ]);
    clock.step(HOUR_MS - 1);
    expect(await namesOf(api)).toEqual(['Cinema', 'Depot']);
    clock.step(1);
    expect(await namesOf(api)).toEqual(['Cinema']);
    await clock.advance(MINUTE_MS);
    const told = async () =>
      (await api('GET', '/notifications')).body.items.map((notice: { code: string }) => notice.code);
    await until('the notice', async () => (await told()).includes('site-validity-ended'));
  });

  it('9. finds operations by employee and site (LOGS-02)', async () => {
    const of = async (query: string) => (await admin('GET', `/log?${query}`)).body.items;
    const byPerson = await of(`userId=${people.in3!.userId}`);
    expect(byPerson.length).toBeGreaterThan(0);
    for (const entry of byPerson) expect(entry.operator.userId).toBe(people.in3!.userId);
    const bySite = await of(`siteId=${sites[1]}`);
    expect(bySite.length).toBeGreaterThan(0);
    for (const entry of bySite) expect(entry.site.id).toBe(sites[1]);
  });
});
