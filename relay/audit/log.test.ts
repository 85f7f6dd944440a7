import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { LogEntry } from '../../protocol/wire/audit.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { RolePermission } from '../../protocol/wire/rights.ts';
import { type Colleague, colleague } from '../testing/colleague.ts';
import { deviceRow } from '../testing/device-row.ts';
import { type Call, type Company, TestRelay, until } from '../testing/relay.ts';
import { cell } from './csv.ts';
import { KEEP_MS } from './operation-log.ts';

const clock = new ManualClock(Date.UTC(2026, 5, 1));
const relay = new TestRelay({ clock });
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15';
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0';
const list = async (api: Call, query = ''): Promise<LogEntry[]> => (await api('GET', `/log?${query}`)).body.items;
const other = (api: Call, userAgent = BROWSER) =>
  api('POST', '/boxes/AAAAAAAA9/revoke', {}, { 'user-agent': userAgent });
/** Something that changes a site and is refused: its entry stands in the log all the same. */
const claim = (api: Call, siteId: string, userAgent = BROWSER) =>
  api('POST', `/sites/${siteId}/boxes`, { serial: 'AAAAAAAA9', code: 'AAAAAAAAAA' }, { 'user-agent': userAgent });

let acme: Company;
let otherSite: string;
const people: Record<string, Colleague> = {};

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  otherSite = (await acme.api('POST', '/sites', { name: 'Bakery', timeZone: 'UTC' })).body.id;
  const roles: Record<string, [RolePermission[], string[]?]> = {
    'manages everything': [['manage-accounts', 'manage-all-sites', 'manage-devices']],
    'manages accounts and assigned sites': [
      ['manage-accounts', 'manage-assigned-sites', 'manage-devices'],
      [acme.siteId],
    ],
    'manages accounts': [['manage-accounts']],
    'manages all sites': [['manage-all-sites', 'manage-devices']],
    'manages assigned sites': [['manage-assigned-sites', 'manage-devices'], [acme.siteId]],
    'may nothing': [[]],
  };
  for (const [name, [permissions, sites]] of Object.entries(roles))
    people[name] = await colleague(relay, acme.companyId, permissions, { name, sites });
});
afterAll(() => relay.stop());

