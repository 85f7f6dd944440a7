import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../protocol/clock.ts';
import { isToken } from '../../keys/token.ts';
import { sentTo } from '../../people/testing.ts';
import { colleague } from '../../testing/colleague.ts';
import { type Call, type Company, TestRelay } from '../../testing/relay.ts';
import { centreToBe, INFORMATION, listedCentre } from './testing/centre.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock, helpEmail: 'arc-help@relay.example' });
let operator: Call;
let installer: Company;

beforeAll(async () => {
  await relay.start();
  operator = await relay.operator();
  installer = await relay.company('Keller');
  await relay.withDb((db) =>
    db.updateTable('companies').set({ country: 'DE' }).where('id', '=', installer.companyId).execute(),
  );
});
afterAll(() => relay.stop());

const listed = (name: string, information: object = {}) => listedCentre(relay, name, information, operator);
const codes = async (api: Call) =>
  (await api('GET', '/notifications')).body.items.map((notice: { code: string }) => notice.code);
const apply = async (centre: Company, information: object = {}) => {
  const { agreement } = (await centre.api('GET', '/arc-joining')).body;
  return centre.api('POST', '/arc-joining', { information: { ...INFORMATION, ...information }, agreement });
};
const decide = (centre: Company, decision: object) =>
  operator('PUT', `/operator/arcs/${centre.companyId}/decision`, decision);
const keyMail = async (centre: Company): Promise<{ arcId: string; arcKey: string }> =>
  (await sentTo(relay, centre.email)).filter(({ code }) => code === 'arc-key').at(-1)!.values as never;
const names = async (api: Call, query = '') =>
  (await api('GET', `/arcs${query}`)).body.items.map((arc: { name: string }) => arc.name);
const exchange = (apiKey: string, apiSecret: string) => relay.call('POST', '/api/v1/token', { apiKey, apiSecret });
const bearer = (token: string, method: string, path: string) =>
  relay.call(method, `/api/v1${path}`, undefined, { authorization: `Bearer ${token}` });

