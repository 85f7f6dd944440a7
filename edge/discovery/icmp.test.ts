import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { type Measured, Pinger } from './icmp.ts';

const log = pino({ level: 'silent' });
const dir = mkdtempSync(join(tmpdir(), 'gatepost-ping-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** A program that says what the real one does. */
function program(name: string, script: string): string {
  const file = join(dir, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}
async function measured(programs: { fping: string; ping: string }, addresses: string[], tcpOnly = false) {
  const pinger = new Pinger({ clock, log, tcpOnly, programs });
  await pinger.start();
  const found = new Map<string, Measured>();
  await pinger.measure(
    // Nothing listens on port 1, and a refusal is an answer.
    addresses.map((address) => ({ address, port: 1 })),
    ({ address }, value) => found.set(address, value),
  );
  pinger.stop();
  return [...found].sort().map(([, { method, ms }]) => [method, method === 'icmp' ? ms : ms !== null]);
}
const none = '/nonexistent/program';

describe('ping values (DISC-04)', () => {
  it('come from one fping for all that are due; what it does not reach is asked by TCP', async () => {
    const fping = program(
      'fping',
      'for a in "$@"; do case $a in 127.0.0.1) echo "$a : 0.25" >&2;; 127.0.0.2) echo "$a : 61.5" >&2;; 127.*) echo "$a : -" >&2;; esac; done; exit 1',
    );
    expect(await measured({ fping, ping: none }, ['127.0.0.2', '127.0.0.3'])).toEqual([
      ['icmp', 61.5],
      ['tcp', true],
    ]);
  });

  it('come from ping where there is no fping, and from TCP where there is neither, or on loopback', async () => {
    const ping = program('ping', 'for a; do :; done; echo "64 bytes from $a: icmp_seq=1 ttl=64 time=0.061 ms"');
    expect(await measured({ fping: none, ping }, ['127.0.0.2'])).toEqual([['icmp', 0.061]]);
    expect(await measured({ fping: none, ping: none }, ['127.0.0.2'])).toEqual([['tcp', true]]);
    expect(await measured({ fping: none, ping }, ['127.0.0.2'], true)).toEqual([['tcp', true]]);
    const broken = program('broken', 'echo "socket: Operation not permitted" >&2; exit 2');
    expect(await measured({ fping: broken, ping: broken }, ['127.0.0.2'])).toEqual([['tcp', true]]);
  });
});
