import { createServer, type Server } from 'node:net';
import { Readable } from 'node:stream';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock as clock, iso } from '../../protocol/clock.ts';
import { AddItem } from '../../protocol/wire/adding.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { foundDevice } from '../../protocol/wire/testing/found-device.ts';
import { DialGuard } from '../arc/dial-guard.ts';
import { createScope, type Scope } from '../auth/scope.ts';
import { Vault } from '../auth/vault.ts';
import { Claims, ClaimTries } from '../boxes/claims.ts';
import type { Db } from '../db/database.ts';
import { DesiredStates } from '../desired/desired.ts';
import { HealthStore } from '../health/health.ts';
import { Presence } from '../health/presence.ts';
import { SiteWarnables } from '../health/warnables.ts';
import { Views } from '../sites/views.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { Adding, TRIES_A_MINUTE } from './adding.ts';
import { BoxClient, type BoxTunnel } from './box-client.ts';
import { DeviceSecrets } from './device-secrets.ts';
import { Devices } from './devices.ts';

const log = pino({ level: 'silent' });
const LONG = 'DS-2CD2386G2-IU20230412AAWRT123T45R6WVU';
const seen = (change: object = {}) =>
  foundDevice(1, {
    mac: '44-19-b6-00-00-01',
    serial: LONG,
    model: 'DS-2CD2386G2-IU',
    firmware: null,
    address: '192.168.1.64',
    httpPort: 8000,
    ...change,
  });

/** Stands in for the tunnel to a box that sees `list` and logs in to what says `deviceType`. */
class Tunnel implements BoxTunnel {
  list: object[] = [seen()];
  deviceType = 'IPCamera';
  model = 'DS-2CD2386G2-IU';
  channels = 1;
  isConnected(): boolean {
    return true;
  }
  async request(_: string, { path }: Parameters<BoxTunnel['request']>[1]) {
    const { model, deviceType } = this;
    const channels = Array.from({ length: this.channels }, (__, i) => ({ channel: i + 1, name: '' }));
    const probed = { model, deviceType, serial: '', mac: null, firmware: null, channels };
    const body = path === '/v1/discovery' ? { items: this.list } : probed;
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: Readable.from([Buffer.from(JSON.stringify(body))]),
    };
  }
}

let relay: TestRelay;
let acme: Company;
let rival: Company;
let box: TestBox;
let db: Db;
let tunnel: Tunnel;
let adding: Adding;
let scope: Scope;
let secrets: DeviceSecrets;
let server: Server;
let port: number;
let siteId: string;

const add = async (item: object, of = siteId) => (await adding.add(scope, of, [AddItem.parse(item)], '127.0.0.1'))[0]!;
const bySerial = (change: object = {}) =>
  add({ method: 'serial', serial: 'T123T45R6', username: 'admin', password: 'hunter22', ...change });
const byAddress = (change: object = {}, of = siteId) =>
  add({ method: 'ip', name: 'Far', host: '127.0.0.1', port, username: 'admin', password: 'hunter22', ...change }, of);
const site = async (fields: object = {}, who = acme) =>
  (await who.api('POST', '/sites', { name: uuidv7(), timeZone: 'UTC', ...fields })).body.id as string;

