import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NarrowUplink } from './netns.ts';
import { percentile } from './percentile.ts';
import type { Measured } from './uploads/ends.ts';

const ENDS = join(import.meta.dirname, 'uploads/ends.ts');
const UPLINKS = [
  { mbit: 20, bufferMs: 400 },
  { mbit: 5, bufferMs: 800 },
];

/**
 * What a small request through the tunnel and an alarm on its own connection take while clips fill the uplink: with the
 * line idle, beside paced uploads, and beside uploads without the pacer for comparison. `queue` is what stood in the
 * router, which no other load of this machine disturbs; `mbit` is what went up in all.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const missing = NarrowUplink.missing();
  if (missing) {
    emit({ bench: 'small request beside clip uploads', skipped: missing });
    return;
  }
  const seconds = quick ? 10 : 40;
  for (const line of quick ? UPLINKS.slice(0, 1) : UPLINKS) {
    for (const mode of ['idle', 'paced', 'unpaced']) {
      const { requestMs, alarmMs, queueMs, mbit } = await measure(line, mode, mode === 'idle' ? 5 : seconds);
      emit({
        bench: `small request beside clip uploads, ${line.mbit} Mbit/s uplink, ${mode}`,
        unit: 'ms',
        ...quantiles('request', requestMs),
        ...quantiles('alarm', alarmMs),
        ...quantiles('queue', queueMs),
        mbit: round(mbit),
        ...(mode === 'paced' && { target: `p99 ≤ ${line.mbit === 20 ? 25 : 60} at ≥ ${line.mbit * 0.85} Mbit/s` }),
      });
    }
  }
}

/** Both ends over such a line, `seconds` long. */
export async function measure(
  line: { mbit: number; bufferMs: number },
  mode: string,
  seconds: number,
): Promise<Measured & { queueMs: number[] }> {
  // In memory where possible: the line is measured, not the disk of this machine.
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gatepost-bench-'));
  for (const name of ['box', 'relay']) mkdirSync(join(dir, name));
  const children: ChildProcess[] = [];
  const wire = new NarrowUplink();
  try {
    wire.start(line);
    const relay = startEnd(wire.relay, 'relay', join(dir, 'relay'), wire.relayAddress);
    children.push(relay);
    const { url } = await message<{ url: string }>(relay);
    const connected = message(relay);
    const box = startEnd(wire.box, 'box', join(dir, 'box'), url, mode);
    children.push(box);
    await connected;
    // Until the rate has settled: the start is not what is measured here.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const answers = Promise.all([message<Omit<Measured, 'alarmMs'>>(relay), message<Pick<Measured, 'alarmMs'>>(box)]);
    // Awaited after the sampling: an end that dies meanwhile is told there.
    answers.catch(() => {});
    for (const child of [relay, box]) child.send({ measure: seconds });
    const queueMs: number[] = [];
    for (let i = 0; i < seconds * 10; i++) {
      queueMs.push(await wire.queueMs());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [atRelay, atBox] = await answers;
    return { ...atRelay, ...atBox, queueMs };
  } finally {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
    wire.stop();
    rmSync(dir, { recursive: true });
  }
}

function startEnd(namespace: string, ...args: string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', namespace, process.execPath, ENDS, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** The next message of a child; rejects when it ends. */
function message<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (m) => resolve(m as T));
    child.once('exit', (code) => reject(new Error(`an end of the benchmark ended (${code})`)));
  });
}

const round = (ms: number) => Math.round(ms * 10) / 10;

function quantiles(name: string, samples: number[]): object {
  const at = (p: number) => round(percentile(samples, p));
  return { [`${name}P50`]: at(50), [`${name}P99`]: at(99), [`${name}s`]: samples.length };
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
}
