import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { IsapiClient } from './client.ts';
import { type Script, ScriptedDevice } from './testing/scripted-device.ts';

const log = pino({ level: 'silent' });
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

async function connect(script: Partial<Script> = {}, o: { password?: string; clock?: ManualClock } = {}) {
  const device = new ScriptedDevice(script);
  const port = await device.start();
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
    () => device.stop(),
    () => client.close(),
  );
  return { device, client, guard, logins: () => device.seen.map((s) => s.login) };
}
const INFO = '/System/deviceInfo';

describe('login', () => {
  it.each<Partial<Script>>([
    {},
    { qop: 'none' },
    { algorithm: 'SHA-256' },
    { extraChallenges: ['Basic realm="x, y"', 'Digest realm="z", nonce="q", algorithm=SHA-512-256, qop="auth"'] },
  ])('logs in once and reuses the nonce: %o', async (script) => {
    const { client, logins, device } = await connect(script);
    for (let i = 0; i < 3; i++) expect((await client.get(`${INFO}?i=${i}`)).ok).toBe(true);
    expect(logins()).toEqual(['none', 'good', 'good', 'good']);
    expect(device.connections).toBe(1);
  });

  it.each<Script['deadNonce']>([
    'stale-true',
    'stale-false',
    'bare',
  ])('gets over a dead nonce (%s)', async (deadNonce) => {
    const { client, guard, logins } = await connect({ nonceUses: 1, deadNonce });
    expect((await client.get(INFO)).ok).toBe(true);
    expect((await client.get(INFO)).ok).toBe(true);
    expect(logins()).toEqual(['none', 'good', 'dead-nonce', 'none', 'good']);
    expect(guard.refused).toBeNull();
  });

  it('tries a wrong password exactly once, says how many tries are left, and stays silent from then on', async () => {
    const { client, device, guard } = await connect({}, { password: 'wrong' });
    const results = await Promise.all(Array.from({ length: 5 }, () => client.get(INFO)));
    expect(results.map((r) => !r.ok && r.code)).toEqual(Array(5).fill('device-refused-login'));
    expect(device.wrongLogins).toBe(1);
    expect(guard.refused).toMatchObject({ by: 'isapi', locked: false });
    expect(guard.refused?.text).toContain('4 tries');
    const before = device.seen.length;
    await client.get(INFO);
    await client.open('/Event/notification/alertStream');
    expect(device.seen.length).toBe(before);
  });

  it('stops when the password is changed under way: one try on the old nonce, one on a new one', async () => {
    const { client, device, guard } = await connect();
    expect((await client.get(INFO)).ok).toBe(true);
    device.script.password = 'changed';
    expect(await client.get(INFO)).toMatchObject({ ok: false, code: 'device-refused-login' });
    await client.get(INFO);
    expect(device.wrongLogins).toBe(2);
    expect(guard.refused).not.toBeNull();
  });

  it('sends no credentials to a device that is locked, not activated, or has few tries left', async () => {
    const locked = await connect({ locked: true });
    expect(await locked.client.get(INFO)).toMatchObject({ code: 'device-locked', unlockInMs: 1_750_000 });
    const fresh = await connect({ activated: false });
    expect(await fresh.client.get(INFO)).toMatchObject({ code: 'device-not-activated' });
    const few = await connect({ tries: 2 });
    expect(await few.client.get(INFO)).toMatchObject({ code: 'device-locked' });
    for (const c of [locked, fresh, few]) {
      expect(c.logins()).toEqual(['none']);
      expect(c.guard.refused).toBeNull();
    }
  });

  it('never sends a password in the clear', async () => {
    const { client, logins } = await connect({ extraChallenges: ['Basic realm="x"'], algorithm: 'unknown-1' });
    const result = await client.get(INFO);
    expect(result).toMatchObject({ code: 'device-error', text: expect.stringContaining('no digest login') });
    // Asked about a session login, too.
    expect(logins()).toEqual(['none', 'none']);
  });

  it('asks with a GET before it writes, and hashes the verb', async () => {
    const { client, device } = await connect();
    device.routes.set('/ISAPI/System/time', (req, res) => device.status(res, 200, req.method === 'PUT' ? 1 : 4, 'ok'));
    const result = await client.request('PUT', '/System/time', { body: Buffer.from('<Time/>') });
    expect(result).toMatchObject({ ok: true, value: { status: 200 } });
    expect(device.seen.map((s) => `${s.method} ${s.url} ${s.login}`)).toEqual([
      'GET /ISAPI/Security/userCheck none',
      'PUT /ISAPI/System/time good',
    ]);
  });
});