describe('what is written (LOGS-01)', () => {
  it('has operator, time, site, target, client and result (LOGS-04)', async () => {
    const made = await acme.api('POST', '/sites', { name: 'Mill', timeZone: 'UTC' }, { 'user-agent': BROWSER });
    await claim(acme.api, made.body.id, IPHONE);
    const [second, first] = await list(acme.api, 'limit=2');
    expect(first).toMatchObject({
      at: new Date(clock.now()).toISOString(),
      operator: { userId: acme.userId, name: 'Owner', email: acme.email, companyName: 'Acme' },
      client: 'portal',
      address: '127.0.0.1',
      target: { kind: 'site', id: made.body.id, name: 'Mill' },
      action: 'createSite',
      result: 'ok',
    });
    expect(second).toMatchObject({
      client: 'mobile-ios',
      site: { id: made.body.id, name: 'Mill' },
      target: { kind: 'site', id: made.body.id, name: 'Mill' },
      action: 'claimBox',
      result: 'claim-refused',
    });
  });

  it('tells clients apart (LOGS-05)', async () => {
    const clients: string[] = [];
    for (const agent of [BROWSER, IPHONE, 'Mozilla/5.0 (Linux; Android 16; Pixel 10)', 'curl/8']) {
      await other(acme.api, agent);
      clients.push((await list(acme.api, 'limit=1'))[0]?.client ?? '');
    }
    expect(clients).toEqual(['portal', 'mobile-ios', 'mobile-android', 'api']);
  });

  it('has who signed in, who failed to, and who signed out (LOGS-06)', async () => {
    const rival = await relay.company('Rival');
    const wrong = { email: rival.email, password: 'not the password' };
    await relay.call('POST', '/api/v1/auth/login', wrong);
    await relay.call('POST', '/api/v1/auth/login', { ...wrong, email: 'nobody@nowhere.example' });
    const entries = await until('the failed one', async () => {
      const all = await list(rival.api);
      return all.some((entry) => entry.result === 'wrong-credentials') ? all : null;
    });
    expect(entries.map(({ action, result }) => [action, result])).toEqual([
      ['signIn', 'wrong-credentials'],
      ['signIn', 'ok'],
    ]);
    await rival.api('POST', '/auth/logout');
    const rows = await relay.withDb((db) =>
      db.selectFrom('audit_entries').select('action').where('companyId', '=', rival.companyId).orderBy('seq').execute(),
    );
    expect(rows.map((row) => row.action)).toEqual(['signIn', 'signIn', 'signOut']);
  });

  it('has a forgotten password, and tries to sign in by phone (LOGS-06)', async () => {
    const shop = await relay.company('Shop');
    await relay.withDb((db) =>
      db.updateTable('users').set({ phone: '+4930123456' }).where('id', '=', shop.userId).execute(),
    );
    await relay.call('POST', '/api/v1/auth/forgotten', { account: ` ${shop.email.toUpperCase()} ` });
    await relay.call('POST', '/api/v1/auth/login', { email: '+49 30 123456', password: 'not the password' });
    const logged = async () => (await list(shop.api)).map(({ action, result }) => `${action} ${result}`).sort();
    await until('both', async () => (await logged()).length === 3 || null);
    expect(await logged()).toEqual(['forgotPassword ok', 'signIn ok', 'signIn wrong-credentials']);
  });

  it('has what is refused, and no name of what is foreign', async () => {
    const stranger = await relay.company('Stranger');
    const before = (await list(acme.api, 'limit=200')).length;
    expect((await claim(stranger.api, acme.siteId)).status).toBe(404);
    expect((await list(stranger.api))[0]).toMatchObject({
      site: null,
      target: { kind: 'site', id: null, name: null },
      result: 'not-found',
    });
    expect(await list(acme.api, 'limit=200')).toHaveLength(before);
  });

  it('has reading only where a route says so', async () => {
    await acme.api('GET', '/sites');
    const before = (await list(acme.api))[0];
    expect((await list(acme.api))[0]).toEqual(before);
    await acme.api('GET', '/log/export');
    expect((await list(acme.api))[0]).toMatchObject({ action: 'exportLog', detail: 'csv' });
  });
});

describe('looking', () => {
  it('at a picture again within ten minutes is one operation', async () => {
    const deviceId = uuidv7();
    await relay.withDb((db) =>
      db
        .insertInto('devices')
        .values(deviceRow({ id: deviceId, siteId: acme.siteId, name: 'Yard' }))
        .execute(),
    );
    const looks = async () =>
      (await list(acme.api, 'limit=200')).filter(
        (entry) => entry.action === 'takeSnapshot' && entry.target?.id === deviceId,
      );
    for (let i = 0; i < 3; i++) await acme.api('GET', `/devices/${deviceId}/snapshot`);
    expect(await looks()).toHaveLength(1);
    expect((await looks())[0]).toMatchObject({
      target: { kind: 'device', id: deviceId, name: 'Yard' },
      site: { id: acme.siteId },
      result: 'box-unreachable',
    });
    await clock.advance(10 * 60_000);
    await acme.api('GET', `/devices/${deviceId}/snapshot`);
    expect(await looks()).toHaveLength(2);
  });
});

describe('a person who is removed', () => {
  it('is no longer named, as who did something and as whom it was done to', async () => {
    const { companyId } = acme;
    const leaver = await colleague(relay, companyId, ['manage-all-sites', 'manage-devices'], { name: 'Leo Leaver' });
    await claim(leaver.api, acme.siteId);
    expect((await list(acme.api, 'text=leaver')).length).toBe(1);
    expect((await acme.api('DELETE', `/people/${leaver.userId}`)).status).toBe(204);
    const stored = await relay.withDb((db) =>
      db.selectFrom('audit_people').selectAll().where('companyId', '=', companyId).execute(),
    );
    expect(JSON.stringify(stored)).not.toContain('Leo Leaver');
    const entries = await list(acme.api, 'limit=2');
    expect(entries[0]).toMatchObject({
      action: 'removePerson',
      target: { id: leaver.userId, name: null },
      result: 'ok',
    });
    expect(entries[1]).toMatchObject({ action: 'claimBox', operator: { userId: null, name: null, email: null } });
    expect((await acme.api('GET', '/log/verify')).body).toMatchObject({ broken: null });
  });
});