beforeAll(async () => {
  relay = await new TestRelay().start();
  [acme, rival] = [await relay.company('Acme'), await relay.company('Rival')];
  server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
beforeEach(async () => {
  siteId = await site();
  box = await new TestBox(relay).claimedBy({ ...acme, siteId });
  db = await openTestDatabase(relay.dir);
  await db
    .updateTable('devices')
    .set({ deletedAt: iso(clock.now()) })
    .execute();
  tunnel = new Tunnel();
  const vault = new Vault({ dir: relay.dir });
  vault.start();
  secrets = new DeviceSecrets({ db, vault });
  const client = new BoxClient({ tunnel });
  const warnables = new SiteWarnables({ db, clock, log });
  const presence = new Presence({ clock });
  const health = new HealthStore({ db, clock, log });
  const views = new Views({ db, clock, presence, health, warnables, tunnelUp: () => true });
  const desired = new DesiredStates({ db });
  const tries = new ClaimTries({ clock });
  const claims = new Claims({ db, clock, log, tries, warnables, claimed: async () => {}, cut: () => {} });
  const kept = async () => null;
  const devices = new Devices({ db, clock, log, desired, box: client, views, secrets, kept });
  const guard = new DialGuard({ allow: ['127.0.0.1/32'] });
  adding = new Adding({ db, clock, log, devices, secrets, box: client, guard, claims, views });
  scope = createScope(db, clock, acme);
});
afterEach(() => db.destroy());
afterAll(async () => {
  server.close();
  await relay.stop();
});

describe('by serial number', () => {
  it('finds what a box sees by the short or the long one, and adds it through the box (ADD-12, SN-09, ADD-02, ADD-04, ADD-11)', async () => {
    const result = await bySerial();
    expect(result).toMatchObject({
      name: 'T123T45R6',
      result: 'added',
      boxSerial: box.serial,
      code: null,
      actions: [],
    });
    const device = { accessMode: 'p2p', type: 'encoding', serial: LONG, host: '192.168.1.64', httpPort: 8000 };
    expect(result.device).toMatchObject({ ...device, boxSerial: box.serial, name: 'DS-2CD2386G2-IU' });
    expect(await bySerial({ serial: LONG })).toMatchObject({
      result: 'failed',
      code: 'conflict',
      actions: ['add-again'],
    });
  });

  it('claims a box by its serial and code (BOX-04)', async () => {
    const other = new TestBox(relay);
    await other.enrol();
    const { serial, code } = other;
    expect(await bySerial({ serial, code: 'AAAAAAAAAA' })).toMatchObject({ result: 'failed', code: 'claim-refused' });
    expect(await bySerial({ serial, code })).toMatchObject({ result: 'added', device: null, boxSerial: serial });
  });

  it('says what is not seen, not activated, or misses its login', async () => {
    expect(await bySerial({ serial: 'X123T45R6' })).toMatchObject({
      code: 'not-found',
      detail: expect.stringContaining('X123T45R6'),
    });
    expect(await bySerial({ username: null })).toMatchObject({ code: 'invalid-request' });
    tunnel.list = [seen({ activated: false })];
    expect(await bySerial()).toMatchObject({ code: 'device-not-activated' });
  });

  it('says that a device is added to another account, never whose, and what can be done (ADD-20, UNBD-01)', async () => {
    const theirs = {
      id: uuidv7(),
      siteId: rival.siteId,
      boxSerial: null,
      kind: 'isapi' as const,
      mac: null,
      host: 'x',
    };
    const rest = {
      name: 'Secret name',
      serial: LONG,
      httpPort: 80,
      username: 'a',
      createdAt: iso(clock.now()),
      deletedAt: null,
    };
    await db
      .insertInto('devices')
      .values({ ...theirs, ...rest })
      .execute();
    const result = await bySerial();
    expect(result).toMatchObject({
      result: 'failed',
      code: 'added-to-another-account',
      actions: ['unbind', 'add-again'],
    });
    expect(JSON.stringify(result)).not.toMatch(/Rival|Secret name/);
    await db
      .updateTable('devices')
      .set({ deletedAt: iso(clock.now()) })
      .where('id', '=', theirs.id)
      .execute();
    expect((await bySerial()).result).toBe('added');
  });
});

describe('what a device is', () => {
  it.each([
    ['IPCamera', '', 'encoding'],
    ['NVR', '', 'encoding'],
    ['ACS', 'DS-K1T671', 'access'],
    ['VIS', 'DS-KH6320', 'intercom'],
    ['Switch', '', 'network'],
  ])('%s %s is %s, and is added from the LAN', async (deviceType, model, type) => {
    Object.assign(tunnel, { deviceType, model });
    const lan = { method: 'lan', boxSerial: box.serial, name: 'D', host: '10.0.0.9', username: 'a', password: 'b' };
    expect(await add(lan)).toMatchObject({ result: 'added', device: { type } });
  });

  it('decides which way it can come: panels and doorbells not from the LAN, AX HOME and routers by their own rules (ADD-06, ADD-21, ADD-24)', async () => {
    const lan = { method: 'lan', boxSerial: box.serial, name: 'D', host: '10.0.0.9', username: 'a', password: 'b' };
    Object.assign(tunnel, { deviceType: 'AlarmHost', model: 'AX PRO' });
    expect(await add(lan)).toMatchObject({ code: 'conflict', detail: expect.stringContaining('serial number') });
    expect((await bySerial()).device?.type).toBe('panel');
    await db
      .updateTable('devices')
      .set({ deletedAt: iso(clock.now()) })
      .execute();
    Object.assign(tunnel, { model: 'AX HOME' });
    expect(await bySerial({ method: 'qr' })).toMatchObject({ code: 'conflict' });
    expect((await bySerial()).result).toBe('added');
    await db
      .updateTable('devices')
      .set({ deletedAt: iso(clock.now()) })
      .execute();
    await db.updateTable('sites').set({ type: 'team' }).where('id', '=', siteId).execute();
    Object.assign(tunnel, { deviceType: 'ACS', model: 'Access Control Router' });
    expect(await bySerial()).toMatchObject({ code: 'conflict', detail: expect.stringContaining('personal site') });
    expect(await bySerial({ method: 'on-site' })).toMatchObject({ code: 'conflict' });
  });
});

describe('by address', () => {
  it('adds an encoding device that takes connections, its password sealed beside no box (ADD-03, ADD-05, ADD-08, ADD-01)', async () => {
    const result = await byAddress({ channelCount: 4 });
    const device = { accessMode: 'ip', boxSerial: null, type: 'encoding', channelCount: 4, health: null };
    expect(result).toMatchObject({ result: 'added', device });
    expect(result.detail).toContain('were not tried');
    const stored = await db.selectFrom('device_secrets').selectAll().executeTakeFirstOrThrow();
    expect(stored.password).not.toContain('hunter22');
    expect(await secrets.read(result.device!.id)).toBe('hunter22');
    expect(await byAddress()).toMatchObject({ code: 'conflict' });
    const devices = await acme.api('GET', `/sites/${siteId}/devices`);
    expect(JSON.stringify(devices.body)).not.toContain('hunter22');
    const snapshot = await acme.api('GET', `/devices/${result.device!.id}/snapshot`);
    expect(snapshot.status).toBeGreaterThanOrEqual(400);
    expect((await acme.api('DELETE', `/devices/${result.device!.id}`)).status).toBe(204);
    expect(await secrets.read(result.device!.id)).toBeNull();
  });

  it('asks only what lies outside, and says when nothing answers', async () => {
    expect(await byAddress({ host: '10.0.0.1' })).toMatchObject({ code: 'invalid-request' });
    expect(await byAddress({ host: '127.0.0.2' })).toMatchObject({ code: 'invalid-request' });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const gone = (closed.address() as { port: number }).port;
    await new Promise((resolve) => closed.close(resolve));
    expect(await byAddress({ port: gone })).toMatchObject({ code: 'device-unreachable' });
  });

  it('is not for team sites (ADD-22)', async () => {
    expect(await byAddress({}, await site({ type: 'team' }))).toMatchObject({ code: 'conflict' });
  });
});

describe('limits', () => {
  it('a personal site has at most 128 channels, a team site more (ADD-19, SITE-03)', async () => {
    expect((await byAddress({ channelCount: 127 })).result).toBe('added');
    tunnel.channels = 2;
    expect(await bySerial()).toMatchObject({ code: 'limit-reached', actions: [] });
    tunnel.channels = 1;
    expect((await bySerial()).result).toBe('added');
    expect(await byAddress({ name: 'One more', port: port + 1 })).toMatchObject({ code: 'limit-reached' });
  });

  it('a company has at most 1,024 devices without a package (ADD-18)', async () => {
    const team = await site({ type: 'team' });
    const row = (i: number) => ({
      id: uuidv7(),
      siteId: team,
      boxSerial: null,
      name: `D${i}`,
      kind: 'isapi' as const,
      mac: null,
      serial: null,
      host: 'x',
      httpPort: 80,
      username: 'a',
      createdAt: iso(clock.now()),
      deletedAt: null,
    });
    const rows = Array.from({ length: 1023 }, (_, i) => row(i));
    for (let i = 0; i < rows.length; i += 500)
      await db
        .insertInto('devices')
        .values(rows.slice(i, i + 500))
        .execute();
    expect((await byAddress()).result).toBe('added');
    expect(await bySerial()).toMatchObject({ code: 'limit-reached', detail: expect.stringContaining('1024') });
  });
});

describe('a batch', () => {
  it('goes on after a failure and answers in the order asked (ADD-05, ADD-20)', async () => {
    const ip = (name: string, host: string) => ({ method: 'ip', name, host, port, username: 'a', password: 'b' });
    const body = { devices: [ip('One', '127.0.0.1'), ip('Two', '10.0.0.1'), ip('Three', 'localhost')] };
    const { status, body: answer } = await acme.api('POST', `/sites/${siteId}/additions`, body);
    expect(status).toBe(201);
    const results = answer.items.map((item: { name: string; result: string }) => [item.name, item.result]);
    expect(results[0]).toEqual(['One', 'added']);
    expect(results.map(([name]: [string]) => name)).toEqual(['One', 'Two', 'Three']);
    expect(results[2]).toEqual(['Three', 'added']);
  });
});

describe('trying addresses', () => {
  it('goes sixteen times a minute for a company, not for a scan of ports', async () => {
    const one = await relay.company('Scanner');
    const other = await relay.company('Not scanner');
    const at = async (who: typeof one) => {
      const path = `/sites/${await site({}, who)}/additions`;
      return async (count: number) => {
        const devices = Array.from({ length: count }, (_, i) => ({
          method: 'ip',
          name: `D${i}`,
          host: '127.0.0.1',
          port: 1 + i,
          username: 'a',
          password: 'b',
        }));
        const { body } = await who.api('POST', path, { devices });
        return body.items.map((item: { code: string | null }) => item.code);
      };
    };
    const scan = await at(one);
    expect(new Set(await scan(TRIES_A_MINUTE))).toEqual(new Set(['device-unreachable']));
    expect(await scan(2)).toEqual(['too-many-tries', 'too-many-tries']);
    expect(await (await at(other))(1)).toEqual(['device-unreachable']);
  });
});

describe('changing a device', () => {
  it('its name and what is recorded reach the box', async () => {
    const { device } = await bySerial();
    const changed = await acme.api('PATCH', `/devices/${device!.id}`, { name: 'Gate', recordOn: ['tamper'] });
    expect(changed.body).toMatchObject({ name: 'Gate' });
    const { sections } = await new DesiredStates({ db }).get(box.serial);
    expect(sections.devices.items).toMatchObject([{ name: 'Gate' }]);
    expect(sections.recording.items).toMatchObject([{ channel: 1, triggers: ['tamper'] }]);
    await acme.api('PATCH', `/devices/${device!.id}`, { recordOn: [] });
    expect((await new DesiredStates({ db }).get(box.serial)).sections.recording.items).toEqual([]);
    const far = await byAddress();
    expect((await acme.api('PATCH', `/devices/${far.device!.id}`, { recordOn: ['motion'] })).body.code).toBe(
      'conflict',
    );
    expect((await acme.api('PATCH', `/devices/${far.device!.id}`, { name: 'Farther' })).body.name).toBe('Farther');
  });
});
