import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { OnvifClient } from './client.ts';
import { type Script, SoapCamera } from './testing/soap-camera.ts';
import { attribute, textAt } from './tree.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function world(script: Partial<Script> = {}, password = 'Correct-1') {
  const camera = new SoapCamera(script);
  const port = await camera.start();
  const guard = new LoginGuard();
  const client = new OnvifClient({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password,
    guard,
    clock: systemClock,
    log: pino({ enabled: false }),
  });
  cleanup.push(
    () => camera.stop(),
    () => client.close(),
  );
  const information = () => client.call(client.device, '<tds:GetDeviceInformation/>');
  return { camera, client, guard, information };
}

describe('logins', () => {
  it('asks without a login first, then proves the password in the device’s own time', async () => {
    const { camera, information } = await world({ clockAheadMs: -800 * 86_400_000, toleranceMs: 3_000 });
    const answer = await information();
    expect(answer.ok && textAt(answer.value, 'Model')).toBe('Dome 5');
    await information();
    const asked = camera.seen.filter((s) => s.operation === 'GetDeviceInformation').map((s) => s.login);
    expect(asked).toEqual(['none', 'good', 'good']);
    expect(camera.wrongLogins).toBe(0);
    expect(JSON.stringify(camera.seen)).not.toContain('Correct-1');
  });

  it.each([
    ['ahead', { shownAheadMs: 8 * 3_600_000, zone: 'CST-8' }],
    ['behind', { shownAheadMs: -5 * 3_600_000, zone: 'EST5EDT,M3.2.0,M11.1.0' }],
  ])('takes a clock that shows local time as UTC (%s) for what it is', async (_, script) => {
    const { camera, information } = await world({ ...script, toleranceMs: 5_000 });
    expect((await information()).ok).toBe(true);
    expect(camera.wrongLogins).toBe(0);
  });

  it('tries real time once when the clock shown is not the one that is checked, and remembers it', async () => {
    const { camera, information } = await world({ shownAheadMs: 40 * 60_000 });
    expect((await information()).ok).toBe(true);
    expect((await information()).ok).toBe(true);
    expect(camera.wrongLogins).toBe(1);
  });

  it('follows a clock that was set while it listened', async () => {
    const { camera, information, guard } = await world();
    expect((await information()).ok).toBe(true);
    camera.script.clockAheadMs = -50 * 365 * 86_400_000;
    expect((await information()).ok).toBe(true);
    expect(guard.refused).toBeNull();
  });

  it.each(['digest', 'either'] as const)('uses HTTP Digest where it is offered (%s)', async (auth) => {
    const { camera, information } = await world({ auth, clockAheadMs: 86_400_000 });
    expect((await information()).ok).toBe(true);
    expect((await information()).ok).toBe(true);
    camera.forgetNonces();
    expect((await information()).ok).toBe(true);
    expect(camera.wrongLogins).toBe(0);
  });

  it('goes on without the header where WS-Security is not built in', async () => {
    const { camera, information } = await world({ auth: 'digest', refusesHeader: true });
    expect((await information()).ok).toBe(true);
    expect(camera.wrongLogins).toBe(0);
    const open = await world({ auth: 'open', refusesHeader: true });
    expect((await open.information()).ok).toBe(true);
  });

  it.each([
    'token',
    'digest',
    'either',
  ] as const)('tries a wrong password at most twice and then stops for good (%s)', async (auth) => {
    const { camera, information, guard, client } = await world({ auth }, 'Wrong-1');
    const answers = await Promise.all([information(), information(), information()]);
    expect(answers.map((a) => !a.ok && a.code)).toEqual(Array(3).fill('device-refused-login'));
    expect(camera.wrongLogins).toBeLessThanOrEqual(2);
    expect(guard.refused).toMatchObject({ by: 'onvif', locked: false, temporary: false });
    const before = camera.seen.length;
    for (let i = 0; i < 5; i++) await information();
    await client.get({ path: '/snap.jpg', ports: [camera.port] });
    expect(camera.seen.length).toBe(before);
  });

  it('proves a login again before it calls it wrong: a refusal can mean "not this user"', async () => {
    const { camera, client, information, guard } = await world();
    await information();
    camera.handlers.set('GetUsers', () => ({
      status: 400,
      code: 'ter:NotAuthorized',
      reason: 'Sender not Authorized',
    }));
    const users = await client.call(client.device, '<tds:GetUsers/>');
    expect(users).toMatchObject({ ok: false, code: 'device-error', subStatus: 'NotAuthorized' });
    expect(guard.refused).toBeNull();
    expect((await information()).ok).toBe(true);
  });

  it('sees a password that was changed at the device, in two tries', async () => {
    for (const auth of ['token', 'digest'] as const) {
      const { camera, information, client, guard } = await world({ auth });
      await information();
      camera.script.password = 'Another-1';
      const users = await client.call(client.device, '<tds:GetUsers/>');
      expect(users).toMatchObject({ ok: false, code: 'device-refused-login' });
      expect(camera.wrongLogins).toBeLessThanOrEqual(2);
      expect(guard.refused).not.toBeNull();
    }
  });

  it('says that a device is locked before it sends any credentials', async () => {
    const { camera, information } = await world({ tries: 0 });
    expect(await information()).toMatchObject({ ok: false, code: 'device-locked' });
    expect(camera.wrongLogins).toBe(0);
  });

  it('a password that is wrong by digest costs one try, not another one as a token', async () => {
    for (const auth of ['digest', 'either'] as const) {
      const { camera, information } = await world({ auth }, 'Wrong-1');
      expect(await information()).toMatchObject({ code: 'device-refused-login' });
      expect(camera.wrongLogins).toBe(1);
    }
  });

  it('pictures that want another login cost one try, whatever their path, and over reconnects', async () => {
    const { camera, client, guard } = await world({}, 'Wrong-1');
    const get = async (from: OnvifClient, i: number) => {
      camera.files.set(`/snap/${i}`, { status: 200, type: 'image/jpeg', body: Buffer.from('x'), login: true });
      const answer = await from.get({ path: `/snap/${i}`, ports: [camera.port] });
      expect(answer).toMatchObject({ ok: true, value: { status: 401 } });
    };
    for (let i = 0; i < 4; i++) await get(client, i);
    const again = new OnvifClient({
      host: '127.0.0.1',
      port: camera.port,
      username: 'admin',
      password: 'Wrong-1',
      guard,
      clock: systemClock,
      log: pino({ enabled: false }),
    });
    cleanup.push(() => again.close());
    await get(again, 5);
    expect([camera.wrongLogins, guard.refused]).toEqual([1, null]);
    // Other credentials get a try of their own.
    guard.reset();
    await get(again, 6);
    expect(camera.wrongLogins).toBe(2);
  });

  it('refuses to send a password in the clear', async () => {
    const { camera, client } = await world();
    camera.files.set('/snap', { status: 401, type: 'text/html', body: Buffer.from('x'), login: false });
    const answer = await client.get({ path: '/snap', ports: [camera.port] });
    expect(answer.ok && answer.value.status).toBe(401);
    expect(camera.seen).toHaveLength(1);
  });
});