describe('who sees what (LOGS-07)', () => {
  const mine: Record<string, string> = {};
  beforeAll(async () => {
    await claim(acme.api, acme.siteId);
    await claim(acme.api, otherSite);
    for (const [name, person] of Object.entries(people)) {
      await other(person.api);
      mine[name] = person.userId;
    }
  });
  const cases: [string, { others: 'all' | 'assigned' | 'none' }][] = [
    ['manages everything', { others: 'all' }],
    ['manages accounts and assigned sites', { others: 'assigned' }],
    ['manages accounts', { others: 'none' }],
    ['manages all sites', { others: 'none' }],
    ['manages assigned sites', { others: 'none' }],
    ['may nothing', { others: 'none' }],
  ];
  it.each(cases)('who %s: of others %o', async (name, { others }) => {
    const entries = await list(people[name]!.api, 'limit=200');
    const theirs = entries.filter((entry) => entry.operator.userId !== mine[name]);
    expect(entries.length - theirs.length).toBe(1);
    const sites = new Set(theirs.map((entry) => entry.site?.id ?? null));
    if (others === 'none') expect(theirs).toEqual([]);
    if (others === 'assigned') expect([...sites]).toEqual([acme.siteId]);
    if (others === 'all') expect([...sites]).toEqual(expect.arrayContaining([acme.siteId, otherSite, null]));
    const operators = (await people[name]!.api('GET', '/log/operators')).body.items;
    expect(operators.length > 1).toBe(name.includes('accounts') || others === 'all');
    const verdict = await people[name]!.api('GET', '/log/verify');
    expect(verdict.status).toBe(name.includes('accounts') || others === 'all' ? 200 : 403);
    const exported = await people[name]!.api('GET', '/log/export?format=jsonl');
    expect(exported.headers.get('content-type')).toBe('application/jsonl');
    expect(exported.body.trim().split('\n')).toHaveLength(entries.length);
  });

  it('a customer sees who did what at their own site, and their own doing is their own', async () => {
    const home = await relay.customer('Meier');
    const { siteId } = acme;
    await relay.withDb(async (db) => {
      await db.updateTable('sites').set({ ownerId: home.companyId }).where('id', '=', siteId).execute();
      const grant = { id: uuidv7(), companyId: home.companyId, siteId, permission: 'own', source: 'transfer' } as const;
      await db.insertInto('grants').values(grant).execute();
    });
    const before = (await list(acme.api, 'limit=200')).length;
    await claim(acme.api, siteId);
    await claim(acme.api, otherSite);
    const seen = (await list(home.api)).filter((entry) => entry.operator.companyId !== home.companyId);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      operator: { name: 'Owner', companyName: 'Acme' },
      address: null,
      site: { id: siteId, name: 'Acme HQ' },
    });
    await claim(home.api, siteId);
    expect(await list(acme.api, 'limit=200')).toHaveLength(before + 2);
    expect((await home.api('GET', '/log/verify')).body).toMatchObject({ broken: null });
  });

  it.each(['/log', '/log/operators', '/log/export', '/log/verify'])('channel partners have no %s', async (path) => {
    const partner = await relay.company('Partner');
    expect((await partner.api('GET', path)).status).toBe(200);
    await relay.withDb((db) =>
      db.updateTable('companies').set({ channelPartner: 1 }).where('id', '=', partner.companyId).execute(),
    );
    expect(await partner.api('GET', path)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    await relay.withDb((db) =>
      db.updateTable('companies').set({ channelPartner: 0 }).where('id', '=', partner.companyId).execute(),
    );
  });
});

