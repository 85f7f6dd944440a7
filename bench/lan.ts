import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { until } from '../lab/journeys/demo.ts';
import { LanStack } from '../lab/journeys/lan.ts';
import type { SiteJob } from '../protocol/wire/initialise.ts';

const DEVICES = 64;
const LIMIT_MB = 256;
/** V8's own share; buffers, SQLite and code come on top. */
const HEAP_MB = 128;

function memoryMb(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return { now: mb('VmRSS'), peak: mb('VmHWM') };
}

const sockets = (pid: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

/**
 * A LAN of 64 unpacked devices of mixed kinds: how long until one box has found them, activated and initialised 32 of them in
 * one go, and what that takes of it. The heap is limited; the whole process is measured against the limit.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const count = quick ? 16 : DEVICES;
  const half = count / 2;
  const more = { lab: ['--many', `${count}`], boxNode: [`--max-old-space-size=${HEAP_MB}`] };
  const stack = new LanStack('', '127.92.0.', more);
  let mostSockets = 0;
  let watch: NodeJS.Timeout | null = null;
  try {
    const began = performance.now();
    await stack.start();
    const readyMs = performance.now() - began;
    watch = setInterval(() => {
      mostSockets = Math.max(mostSockets, sockets(stack.pid('box')));
    }, 50);
    const devices = await stack.labDevices();
    await stack.discovered(devices.map((device) => device.mac));
    // From the start of the programs on; the box searches before it is claimed.
    const discovered = { afterMs: Math.round(performance.now() - began), ofThatStartMs: Math.round(readyMs) };
    const idle = memoryMb(stack.pid('box'));
    const macs = devices.slice(0, half).map((device) => device.mac);

    const activationFrom = performance.now();
    const activations = await stack.api<{ items: { activated: boolean }[] }>(
      'POST',
      `/sites/${stack.siteId}/activations`,
      {
        boxSerial: stack.boxSerial,
        macs,
        password: { from: 'generated' },
      },
    );
    const activationMs = performance.now() - activationFrom;

    const jobFrom = performance.now();
    const { id } = await stack.api<SiteJob>('POST', `/sites/${stack.siteId}/jobs`, {
      boxSerial: stack.boxSerial,
      verificationCode: 'Abcd1234',
      devices: macs.map((mac) => ({ mac })),
    });
    const job = await until('the job', 180_000, async () => {
      const now = await stack.api<SiteJob>('GET', `/sites/${stack.siteId}/jobs/${id}`);
      return now.state === 'done' && now;
    });
    const { now, peak } = memoryMb(stack.pid('box'));
    emit({
      bench: `${count} devices on a LAN, ${half} initialised in parallel, box limited to ${LIMIT_MB} MB`,
      found: devices.length,
      discovered,
      activated: activations.items.filter((item) => item.activated).length,
      activationSeconds: Number((activationMs / 1000).toFixed(1)),
      initialised: job.items.filter((item) => item.state === 'done').length,
      initialiseSeconds: Number(((performance.now() - jobFrom) / 1000).toFixed(1)),
      box: { heapLimitMb: HEAP_MB, rssMbIdle: idle.now, rssMbAfter: now, rssMbPeak: peak, socketsPeak: mostSockets },
      labRssMb: memoryMb(stack.pid('lab')).now,
      within: peak <= LIMIT_MB,
    });
  } finally {
    if (watch) clearInterval(watch);
    await stack.stop();
  }
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  process.exit(0);
}
