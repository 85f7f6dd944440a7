import { TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { MAX_WAITING } from '../notify/outbox.ts';
import { type Answer, type Call, type Company, TestRelay } from '../testing/relay.ts';
import { anybody, as, employ, lastSentTo, sentTo } from './testing.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const clock = new ManualClock(Date.UTC(2026, 5, 1, 8));
const relay = new TestRelay({ clock, proxies: 1 });
const call = anybody(relay);
let n = 0;
let acme: Company;
let api: Call;
const password = 'zu viert im Regen';
const next = 'zu fünft in der Sonne';
const signIn = (email: string, more: object = {}, headers = {}) =>
  call('POST', '/auth/login', { email, password, ...more }, headers);
const codeNow = (secret: string) => new TOTP({ secret }).generate({ timestamp: clock.now() });

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
let email: string;
beforeEach(async () => {
  await clock.advance(16 * MINUTE_MS);
  acme = { ...acme, ...(await relay.company('Acme')) };
  email = `person${++n}@acme.example`;
  api = (await employ(relay, acme.api, { email, name: 'Ines Keller', password })).api;
});
afterAll(() => relay.stop());

describe('my account', () => {
  it('has a name and a language', async () => {
    const changed = await api('PUT', '/me/profile', { name: 'Ines Maier', locale: 'de' });
    expect(changed.body).toMatchObject({ name: 'Ines Maier', locale: 'de', email, totp: false });
    expect((await api('GET', '/auth/me')).body).toMatchObject({ name: 'Ines Maier', locale: 'de' });
    for (const name of ['A\nB', 'moc.\u202Eknab', 'A\u2066B', 'A\u200BB', '\u200D'])
      expect([name, (await api('PUT', '/me/profile', { name, locale: 'de' })).status]).toEqual([name, 400]);
    expect((await api('PUT', '/me/profile', { name: 'نامه\u200Cای', locale: 'de' })).status).toBe(200);
    expect((await api('PUT', '/me/profile', { name: 'A', locale: 'xx' })).status).toBe(400);
    const escalate = { name: 'Ines', locale: 'en', admin: 1, limited: 0, companyId: 'x', email: 'other@acme.example' };
    await api('PUT', '/me/profile', escalate);
    expect((await api('GET', '/auth/me')).body).toMatchObject({ admin: false, limited: true, email });
  });

  it('changes its password with the old one, ends other sessions, and goes on with a new token', async () => {
    const other = as(relay, await signIn(email));
    const change = (old: string, newPassword: string) => api('PUT', '/me/password', { password: old, newPassword });
    expect((await change('wrong', next)).body.code).toBe('wrong-password');
    expect((await change(password, password)).body.code).toBe('weak-password');
    expect((await change(password, 'Passw0rd2026!')).body.code).toBe('weak-password');
    expect((await change(password, 'Ines Keller')).body.code).toBe('weak-password');
    const changed = await change(password, next);
    expect(changed.headers.get('set-cookie')).toContain(changed.body.token);
    expect([(await api('GET', '/auth/me')).status, (await other('GET', '/auth/me')).status]).toEqual([401, 401]);
    expect((await as(relay, changed)('GET', '/auth/me')).status).toBe(200);
    expect((await signIn(email)).body.code).toBe('wrong-credentials');
    expect((await signIn(email, { password: next })).status).toBe(200);
    expect((await lastSentTo(relay, email)).code).toBe('password-changed');
  });

  it('lets nobody try old passwords in an open session', async () => {
    const change = () => api('PUT', '/me/password', { password: 'guess', newPassword: next });
    for (let i = 0; i < 5; i++) expect((await change()).body.code).toBe('wrong-password');
    expect((await change()).body.code).toBe('too-many-tries');
    expect((await api('PUT', '/me/password', { password, newPassword: next })).status).toBe(429);
  });

  it('gets another e-mail address once that is confirmed; the former one is told', async () => {
    const wanted = `new${n}@acme.example`;
    expect((await api('POST', '/me/email', { email: wanted, password: 'x' })).body.code).toBe('wrong-password');
    expect((await api('POST', '/me/email', { email: wanted, password })).status).toBe(202);
    const { secret: token, code } = await lastSentTo(relay, wanted);
    expect(code).toBe('email-change');
    expect((await api('GET', '/auth/me')).body.email).toBe(email);
    clock.step(DAY_MS - 1);
    expect((await call('POST', '/auth/link', { token })).body).toMatchObject({ for: 'email', target: wanted });
    expect((await call('POST', '/auth/email', { token })).status).toBe(204);
    expect((await call('POST', '/auth/email', { token })).body.code).toBe('link-invalid');
    expect((await signIn(wanted)).body.me.email).toBe(wanted);
    expect((await lastSentTo(relay, email)).values).toMatchObject({ email: wanted });
    expect((await signIn(email)).status).toBe(401);
  });

  it('does not get an address that is somebody’s, and does not learn that it is', async () => {
    const answer = await api('POST', '/me/email', { email: acme.email, password });
    expect(answer.status).toBe(202);
    expect((await lastSentTo(relay, acme.email)).code).toBe('address-known');
    clock.step(MINUTE_MS);
    const free = `free${n}@acme.example`;
    const sent = await api('POST', '/me/email', { email: free, password });
    expect(Object.keys(sent.body)).toEqual(Object.keys(answer.body));
    const { secret: token } = await lastSentTo(relay, free);
    clock.step(DAY_MS);
    expect((await call('POST', '/auth/email', { token })).body.code).toBe('link-invalid');
  });

  it('gets a phone number by a code, signs in with it, and takes it away again', async () => {
    const phone = `+4930${1_000_000 + n}`;
    const { body: sent } = await api('POST', '/me/phone', { phone, password });
    const { secret: code } = await lastSentTo(relay, phone);
    const confirm = (as: Call, entered: string) => as('POST', '/me/phone/confirm', { id: sent.id, code: entered });
    expect((await confirm(acme.api, code)).body.code).toBe('link-invalid');
    expect((await confirm(api, code === '111111' ? '222222' : '111111')).body.code).toBe('code-wrong');
    expect((await confirm(api, code)).body.phone).toBe(phone);
    expect((await call('POST', '/auth/login', { email: phone, password })).status).toBe(200);
    expect((await api('DELETE', '/me/phone')).status).toBe(204);
    expect((await call('POST', '/auth/login', { email: phone, password })).status).toBe(401);
  });
});

describe('a forgotten password', () => {
  const forgotten = (account: string) => call('POST', '/auth/forgotten', { account });
  const reset = (token: string, pass = next) => call('POST', '/auth/reset', { token, password: pass });

  it('is set with a link, once, within an hour, which ends all sessions', async () => {
    expect((await forgotten(email)).status).toBe(204);
    const { secret: first, code } = await lastSentTo(relay, email);
    expect(code).toBe('password-forgotten');
    clock.step(HOUR_MS);
    expect((await reset(first)).body.code).toBe('link-invalid');
    await forgotten(email);
    const { secret: second } = await lastSentTo(relay, email);
    clock.step(MINUTE_MS);
    await forgotten(email);
    const { secret: third } = await lastSentTo(relay, email);
    expect((await reset(second)).body.code).toBe('link-invalid');
    clock.step(HOUR_MS - 1);
    expect((await call('POST', '/auth/link', { token: third })).body.for).toBe('password');
    expect((await reset(third, 'abcabcabcabc')).body.code).toBe('weak-password');
    expect((await reset(third)).status).toBe(204);
    expect((await reset(third)).body.code).toBe('link-invalid');
    expect((await api('GET', '/auth/me')).status).toBe(401);
    expect((await signIn(email, { password: next })).status).toBe(200);
  });

  it('is sent again for as long as strangers ask, and nobody is told of a limit', async () => {
    const by = (i: number) =>
      call('POST', '/auth/forgotten', { account: email }, { 'x-forwarded-for': `198.51.100.${i}` });
    const links = async () => (await sentTo(relay, email)).filter((message) => message.code === 'password-forgotten');
    for (let i = 0; i < 8; i++) {
      expect((await by(i)).status).toBe(204);
      clock.step(MINUTE_MS);
    }
    expect(await links()).toHaveLength(5);
    clock.step(10 * MINUTE_MS);
    expect((await forgotten(email)).status).toBe(204);
    expect(await links()).toHaveLength(6);
    // Asked again at once: the newest link stays valid.
    expect((await by(9)).status).toBe(204);
    expect(await links()).toHaveLength(6);
    expect((await reset((await lastSentTo(relay, email)).secret)).status).toBe(204);
  });

  it('is answered the same when nothing can be sent, and signing in goes on', async () => {
    const now = clock.now();
    const row = {
      channel: 'email' as const,
      lane: 'full',
      address: 'full@acme.example',
      name: '',
      userId: null,
      locale: 'en',
      code: 'test-message',
      args: '{}',
      link: '',
      state: 'waiting' as const,
      tries: 0,
      reason: null,
      createdMs: now,
      dueMs: now + DAY_MS,
      untilMs: now + DAY_MS,
    };
    await relay.withDb(async (db) => {
      for (let i = 0; i < MAX_WAITING; i += 500) {
        const rows = Array.from({ length: 500 }, (_, j) => ({ ...row, id: `full ${i + j}` }));
        await db.insertInto('outbox').values(rows).execute();
      }
    });
    try {
      const known = await forgotten(email);
      const unknown = await forgotten('nobody@acme.example');
      expect([known.status, unknown.status]).toEqual([204, 204]);
      expect((await signIn(email, {}, { 'x-forwarded-for': '203.0.113.77' })).status).toBe(200);
    } finally {
      await relay.withDb((db) => db.deleteFrom('outbox').where('lane', '=', 'full').execute());
    }
  });

  it('is sent to an account five times an hour for one who asks', async () => {
    for (let i = 0; i < 5; i++) {
      await forgotten(email);
      clock.step(11 * MINUTE_MS);
    }
    expect((await forgotten(email)).status).toBe(204);
    const sent = await sentTo(relay, email);
    expect(sent.filter((message) => message.code === 'password-forgotten')).toHaveLength(5);
  });

  it('takes an IPv6 /64 for one who asks', async () => {
    const from = (i: number) => ({ 'x-forwarded-for': `2001:db8:7:7::${i.toString(16)}` });
    const ask = (i: number) => call('POST', '/auth/forgotten', { account: `nobody${i}@acme.example` }, from(i));
    for (let i = 1; i <= 30; i++) expect((await ask(i)).status).toBe(204);
    expect((await ask(31)).body.code).toBe('too-many-tries');
  });

  it('is answered the same for an address without account, and nothing is sent there', async () => {
    const known = await forgotten(email);
    const unknown = await forgotten('nobody@acme.example');
    expect([unknown.status, unknown.body]).toEqual([known.status, known.body]);
    expect((await forgotten('nobody@acme.example')).body.code).toBe((await forgotten(email)).body.code);
    expect(await sentTo(relay, 'nobody@acme.example')).toEqual([]);
  });

  it('is not set by the link of a registration, nor the other way round', async () => {
    await forgotten(email);
    const { secret: token } = await lastSentTo(relay, email);
    expect((await call('POST', '/auth/register/link', { token, password: next })).body.code).toBe('link-invalid');
    expect((await call('POST', '/auth/email', { token })).body.code).toBe('link-invalid');
    expect((await call('POST', '/auth/invitation', { token })).body.code).toBe('link-invalid');
  });
});

describe('two-factor sign-in', () => {
  const turnOn = async () => {
    const { secret, uri, qr } = (await api('POST', '/me/totp', { password })).body;
    expect(uri).toMatch(/^otpauth:\/\/totp\/Gatepost:/);
    expect(qr).toMatch(/^data:image\/svg\+xml;base64,/);
    const on = await api('POST', '/me/totp/confirm', { code: codeNow(secret) });
    expect(on.status).toBe(200);
    return { secret: secret as string, on, codes: on.body.codes as string[] };
  };

  it('begins with a first code, asks for a code from then on, and takes each once', async () => {
    expect((await api('POST', '/me/totp', { password: 'wrong' })).body.code).toBe('wrong-password');
    const { secret, on } = await turnOn();
    expect((await api('GET', '/auth/me')).status).toBe(401);
    expect((await as(relay, on)('GET', '/auth/me')).body.totp).toBe(true);
    expect((await lastSentTo(relay, email)).code).toBe('two-factor-on');

    expect((await signIn(email)).body.code).toBe('second-factor-needed');
    // The code that switched it on is used up.
    expect((await signIn(email, { code: codeNow(secret) })).body.code).toBe('code-wrong');
    clock.step(30_000);
    const code = codeNow(secret);
    expect((await signIn(email, { code, password: 'wrong' })).body.code).toBe('wrong-credentials');
    const both = await Promise.all([signIn(email, { code }), signIn(email, { code })]);
    expect(both.map((answer) => answer.status).sort()).toEqual([200, 422]);
    clock.step(90_000);
    expect((await signIn(email, { code })).body.code).toBe('code-wrong');
  });

  it('takes a code one step early or late, not two', async () => {
    const { secret } = await turnOn();
    clock.step(10 * MINUTE_MS);
    const at = (ms: number) => new TOTP({ secret }).generate({ timestamp: clock.now() + ms });
    expect((await signIn(email, { code: at(-60_000) })).body.code).toBe('code-wrong');
    expect((await signIn(email, { code: at(60_000) })).body.code).toBe('code-wrong');
    expect((await signIn(email, { code: at(-30_000) })).status).toBe(200);
    expect((await signIn(email, { code: at(30_000) })).status).toBe(200);
    // An older one than the last that was taken.
    expect((await signIn(email, { code: at(0) })).body.code).toBe('code-wrong');
  });

  it('has ten recovery codes, each for once, kept hashed as the secret is sealed', async () => {
    const { secret, codes, on } = await turnOn();
    expect(new Set(codes).size).toBe(10);
    const own = as(relay, on);
    expect((await signIn(email, { code: codes[0]?.toUpperCase() })).status).toBe(200);
    expect((await signIn(email, { code: codes[0] })).body.code).toBe('code-wrong');
    expect((await own('GET', '/me/profile')).body.recoveryCodesLeft).toBe(9);
    const stored = await relay.withDb(async (db) => [
      await db.selectFrom('recovery_codes').selectAll().execute(),
      await db.selectFrom('totp').selectAll().execute(),
    ]);
    expect(JSON.stringify(stored)).not.toContain(secret);
    for (const code of codes) expect(JSON.stringify(stored)).not.toContain(code.replaceAll('-', ''));
    expect((await own('POST', '/me/recovery-codes', { password })).status).toBe(400);
    expect((await own('POST', '/me/recovery-codes', { password, code: codes[0] })).body.code).toBe('code-wrong');
    const { body } = await own('POST', '/me/recovery-codes', { password, code: codes[2] });
    expect((await signIn(email, { code: codes[1] })).body.code).toBe('code-wrong');
    expect((await signIn(email, { code: body.codes[1] })).status).toBe(200);
  });

  it('is switched off with the password and a code, by neither alone; no second one is set up meanwhile', async () => {
    const { on, secret, codes } = await turnOn();
    const own = as(relay, on);
    expect((await own('POST', '/me/totp', { password })).body.code).toBe('conflict');
    const remove = (proof: object) => own('POST', '/me/totp/remove', proof);
    expect((await remove({ password: 'wrong', code: codes[0] })).body.code).toBe('wrong-password');
    expect((await remove({ password })).status).toBe(400);
    // The code that switched it on is used up.
    expect((await remove({ password, code: codeNow(secret) })).body.code).toBe('code-wrong');
    expect((await own('GET', '/auth/me')).body.totp).toBe(true);
    const off = await remove({ password, code: codes[0] });
    expect((await as(relay, off)('POST', '/me/totp/remove', { password, code: codes[1] })).body.code).toBe('conflict');
    expect((await own('GET', '/auth/me')).status).toBe(401);
    expect((await as(relay, off)('GET', '/auth/me')).body.totp).toBe(false);
    expect((await signIn(email)).status).toBe(200);
  });

  it('does not let its codes be guessed by who knows the password, from wherever they try', async () => {
    const { secret } = await turnOn();
    clock.step(30_000);
    const from = (i: number) => ({ 'x-forwarded-for': `198.51.100.${i}` });
    const wrong = codeNow(secret) === '000000' ? '000001' : '000000';
    for (let i = 0; i < 10; i++) expect((await signIn(email, { code: wrong }, from(i))).body.code).toBe('code-wrong');
    expect((await signIn(email, { code: codeNow(secret) }, from(99))).body.code).toBe('too-many-tries');
  });
});

describe('my sessions', () => {
  it('say device, address and last use, and are ended one by one or all others at once', async () => {
    const phone = {
      'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1',
      'x-forwarded-for': '192.0.2.9',
    };
    const onPhone = as(relay, await signIn(email, {}, phone));
    expect((await lastSentTo(relay, email)).values).toMatchObject({ address: '192.0.2.9' });
    clock.step(5 * MINUTE_MS);
    const { items } = (await api('GET', '/me/sessions')).body;
    expect(items).toMatchObject([
      { current: true, address: '127.0.0.1' },
      { current: false, device: 'Safari, iPhone', address: '192.0.2.9' },
    ]);
    expect((await acme.api('DELETE', `/me/sessions/${items[1].id}`)).status).toBe(404);
    expect((await api('DELETE', `/me/sessions/${items[1].id}`)).status).toBe(204);
    expect((await onPhone('GET', '/auth/me')).status).toBe(401);
    const others = await Promise.all([signIn(email), signIn(email)]);
    expect((await api('DELETE', '/me/sessions')).status).toBe(204);
    for (const other of others) expect((await as(relay, other)('GET', '/auth/me')).status).toBe(401);
    expect((await api('GET', '/me/sessions')).body.items).toHaveLength(1);
  });

  it('are new at every sign-in: one that somebody else put there is not taken over', async () => {
    const planted = 'A'.repeat(43);
    const answer: Answer = await signIn(email, {}, { cookie: `gp_session=${planted}` });
    expect(answer.body.token).not.toBe(planted);
    const me = await call('GET', '/auth/me', undefined, { cookie: `gp_session=${planted}` });
    expect(me.status).toBe(401);
  });
});
