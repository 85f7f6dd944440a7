import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { COMPANY_TYPES } from '../../protocol/wire/rights.ts';
import { TestRelay } from '../testing/relay.ts';
import { anybody, as, lastSentTo, sentTo } from './testing.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const password = 'zu viert im Regen';
const clock = new ManualClock(Date.UTC(2026, 4, 4, 8));
const relay = new TestRelay({ clock });
const call = anybody(relay);

beforeAll(async () => {
  await relay.start();
});
// The limit of an address for what is sent is by the hour; tests come from one address.
beforeEach(() => clock.advance(61 * MINUTE_MS), 60_000);
afterAll(() => relay.stop());

const company = (email: string, more: object = {}) => ({
  kind: 'company',
  type: 'installer',
  companyName: 'Keller Security',
  country: 'DE',
  email,
  name: 'Ines Keller',
  ...more,
});
const register = (body: object) => call('POST', '/auth/register', body);
const follow = (token: string, pass = password) => call('POST', '/auth/register/link', { token, password: pass });

describe('a company registers', () => {
  it.each(COMPANY_TYPES)('as %s, its first account is the administrator (ACCT-01, ACCT-02, ACCT-03)', async (type) => {
    const email = `${type}@first.example`;
    const sent = await register(company(email, { type, locale: 'de' }));
    expect(sent).toMatchObject({ status: 202, body: { by: 'email' } });
    const message = await lastSentTo(relay, email);
    expect(message).toMatchObject({ code: 'registration', locale: 'de', link: expect.stringMatching(/^\/verify#/) });
    expect((await call('POST', '/auth/link', { token: message.secret })).body).toMatchObject({
      for: 'registration',
      target: email,
      name: 'Ines Keller',
    });
    const done = await follow(message.secret);
    expect(done.status).toBe(201);
    expect(done.headers.get('set-cookie')).toContain('gp_session=');
    expect(done.body.me).toMatchObject({
      email,
      emailVerified: true,
      admin: true,
      limited: false,
      locale: 'de',
      totp: false,
      company: { name: 'Keller Security', type, authentication: 'none' },
    });
    expect(done.body.me.permissions).toContain('manage-accounts');
    const again = await call('POST', '/auth/login', { email: email.toUpperCase(), password });
    expect(again.status).toBe(200);
  });

  it('with a country and names that are valid, and nothing that the form does not ask for', async () => {
    for (const wrong of [
      { country: 'XX' },
      { country: '' },
      { type: 'customer' },
      { type: 'operator' },
      { email: 'nobody' },
      { email: 'a@b.example\r\nBcc: all@b.example' },
      { name: 'Ines\r\nBcc: all@b.example' },
      { name: '' },
      { companyName: 'x'.repeat(65) },
    ])
      expect([wrong, (await register(company('wrong@form.example', wrong))).body.code]).toEqual([
        wrong,
        'invalid-request',
      ]);
    const email = 'mass@assignment.example';
    const own = { companyId: uuidv7(), admin: false, slots: 9, authentication: 'approved', permissions: ['x'] };
    await register(company(email, own));
    const { body } = await follow((await lastSentTo(relay, email)).secret);
    expect(body.me).toMatchObject({ admin: true, company: { authentication: 'none' } });
    expect((await as(relay, { body })('GET', '/company')).body).toMatchObject({ slots: 0, slotsUsed: 0, people: 1 });
  });

  it('with a link that is valid for a day, once, the newest one', async () => {
    const email = 'link@once.example';
    const { body: sent } = await register(company(email));
    const first = (await lastSentTo(relay, email)).secret;
    clock.step(MINUTE_MS);
    expect((await call('POST', '/auth/register/resend', { id: sent.id })).status).toBe(202);
    const second = (await lastSentTo(relay, email)).secret;
    expect((await follow(first)).body.code).toBe('link-invalid');
    expect((await follow(second, 'too short')).body.code).toBe('weak-password');
    clock.step(DAY_MS);
    expect((await follow(second)).body.code).toBe('link-invalid');
    expect((await call('POST', '/auth/register/resend', { id: sent.id })).body.code).toBe('link-invalid');

    await register(company(email));
    const third = (await lastSentTo(relay, email)).secret;
    clock.step(DAY_MS - 1);
    const both = await Promise.all([follow(third), follow(third)]);
    expect(both.map((answer) => answer.status).sort()).toEqual([201, 410]);
    expect((await follow(third)).status).toBe(410);
  });

  it('and gets at most one message a minute and five a day', async () => {
    const email = 'five@day.example';
    const { body: sent } = await register(company(email));
    const resend = () => call('POST', '/auth/register/resend', { id: sent.id });
    const early = await resend();
    expect(early).toMatchObject({ status: 429, body: { code: 'too-many-tries' } });
    expect(early.headers.get('retry-after')).toBe('60');
    for (let i = 0; i < 4; i++) {
      clock.step(MINUTE_MS);
      expect((await resend()).status).toBe(202);
    }
    clock.step(MINUTE_MS);
    const sixth = await resend();
    expect(sixth.status).toBe(429);
    expect(Number(sixth.headers.get('retry-after'))).toBe((DAY_MS - 5 * MINUTE_MS) / 1000);
    expect((await register(company(email))).status).toBe(429);
    expect(await sentTo(relay, email)).toHaveLength(5);
    clock.step(DAY_MS - 5 * MINUTE_MS - 1);
    expect((await register(company(email))).status).toBe(429);
    clock.step(1);
    expect((await register(company(email))).status).toBe(202);
  });

  it('and nobody learns whether an address has an account, but its owner', async () => {
    const email = 'known@owner.example';
    const fresh = await register(company(email));
    await follow((await lastSentTo(relay, email)).secret);
    clock.step(MINUTE_MS);
    const known = await register(company(email));
    expect(known.status).toBe(fresh.status);
    expect(Object.keys(known.body).sort()).toEqual(Object.keys(fresh.body).sort());
    expect(await lastSentTo(relay, email)).toMatchObject({ code: 'address-known', link: '/forgotten' });
    clock.step(MINUTE_MS);
    expect((await call('POST', '/auth/register/resend', { id: known.body.id })).status).toBe(202);
    expect((await sentTo(relay, email)).map((m) => m.code)).toEqual(['registration', 'address-known', 'address-known']);
    const stored = JSON.stringify(await relay.withDb((db) => db.selectFrom('verifications').selectAll().execute()));
    const secret = (await sentTo(relay, email))[0]?.secret ?? '';
    expect(stored).not.toContain(secret);
  });
});

describe('a customer registers', () => {
  const customer = { kind: 'customer', name: 'Uwe Haus', country: 'DE' };

  it('by e-mail, as the administrator of a household of one', async () => {
    await register({ ...customer, email: 'uwe@home.example' });
    const { body } = await follow((await lastSentTo(relay, 'uwe@home.example')).secret);
    expect(body.me).toMatchObject({ company: { type: 'customer', name: 'Uwe Haus' }, admin: true, limited: false });
    const own = as(relay, { body });
    expect((await own('GET', '/roles')).body.code).toBe('not-allowed');
    expect((await own('POST', '/employee-invitations', { email: 'a@b.example' })).body.code).toBe('not-allowed');
    expect((await own('POST', '/company/authentication', { fields: {} })).body.code).toBe('not-allowed');
  });

  it('by phone: a code of six digits, five tries, ten minutes', async () => {
    const phone = '+493012345678';
    const { body: sent } = await register({ ...customer, phone: '0049 (30) 1234-5678' });
    expect(sent.by).toBe('phone');
    const message = await lastSentTo(relay, phone);
    expect(message).toMatchObject({ code: 'phone-code', secret: expect.stringMatching(/^\d{6}$/) });
    const enter = (code: string, id = sent.id) =>
      call('POST', '/auth/register/code', { id, code, password: 'a good password' });
    const wrong = String((Number(message.secret) + 1) % 1_000_000).padStart(6, '0');
    for (let i = 0; i < 5; i++) expect((await enter(wrong)).body.code).toBe('code-wrong');
    expect((await enter(message.secret)).body.code).toBe('link-invalid');

    clock.step(MINUTE_MS);
    expect((await call('POST', '/auth/register/resend', { id: sent.id })).status).toBe(202);
    const second = (await lastSentTo(relay, phone)).secret;
    clock.step(10 * MINUTE_MS);
    expect((await enter(second)).body.code).toBe('link-invalid');
    expect((await call('POST', '/auth/register/resend', { id: sent.id })).status).toBe(202);
    const third = (await lastSentTo(relay, phone)).secret;
    clock.step(10 * MINUTE_MS - 1);
    const done = await enter(`${third.slice(0, 3)} ${third.slice(3)}`);
    expect(done).toMatchObject({ status: 201, body: { me: { email: null, phone, phoneVerified: true } } });
    expect((await enter(third)).body.code).toBe('link-invalid');
    const login = await call('POST', '/auth/login', { email: '0049 30 12345678', password: 'a good password' });
    expect(login.status).toBe(200);

    // Somebody else with that number: the same answers, and no code that would do.
    const { body: known } = await register({ ...customer, phone });
    expect((await lastSentTo(relay, phone)).code).toBe('address-known');
    expect((await enter('123456', known.id)).body.code).toBe('code-wrong');
  });

  it('with one address, not with none or two', async () => {
    expect((await register(customer)).body.code).toBe('invalid-request');
    const both = { ...customer, email: 'a@home.example', phone: '+493012345679' };
    expect((await register(both)).body.code).toBe('invalid-request');
    expect((await register({ ...customer, phone: '12345' })).body.code).toBe('invalid-request');
  });
});

describe('an employee registers without an invitation', () => {
  const found = async (companyName: string, email: string) => {
    await register({ kind: 'employee', companyName, name: 'Jonas Neu', email });
    const { secret: token } = await lastSentTo(relay, email);
    const { body } = await call('POST', '/auth/link', { token });
    return { token, for: body.for, companies: body.companies as { id: string; name: string; type: string }[] };
  };

  it('is offered companies with a similar name, asks one, and is let in or refused (EMPL-02)', async () => {
    for (const name of ['Müller Alarmtechnik GmbH', 'Mueller & Söhne', 'Schmidt Security']) {
      const email = `${uuidv7()}@firm.example`;
      await register(company(email, { companyName: name, type: name.startsWith('Schmidt') ? 'arc' : 'installer' }));
      await follow((await lastSentTo(relay, email)).secret);
    }
    const email = 'jonas@new.example';
    const { token, companies, ...link } = await found('muller alarmtechnik', email);
    expect(link.for).toBe('employee');
    expect(companies.map((one) => one.name)).toEqual(['Müller Alarmtechnik GmbH']);
    const ask = (companyId: string) =>
      call('POST', '/auth/register/join', { token, companyId, password, message: 'I start on Monday' });
    expect((await ask(uuidv7())).status).toBe(404);
    expect((await follow(token)).body.code).toBe('link-invalid');
    expect(await ask(companies[0]!.id)).toMatchObject({ status: 201, body: { company: 'Müller Alarmtechnik GmbH' } });
    expect((await ask(companies[0]!.id)).body.code).toBe('link-invalid');
    expect((await call('POST', '/auth/login', { email, password })).status).toBe(401);

    const [admin] = await relay.withDb((db) =>
      db.selectFrom('users').selectAll().where('companyId', '=', companies[0]!.id).execute(),
    );
    const message = await lastSentTo(relay, admin?.email ?? '');
    expect(message).toMatchObject({ code: 'join-request', values: { name: 'Jonas Neu', email } });
    const api = as(relay, await call('POST', '/auth/login', { email: admin?.email, password }));
    const role = (await api('POST', '/roles', { name: 'Technician', permissions: ['live-view'] })).body.id;
    const { items } = (await api('GET', '/join-requests')).body;
    expect(items).toMatchObject([{ name: 'Jonas Neu', email, message: 'I start on Monday' }]);
    const accepted = await api('POST', `/join-requests/${items[0].id}/accept`, { roles: [role] });
    expect(accepted).toMatchObject({
      status: 201,
      body: { email, admin: false, enabled: true, limited: true, roles: [{ name: 'Technician' }] },
    });
    expect((await lastSentTo(relay, email)).code).toBe('join-accepted');
    const login = await call('POST', '/auth/login', { email, password });
    expect(login.body.me).toMatchObject({ permissions: ['live-view'], admin: false, limited: true });
    expect((await api('POST', `/join-requests/${items[0].id}/refuse`)).status).toBe(404);
  });

  it('and what a refused person entered is gone, as is what nobody decides in 30 days', async () => {
    const firm = `${uuidv7()}@firm.example`;
    await register(company(firm, { companyName: 'Zweigstelle Nordsee' }));
    const api = as(relay, await follow((await lastSentTo(relay, firm)).secret));
    const ask = async (email: string) => {
      const { token, companies } = await found('Zweigstelle Nordsee', email);
      return call('POST', '/auth/register/join', { token, companyId: companies[0]!.id, password });
    };
    await ask('refused@new.example');
    const [request] = (await api('GET', '/join-requests')).body.items;
    expect((await api('POST', `/join-requests/${request.id}/refuse`)).status).toBe(204);
    expect((await lastSentTo(relay, 'refused@new.example')).code).toBe('join-refused');
    expect((await api('GET', '/join-requests')).body.items).toEqual([]);

    await ask('late@new.example');
    clock.step(MINUTE_MS);
    expect((await ask('late@new.example')).body.code).toBe('conflict');
    clock.step(30 * DAY_MS - MINUTE_MS - 1);
    const login = as(relay, await call('POST', '/auth/login', { email: firm, password }));
    const [late] = (await login('GET', '/join-requests')).body.items;
    clock.step(1);
    expect((await login('POST', `/join-requests/${late.id}/accept`, {})).status).toBe(404);
    expect((await login('GET', '/join-requests')).body.items).toEqual([]);
  });
});
