/*
 * The two ends of the upload benchmark, each in a namespace of its own:
 *
 *   node bench/uploads/ends.ts relay DIR HOST    clip uploads, tunnel, echo; measures on {measure: seconds}
 *   node bench/uploads/ends.ts box DIR URL MODE  tunnel, and with MODE `paced` or `unpaced` clips without end
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Pacer } from '../../edge/upload/pacer.ts';
import { systemClock as clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { SERIAL, startClipRelay } from '../../relay/clips/testing/relay.ts';
import { describe } from '../../relay/clips/testing/sample.ts';
import { TunnelHub } from '../../relay/tunnel/hub.ts';
import { WIRE } from '../netns.ts';
import { makeClient, silent } from '../tunnel/pair.ts';
import { makeBox } from './box.ts';

export interface Measured {
  requestMs: number[];
  alarmMs: number[];
  mbit: number;
}

const EVERY_MS = 40;
const FRAGMENT_BYTES = 500_000;
const ECHO_PORT = 7;

const [role, dir, where, mode] = process.argv.slice(2) as [string, string, string, string];

if (role === 'relay') {
  const relay = await startClipRelay({ dir, host: where });
  const hub = new TunnelHub({ clock, log: silent });
  relay.server.on('upgrade', (request, socket, head) => {
    hub.handleUpgrade(request, socket, head, { serial: SERIAL, boot: 'boot', epoch: 1 });
  });
  createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(ECHO_PORT, where);
  hub.onChange((_, connected) => connected && process.send!({ connected }));
  const received = () => Number(readFileSync(`/sys/class/net/${WIRE}/statistics/rx_bytes`));
  process.on('message', async ({ measure }: { measure: number }) => {
    const [from, start] = [received(), performance.now()];
    const requestMs = await every(measure, async () => {
      const { body } = await hub.request(SERIAL, { method: 'GET', path: '/small', class: 'interactive' });
      for await (const _ of body);
    });
    process.send!({ requestMs, mbit: ((received() - from) * 8) / 1000 / (performance.now() - start) });
  });
  process.send!({ url: relay.url });
} else {
  const url = new URL(where);
  const tunnel = makeClient(url, { handler: () => new Response('x'.repeat(500)), serial: SERIAL });
  tunnel.start();
  process.on('message', async ({ measure }: { measure: number }) => {
    // An alarm's way: a connection of its own, 200 bytes there, an answer back.
    process.send!({ alarmMs: await every(measure, () => alarm(url.hostname)) });
  });
  if (mode !== 'idle') upload(mode === 'paced');

  function upload(paced: boolean): void {
    const full = 125_000_000;
    const pacer = paced
      ? new Pacer({ clock, onRtt: (fn) => tunnel.onRtt(fn) })
      : new Pacer({ clock, onRtt: () => () => {}, startBytesPerSecond: full, fallbackBytesPerSecond: full });
    const { queue } = makeBox({ dir, relayUrl: where, pacer });
    const path = join(dir, 'fragment');
    const { data, ...fragment } = describe(randomBytes(FRAGMENT_BYTES), 1);
    writeFileSync(path, data);
    let [clipId, n] = [uuidv7(), 0];
    const feed = () => {
      while (queue.stats().files < 12) {
        if (++n > 300) [clipId, n] = [uuidv7(), 1];
        queue.add({ ...fragment, clipId, n, path });
      }
    };
    queue.start();
    queue.onChange(() => setImmediate(feed));
    feed();
  }
}

/** Runs `what` on a fixed schedule, so that a slow answer does not spare the link the next question; 32 at most at once. */
async function every(seconds: number, what: () => Promise<void>): Promise<number[]> {
  const runs: Promise<number>[] = [];
  for (let i = 0; i < (seconds * 1000) / EVERY_MS; i++) {
    const start = performance.now();
    runs.push(what().then(() => performance.now() - start));
    await clock.sleep(EVERY_MS);
    await runs[i - 31];
  }
  return Promise.all(runs);
}

function alarm(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(ECHO_PORT, host, () => socket.write(Buffer.alloc(200)));
    socket.on('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
  });
}