describe('searching (LOGS-03)', () => {
  it('finds by employee, site, time and text, page by page (PLAT-14)', async () => {
    const { api } = acme;
    const employee = people['manages all sites']!.userId;
    const theirs = await list(api, `userId=${employee}`);
    expect(new Set(theirs.map((entry) => entry.operator.userId))).toEqual(new Set([employee]));
    expect(new Set((await list(api, `siteId=${otherSite}`)).map((entry) => entry.site?.id))).toEqual(
      new Set([otherSite]),
    );
    expect((await list(api, 'text=BAKERY')).length).toBeGreaterThan(0);
    expect(await list(api, `text=${encodeURIComponent('100%')}`)).toEqual([]);
    expect(await list(api, `text=_`)).toEqual([]);

    const all = await list(api, 'limit=200');
    const first = await api('GET', '/log?limit=3');
    const second = await api('GET', `/log?limit=3&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...second.body.items]).toEqual(all.slice(0, 6));
    expect((await api('GET', '/log?cursor=abc')).body.code).toBe('invalid-request');

    const then = new Date(clock.now()).toISOString();
    clock.step(60_000);
    await claim(api, otherSite);
    const later = new Date(clock.now()).toISOString();
    expect(await list(api, `from=${later}`)).toHaveLength(1);
    expect((await list(api, `from=${then}&to=${later}`)).some((entry) => entry.at === later)).toBe(false);
  });
});

describe('the export', () => {
  it('is every page, as CSV and as lines of JSON', async () => {
    for (let i = 0; i < 5; i++) await claim(acme.api, otherSite);
    const entries = await list(acme.api, 'limit=200');
    const lines = await acme.api('GET', '/log/export?format=jsonl');
    expect(lines.headers.get('content-disposition')).toMatch(/^attachment; filename="operations-2026-06-01\.jsonl"$/);
    const parsed = lines.body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(parsed.slice(0, 5)).toEqual(entries.slice(0, 5));
    const csv = await acme.api('GET', `/log/export?format=csv&siteId=${otherSite}`);
    expect(csv.headers.get('content-type')).toContain('text/csv');
    const rows = csv.body.trim().split('\r\n');
    expect(rows[0]).toContain('Number,Time (UTC),Name,E-mail');
    expect(rows.length - 1).toBe((await list(acme.api, `siteId=${otherSite}&limit=200`)).length);
  });

  it.each([
    ['=1+1', '"\'=1+1"'],
    ['+49 30', '"\'+49 30"'],
    ['-2', '"\'-2"'],
    ['@SUM(A1)', '"\'@SUM(A1)"'],
    [' =1', '"\' =1"'],
    ['\t=1', '"\'\t=1"'],
    ['Müller, "Hof"', '"Müller, ""Hof"""'],
    ['a\nb', '"a\nb"'],
    [-5, '-5'],
    [null, ''],
  ])('keeps %o text', (value, expected) => {
    expect(cell(value)).toBe(expected);
  });
});

describe('90 days (LOGS-02)', () => {
  it('an entry of 91 days ago is absent, also before it is swept', async () => {
    const late = await relay.company('Late');
    const { userId, companyId } = late;
    const { api } = await colleague(relay, companyId, ['manage-accounts', 'manage-all-sites']);
    const at = clock.now();
    await until('the sign-in', async () => (await list(api)).length === 1);
    clock.step(KEEP_MS - 1);
    expect((await list(api)).map((entry) => entry.operator.userId)).toEqual([userId]);
    clock.step(1);
    expect(await list(api)).toEqual([]);
    expect((await api('GET', '/log/export?format=jsonl')).body).toBe('');
    const kept = await relay.withDb((db) =>
      db.selectFrom('audit_entries').select('atMs').where('companyId', '=', companyId).orderBy('seq').execute(),
    );
    expect(kept[0]?.atMs).toBe(at);
  });
});
