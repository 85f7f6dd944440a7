import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type Answer, type Company, TestRelay } from '../testing/relay.ts';
import { Limiter } from './limiter.ts';

const HOUR_MS = 3_600_000;
const clock = new ManualClock();
let relay: TestRelay;
let acme: Company;
const login = (password: string, email = acme.email, headers: Record<string, string> = {}): Promise<Answer> =>
  relay.call('POST', '/api/v1/auth/login', { email, password }, headers);
const cookieOf = (answer: Answer) => String(answer.headers.get('set-cookie')).split(';')[0]!;

beforeAll(async () => {
  relay = await new TestRelay({ clock, proxies: 1 }).start();
});
beforeEach(async () => {
  await clock.jump(HOUR_MS);
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

describe('sign-in', () => {
  it('gives a session by cookie and by token, the cookie out of reach of scripts', async () => {
    const answer = await login(acme.password, ' OWNER@acme.example ');
    expect(answer.status).toBe(200);
    expect(answer.body.me).toMatchObject({ email: acme.email, company: { name: 'Acme' } });
    expect(answer.headers.get('set-cookie')).toMatch(
      /^gp_session=[\w-]{43}; Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/,
    );
    const byCookie = await relay.call('GET', '/api/v1/auth/me', undefined, { cookie: cookieOf(answer) });
    const byToken = await relay.call('GET', '/api/v1/auth/me', undefined, {
      authorization: `Bearer ${answer.body.token}`,
    });
    expect(byCookie.body).toEqual(answer.body.me);
    expect(byToken.body).toEqual(answer.body.me);
  });

  it('answers a wrong password like an unknown user', async () => {
    const wrong = await login('wrong');
    expect(wrong).toMatchObject({ status: 401, body: { code: 'wrong-credentials' } });
    expect((await login('wrong', 'nobody@acme.example')).body).toEqual(wrong.body);
  });

  it('pauses after five wrong passwords, for that account and address alone, and says how long', async () => {
    const here = { 'x-forwarded-for': '192.0.2.1' };
    for (let i = 0; i < 5; i++) expect((await login('wrong', acme.email, here)).status).toBe(401);
    const refused = await login(acme.password, acme.email, here);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-tries' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(600);
    expect((await login(acme.password, acme.email, { 'x-forwarded-for': '192.0.2.2' })).status).toBe(200);
    await clock.advance(16 * 60_000);
    expect((await login(acme.password, acme.email, here)).status).toBe(200);
  });

  it('does not believe what a client writes into X-Forwarded-For itself', async () => {
    const spoofed = (i: number) => ({ 'x-forwarded-for': `198.51.100.${i}, 192.0.2.3` });
    for (let i = 0; i < 5; i++) await login('wrong', acme.email, spoofed(i));
    expect((await login(acme.password, acme.email, spoofed(9))).status).toBe(429);
  });

  it('keeps neither password nor token', async () => {
    const { body } = await login(acme.password);
    const rows = await relay.withDb(async (db) => [
      await db.selectFrom('users').selectAll().execute(),
      await db.selectFrom('sessions').selectAll().execute(),
    ]);
    expect(JSON.stringify(rows)).not.toContain(acme.password);
    expect(JSON.stringify(rows)).not.toContain(body.token);
    expect(JSON.stringify(rows)).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(JSON.stringify(relay.logged)).not.toContain(body.token);
    expect(JSON.stringify(relay.logged)).not.toContain(acme.password);
  });
});

describe('session', () => {
  it('ends at sign-out, after its time, and when the password is set again', async () => {
    const { status } = await acme.api('POST', '/auth/logout');
    expect(status).toBe(204);
    expect((await acme.api('GET', '/auth/me')).body.code).toBe('not-signed-in');

    acme = await relay.company('Acme');
    await clock.jump(12 * HOUR_MS + 1);
    expect((await acme.api('GET', '/auth/me')).status).toBe(401);

    const former = await relay.company('Acme');
    await relay.company('Acme');
    expect((await former.api('GET', '/auth/me')).status).toBe(401);
  });

  it('by cookie changes nothing for another site', async () => {
    const cookie = cookieOf(await login(acme.password));
    const make = (headers: Record<string, string>) =>
      relay.call('POST', '/api/v1/sites', { name: crypto.randomUUID(), timeZone: 'UTC' }, { cookie, ...headers });
    const host = new URL(relay.url).host;
    expect((await make({ origin: 'https://evil.example' })).body.code).toBe('not-allowed');
    expect((await make({ origin: 'null' })).body.code).toBe('not-allowed');
    expect((await make({ 'sec-fetch-site': 'cross-site' })).body.code).toBe('not-allowed');
    expect((await make({ 'sec-fetch-site': 'same-site', origin: `http://${host}` })).body.code).toBe('not-allowed');
    expect((await make({ origin: `http://${host}` })).status).toBe(201);
    expect((await make({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    const stolenLogin = await login(acme.password, acme.email, { origin: 'https://evil.example' });
    expect(stolenLogin.body.code).toBe('not-allowed');
  });
});

describe('grants', () => {
  const asGuest = async (permission: 'view' | 'manage', untilMs: number | null) => {
    const guest = await relay.company(`Guest${crypto.randomUUID().slice(0, 8)}`);
    await relay.withDb((db) =>
      db
        .insertInto('grants')
        .values({
          id: crypto.randomUUID(),
          companyId: guest.companyId,
          siteId: acme.siteId,
          permission,
          untilMs,
          source: 'collaboration',
        })
        .execute(),
    );
    return guest;
  };

  it('show a foreign site until they run out', async () => {
    const guest = await asGuest('view', clock.now() + HOUR_MS);
    expect((await guest.api('GET', `/sites/${acme.siteId}`)).status).toBe(200);
    await clock.jump(HOUR_MS);
    expect((await guest.api('GET', `/sites/${acme.siteId}`)).body.code).toBe('not-found');
    expect((await guest.api('GET', `/sites/${guest.siteId}`)).status).toBe(200);
  });

  it('to view do not let change', async () => {
    const guest = await asGuest('view', null);
    const claim = { serial: 'AAAAAAAA9', code: 'AAAAAAAAAA' };
    expect((await guest.api('POST', `/sites/${acme.siteId}/boxes`, claim)).body.code).toBe('permission-needed');
    const manager = await asGuest('manage', null);
    expect((await manager.api('POST', `/sites/${acme.siteId}/boxes`, claim)).body.code).toBe('claim-refused');
  });
});

describe('Limiter', () => {
  it('gives what was forgiven again, and forgets the longest idle key when there are too many', () => {
    const limiter = new Limiter({ clock, limit: 1, windowMs: 1000, maxKeys: 2 });
    expect(limiter.take('a')).toBe(0);
    expect(limiter.take('a')).toBe(1000);
    limiter.forgive('a');
    expect(limiter.take('a')).toBe(0);
    limiter.take('b');
    limiter.take('c');
    expect(limiter.take('b')).toBe(1000);
    expect(limiter.take('a')).toBe(0);
  });
});
