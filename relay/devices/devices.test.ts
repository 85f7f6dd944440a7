import { Readable } from 'node:stream';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { open } from '../../protocol/codec/sealed.ts';
import { AddDevice } from '../../protocol/wire/api.ts';
import type { DesiredState } from '../../protocol/wire/desired.ts';
import { problem } from '../../protocol/wire/problem.ts';
import { createScope, type Scope } from '../auth/scope.ts';
import { Vault } from '../auth/vault.ts';
import type { Db } from '../db/database.ts';
import { DesiredStates } from '../desired/desired.ts';
import { HealthStore } from '../health/health.ts';
import { Presence } from '../health/presence.ts';
import { SiteWarnables } from '../health/warnables.ts';
import { Views } from '../sites/views.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { BoxClient, type BoxTunnel } from './box-client.ts';
import { DeviceSecrets } from './device-secrets.ts';
import { Devices } from './devices.ts';

const log = pino({ level: 'silent' });
const PROBED = {
  model: 'DS-1',
  serial: 'DS-1-0001',
  mac: '44-19-B6-00-00-01',
  firmware: null,
  deviceType: 'IPCamera',
  channels: [
    { channel: 1, name: 'Gate' },
    { channel: 2, name: 'Yard' },
  ],
};

/** Stands in for the tunnel: answers what the test says, and notes what it was asked. */
class Tunnel implements BoxTunnel {
  answer: { status: number; type: string; body: string | Buffer } | Error = json(200, PROBED);
  connected = true;
  readonly asked: { serial: string; method: string; path: string; body: unknown }[] = [];
  isConnected(): boolean {
    return this.connected;
  }
  async request(serial: string, { method, path, body }: Parameters<BoxTunnel['request']>[1]) {
    this.asked.push({ serial, method, path, body: body ? JSON.parse(body.toString()) : undefined });
    if (this.answer instanceof Error) throw this.answer;
    const { status, type, body: bytes } = this.answer;
    return { status, headers: { 'content-type': type }, body: Readable.from([Buffer.from(bytes)]) };
  }
}
const json = (status: number, body: unknown) => ({
  status,
  type: status < 400 ? 'application/json' : 'application/problem+json',
  body: JSON.stringify(body),
});

let relay: TestRelay;
let acme: Company;
let box: TestBox;
let db: Db;
let tunnel: Tunnel;
let devices: Devices;
let scope: Scope;
let announced: string[];
/** Passwords kept from activations, by MAC. */
const kept: Record<string, string> = { '44-19-b6-00-00-01': 'Generated-1' };
const camera = (change: Partial<Parameters<typeof AddDevice.parse>[0] & object> = {}) =>
  AddDevice.parse({
    boxSerial: box.serial,
    name: 'Camera 1',
    host: '192.168.1.64',
    username: 'admin',
    password: 'hunter22',
    ...change,
  });
const wishes = async (): Promise<DesiredState> => new DesiredStates({ db }).get(box.serial);

beforeAll(async () => {
  relay = await new TestRelay().start();
  acme = await relay.company('Acme');
});
beforeEach(async () => {
  box = await new TestBox(relay).claimedBy(acme);
  db = await openTestDatabase(relay.dir);
  tunnel = new Tunnel();
  const desired = new DesiredStates({ db });
  announced = [];
  desired.onChange((serial) => announced.push(serial));
  const presence = new Presence({ clock });
  const health = new HealthStore({ db, clock, log });
  const warnables = new SiteWarnables({ db, clock, log });
  const views = new Views({ db, clock, presence, health, warnables, tunnelUp: () => true });
  devices = new Devices({
    db,
    clock,
    log,
    desired,
    box: new BoxClient({ tunnel }),
    views,
    secrets: new DeviceSecrets({ db, vault: new Vault({ dir: relay.dir }) }),
    kept: async (_, __, mac) => kept[mac] ?? null,
  });
  scope = createScope(db, clock, acme);
});
afterEach(async () => {
  box.disconnect();
  await db.destroy();
});
afterAll(() => relay.stop());

