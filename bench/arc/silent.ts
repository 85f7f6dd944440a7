import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { RelayProcess } from './faults/relay-process.ts';
import { FleetCentre, giveOwnLine, KEY } from './fleet-centre.ts';

/** The standard's, for both paths lost (EN 50136-1, DP4). */
const LIMIT_MS = 90_000;

/** A box as a process, and the lines that it writes. */
class Child {
  readonly process: ChildProcess;
  readonly lines: string[] = [];

  constructor(env: Record<string, string>) {
    this.process = spawn(process.execPath, [join(import.meta.dirname, 'silent-box.ts')], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.process.stdout! }).on('line', (line) => this.lines.push(line));
  }

  async line(n: number): Promise<string> {
    while (this.lines.length <= n) await sleep(10);
    return this.lines[n]!;
  }
}

/**
 * In real time and with real processes (acceptance D11): a box that is stopped (SIGSTOP), killed, or told to stop, and a relay that
 * is killed and started again; what the receiver hears of it on the relay's own line.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-silent-'));
  const centre = new FleetCentre();
  const relay = new RelayProcess(join(dir, 'relay'));
  let box: Child | null = null;
  try {
    const end = { host: '127.0.0.1', port: await centre.start() };
    await relay.start();
    const env = { BOX_DIR: join(dir, 'box'), BOX_RELAY: relay.url, BOX_ACCOUNT: '00A1' };
    box = new Child(env);
    const { serial, code } = JSON.parse(await box.line(0)) as { serial: string; code: string };
    await relay.api('POST', `/sites/${relay.siteId}/boxes`, { serial, code });
    const receiver = await relay.api<{ id: string }>('POST', '/receivers', { name: 'ARC', direct: end, relay: end });
    const account = { boxSerial: serial, receiverId: receiver.id, account: '00A1', key: KEY, protocol: 'SIA-DCS' };
    await relay.api('POST', `/sites/${relay.siteId}/arc`, { ...account, events: ['motion'] });
    giveOwnLine(relay, receiver.id);
    await box.line(1);
    const own = async (n: number, withinMs: number) => {
      const until = performance.now() + withinMs;
      while (centre.own.length < n && performance.now() < until) await sleep(50);
      return centre.own[n - 1] ?? null;
    };
    const seconds = (from: number, to: { at: number } | null) => to && Math.round((to.at - from) / 100) / 10;
    // The grace after the start of the relay is over, so that it does not count.
    await sleep(80_000);

    const stopped = performance.now();
    box.process.kill('SIGSTOP');
    const raised = await own(1, 2 * LIMIT_MS);
    const resumed = performance.now();
    box.process.kill('SIGCONT');
    const restored = await own(2, LIMIT_MS);
    await sleep(quick ? 1_000 : 60_000);
    emit({
      bench: 'box stopped (SIGSTOP), D11',
      unit: 's',
      raised: seconds(stopped, raised),
      restored: seconds(resumed, restored),
      messages: centre.own.length,
      target: 'raised ≤ 90, 2 messages',
    });
    if (quick) return;

    const before = centre.own.length;
    await relay.kill();
    await sleep(20_000);
    relay.spawn();
    await sleep(120_000);
    emit({ bench: 'relay killed, 20 s away', raisedFalsely: centre.own.length - before, target: '0' });

    box.process.kill('SIGTERM');
    await sleep(100_000);
    box = new Child(env);
    await box.line(1);
    await sleep(60_000);
    emit({ bench: 'box told to stop, 100 s away', raisedFalsely: centre.own.length - before, target: '0' });

    const killed = performance.now();
    box.process.kill('SIGKILL');
    const lost = await own(before + 1, 2 * LIMIT_MS);
    emit({ bench: 'box killed (SIGKILL)', unit: 's', raised: seconds(killed, lost), target: '≤ 90' });
  } finally {
    box?.process.kill('SIGKILL');
    await relay.stop();
    await centre.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  process.exit(0);
}
