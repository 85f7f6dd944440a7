import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Discovery } from '../discovery/discovery.ts';
import { SadpCommander } from '../discovery/sadp-commander.ts';
import { Journal } from '../journal/journal.ts';
import { Warnables } from '../warnables.ts';
import { Activator } from './activator.ts';
import { DeviceManager } from './manager.ts';
import { RefusedLogins } from './refused-logins.ts';
import type { DeviceConfig } from './types.ts';

/* Discovery and driver against the lab's cameras, which share no code with them. */

const log = pino({ level: 'silent' });
const clock = systemClock;
const until = (check: () => unknown, ms = 10_000) =>
  vi.waitFor(() => expect(check()).toBeTruthy(), { timeout: ms, interval: 20 });

interface LabDevice {
  name: string;
  address: string;
  httpPort: number;
  mac: string;
  serial: string;
  username: string;
  password: string;
}
let dir: string;
let child: ChildProcess;
let lab: { control: string; devices: LabDevice[]; sadpPort: number; wsdPort: number };
/** As it leaves the factory. */
let fresh: LabDevice;
let end: (() => unknown)[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-lan-'));
  end = [() => rmSync(dir, { recursive: true })];
  const ports = ['--port', '0', '--http-port', '0', '--sadp-port', '0', '--wsd-port', '0', '--unactivated', '1'];
  const base = `127.98.${process.pid % 256}.`;
  child = spawn(process.execPath, ['lab/main.ts', '--data', dir, '--no-video', '--base', base, ...ports], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GATEPOST_LOG_LEVEL: 'silent' },
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith('ready ')) {
      lab = JSON.parse(line.slice(6));
      fresh = lab.devices.pop()!;
      break;
    }
  }
});
afterEach(async () => {
  child.kill('SIGKILL');
  for (const fn of end.reverse()) await fn();
});

