import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';

let dir: string;
let started: ChildProcess[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-lab-'));
  started = [];
});
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const ANY = ['--port', '0', '--sadp-port', '0', '--wsd-port', '0', '--http-port', '0', '--rtsp-port', '0'];

/** Under plain Node, as people start it. */
function lab(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [`${import.meta.dirname}/main.ts`, '--data', dir, ...args], {
    env: { ...process.env, GATEPOST_LAB_BASE: `127.99.${process.pid % 256}.`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const exited = once(child, 'close').then(([code]) => ({ code: code as number | null, errors }));
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout }))
      if (line.startsWith('ready ')) return JSON.parse(line.slice(6));
    throw new Error(errors);
  })();
  ready.catch(() => {});
  return { child, ready, exited };
}

const children = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
const runs = (pid: number) => {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

it('says ready with all that is needed to use it; settings come from the environment, flags win', async () => {
  const { ready, child, exited } = lab([...ANY, '--no-video', '--cameras', '3', '--relay', '127.0.0.1:9'], {
    GATEPOST_LAB_CAMERAS: '1',
    GATEPOST_LAB_ACCOUNTS: 'ABC',
  });
  const said = await ready;
  expect(said.devices.map((d: { name: string }) => d.name)).toEqual(['camera-1', 'camera-2', 'camera-3']);
  expect(said.arc.accounts).toEqual([{ account: 'ABC', key: null }]);
  expect(said.boxRelay.url).toMatch(/^http:\/\/127\./);
  expect(await (await fetch(said.control)).json()).toEqual({ devices: said.devices });
  child.kill('SIGTERM');
  expect((await exited).code).toBe(0);
});

it('leaves no process behind, also when it is killed', async () => {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    const { ready, child, exited } = lab(ANY);
    await ready;
    const [video] = children(child.pid!);
    expect(runs(video!)).toBe(true);
    child.kill(signal);
    await exited;
    while (runs(video!)) await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

it('says what is wrong: a port in use, a bad setting, no GStreamer', async () => {
  const first = await lab([...ANY, '--no-video']).ready;
  const port = new URL(first.control).port;
  const second = await lab([...ANY, '--no-video', '--port', port]).exited;
  expect(second.code).toBe(1);
  expect(second.errors).toContain(`127.0.0.1:${port} is in use`);
  const third = await lab(['--base', '192.168.1.']).exited;
  expect(third.code).toBe(1);
  expect(third.errors).toContain('like 127.77.0.');
  for (const python of ['/nonexistent', '/bin/false']) {
    const fourth = await lab([...ANY, '--python', python]).exited;
    expect(fourth.code).toBe(1);
    expect(fourth.errors).toContain('gir1.2-gst-rtsp-server-1.0');
  }
});
