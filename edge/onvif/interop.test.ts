import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { probeDevice } from '../devices/probe.ts';
import type { Alert } from '../isapi/alert.ts';
import { OnvifDriver } from './driver.ts';

/*
 * The driver against devices that it was not written for:
 *   answers of several makers' cameras that come with the client `onvif` 0.8.1 (npm, MIT) for its own tests
 *   the lab's ONVIF cameras, which share no code with it, and which the clients `onvif` and `node-onvif` (npm) operate
 *   in lab/onvif/service.test.ts
 */
const log = pino({ enabled: false });
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});
const driverAt = (host: string, port: number, username: string, password: string) => {
  const guard = new LoginGuard();
  const driver = new OnvifDriver({ host, port, username, password, guard, clock: systemClock, log });
  cleanup.push(() => driver.close());
  return { driver, guard };
};
const until = async (fn: () => boolean | Promise<boolean>) => {
  const deadline = Date.now() + 15_000;
  while (!(await fn())) {
    if (Date.now() > deadline) throw new Error('it did not happen');
    await new Promise((r) => setTimeout(r, 30));
  }
};

describe('answers that others have captured', () => {
  const answers = join(dirname(createRequire(import.meta.url).resolve('onvif/package.json')), 'test/serverMockup');

  /** As that package's own server does: `{service}.{Operation}.xml`, else `{Operation}.xml`, with its templates filled in. */
  async function replay(instead: Record<string, string> = {}): Promise<{ port: number; asked: string[] }> {
    const asked: string[] = [];
    const server: Server = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => {
        body += chunk;
      });
      req.on('end', () => {
        const [, prefix = '', operation = ''] = /<s:Body>\s*<(\w+):(\w+)/.exec(body) ?? [];
        asked.push(operation);
        const service = { tds: 'device', trt: 'media', tev: 'events', tptz: 'ptz', timg: 'imaging' }[prefix] ?? prefix;
        const named = instead[operation] ?? operation;
        const file = [`${service}.${named}.xml`, `${named}.xml`, 'Error.xml'].find((f) =>
          existsSync(join(answers, f)),
        )!;
        const { port } = server.address() as AddressInfo;
        const filled = readFileSync(join(answers, file), 'utf8')
          .replaceAll('{{=it.hostname}}', '127.0.0.1')
          .replaceAll('{{=it.port}}', String(port))
          .replaceAll('{{=it.pullPointUrl}}', '/onvif/subscription?Idx=6')
          .replace(/\{\{=new Date\(Date\.now\(\)\+(\d+)\)[^}]*\}\}/g, (_, ms) =>
            new Date(Date.now() + Number(ms)).toISOString(),
          )
          .replace(/\{\{=new Date\(\)[^}]*\}\}/g, () => new Date().toISOString())
          .replace(/\{\{\?[^}]*\}\}/g, '');
        res.writeHead(200, { 'Content-Type': 'application/soap+xml;charset=UTF-8' }).end(filled);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return { port: (server.address() as AddressInfo).port, asked };
  }

  it('tell what the camera is, its stream, what it can do, and what happens', async () => {
    const { port, asked } = await replay();
    const { driver, guard } = driverAt('127.0.0.1', port, 'admin', 'secret');
    expect(await driver.identify()).toMatchObject({
      ok: true,
      value: { model: 'Mockup Manufacturer Mockup Model', serial: '', mac: '28-57-be-65-7d-d5', name: 'PREDATOR' },
    });
    expect(await driver.channels()).toEqual({
      ok: true,
      value: [{ channel: 1, name: 'PREDATOR', rtspUrl: 'rtsp://127.0.0.1:554/h264main', sub: null }],
    });
    expect(await driver.clockDrift()).toBeLessThan(0);
    const capabilities = await driver.capabilities();
    if (!capabilities.ok) throw new Error(capabilities.text);
    expect(capabilities.value.category).toBe('ptzCamera');
    expect(capabilities.value.sections.map((s) => s.section)).toEqual(
      expect.arrayContaining(['video', 'picture', 'time', 'network']),
    );
    expect(capabilities.value.resources).toContainEqual(
      expect.objectContaining({ kind: 'camera', triggers: ['motion'] }),
    );
    const presets = await driver.readList('presets', { channel: 1 });
    expect(presets.ok && presets.value.length).toBeGreaterThan(3);
    expect(await driver.act({ action: 'ptzMove', channel: 1, pan: 1, tilt: 0, zoom: 0, ms: 50 })).toMatchObject({
      ok: true,
    });
    expect(await driver.act({ action: 'ptzHome', channel: 1 })).toMatchObject({ ok: true });
    expect(await driver.readSettings('picture', { channel: 1 })).toMatchObject({
      value: expect.arrayContaining([expect.objectContaining({ name: 'brightness', value: 255, max: 255 })]),
    });
    expect(await driver.readList('users', {})).toMatchObject({ value: [{ id: 'admin' }, { id: 'operator' }] });

    const alerts: Alert[] = [];
    const stop = new AbortController();
    const o = { onOpen() {}, onAlert: (a: Alert) => void alerts.push(a), onUnreadable() {}, signal: stop.signal };
    const end = driver.listen(o);
    await until(() => alerts.length > 0);
    expect(alerts[0]).toMatchObject({ type: 'motion', channel: 1, active: true });
    stop.abort();
    expect(await end).toMatchObject({ how: 'stopped' });
    expect(asked.at(-1)).toBe('Unsubscribe');
    expect(guard.refused).toBeNull();
  });

  it('of an encoder with eight inputs keep to their order', async () => {
    const { port } = await replay({
      GetVideoSources: 'GetVideoSourcesEncoder',
      GetServices: 'Error',
      GetCapabilities: 'GetCapabilitiesEncoder',
    });
    const { driver } = driverAt('127.0.0.1', port, 'admin', 'secret');
    expect(await driver.identify()).toMatchObject({ ok: true });
    expect(await driver.channels()).toMatchObject({ ok: true, value: [{ channel: 1 }] });
  });
});

