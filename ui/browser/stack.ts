import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Login {
  email: string;
  password: string;
}
export interface Demo {
  portal: string;
  setup: string;
  lab: string;
  /** Everybody's e-mail and text messages. */
  mailbox: string;
  login: Login;
  operator: Login;
  people: Record<'customer' | 'employee' | 'arc' | 'partner', Login>;
  setupPassword: string;
  pids: Record<string, number>;
}
export interface Stack extends Demo {
  /** As the start script writes it now: processes that it started again have new ids. */
  pid(name: string): number;
  cameras: { name: string; kind: string; mac: string; address: string; httpPort: number; password: string }[];
  stop(): Promise<void>;
}

/** Twenty free ports beside each other. */
async function freeBase(): Promise<number> {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 30_000);
    const free = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        return new Promise<boolean>((resolve) => {
          const probe = createServer().once('error', () => resolve(false));
          probe.listen(base + i, '127.0.0.1', () => probe.close(() => resolve(true)));
        });
      }),
    );
    if (free.every(Boolean)) return base;
  }
}

/** Relay, box and lab as `npm start` starts them, in a folder and on ports of their own; `devices`: of the lab beside its cameras. */
export async function startStack(devices = ''): Promise<Stack> {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-ui-'));
  // The LAN of two cameras and one unpacked, without the demo's other devices.
  const env = { ...process.env, PORT: String(await freeBase()), GATEPOST_VAR: dir, GATEPOST_LAB_DEVICES: devices };
  const child = spawn(process.execPath, ['scripts/start.ts'], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  let said = '';
  const demo = await new Promise<Demo>((resolve, reject) => {
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.stdout.on('data', (text) => {
      said += text;
      const ready = /^ready (.*)$/m.exec(said);
      if (ready) resolve(JSON.parse(ready[1]!));
    });
    child.once('exit', () => reject(new Error(`the start script ended:\n${said}`)));
  });
  return {
    ...demo,
    pid: (name) => (JSON.parse(readFileSync(join(dir, 'demo.json'), 'utf8')) as Demo).pids[name]!,
    cameras: ((await (await fetch(demo.lab)).json()) as { devices: Stack['cameras'] }).devices,
    stop,
  };
}

/** One program in a folder of its own, stopped and forgotten at the end. */
async function startMain(
  name: string,
  port: number,
  options: string[],
  stdin?: [command: string[], input: string],
  dir = mkdtempSync(join(tmpdir(), `gatepost-${name}-`)),
) {
  const common = ['--data', dir];
  if (stdin) {
    const done = spawnSync(process.execPath, [`${name}/main.ts`, ...stdin[0], ...common], {
      cwd: root,
      input: stdin[1],
      encoding: 'utf8',
    });
    if (done.status !== 0) throw new Error(done.stderr);
  }
  const args = [`${name}/main.ts`, '--port', `${port}`, '--host', '127.0.0.1', ...common, ...options];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  for (let i = 0; i < 300 && child.exitCode === null; i++) {
    if (
      await fetch(`${url}/healthz`).then(
        (r) => r.ok,
        () => false,
      )
    )
      return { url, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error(`${name} does not start`);
}

/** A new box that nobody claimed. */
export async function startBox(relay: string) {
  const port = await freeBase();
  return startMain('edge', port, [
    '--relay',
    relay,
    '--interface',
    'lo',
    '--sadp-port',
    `${port + 2}`,
    '--wsd-port',
    '0',
    '--rtsp-port',
    `${port + 3}`,
  ]);
}

/** A relay with one user and one site without a box. */
export async function startRelay(user: { email: string; password: string; site: string }, options: string[] = []) {
  const who = ['--company', 'Test Security', '--name', 'Tess Ter', '--email', user.email, '--site', user.site];
  const bootstrap = ['bootstrap', ...who, '--time-zone', 'Europe/Berlin'];
  return startMain('relay', await freeBase(), options, [bootstrap, user.password]);
}

/** A relay, a claimed box and a LAN of these devices, without video (lab/journeys/lan-main.ts). */
export async function startLan(devices: string): Promise<{
  relay: string;
  siteId: string;
  boxSerial: string;
  lab: string;
  login: { email: string; password: string };
  stop: () => Promise<void>;
}> {
  const args = ['lab/journeys/lan-main.ts', devices, '127.92.0.'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += text;
    const ready = /^ready (.*)\n/m.exec(said);
    if (ready) return { ...JSON.parse(ready[1]!), stop };
  }
  throw new Error('lab/journeys/lan-main.ts does not start');
}

/** The lab's mail server, SMS gateway and push service. */
export async function startPost(): Promise<{ smtp: string; mailbox: string; push: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, ['lab/post.ts'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += text;
    const ready = /^ready (.*)\n/m.exec(said);
    if (ready) return { ...JSON.parse(ready[1]!), stop };
  }
  throw new Error('lab/post.ts does not start');
}

/** A relay with people of every kind, and a little of everything that they see (relay/testing/everyone.ts). */
export async function startEveryone(options: string[] = []) {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-everyone-'));
  const filled = spawnSync(process.execPath, ['relay/testing/everyone.ts', dir], { cwd: root, encoding: 'utf8' });
  if (filled.status !== 0) throw new Error(filled.stderr);
  const told = JSON.parse(filled.stdout) as {
    password: string;
    people: Record<'installer' | 'employee' | 'customer' | 'arc' | 'operator' | 'partner', string>;
    ids: Record<'installer' | 'customer' | 'mall', { siteId: string; deviceId: string; eventId: string }> & {
      installer: { alarmId: string; accountId: string };
    };
  };
  return { ...told, ...(await startMain('relay', await freeBase(), options, undefined, dir)) };
}
