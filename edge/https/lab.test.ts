import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice, ProbeResult } from '../../protocol/wire/box-api.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Activator } from '../devices/activator.ts';
import { DeviceManager } from '../devices/manager.ts';
import { RefusedLogins } from '../devices/refused-logins.ts';
import type { DeviceConfig } from '../devices/types.ts';
import type { IsapiDriver } from '../isapi/driver.ts';
import { Journal } from '../journal/journal.ts';
import { searchTrack } from '../playback/search.ts';
import { Warnables } from '../warnables.ts';

/* Devices of the lab that take HTTPS alone, from their adding on; the lab shares no code with the box. */

interface LabDevice {
  name: string;
  kind: string;
  address: string;
  httpPort: number;
  mac: string;
  username: string;
  password: string;
}
const log = pino({ enabled: false });
const until = (check: () => unknown) =>
  vi.waitFor(() => expect(check()).toBeTruthy(), { timeout: 10_000, interval: 20 });

let dir: string;
let child: ChildProcess;
let lab: { control: string; devices: LabDevice[] };
let journal: Journal;
let manager: DeviceManager;
let warnables: Warnables;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-https-'));
  const ports = ['--port', '0', '--http-port', '0', '--sadp-port', '0', '--wsd-port', '0', '--cameras', '0'];
  const kinds = 'camera:https,nvr:https,camera:redirect,onvif:https,camera:https:unactivated';
  const more = ['--data', dir, '--no-video', '--base', `127.97.${process.pid % 256}.`, '--devices', kinds];
  child = spawn(process.execPath, ['lab/main.ts', ...ports, ...more], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GATEPOST_LOG_LEVEL: 'silent' },
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.startsWith('ready ')) continue;
    lab = JSON.parse(line.slice(6));
    break;
  }
  warnables = new Warnables({ clock, log });
  journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables });
  journal.start();
  const nobody = { byMac: () => undefined, bySerial: () => undefined, at: () => [], permits: () => true };
  manager = new DeviceManager({ journal, discovery: { ...nobody, onChange: () => () => {} }, clock, log, warnables });
  manager.start();
});
afterAll(async () => {
  await manager?.stop();
  await journal?.stop();
  child?.kill('SIGKILL');
  await once(child, 'exit');
  rmSync(dir, { recursive: true });
});

const device = (name: string) => lab.devices.find((one) => one.name === name)!;
const control = async (path: string, body?: unknown) => {
  const init = body
    ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    : {};
  return (await (await fetch(`${lab.control}/devices/${path}`, init)).json()) as {
    certificate: string;
    origin: string;
    failedLogins: number;
    httpRequests: number;
  };
};
async function probe({ address: host, httpPort, username, password }: LabDevice): Promise<ProbeResult> {
  const probed = await manager.probe({ host, httpPort, username, password });
  if (!probed.ok) throw new Error(probed.detail);
  return probed.result;
}
/** As the relay hands it to the box after adding. */
function added(of: LabDevice, { httpPort, tls, kind }: ProbeResult): DeviceConfig {
  const { name, address: host, username, password } = of;
  const who = { id: uuidv7(), name, mac: null, serial: null, username, password, credentialVersion: 1 };
  return { ...who, kind, host, httpPort: httpPort!, tls };
}
const healthOf = ({ id }: DeviceConfig) => manager.health().find((one) => one.id === id);
const events = () => journal.read(0, 5000).flatMap((r) => (r.kind === 'event' ? [r.body] : []));

