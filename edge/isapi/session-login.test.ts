import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { IsapiClient } from './client.ts';
import { readSessionChallenge, sessionCookie, sessionPassword } from './session-login.ts';
import { ScriptedPanel } from './testing/scripted-panel.ts';

const log = pino({ level: 'silent' });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

const STATUS = '/SecurityCP/status/zones?format=json';

async function connect(script: Partial<ScriptedPanel> = {}, o: { password?: string; clock?: ManualClock } = {}) {
  const panel = new ScriptedPanel();
  Object.assign(panel, script);
  panel.routes.set('GET /ISAPI/SecurityCP/status/zones', () => ({ json: { ZoneList: [] } }));
  panel.routes.set('PUT /ISAPI/SecurityCP/control/disarm/1', () => ({}));
  const port = await panel.start();
  const guard = new LoginGuard();
  const client = new IsapiClient({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: o.password ?? 'Correct-1',
    guard,
    clock: o.clock ?? systemClock,
    log,
  });
  cleanUp.push(
    () => panel.stop(),
    () => client.close(),
  );
  return { panel, client, guard };
}

describe('the answer to a challenge', () => {
  const challenge = {
    sessionId: 'x',
    challenge: '9524eedd2912a46ef2c0fcfa27e412c1',
    iterations: 100,
    irreversible: true,
    version: '2',
    salt: 'bef6d541c1ac37f74d90b9d3dc642ab6ea54b17d653b10f24464867b6dbeacb5',
    salt2: '',
  };

  it('is that of the known vector', () => {
    expect(sessionPassword(challenge, 'dalferin', 'test123456')).toBe(
      '86c59b2a28aafd52fccbd0a46f06200e50467cec0758eb32a8c5d5cce5b55abc',
    );
  });

  it('goes over the second salt where there is one, and over the password alone where it is reversible', () => {
    const two = sessionPassword({ ...challenge, salt2: 'abc' }, 'dalferin', 'test123456');
    expect(two).toBe('2636c6fa8173ad4089d46389eb232a84372f97ad8bf3163b19738d98965d9e0b');
    const old = sessionPassword({ ...challenge, irreversible: false }, 'dalferin', 'test123456');
    expect(old).toBe('72915480f65c47b3f232f780c9f8d4d6ca34ef4edce3f6944829d1571fe69425');
  });

  it('is not worked out for ever: a number of rounds that no device asks for is refused', () => {
    const cap = (n: string) =>
      Buffer.from(
        `<SessionLoginCap><sessionID>1</sessionID><challenge>2</challenge><iterations>${n}</iterations></SessionLoginCap>`,
      );
    expect(readSessionChallenge(cap('100'))).toMatchObject({ iterations: 100, irreversible: false });
    expect(readSessionChallenge(cap('999999999'))).toBeNull();
    for (const few of ['-3', '0', '1', '2', '49']) expect(readSessionChallenge(cap(few))).toBe('weak');
    expect(readSessionChallenge(cap('1.5e2x'))).toBeNull();
    expect(readSessionChallenge(Buffer.from('<html/>'))).toBeNull();
  });

  it('opens a session whose cookie is kept whole, or whose id is in the body', () => {
    expect(sessionCookie(['WebSession_ab12=xyz; path=/; HttpOnly', 'other=1'], Buffer.alloc(0))).toBe(
      'WebSession_ab12=xyz; other=1',
    );
    const body = Buffer.from('<SessionLogin><sessionID>0123456789abcdef</sessionID></SessionLogin>');
    expect(sessionCookie([], body)).toBe('WebSession=0123456789abcdef');
    expect(sessionCookie([], Buffer.from('<SessionLogin/>'))).toBeNull();
  });
});