describe('a write', () => {
  it('does not go to what asks for no login', async () => {
    const { client, device } = await connect({ open: /./ });
    expect((await client.get(INFO)).ok).toBe(true);
    for (const method of ['PUT', 'POST', 'DELETE']) {
      const result = await client.request(method, '/Security/users/1', { body: Buffer.from('<User/>') });
      expect(result).toMatchObject({ ok: false, code: 'device-error', text: expect.stringContaining('no login') });
    }
    expect(device.seen.filter((s) => s.method !== 'GET')).toEqual([]);
  });

  it.each(['/ISAPI', '/PSIA', ''])('goes to old firmware that asks for one elsewhere, under "%s"', async (prefix) => {
    const { client, device, logins } = await connect({ open: /userCheck/ });
    client.prefix = prefix;
    device.routes.delete('/ISAPI/Security/userCheck');
    device.routes.set(`${prefix}/System/time`, (_req, res) => device.status(res, 200, 1, 'ok'));
    expect((await client.request('PUT', '/System/time', { body: Buffer.from('<Time/>') })).ok).toBe(true);
    device.forgetNonces();
    expect((await client.request('PUT', '/System/time', { body: Buffer.from('<Time/>') })).ok).toBe(true);
    expect(logins()).toEqual(['none', 'none', 'good', 'dead-nonce', 'none', 'none', 'good']);
  });
});

describe('exchange', () => {
  it('has at most two requests under way at one device', async () => {
    const { client, device } = await connect();
    device.routes.set('/ISAPI/slow', (_req, res) => setTimeout(() => res.end('<a></a>'), 20));
    await Promise.all(Array.from({ length: 12 }, () => client.get('/slow')));
    expect(device.maxInFlight).toBeLessThanOrEqual(2);
    expect(device.seen.filter((s) => s.login === 'good')).toHaveLength(12);
  });

  it('replaces a kept-alive connection that the device has closed', async () => {
    const { client, device } = await connect();
    expect((await client.get(INFO)).ok).toBe(true);
    // The reset arrives together with the next request.
    device.routes.set('/ISAPI/drop', (req, res) => {
      device.routes.set('/ISAPI/drop', (_req, again) => again.end('<a></a>'));
      res.socket?.resetAndDestroy();
      req.destroy();
    });
    expect((await client.get('/drop')).ok).toBe(true);
    expect(device.connections).toBe(2);
  });

  it('decides by the body: 200 with statusCode 4 is an error, 7 is not', async () => {
    const { client, device } = await connect();
    device.routes.set('/ISAPI/a', (_req, res) => device.status(res, 200, 4, 'notSupport'));
    device.routes.set('/ISAPI/b', (_req, res) => device.status(res, 200, 7, 'rebootRequired'));
    device.routes.set('/ISAPI/c', (_req, res) => res.writeHead(500).end('<html>oops</html>'));
    device.routes.set('/ISAPI/d', (_req, res) => res.end('{"statusCode":6,"subStatusCode":"badJsonContent"}'));
    expect(await client.get('/a')).toMatchObject({ ok: false, subStatus: 'notSupport' });
    expect((await client.get('/b')).ok).toBe(true);
    expect(await client.get('/c')).toMatchObject({ ok: false, status: 500 });
    expect(await client.get('/d')).toMatchObject({ ok: false, subStatus: 'badJsonContent' });
  });

  it('reads only so much', async () => {
    const { client, device } = await connect();
    device.routes.set('/ISAPI/big', (_req, res) => res.end(Buffer.alloc(2_000_000, 0x20)));
    expect(await client.get('/big')).toMatchObject({ code: 'device-error', text: expect.stringContaining('larger') });
    expect((await client.get(INFO)).ok).toBe(true);
  });

  it('gives up a device that accepts and says nothing, and says so when none is there', async () => {
    const clock = new ManualClock();
    const { client, device } = await connect({}, { clock });
    expect((await client.get(INFO)).ok).toBe(true);
    device.routes.set('/ISAPI/mute', () => {});
    const mute = client.get('/mute');
    while (device.seen.at(-1)?.url !== '/ISAPI/mute') await new Promise((r) => setTimeout(r, 5));
    await clock.advance(8_000);
    expect(await mute).toMatchObject({ code: 'device-unreachable' });
    await device.stop();
    expect(await client.get(INFO)).toMatchObject({ code: 'device-unreachable' });
  });
});
