import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Demo {
  portal: string;
  setup: string;
  lab: string;
  login: { email: string; password: string };
  setupPassword: string;
  pids: Record<string, number>;
}
export interface Stack extends Demo {
  /** As the start script writes it now: processes that it started again have new ids. */
  pid(name: string): number;
  cameras: { name: string; mac: string; password: string }[];
  stop(): Promise<void>;
}

/** Ten free ports beside each other. */
async function freeBase(): Promise<number> {
  for (;;) {
    const base = 20_000 + Math.floor(Math.random() * 30_000);
    const free = await Promise.all(
      Array.from({ length: 10 }, (_, i) => {
        return new Promise<boolean>((resolve) => {
          const probe = createServer().once('error', () => resolve(false));
          probe.listen(base + i, '127.0.0.1', () => probe.close(() => resolve(true)));
        });
      }),
    );
    if (free.every(Boolean)) return base;
  }
}

/** Relay, box and lab as `npm start` starts them, in a folder and on ports of their own. */
export async function startStack(): Promise<Stack> {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-ui-'));
  const env = { ...process.env, PORT: String(await freeBase()), GATEPOST_VAR: dir };
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
  const lab = /^ready (.*)$/m.exec(readFileSync(join(dir, 'log', 'lab.log'), 'utf8'))![1]!;
  return {
    ...demo,
    pid: (name) => (JSON.parse(readFileSync(join(dir, 'demo.json'), 'utf8')) as Demo).pids[name]!,
    cameras: JSON.parse(lab).devices,
    stop,
  };
}

/** A box alone on this machine, whose relay never answers. */
export async function startLoneBox(): Promise<{ url: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-box-'));
  const port = await freeBase();
  const options = [
    '--data',
    dir,
    '--relay',
    `http://127.0.0.1:${port + 1}`,
    '--interface',
    'lo',
    '--host',
    '127.0.0.1',
  ];
  const args = ['edge/main.ts', '--port', `${port}`, '--sadp-port', `${port + 2}`, ...options];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  for (let i = 0; i < 200 && child.exitCode === null; i++) {
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
  throw new Error('the box does not start');
}