async function post(path: string, body: unknown): Promise<{ id: string }> {
  const response = await fetch(lab.control + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { id: string };
}

/** Until every camera (or that one) has a listener. */
const listening = (names = lab.devices.map((d) => d.name)) =>
  vi.waitFor(
    async () => {
      for (const name of names) {
        const status = (await (await fetch(`${lab.control}/devices/${name}`)).json()) as { alertStreams: number };
        expect(status.alertStreams).toBe(1);
      }
    },
    { timeout: 10_000, interval: 20 },
  );

function box() {
  const warnables = new Warnables({ clock, log });
  const journal = new Journal({ path: join(dir, 'journal.db'), clock, log, warnables });
  const discovery = new Discovery({
    interface: 'lo',
    sadpPort: lab.sadpPort,
    wsdPort: lab.wsdPort,
    clock,
    log,
    warnables,
  });
  const manager = new DeviceManager({ journal, discovery, clock, log, warnables });
  journal.start();
  discovery.start();
  manager.start();
  end.push(
    () => journal.stop(),
    () => discovery.stop(),
    () => manager.stop(),
  );
  const events = () => journal.read(0, 5000).flatMap((r) => (r.kind === 'event' ? [r.body] : []));
  return { warnables, journal, discovery, manager, events };
}

const config = (d: LabDevice, o: Partial<DeviceConfig> = {}): DeviceConfig => ({
  id: uuidv7(),
  kind: 'isapi',
  name: d.name,
  mac: d.mac,
  serial: null,
  // Not where it is: the search knows better.
  host: '127.0.0.9',
  httpPort: 9,
  username: d.username,
  password: d.password,
  credentialVersion: 1,
  ...o,
});

it('finds the cameras, follows them by MAC, and keeps every event by its id (DISC-01, DISC-03, DISC-02, HLTH-20)', async () => {
  const { discovery, manager, events, journal, warnables } = box();
  await until(() => discovery.list().length === lab.devices.length + 1);
  for (const d of lab.devices) {
    expect(discovery.byMac(d.mac)).toMatchObject({
      address: d.address,
      httpPort: d.httpPort,
      serial: d.serial,
      activated: true,
    });
  }
  // The older firmware has ONVIF on: one device, found by both.
  await until(() => discovery.list().some((d) => d.protocols.includes('onvif')));
  expect(discovery.list().map((d) => d.protocols)).toEqual(expect.arrayContaining([['sadp'], ['sadp', 'onvif']]));
  expect(discovery.list()).toHaveLength(lab.devices.length + 1);
  const items = lab.devices.map((d) => config(d));
  expect(manager.apply(items)).toEqual([]);
  await listening();
  expect(manager.health().map((h) => h.state)).toEqual(['online', 'online']);
  expect(warnables.list()).toEqual([]);
  expect(manager.channels().map((c) => c.rtspUrl)).toEqual(
    lab.devices.map((d) => expect.stringContaining(`rtsp://${d.address}:`)),
  );
  // Every other camera is an old one without a sub-stream.
  expect(manager.channels().map((c) => c.sub)).toEqual([expect.stringMatching(/\/102$/), null]);

  const said = new Set<string>();
  for (let i = 0; i < 25; i++) {
    for (const d of lab.devices)
      said.add((await post(`/devices/${d.name}/events`, { type: 'motion', active: true })).id);
    await new Promise((r) => setTimeout(r, 60));
    for (const d of lab.devices) await post(`/devices/${d.name}/events`, { type: 'motion', active: false });
  }
  await until(() => events().length >= said.size);
  expect(new Set(events().map((e) => e.sourceRef))).toEqual(said);
  expect(events()).toHaveLength(said.size);
  expect(new Set(events().map((e) => `${e.type} ${e.channel}`))).toEqual(new Set(['motion 1']));
  // One camera says `inactive`, the other only falls silent.
  await until(() => journal.read(0, 5000).filter((r) => r.kind === 'eventEnd').length === said.size);
});

it('tries a wrong password once and does not lock the camera', async () => {
  const { manager, warnables, discovery } = box();
  await until(() => discovery.list().length === lab.devices.length + 1);
  const [d] = lab.devices;
  const wrong = config(d!, { password: 'wrong' });
  manager.apply([wrong]);
  await until(() => manager.health()[0]?.state === 'refused');
  // What else wakes a session: the same devices once more, and a search.
  manager.apply([wrong]);
  await discovery.scan();
  const status = (await (await fetch(`${lab.control}/devices/${d!.name}`)).json()) as { failedLogins: number };
  expect(status.failedLogins).toBe(1);
  expect(warnables.list()).toMatchObject([{ code: 'device-login-refused' }]);
  expect(
    await manager.probe({ host: d!.address, httpPort: d!.httpPort, username: d!.username, password: d!.password }),
  ).toMatchObject({
    ok: true,
    result: { serial: d!.serial, mac: d!.mac, channels: [{ channel: 1 }] },
  });
});

it('goes on after parts that no device should send', async () => {
  const { manager, discovery, events } = box();
  await until(() => discovery.list().length === lab.devices.length + 1);
  const [d] = lab.devices;
  manager.apply([config(d!)]);
  await listening([d!.name]);
  for (const junk of [
    '--boundary\r\nContent-Type: application/xml\r\nContent-Length: 4\r\n\r\n<A><B',
    '\r\n\0\xff\xfe{"eventType":',
    '\r\n--boundary\r\n\r\n',
  ]) {
    await post(`/devices/${d!.name}/inject`, { base64: Buffer.from(junk, 'latin1').toString('base64') });
  }
  const { id } = await post(`/devices/${d!.name}/events`, { type: 'lineCrossing', active: true });
  await until(() => events().some((e) => e.sourceRef === id));
  expect(events()).toMatchObject([{ type: 'lineCrossing', sourceRef: id }]);
});

it('gives a camera from the factory its first password, which then logs in (INIT-02)', async () => {
  const { discovery, manager } = box();
  const sadp = new SadpCommander({ channel: discovery, clock, log });
  const temporary = { helps: async () => false, with: () => Promise.reject(new Error('not here')) };
  const activator = new Activator({ discovery, temporary, sadp, refused: new RefusedLogins({ clock }), clock, log });
  await until(() => discovery.byMac(fresh.mac)?.activated === false);
  const used = lab.devices[0]!;
  expect(await activator.activate({ mac: used.mac, password: 'Aa345678' })).toMatchObject({ code: 'conflict' });
  expect(await activator.activate({ mac: '02-00-00-00-00-99', password: 'Aa345678' })).toMatchObject({
    code: 'not-found',
  });
  const both = await Promise.all([1, 2].map(() => activator.activate({ mac: fresh.mac, password: 'Aa345678' })));
  expect(both.map((one) => one.ok)).toEqual([true, false]);
  expect(both[0]).toEqual({ ok: true, result: { mac: fresh.mac, weak: false, way: 'isapi', issues: [] } });
  await until(() => discovery.byMac(fresh.mac)?.activated === true);
  const { address: host, httpPort } = fresh;
  const probe = await manager.probe({ host, httpPort, username: 'admin', password: 'Aa345678' });
  expect(probe).toMatchObject({ ok: true, result: { serial: fresh.serial } });
});