describe('session login', () => {
  it.each<Partial<ScriptedPanel>>([
    {},
    { salt2: '' },
    { irreversible: false },
    { cookie: 'body' },
  ])('logs in once where a device offers nothing else: %o (PANL-07)', async (script) => {
    const { panel, client } = await connect(script);
    for (let i = 0; i < 3; i++) expect(await client.get(STATUS)).toMatchObject({ ok: true });
    expect((await client.request('PUT', '/SecurityCP/control/disarm/1?format=json')).ok).toBe(true);
    expect(panel.logins).toBe(1);
  });

  it('tries a wrong password exactly once and says how many tries are left', async () => {
    const { panel, client, guard } = await connect({}, { password: 'wrong' });
    const results = await Promise.all(Array.from({ length: 4 }, () => client.get(STATUS)));
    expect(results.map((r) => !r.ok && r.code)).toEqual(Array(4).fill('device-refused-login'));
    expect(panel.logins).toBe(1);
    expect(guard.refused?.text).toContain('4 tries');
    await client.request('PUT', '/SecurityCP/control/disarm/1');
    expect(panel.logins).toBe(1);
  });

  it.each([
    [403, 'passwordError'],
    [403, 'lowPrivilege'],
    [200, 'invalidOperation'],
    [500, ''],
  ])('is refused by whatever is no yes, and not tried again: %i %s', async (status, word) => {
    const { panel, client, guard } = await connect({ refusal: { status, word } }, { password: 'wrong' });
    for (let i = 0; i < 6; i++) expect(await client.get(STATUS)).toMatchObject({ code: 'device-refused-login' });
    expect(panel.logins).toBe(1);
    expect(guard.refused).toMatchObject({ by: 'isapi' });
  });

  it.each([
    { iterations: 1, irreversible: false },
    { iterations: 2, irreversible: true },
  ])('answers no challenge from whose answer the password could be read: %o', async (script) => {
    const { panel, client } = await connect(script);
    const result = await client.get(STATUS);
    expect(result).toMatchObject({ ok: false, code: 'device-error', text: expect.stringContaining('another device') });
    expect(panel.logins).toBe(0);
  });

  it('leaves the last two tries to a person', async () => {
    const { panel, client } = await connect({ tries: 2 });
    expect(await client.get(STATUS)).toMatchObject({ ok: false, code: 'device-locked' });
    expect(panel.logins).toBe(0);
  });

  it('sends nothing while the device is locked', async () => {
    const { panel, client } = await connect({ tries: 0 });
    expect(await client.get(STATUS)).toMatchObject({ code: 'device-locked', unlockInMs: 1_200_000 });
    expect(panel.logins).toBe(0);
  });

  it('logs in again once when the session is gone, and stops when that does not help', async () => {
    const { panel, client, guard } = await connect();
    await client.get(STATUS);
    panel.sessions.clear();
    expect((await client.get(STATUS)).ok).toBe(true);
    expect(panel.logins).toBe(2);
    panel.sessions.clear();
    panel.forgetful = true;
    expect(await client.get(STATUS)).toMatchObject({ ok: false, code: 'device-error' });
    expect(panel.logins).toBe(3);
    expect(guard.refused).toBeNull();
  });

  it('says so when too many are logged in, without calling the password wrong', async () => {
    const { client, guard } = await connect({ sessionsFull: true });
    const result = await client.get(STATUS);
    expect(result).toMatchObject({ ok: false, code: 'device-error' });
    expect(!result.ok && result.text).toContain('Too many programs');
    expect(guard.refused).toBeNull();
  });

  it('keeps the session alive while it is used or listened to, and logs out at the end', async () => {
    const clock = new ManualClock();
    const { panel, client } = await connect({}, { clock });
    const beats = () => panel.count('PUT', '/ISAPI/Security/sessionHeartbeat');
    const until = async (is: () => boolean) => {
      for (let i = 0; i < 200 && !is(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(is()).toBe(true);
    };
    await client.get(STATUS);
    await clock.advance(20_000);
    await until(() => beats() === 1);
    await clock.advance(120_000);
    await until(() => beats() === 2);
    const stream = await client.open('/Event/notification/alertStream');
    await clock.advance(120_000);
    await until(() => beats() >= 7);
    if (stream.ok) stream.value.destroy();
    client.close();
    await until(() => panel.sessions.size === 0);
  });
});