describe('devices of the lab that take HTTPS alone', () => {
  it('are added with nothing chosen: a camera, an old recorder, one that redirects, one of ONVIF', async () => {
    for (const [name, kind] of [
      ['camera', 'isapi'],
      ['nvr', 'isapi'],
      ['camera-2', 'isapi'],
      ['onvif', 'onvif'],
    ] as const) {
      const { certificate, origin } = await control(name);
      const { httpPort, tls, kind: spoken } = await probe(device(name));
      expect([name, spoken, tls]).toEqual([name, kind, { certificate, old: false }]);
      expect(`https://${device(name).address}:${httpPort}`).toBe(origin);
    }
  });

  it('work like others: events, snapshot, settings, restart of its connections, recordings, ONVIF', async () => {
    const configs: DeviceConfig[] = [];
    for (const name of ['camera', 'nvr', 'camera-2', 'onvif'])
      configs.push(added(device(name), await probe(device(name))));
    expect(manager.apply(configs)).toEqual([]);
    await until(() => configs.every((one) => healthOf(one)?.state === 'online'));
    expect(warnables.list()).toEqual([]);
    const [camera, nvr, redirecting, onvif] = configs as [DeviceConfig, DeviceConfig, DeviceConfig, DeviceConfig];
    for (const { id } of [camera, redirecting, onvif])
      expect(await manager.operate(id, (driver) => driver.snapshot(1))).toMatchObject({ ok: true });
    // Until each of them is listened to.
    await vi.waitFor(
      async () => {
        for (const name of ['camera', 'camera-2', 'onvif'])
          await control(`${name}/events`, { type: 'motion', active: true });
        const heard = new Set(events().map((event) => event.deviceId));
        expect(heard).toEqual(new Set([camera.id, redirecting.id, onvif.id]));
      },
      { timeout: 10_000, interval: 200 },
    );
    const zone = await manager.operate(camera.id, (driver) => driver.readSettings('time', {}));
    expect(zone).toMatchObject({ ok: true });
    const ports = await manager.operate(camera.id, (driver) => driver.readSettings('ports', {}));
    const fields = ports.ok ? ports.value.map((field) => field.name) : [];
    expect([fields.includes('httpEnabled'), fields.includes('httpsEnabled')]).toEqual([true, false]);
    const found = await manager.operate(nvr.id, (driver) => {
      const isapi = (driver as IsapiDriver).device()!;
      const toMs = clock.now();
      return searchTrack(isapi.client, { track: 101, fromMs: toMs - 86_400_000, toMs, offset: () => 0 });
    });
    expect(found.ok).toBe(true);
  });

  it('that show another certificate get nothing until somebody accepts it', async () => {
    const config = added(device('camera'), await probe(device('camera')));
    manager.apply([config]);
    await until(() => healthOf(config)?.state === 'online');
    const { certificate: before } = await control('camera');
    const { certificate } = await control('camera/do/certificate', {});
    expect(certificate).not.toBe(before);
    const { httpRequests } = await control('camera');
    await until(() => healthOf(config)?.shows);
    expect(healthOf(config)).toMatchObject({
      state: 'offline',
      shows: { certificate, old: false, httpPort: config.httpPort },
    });
    expect(warnables.list()).toMatchObject([{ code: 'device-certificate-changed', subject: `device:${config.id}` }]);
    expect(await manager.operate(config.id, (driver) => driver.snapshot(1))).toMatchObject({
      ok: false,
      code: 'device-certificate-changed',
    });
    const known = { host: config.host, httpPort: config.httpPort, tls: config.tls };
    const { username, password } = config;
    expect(await manager.probe({ ...known, username, password })).toMatchObject({ code: 'device-certificate-changed' });
    expect((await control('camera')).httpRequests).toBe(httpRequests);
    manager.apply([{ ...config, tls: { certificate, old: false } }]);
    await until(() => healthOf(config)?.state === 'online');
    expect(warnables.list()).toEqual([]);
    expect(healthOf(config)).not.toHaveProperty('shows');
    expect((await control('camera')).failedLogins).toBe(0);
  });

  it('and were added over HTTP are shown to a person, and not turned over by themselves', async () => {
    const probed = await probe(device('camera-2'));
    const config = added(device('camera-2'), { ...probed, httpPort: device('camera-2').httpPort, tls: undefined });
    manager.apply([config]);
    await until(() => healthOf(config)?.shows);
    expect(healthOf(config)).toMatchObject({ state: 'offline', shows: { ...probed.tls, httpPort: probed.httpPort } });
    expect(warnables.list()).toMatchObject([{ code: 'device-https-only' }]);
    manager.apply([{ ...config, httpPort: probed.httpPort!, tls: probed.tls }]);
    await until(() => healthOf(config)?.state === 'online');
    expect(warnables.list()).toEqual([]);
  });

  it('get their first password', async () => {
    const fresh = lab.devices.at(-1)!;
    const { mac, address, httpPort } = fresh;
    const listed = { mac, address, httpPort, activated: false, model: 'x', protocols: [] } as never as DiscoveredDevice;
    const activator = new Activator({
      discovery: { list: () => [listed], scan: async () => [] } as never,
      temporary: { helps: async () => false, with: () => Promise.reject(new Error('not here')) },
      sadp: { activate: () => Promise.reject(new Error('not here')) },
      refused: new RefusedLogins({ clock }),
      clock,
      log,
    });
    expect(await activator.activate({ mac, password: 'Aa345678' })).toMatchObject({
      ok: true,
      result: { way: 'isapi' },
    });
    expect(await probe({ ...fresh, password: 'Aa345678' })).toMatchObject({ kind: 'isapi' });
  });
});
