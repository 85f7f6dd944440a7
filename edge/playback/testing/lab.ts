import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { systemClock as clock } from '../../../protocol/clock.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { LoginGuard } from '../../devices/login-guard.ts';
import type { DeviceManager } from '../../devices/manager.ts';
import type { ChannelConfig } from '../../devices/types.ts';
import { IsapiDriver } from '../../isapi/driver.ts';

interface LabDevice {
  name: string;
  address: string;
  httpPort: number;
  rtspPort: number;
  username: string;
  password: string;
}

/** What a device itself counted. */
export interface LabStatus {
  rtspSessions: number;
  downloads: number;
  downloading: number;
  rtspSessionsTotal: number;
  onvif: { searches: number; searchesTotal: number; played: Record<string, string> };
}

/** The lab as a process of its own, with real video. */
export async function spawnLab(octet: number, more: string[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-playback-'));
  const ports = ['--port', '0', '--http-port', '0', '--rtsp-port', '0', '--sadp-port', '0', '--wsd-port', '0'];
  const base = `127.${octet}.${process.pid % 256}.`;
  const child = spawn(process.execPath, ['lab/main.ts', '--data', dir, '--base', base, ...ports, ...more], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GATEPOST_LOG_LEVEL: 'silent' },
  });
  const ready = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('ready ') && resolve(line.slice(6)));
    child.once('exit', () => reject(new Error('the lab did not start')));
  });
  const lab = JSON.parse(ready) as { control: string; devices: LabDevice[] };
  return {
    ...lab,
    post: async (path: string, body: unknown) => {
      const headers = { 'content-type': 'application/json' };
      await fetch(`${lab.control}/devices/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    },
    status: async (name: string) => (await (await fetch(`${lab.control}/devices/${name}`)).json()) as LabStatus,
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The lab's cameras, and what playback asks of the box's devices. */
export async function startLab(octet: number, log: Logger) {
  const lab = await spawnLab(octet);
  const cameras = await Promise.all(
    lab.devices.map(async ({ name, address, httpPort, rtspPort, username, password }) => {
      const guard = new LoginGuard();
      const driver = new IsapiDriver({ host: address, port: httpPort, username, password, guard, clock, log });
      await driver.identify();
      await driver.channels();
      const rtspUrl = `rtsp://${address}:${rtspPort}/Streaming/Channels/101`;
      const config: ChannelConfig = {
        deviceId: uuidv7(),
        channel: 1,
        name,
        rtspUrl,
        sub: null,
        username,
        password,
        guard,
      };
      return { driver, config };
    }),
  );
  const devices: Pick<DeviceManager, 'operate' | 'channels'> = {
    channels: () => cameras.map((camera) => camera.config),
    operate: async (deviceId, fn) => {
      const camera = cameras.find((c) => c.config.deviceId === deviceId);
      if (!camera) return { ok: false, code: 'not-found', detail: 'no such device' };
      const done = await fn(camera.driver);
      return done.ok ? done : { ok: false, code: done.code, detail: done.text };
    },
  };
  return {
    devices,
    cameras: cameras.map((camera) => camera.config),
    /** What the camera has on its disk from now on. */
    recorded: (name: string, files: { fromMs: number; toMs: number; kind?: string }[] | null, codec = 'h264') =>
      lab.post(`${name}/do/recordings`, { files, codec }),
    /** How it plays its tracks: {scale, speed, breaks}. */
    tracks: (name: string, odd: object) => lab.post(`${name}/do/tracks`, odd),
    /** By how much its clock is wrong, and was when it recorded. */
    clock: (name: string, aheadMs: number) => lab.post(`${name}/do/clock`, { aheadMs, recorded: true }),
    /** How it gives files: which verb, or none. */
    download: (name: string, way: string) => lab.post(`${name}/do/download`, { way }),
    /** How many files it gave since then, and gives now. */
    downloads: async (name: string): Promise<number> => (await lab.status(name)).downloads,
    downloading: async (name: string): Promise<number> => (await lab.status(name)).downloading,
    sessions: async (name: string): Promise<number> => (await lab.status(name)).rtspSessions,
    async stop(): Promise<void> {
      await Promise.all(cameras.map((camera) => camera.driver.close()));
      await lab.stop();
    },
  };
}

/** What the clock in each picture shows, read by the lab's own reader in a process of its own. */
export async function decodeClocks(input: string[], max: number): Promise<number[]> {
  const script = `import { decodeClocks } from './lab/decode-clocks.ts';
const shown = await decodeClocks(${JSON.stringify(input)}, ${max});
console.log(JSON.stringify(shown.map((picture) => picture.clock)));`;
  const args = ['--input-type=module-typescript', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(import.meta.dirname, '../../..') });
  return JSON.parse(stdout) as number[];
}