describe('addresses', () => {
  it('never leave the device’s host', async () => {
    const { client, camera } = await world();
    const at = (written: string) => client.address(written);
    expect(at('http://169.254.169.254/latest/meta-data')).toMatchObject({
      path: '/latest/meta-data',
      ports: [camera.port, 80],
    });
    expect(at('http://127.0.0.1:9000/onvif/Media?x=1&y')).toMatchObject({
      path: '/onvif/Media?x=1&y',
      ports: [9000, camera.port],
    });
    expect(at('/event-0_2020')).toMatchObject({ path: '/event-0_2020', ports: [camera.port] });
    expect(at(' \n http://[fe80::1]/a \n')).toMatchObject({ path: '/a' });
    for (const bad of ['', 'file:///etc/passwd', 'ftp://127.0.0.1/x', 'gopher:x', 'lollipop'])
      expect(at(bad)).toBeNull();
  });

  it('tries the port that the device names, then the one that worked, and remembers', async () => {
    const { client, camera } = await world({ auth: 'open' });
    const at = client.address('http://127.0.0.1:1/onvif/device_service')!;
    expect((await client.call(at, '<tds:GetDeviceInformation/>')).ok).toBe(true);
    expect(at.ports).toEqual([camera.port, 1]);
  });

  it('has at most two requests under way', async () => {
    const { camera, client } = await world({ auth: 'open' });
    await Promise.all(Array.from({ length: 12 }, () => client.call(client.device, '<tds:GetUsers/>')));
    expect(camera.maxInFlight).toBeLessThanOrEqual(2);
  });
});

describe('answers', () => {
  it('takes faults as values, whatever the status', async () => {
    const { camera, client } = await world({ auth: 'open' });
    for (const status of [200, 400, 500]) {
      camera.handlers.set('GetUsers', () => ({ status, code: 'ter:InvalidArgVal', reason: 'Some\n reason' }));
      const answer = await client.call(client.device, '<tds:GetUsers/>');
      expect(answer).toMatchObject({ ok: false, code: 'device-error', subStatus: 'InvalidArgVal' });
      expect(!answer.ok && answer.text).toContain('Some reason');
    }
  });

  it.each([
    '',
    'lollipop',
    '<html><body>no</body></html>',
    '<?xml version="1.0"?><a><b></a>',
    '<s:Envelope><s:Body/></s:Envelope>',
  ])('what is no SOAP is an error and no more: %j', async (body) => {
    const { camera, client } = await world({ auth: 'open' });
    camera.handlers.set('GetUsers', () => `<?xml version="1.0"?>${body}`);
    expect(await client.call(client.device, '<tds:GetUsers/>')).toMatchObject({ ok: false, code: 'device-error' });
  });

  it('does not read more than fits', async () => {
    const { camera, client } = await world({ auth: 'open' });
    camera.handlers.set('GetUsers', () => `<x>${' '.repeat(3 * 1024 * 1024)}</x>`);
    const answer = await client.call(client.device, '<tds:GetUsers/>');
    expect(!answer.ok && answer.text).toContain('larger');
  });

  it('reads attributes and text by local names', async () => {
    const { client, camera } = await world({ auth: 'open' });
    camera.handlers.set('GetUsers', () => '<q:R xmlns:q="urn:q" q:token=" a &amp; b ">t &lt; u</q:R>');
    const answer = await client.call(client.device, '<tds:GetUsers/>');
    expect(answer.ok && [attribute(answer.value, 'token'), answer.value.text]).toEqual(['a & b', 't < u']);
  });
});
