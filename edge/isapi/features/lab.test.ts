import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HikvisionClient } from 'hikvision-isapi';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../protocol/clock.ts';
import { LoginGuard } from '../../devices/login-guard.ts';
import { IsapiDriver } from '../driver.ts';
import { enableMotionEverywhere } from './motion.ts';
import { addChannel } from './recorder-edit.ts';
import { isPoeRecorder, readCamerasSeen, readRecorderChannels } from './recorder-list.ts';
import { switchSmartCodec } from './smart-codec.ts';

/* Features against the lab's devices, which share no code with them, and an independent client against the same devices. */

interface LabDevice {
  name: string;
  address: string;
  httpPort: number;
  serial: string;
  username: string;
  password: string;
}
let dir: string;
let child: ChildProcess;
let lab: { control: string; devices: LabDevice[] };
const open: IsapiDriver[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-features-'));
  const ports = ['--port', '0', '--http-port', '0', '--sadp-port', '0', '--wsd-port', '0'];
  const base = `127.${60 + (process.pid % 30)}.${(process.pid >> 5) % 256}.`;
  const devices = ['--cameras', '2', '--devices', 'ptz,nvr,dvr,poe-nvr,door-station'];
  child = spawn(process.execPath, ['lab/main.ts', '--data', dir, '--no-video', '--base', base, ...ports, ...devices], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GATEPOST_LOG_LEVEL: 'silent' },
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.startsWith('ready ')) continue;
    lab = JSON.parse(line.slice(6));
    break;
  }
}, 30_000);
afterEach(() => {
  for (const driver of open.splice(0)) driver.close();
});
afterAll(() => {
  child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const named = (name: string): LabDevice => lab.devices.find((d) => d.name.startsWith(name))!;
async function connect(name: string) {
  const { address, httpPort, username, password } = named(name);
  const driver = new IsapiDriver({
    host: address,
    port: httpPort,
    username,
    password,
    guard: new LoginGuard(),
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  open.push(driver);
  expect(await driver.identify()).toMatchObject({ ok: true });
  expect(await driver.channels()).toMatchObject({ ok: true });
  const capabilities = await driver.capabilities();
  if (!capabilities.ok) throw new Error(capabilities.text);
  return { driver, device: driver.device()!, capabilities: capabilities.value };
}
// biome-ignore lint/suspicious/noExplicitAny: whatever the lab tells
const stateOf = async (name: string): Promise<any> =>
  (await fetch(`${lab.control}/devices/${named(name).name}`)).json();
const kept = { ok: true, value: { notKept: [] } };

describe('the features of channels, against the lab', () => {
  it.each([
    'camera-1',
    'camera-2',
  ])('%s: streams, picture, overlays, motion, mask are set and read back (CHAN-02, CHAN-01)', async (name) => {
    const { driver, device, capabilities } = await connect(name);
    const offered = capabilities.sections.map((s) => s.section);
    expect(offered).toEqual(expect.arrayContaining(['video', 'picture', 'backlight', 'osd', 'motion', 'channel']));
    expect(capabilities.actions.map((a) => a.action)).not.toContain('ptzMove');
    const [main, here] = [{ channel: 1, stream: 1 }, { channel: 1 }];
    const coding = { frameRate: '10', govLength: 20, bitrate: 1024, bitrateType: 'CBR', resolution: '1920x1080' };
    expect(await driver.writeSettings('video', main, coding)).toMatchObject(kept);
    expect(await driver.writeSettings('picture', here, { brightness: 61, sceneDirection: 'upDown' })).toMatchObject(
      kept,
    );
    expect(await driver.writeSettings('backlight', here, { blc: true, blcArea: 'DOWN' })).toMatchObject(kept);
    // Only one of them at a time.
    expect(await driver.writeSettings('backlight', here, { wdr: 'on' })).toMatchObject({ subStatus: 'mutexFunction' });
    expect(await driver.writeSettings('osd', here, { showName: false, text1: 'Tor', timeX: 50 })).toMatchObject(kept);
    expect(await driver.writeSettings('channel', here, { name: 'Tor & Hof' })).toMatchObject(kept);
    expect(await enableMotionEverywhere(device, 1)).toMatchObject({ ok: true, value: { failed: [] } });
  });

  it('camera-1: its smart codec is changed as an installation wants it', async () => {
    const { driver, device } = await connect('camera-1');
    expect(await driver.writeSettings('video', { channel: 1, stream: 1 }, { smartCodec: true })).toMatchObject(kept);
    expect(await switchSmartCodec(device, 1, 'h265plus-where-h264plus')).toMatchObject({
      value: { done: ['codec: H.265', 'smartCodec: true'], failed: [] },
    });
    expect(await switchSmartCodec(device, 1, 'off-for-recording')).toMatchObject({ value: { failed: [] } });
    expect(await stateOf('camera-1')).toMatchObject({ smartCodec: false });
  });

  it('a dome turns and stops, and goes to presets', async () => {
    const { driver, capabilities } = await connect('ptz');
    expect(capabilities.resources).toContainEqual({
      kind: 'camera',
      id: '1',
      name: expect.any(String),
      triggers: expect.arrayContaining(['motion', 'lineCrossing', 'intrusion']),
      actions: expect.arrayContaining([
        'capture',
        'record',
        'presetCall',
        'patrolStart',
        'patternRun',
        'privacyMaskOn',
      ]),
    });
    const move = { action: 'ptzMove', channel: 1, pan: 1, tilt: 0, zoom: 0 } as const;
    expect(await driver.act({ ...move, ms: 60 })).toMatchObject({ ok: true });
    expect(await stateOf('ptz')).toMatchObject({ ptz: { moving: false, moves: 2 } });
    await driver.act(move);
    expect(await stateOf('ptz')).toMatchObject({ ptz: { moving: true } });
    await driver.act({ action: 'ptzStop', channel: 1 });
    expect(await stateOf('ptz')).toMatchObject({ ptz: { moving: false } });
    expect(await driver.readList('presets', { channel: 1 })).toMatchObject({
      value: [{ name: 'Gate' }, { name: 'Yard' }],
    });
    expect(await driver.act({ action: 'presetSet', channel: 1, preset: null, name: 'Ramp' })).toMatchObject({
      value: { text: '3: Ramp' },
    });
    expect(await driver.act({ action: 'presetCall', channel: 1, preset: '3' })).toMatchObject({ ok: true });
    expect(await driver.act({ action: 'patrolStart', channel: 1, patrol: 1 })).toMatchObject({ ok: true });
    expect(await stateOf('ptz')).toMatchObject({ ptz: { running: 'patrol 1' } });
    expect(await driver.act({ action: 'alarmOutput', output: '1', active: true })).toMatchObject({ ok: true });
    expect(await stateOf('ptz')).toMatchObject({ outputs: { 1: true } });
  });

  it('a recorder changes, adds, sorts and deletes cameras, and none of them loses its password (CHAN-04, RCFG-02)', async () => {
    const { driver, device, capabilities } = await connect('nvr');
    expect(capabilities.actions.map((a) => a.action)).toEqual(
      expect.arrayContaining(['channelAdd', 'channelEdit', 'channelDelete', 'channelsSort']),
    );
    const online = async () =>
      ((await stateOf('nvr')).ipChannels as { id: number; detect: string; address: string }[]).map((c) => [
        c.id,
        c.detect,
      ]);
    const second = named('camera-2');
    const edit = { action: 'channelEdit', channel: 2, name: 'Hof', password: second.password } as const;
    expect(await driver.act(edit)).toMatchObject({ ok: true, value: { text: null } });
    expect(await enableMotionEverywhere(device, 2)).toMatchObject({ value: { failed: [] } });
    expect(await online()).toEqual([
      [1, 'connect'],
      [2, 'connect'],
    ]);
    const { username, password } = named('ptz');
    const seen = await readCamerasSeen(device);
    const there = await readRecorderChannels(device);
    const known = new Set(there.ok ? there.value.map((c) => c.address) : []);
    const free = seen.ok ? seen.value.filter((c) => c.activated !== false && !known.has(c.address)) : [];
    expect(free).toHaveLength(1);
    expect(await addChannel(device, { ...free[0]!, username, password })).toMatchObject({ ok: true });
    expect(await online()).toContainEqual([3, 'connect']);
    // As the box does after a change.
    await driver.channels();
    expect(await driver.act({ action: 'channelDelete', channel: 3 })).toMatchObject({ ok: true });
    const sorted = await driver.act({ action: 'channelsSort', order: [2, 1], password: named('camera-1').password });
    expect(sorted).toMatchObject({ ok: true });
    const [first] = (await stateOf('nvr')).ipChannels;
    expect(first).toMatchObject({ name: 'Hof', address: second.address, hasPassword: true });
  });

  it('a recorder with sockets says so; a DVR has channels of both kinds', async () => {
    const poe = await connect('poe-nvr');
    expect(await isPoeRecorder(poe.device)).toEqual({ ok: true, value: true });
    expect(poe.capabilities.actions.map((a) => a.action)).not.toContain('channelDelete');
    const dvr = await connect('dvr');
    expect(await isPoeRecorder(dvr.device)).toEqual({ ok: true, value: false });
    const main = { channel: 1, stream: 1 };
    expect(await dvr.driver.writeSettings('video', main, { govLength: 30 })).toMatchObject(kept);
    expect(await enableMotionEverywhere(dvr.device, 1)).toMatchObject({ value: { failed: [] } });
  });
});

describe('an independent client (hikvision-isapi) against the lab', () => {
  const client = (name: string, password = named(name).password) => {
    const { address, httpPort, username } = named(name);
    return new HikvisionClient({ host: `http://${address}:${httpPort}`, username, password });
  };

  it.each(['camera-2', 'nvr', 'door-station'])('%s tells who it is and what it can do', async (name) => {
    const info = await client(name).device.getInfo();
    expect(info.serialNumber).toBe(named(name).serial);
    expect(Object.keys(await client(name).device.getCapabilities())).toContain('DeviceCap');
  });

  it('opens a door', async () => {
    const opened = await client('door-station').accessControl.remoteControlDoor(1, 'open');
    expect(opened.ResponseStatus).toMatchObject({ statusCode: '1' });
  });

  it('is refused with a wrong password', async () => {
    await expect(client('door-station', 'wrong-1A').device.getInfo()).rejects.toMatchObject({ name: 'AuthError' });
  });
});