describe('joining the ARC list', () => {
  it('is offered to companies of the type alarm receiving centre only (ARC-08)', async () => {
    expect((await installer.api('GET', '/arc-joining')).body).toMatchObject({ offered: false, state: 'none' });
    const refused = await apply(installer);
    expect(refused).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
    const centre = await centreToBe(relay, 'Offered');
    expect((await centre.api('GET', '/arc-joining')).body).toMatchObject({ offered: true, state: 'none' });
    const employee = await colleague(relay, centre.companyId, ['manage-all-sites', 'manage-accounts']);
    const asked = await employee.api('POST', '/arc-joining', {
      information: INFORMATION,
      agreement: (await centre.api('GET', '/arc-joining')).body.agreement,
    });
    expect(asked.body.detail).toContain('administrator');
  });

  it('asks for complete company information and the agreement, which names who helps (ARC-09, ARC-11)', async () => {
    const centre = await centreToBe(relay, 'Complete');
    const before = (await centre.api('GET', '/arc-joining')).body;
    expect(before).toMatchObject({ helpEmail: 'arc-help@relay.example', proposed: { email: centre.email } });
    for (const missing of ['contactName', 'email', 'phone', 'address', 'countries']) {
      const { status, body } = await apply(centre, { [missing]: missing === 'countries' ? [] : '' });
      expect([missing, status]).toEqual([missing, 400]);
      expect(body.errors[0].path).toContain(missing);
    }
    const old = { information: INFORMATION, agreement: '2020-01' };
    expect((await centre.api('POST', '/arc-joining', old)).status).toBe(400);
    expect((await apply(centre)).body).toMatchObject({
      state: 'submitted',
      information: { ...INFORMATION, phone: '+4940123456', countries: ['AT', 'DE'] },
    });
    expect(await codes(operator)).toContain('arc-applied');
    expect((await apply(centre)).status).toBe(409);
  });

  it('lets only authenticated companies in: ID and key come by e-mail, after “config completed” it is listed (ARC-03, ARC-10, ARC-12)', async () => {
    const centre = await centreToBe(relay, 'Harbour');
    await relay.withDb((db) =>
      db.updateTable('companies').set({ authentication: 'none' }).where('id', '=', centre.companyId).execute(),
    );
    await apply(centre);
    const waiting = (await operator('GET', '/operator/arcs?state=submitted')).body.items;
    expect(waiting.map((a: { name: string }) => a.name)).toContain('Harbour');
    expect((await decide(centre, { approved: true })).body.detail).toContain('not authenticated');
    await relay.withDb((db) =>
      db.updateTable('companies').set({ authentication: 'approved' }).where('id', '=', centre.companyId).execute(),
    );
    expect((await centre.api('POST', '/arc-joining/completed')).status).toBe(409);
    expect((await decide(centre, { approved: true })).body).toMatchObject({ state: 'approved', decidedBy: 'Operator' });

    const { arcId, arcKey } = await keyMail(centre);
    const state = (await centre.api('GET', '/arc-joining')).body;
    expect(state).toMatchObject({ state: 'approved', arcId, keyPrefix: arcKey.slice(0, 12), keySentTo: centre.email });
    expect(JSON.stringify(state)).not.toContain(arcKey);
    expect(JSON.stringify((await centre.api('GET', '/notifications')).body)).not.toContain(arcKey);
    expect(JSON.stringify(relay.logged)).not.toContain(arcKey);
    expect(await names(installer.api)).not.toContain('Harbour');

    expect((await centre.api('POST', '/arc-joining/completed')).body).toMatchObject({ state: 'listed' });
    expect(await names(installer.api)).toContain('Harbour');
    expect((await installer.api('GET', `/arcs/${centre.companyId}`)).body).toMatchObject({
      name: 'Harbour',
      information: { certificates: 'EN 50518', about: 'Round the clock.', countries: ['AT', 'DE'] },
    });
  });

  it('is rejected with a reason, and applied for again', async () => {
    const centre = await centreToBe(relay, 'Second');
    await apply(centre);
    expect((await decide(centre, { approved: false, reason: 'No certificate.' })).body.state).toBe('rejected');
    expect((await centre.api('GET', '/arc-joining')).body).toMatchObject({
      state: 'rejected',
      reason: 'No certificate.',
      information: { contactName: 'Rita Wachter' },
    });
    expect(await codes(centre.api)).toContain('arc-rejected');
    expect((await apply(centre)).body).toMatchObject({ state: 'submitted', reason: '' });
    expect((await decide(centre, { approved: true })).body.state).toBe('approved');
    expect((await decide(centre, { approved: true })).status).toBe(409);
  });

  it('ends by withdrawal, but not while sites send alarms there; the key ends with it', async () => {
    const centre = await listed('Leaving');
    const { accessToken } = (await exchange(centre.arcId, centre.arcKey)).body;
    expect((await bearer(accessToken, 'GET', '/arc-receivers')).status).toBe(200);
    const receiver = await centre.api('POST', '/arc-receivers', {
      name: 'Main',
      direct: { host: '192.0.2.1', port: 12000 },
      relay: { host: '127.0.0.1', port: 12000 },
    });
    expect(receiver.status).toBe(201);
    const account = {
      id: crypto.randomUUID(),
      siteId: installer.siteId,
      boxSerial: 'AAAAAAAA9',
      receiverId: receiver.body.id,
      ...({ account: '1234', protocol: 'SIA-DCS', encrypted: 0, mode: 'relay', events: '[]', zones: '[]' } as const),
      ...({ supervisionKind: 'off', supervisionIntervalMs: 5000, createdAt: '', deletedAt: null } as const),
    };
    await relay.withDb(async (db) => {
      await db
        .insertInto('boxes')
        .values({
          serial: account.boxSerial,
          publicKey: '',
          sealKey: '',
          codeHash: '',
          version: null,
          state: 'claimed',
          siteId: installer.siteId,
          companyId: installer.companyId,
          boot: null,
          epoch: null,
          enrolledMs: 0,
          seenMs: null,
        })
        .execute();
      await db.insertInto('arc_accounts').values(account).execute();
    });
    expect((await centre.api('POST', '/arc-joining/withdraw')).body.detail).toContain('1 accounts of sites');
    await relay.withDb((db) => db.updateTable('arc_accounts').set({ deletedAt: 'now' }).execute());
    expect((await centre.api('POST', '/arc-joining/withdraw')).body).toMatchObject({ state: 'withdrawn', arcId: null });
    expect(await names(installer.api)).not.toContain('Leaving');
    expect((await bearer(accessToken, 'GET', '/arc-receivers')).status).toBe(401);
    expect((await exchange(centre.arcId, centre.arcKey)).status).toBe(401);
    expect(await codes(operator)).toContain('arc-withdrawn');
    expect((await apply(centre)).body.state).toBe('submitted');
  });

  it('ends when the operator takes the centre off the list, or suspends its company', async () => {
    const off = await listed('Off');
    const suspended = await listed('Suspended');
    expect(await names(installer.api)).toEqual(expect.arrayContaining(['Off', 'Suspended']));
    await decide(off, { approved: false, reason: 'Licence lost.' });
    await operator('PUT', `/operator/companies/${suspended.companyId}/suspended`, { suspended: true });
    const left = await names(installer.api);
    expect(left).not.toContain('Off');
    expect(left).not.toContain('Suspended');
    expect((await exchange(off.arcId, off.arcKey)).status).toBe(401);
  });

  it('is the operator’s to decide, nobody else’s', async () => {
    const centre = await centreToBe(relay, 'Undecided');
    await apply(centre);
    const path = `/operator/arcs/${centre.companyId}/decision`;
    for (const api of [centre.api, installer.api])
      expect((await api('PUT', path, { approved: true })).status).toBe(404);
    expect((await installer.api('GET', '/operator/arcs')).status).toBe(404);
  });
});