describe('adding a device', () => {
  it('tries the credentials once through the box, then seals them to it and lets every channel record (ADD-04)', async () => {
    const added = await devices.add(scope, acme.siteId, camera());
    expect(tunnel.asked).toEqual([
      {
        serial: box.serial,
        method: 'POST',
        path: '/v1/devices/probe',
        body: { host: '192.168.1.64', httpPort: 80, username: 'admin', password: 'hunter22' },
      },
    ]);
    expect(added).toMatchObject({ name: 'Camera 1', mac: '44-19-b6-00-00-01', serial: 'DS-1-0001', health: null });
    const { sections, version } = await wishes();
    const [device] = sections.devices.items;
    expect(open(device!.password, box.sealKey, `device:${added.id}`)).toBe('hunter22');
    expect(JSON.stringify(sections)).not.toContain('hunter22');
    expect(device).toMatchObject({ id: added.id, host: '192.168.1.64', credentialVersion: 1 });
    expect(sections.recording.items.map((r) => [r.deviceId, r.channel, r.preRollMs, r.postRollMs])).toEqual([
      [added.id, 1, 5000, 30000],
      [added.id, 2, 5000, 30000],
    ]);
    expect([version, sections.devices.version, sections.recording.version, sections.arc.version]).toEqual([2, 1, 1, 0]);
    expect(announced).toEqual([box.serial]);
  });

  it('keeps how the box reached it: the port of HTTPS with its certificate', async () => {
    const tls = { certificate: Array(32).fill('AB').join(':'), old: true };
    tunnel.answer = json(200, { ...PROBED, httpPort: 8443, tls });
    const added = await devices.add(scope, acme.siteId, camera());
    expect(added).toMatchObject({ httpPort: 8443, certificate: tls.certificate, oldTls: true });
    expect((await wishes()).sections.devices.items[0]).toMatchObject({ httpPort: 8443, tls });
  });

  it('keeps what the box found the device to speak', async () => {
    tunnel.answer = json(200, { ...PROBED, kind: 'onvif', deviceType: 'ONVIF' });
    const added = await devices.add(scope, acme.siteId, camera());
    expect(added).toMatchObject({ kind: 'onvif', type: 'encoding' });
    expect((await wishes()).sections.devices.items[0]).toMatchObject({ kind: 'onvif' });
  });

  it('needs no password where the one of its activation is kept (INIT-03)', async () => {
    const mac = '44-19-b6-00-00-01';
    const added = await devices.add(scope, acme.siteId, camera({ password: undefined, mac }));
    expect(tunnel.asked).toMatchObject([{ body: { password: 'Generated-1' } }]);
    const [device] = (await wishes()).sections.devices.items;
    expect(open(device!.password, box.sealKey, `device:${added.id}`)).toBe('Generated-1');
    const unknown = camera({ password: undefined, mac: '44-19-b6-00-00-09' });
    await expect(devices.add(scope, acme.siteId, unknown)).rejects.toMatchObject({ code: 'invalid-request' });
  });

  it.each([
    'device-refused-login',
    'device-locked',
    'device-not-activated',
    'device-unreachable',
  ] as const)('adds nothing when the box says %s, and does not try again (ADD-07)', async (code) => {
    tunnel.answer = json(502, problem(code, 'The camera at 192.168.1.64 says no.'));
    await expect(devices.add(scope, acme.siteId, camera())).rejects.toMatchObject({
      code,
      detail: 'The camera at 192.168.1.64 says no.',
    });
    expect(tunnel.asked).toHaveLength(1);
    expect((await wishes()).version).toBe(0);
  });

  it('says so when the box is not connected, or is lost while asked', async () => {
    tunnel.connected = false;
    await expect(devices.add(scope, acme.siteId, camera())).rejects.toMatchObject({ code: 'box-unreachable' });
    expect(tunnel.asked).toEqual([]);
    tunnel.connected = true;
    tunnel.answer = new Error('reset');
    await expect(devices.add(scope, acme.siteId, camera())).rejects.toMatchObject({ code: 'box-unreachable' });
  });

  it.each([
    ['no JSON', { status: 200, type: 'text/html', body: '<html>' }],
    ['another shape', json(200, { model: 7 })],
    ['far too much', { status: 200, type: 'application/json', body: Buffer.alloc(5 * 1024 * 1024, 32) }],
    ['an error without a known code', json(500, { code: 'oops' })],
  ])('does not believe a box that answers %s', async (_, answer) => {
    tunnel.answer = answer;
    await expect(devices.add(scope, acme.siteId, camera())).rejects.toMatchObject({ code: 'device-error' });
    expect((await wishes()).version).toBe(0);
  });

  it('takes the same device once, by serial or MAC, and again after it was removed', async () => {
    const first = await devices.add(scope, acme.siteId, camera());
    await expect(devices.add(scope, acme.siteId, camera({ host: '192.168.1.99' }))).rejects.toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('Camera 1'),
    });
    await devices.remove(scope, first.id);
    expect((await wishes()).sections).toMatchObject({ devices: { items: [] }, recording: { items: [] } });
    await devices.add(scope, acme.siteId, camera());
    expect((await devices.list(scope, acme.siteId)).filter((d) => d.boxSerial === box.serial)).toHaveLength(1);
  });

  it('lists with each what the person may do with it', async () => {
    const { id } = await devices.add(scope, acme.siteId, camera());
    const permissions = async (of: Scope) =>
      (await devices.list(of, acme.siteId)).find((device) => device.id === id)?.permissions;
    expect(await permissions(scope)).toEqual(['configure', 'live', 'playback']);
    const role = new Set(['manage-all-sites', 'live-view'] as const);
    expect(await permissions(createScope(db, clock, { ...acme, admin: false, permissions: role }))).toEqual(['live']);
  });

  it('with nothing to record on records nothing', async () => {
    await devices.add(scope, acme.siteId, camera({ recordOn: [] }));
    expect((await wishes()).sections.recording.items).toEqual([]);
  });
});

describe('credentials entered again', () => {
  it('go to the box with a higher version, so that it tries once more', async () => {
    const { id } = await devices.add(scope, acme.siteId, camera());
    await devices.setCredentials(scope, id, { username: 'root', password: 'better-one' });
    const [device] = (await wishes()).sections.devices.items;
    expect(device).toMatchObject({ username: 'root', credentialVersion: 2 });
    expect(open(device!.password, box.sealKey, `device:${id}`)).toBe('better-one');
    expect(tunnel.asked).toHaveLength(1);
  });
});

describe('desired state', () => {
  it('reaches a connected box at once, and a returning one when it subscribes', async () => {
    await box.connect();
    const { id } = await devices.add(scope, acme.siteId, camera());
    box.disconnect();
    await box.connect();
    const state = (await (async () => {
      for (;;) {
        const found = box.last(box.topics.desired) as DesiredState | undefined;
        if (found?.version === 2) return found;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })()) as DesiredState;
    expect(state.sections.devices.items.map((d) => d.id)).toEqual([id]);
  });
});