describe('the lab’s cameras', () => {
  interface LabDevice {
    name: string;
    address: string;
    httpPort: number;
    username: string;
    password: string;
  }
  let devices: LabDevice[] = [];
  let control = '';
  let stopLab = async () => {};

  beforeAll(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-onvif-lab-'));
    const ports = ['--port', '0', '--http-port', '0', '--rtsp-port', '0', '--sadp-port', '0', '--wsd-port', '0'];
    const base = `127.${90 + (process.pid % 20)}.${process.pid % 256}.`;
    const which = ['--cameras', '0', '--devices', 'onvif,onvif-odd'];
    const child = spawn(process.execPath, ['lab/main.ts', '--data', dir, '--base', base, ...which, ...ports], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, GATEPOST_LOG_LEVEL: 'silent' },
    });
    stopLab = async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(dir, { recursive: true, force: true });
    };
    const lines = createInterface({ input: child.stdout });
    const ready = await new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => line.startsWith('ready ') && resolve(line.slice(6)));
      child.once('exit', () => reject(new Error('the lab did not start')));
    });
    ({ control, devices } = JSON.parse(ready) as { control: string; devices: LabDevice[] });
  });
  afterAll(() => stopLab());

  const at = (name: string, password?: string) => {
    const d = devices.find((x) => x.name === name)!;
    return { ...driverAt(d.address, d.httpPort, d.username, password ?? d.password), d };
  };
  const say = (name: string, path: string, body: object) =>
    fetch(`${control}/devices/${name}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const status = async (name: string) =>
    (await (await fetch(`${control}/devices/${name}`)).json()) as {
      failedLogins: number;
      onvif: { subscriptions: number };
    };

  it.each(['onvif', 'onvif-odd'])('%s is found out, operated and heard, without a wrong login', async (name) => {
    const { driver, d } = at(name);
    const info = await driver.identify();
    expect(info).toMatchObject({ ok: true, value: { deviceType: 'ONVIF' } });
    const channels = await driver.channels();
    expect(channels).toMatchObject({
      ok: true,
      value: [{ channel: 1, rtspUrl: expect.stringContaining(`rtsp://${d.address}:`) }],
    });
    expect(await driver.clockDrift()).not.toBeNull();
    const capabilities = await driver.capabilities();
    expect(capabilities.ok && capabilities.value.sections.map((s) => s.section)).toContain('video');
    const written = await driver.writeSettings('video', { channel: 1, stream: 1 }, { govLength: 30 });
    expect(written).toMatchObject({ ok: true, value: { notKept: [] } });

    const alerts: Alert[] = [];
    let open = false;
    const stop = new AbortController();
    const end = driver.listen({
      onOpen: () => {
        open = true;
      },
      onAlert: (a) => void alerts.push(a),
      onUnreadable() {},
      signal: stop.signal,
    });
    await until(async () => open && (await status(name)).onvif.subscriptions === 1);
    await new Promise((r) => setTimeout(r, 300));
    expect(alerts).toEqual([]);
    await say(name, 'events', { type: 'motion' });
    await until(() => alerts.some((a) => a.type === 'motion' && a.active));
    expect(alerts[0]).toMatchObject({ type: 'motion', channel: 1 });
    await say(name, 'events', { type: 'motion', active: false });
    stop.abort();
    expect(await end).toMatchObject({ how: 'stopped' });
    expect((await status(name)).onvif.subscriptions).toBe(0);
    expect((await status(name)).failedLogins).toBeLessThanOrEqual(name === 'onvif' ? 0 : 1);
  });

  it('moves, calls presets and changes the picture', async () => {
    const { driver } = at('onvif');
    await driver.identify();
    await driver.channels();
    expect(await driver.act({ action: 'ptzMove', channel: 1, pan: 0.5, tilt: 0.5, zoom: 0, ms: 100 })).toMatchObject({
      ok: true,
    });
    expect(await driver.act({ action: 'ptzStop', channel: 1 })).toMatchObject({ ok: true });
    expect(await driver.act({ action: 'presetSet', channel: 1, preset: null, name: 'Gate <1>' })).toMatchObject({
      ok: true,
    });
    const presets = await driver.readList('presets', { channel: 1 });
    const gate = presets.ok ? presets.value.find((p) => p.name === 'Gate <1>') : undefined;
    expect(gate).toBeDefined();
    expect(await driver.act({ action: 'presetCall', channel: 1, preset: gate!.id })).toMatchObject({ ok: true });
    const picture = await driver.writeSettings('picture', { channel: 1 }, { brightness: 42 });
    expect(picture).toMatchObject({ ok: true, value: { notKept: [] } });
  });

  it('is found by itself, and a wrong password costs two tries at most', async () => {
    const d = devices.find((x) => x.name === 'onvif')!;
    const ask = (password: string) =>
      probeDevice(
        { host: d.address, httpPort: d.httpPort, username: d.username, password },
        { clock: systemClock, log },
      );
    expect(await ask(d.password)).toMatchObject({ ok: true, value: { kind: 'onvif' } });
    const before = (await status('onvif')).failedLogins;
    expect(await ask('Wrong-password-1')).toMatchObject({ ok: false });
    expect((await status('onvif')).failedLogins - before).toBeLessThanOrEqual(2);
  });
});