describe('the ARC list', () => {
  it('holds the centres that serve the country, for personal sites only (ARC-01)', async () => {
    await listed('German', { countries: ['DE'] });
    await listed('French', { countries: ['FR'] });
    const site = async (more: object) =>
      (await installer.api('POST', '/sites', { name: `Site ${JSON.stringify(more)}`, timeZone: 'UTC', ...more })).body;
    expect(await names(installer.api)).toContain('German');
    expect(await names(installer.api)).not.toContain('French');
    const french = await site({ country: 'FR' });
    expect(await names(installer.api)).toEqual(expect.arrayContaining(['French', 'German']));
    expect(await names(installer.api, `?siteId=${french.id}`)).toEqual(['French']);
    const home = await site({});
    expect(await names(installer.api, `?siteId=${home.id}`)).not.toContain('French');
    const team = await site({ type: 'team' });
    const asked = await installer.api('GET', `/arcs?siteId=${team.id}`);
    expect(asked.body.detail).toContain('personal sites only');
    const swiss = await relay.company('Swiss');
    await relay.withDb((db) =>
      db.updateTable('companies').set({ country: 'CH' }).where('id', '=', swiss.companyId).execute(),
    );
    expect(await names(swiss.api)).toEqual([]);
    const [arc] = (await installer.api('GET', '/arcs')).body.items;
    expect((await swiss.api('GET', `/arcs/${arc.id}`)).status).toBe(404);
    expect((await swiss.api('GET', `/arcs?siteId=${home.id}`)).status).toBe(404);
  });
});

describe('ARC ID and ARC key', () => {
  it('stand hashed only; a new key ends the old one and its tokens', async () => {
    const centre = await listed('Renewed');
    const old = (await exchange(centre.arcId, centre.arcKey)).body.accessToken;
    expect((await centre.api('POST', '/arc-joining/key')).body.arcId).toBe(centre.arcId);
    const { arcKey } = await keyMail(centre);
    expect(arcKey).not.toBe(centre.arcKey);
    expect((await bearer(old, 'GET', '/sites')).status).toBe(401);
    expect((await exchange(centre.arcId, centre.arcKey)).status).toBe(401);
    const fresh = (await exchange(centre.arcId, arcKey)).body.accessToken;
    const stored = await relay.withDb(async (db) =>
      JSON.stringify([
        await db.selectFrom('api_keys').selectAll().execute(),
        await db.selectFrom('api_access_tokens').selectAll().execute(),
        await db.selectFrom('audit_entries').selectAll().execute(),
        await db.selectFrom('idempotency_keys').selectAll().execute(),
      ]),
    );
    expect(stored).not.toContain(arcKey.slice(12));
    expect(stored).not.toContain(fresh.slice(14));
    expect((await centre.api('GET', '/keys')).body.items).toEqual([]);
  });

  it('act for the company whoever is its administrator; other keys are exchanged alike, with what they hold (API-02)', async () => {
    const centre = await listed('Successor');
    const next = await colleague(relay, centre.companyId, []);
    await relay.withDb(async (db) => {
      await db.updateTable('users').set({ admin: 0 }).where('id', '=', centre.userId).execute();
      await db.updateTable('users').set({ admin: 1 }).where('id', '=', next.userId).execute();
    });
    const { accessToken } = (await exchange(centre.arcId, centre.arcKey)).body;
    expect((await bearer(accessToken, 'GET', '/arc-receivers')).status).toBe(200);

    const wanted = { name: 'Reader', permissions: ['manage-all-sites'], days: 2 };
    const key = (await installer.api('POST', '/keys', wanted)).body;
    const token = (await exchange(key.id, key.token)).body;
    expect(token.expiresAt).toBe(key.expiresAt);
    expect((await bearer(token.accessToken, 'GET', '/sites')).status).toBe(200);
    expect((await bearer(token.accessToken, 'POST', '/sites')).body.detail).toBe('This key may only read.');
    await installer.api('DELETE', `/keys/${key.id}`);
    expect((await bearer(token.accessToken, 'GET', '/sites')).status).toBe(401);
  });

  it('are exchanged for an access token, with which calls are made for seven days (API-02)', async () => {
    const centre = await listed('Token');
    expect((await exchange(centre.arcId, `${centre.arcKey.slice(0, -1)}!`)).body.code).toBe('wrong-credentials');
    expect((await exchange(crypto.randomUUID(), centre.arcKey)).status).toBe(401);
    const { status, body } = await exchange(centre.arcId, centre.arcKey);
    expect(status).toBe(200);
    expect(isToken(body.accessToken, 'gp_access_')).toBe(true);
    expect(body.expiresAt).toBe(new Date(clock.now() + 7 * 86_400_000).toISOString());
    expect((await bearer(body.accessToken, 'GET', '/sites')).status).toBe(200);
    expect((await bearer(body.accessToken, 'GET', '/keys')).status).toBe(403);
    expect((await bearer(body.accessToken, 'POST', '/arc-joining/withdraw')).status).toBe(403);
    // The key itself opens nothing: only what it was exchanged for.
    expect((await bearer(centre.arcKey, 'GET', '/sites')).status).toBe(401);
    clock.step(7 * 86_400_000);
    expect((await bearer(body.accessToken, 'GET', '/sites')).status).toBe(401);
    expect((await exchange(centre.arcId, centre.arcKey)).status).toBe(200);
  });
});
