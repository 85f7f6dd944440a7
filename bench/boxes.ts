import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { DesiredConfig } from '../edge/config/desired-config.ts';
import { Identity } from '../edge/identity/identity.ts';
import { Journal } from '../edge/journal/journal.ts';
import { TunnelClient } from '../edge/tunnel/client.ts';
import { addressPolicy } from '../edge/tunnel/connect.ts';
import { RelayAuth } from '../edge/uplink/relay-auth.ts';
import { Uplink } from '../edge/uplink/uplink.ts';
import { Warnables } from '../edge/warnables.ts';
import { systemClock as clock, iso } from '../protocol/clock.ts';
import type { Health } from '../protocol/wire/uplink.ts';
import { freePort } from './free-port.ts';

const log = pino({ level: 'silent' });

function rssKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** What one claimed box keeps open: the MQTT session with its health messages, and an idle tunnel. */
export class IdleBox {
  readonly identity: Identity;
  readonly auth: RelayAuth;
  readonly #journal: Journal;
  readonly uplink: Uplink;
  readonly tunnel: TunnelClient;

  constructor(dir: string, relayUrl: string) {
    this.identity = new Identity({ dir });
    this.identity.start();
    const warnables = new Warnables({ clock, log });
    this.#journal = new Journal({ path: ':memory:', clock, log, warnables, ballastBytes: 0 });
    this.#journal.start();
    const auth = new RelayAuth({ relayUrl, identity: this.identity, log });
    this.auth = auth;
    const config = new DesiredConfig({
      dir,
      unseal: () => '',
      appliers: { devices: () => [], panels: () => [], recording: () => [], arc: () => [], storage: () => {} },
      log,
      warnables,
    });
    this.uplink = new Uplink({
      journal: this.#journal,
      auth,
      serial: this.identity.serial,
      config,
      health,
      clock,
      log,
      warnables,
      releasedFile: join(dir, 'released.json'),
    });
    this.tunnel = new TunnelClient({
      auth,
      handler: () => new Response(),
      connectPolicy: addressPolicy(() => false),
      clock,
      log,
    });
  }
}

function health(): Health {
  return {
    at: iso(clock.now()),
    version: '0.1.0',
    uptimeMs: 1,
    rssBytes: 1,
    diskFreeBytes: 1,
    diskTotalBytes: 1,
    tunnelRttMs: null,
    queues: { uplink: 0, upload: 0, uploadBytes: 0, arc: 0 },
    devices: [],
    arc: [],
    warnables: [],
  };
}

/** Memory of a relay with idle boxes: MQTT session and tunnel each, plain (TLS ended in front of it). */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const boxes = quick ? 200 : 2000;
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-boxes-'));
  const port = await freePort();
  const relayUrl = `http://127.0.0.1:${port}`;
  const root = join(import.meta.dirname, '..');
  const data = join(dir, 'relay');
  const login = { email: 'bench@gatepost.example', password: 'a password for the bench' };
  const names = ['--company', 'Bench', '--name', 'Bench', '--email', login.email, '--site', 'Bench'];
  spawnSync(process.execPath, ['relay/main.ts', 'bootstrap', '--data', data, ...names], {
    cwd: root,
    input: login.password,
  });
  const args = [
    'relay/main.ts',
    '--port',
    `${port}`,
    '--host',
    '127.0.0.1',
    '--data',
    data,
    '--enrol-limit',
    '1000000',
    '--log-level',
    'error',
  ];
  const relay = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  const idle: IdleBox[] = [];
  try {
    const post = async (path: string, body: unknown, token = '') => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const response = await fetch(`${relayUrl}/api/v1${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as { token: string };
    };
    while (
      !(await fetch(`${relayUrl}/readyz`).then(
        (r) => r.ok,
        () => false,
      ))
    )
      await sleep(100);
    const { token } = await post('/auth/login', login);
    const sites = (await (
      await fetch(`${relayUrl}/api/v1/sites`, { headers: { authorization: `Bearer ${token}` } })
    ).json()) as { items: { id: string }[] };
    await sleep(2_000);
    const before = rssKb(relay.pid as number);
    const started = performance.now();
    for (let at = 0; at < boxes; at += 25) {
      await Promise.all(
        Array.from({ length: Math.min(25, boxes - at) }, async (_, i) => {
          const box = new IdleBox(join(dir, `box-${at + i}`), relayUrl);
          idle.push(box);
          box.uplink.start();
          while (!box.uplink.state().connected) await sleep(20);
          await post(
            `/sites/${sites.items[0]?.id}/boxes`,
            { serial: box.identity.serial, code: box.identity.code },
            token,
          );
          box.tunnel.start();
          while (!box.tunnel.state().connected) await sleep(20);
        }),
      );
    }
    const seconds = (performance.now() - started) / 1000;
    await sleep(20_000); // a round of health messages, then rest
    const after = rssKb(relay.pid as number);
    emit({
      bench: 'relay memory with idle boxes',
      boxes,
      connected: idle.filter((b) => b.uplink.state().connected && b.tunnel.state().connected).length,
      rssMbBefore: Math.round(before / 1024),
      rssMbAfter: Math.round(after / 1024),
      kbPerBox: Number(((after - before) / boxes).toFixed(1)),
      claimedPerSecond: Number((boxes / seconds).toFixed(1)),
    });
  } finally {
    await Promise.all(idle.flatMap((b) => [b.uplink.stop(), b.tunnel.stop()]));
    relay.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  process.exit(0);
}
