import pino from 'pino';
import { expect, it } from 'vitest';
import { systemClock as clock } from '../../../protocol/clock.ts';
import { until } from '../../testing/relay.ts';
import type { DialGuard } from '../dial-guard.ts';
import type { LineQueue, LineRow } from './queue.ts';
import { type LinePeer, LineSender } from './sender.ts';

const CALLS_AT_ONCE = 32;
const PEER: LinePeer = {
  profile: {
    kind: 'hosted',
    relay: { host: 'x', port: 1 },
    transport: 'tcp',
    partition: 1,
    ackTimeoutMs: 1000,
    attempts: 2,
    ownLine: { enabled: true, line: '1' },
    encrypted: false,
  },
  key: null,
};

/** A sender whose calls all wait for a receiver, and one loss more than it calls at once. */
async function full(test: (of: { last: string; rows: Map<string, LineRow>; back: Set<string> }) => void) {
  const rows = new Map<string, LineRow>();
  for (let i = 0; i <= CALLS_AT_ONCE; i++) {
    const row = {
      id: `m${i}`,
      accountId: `a${i}`,
      receiverId: 'r',
      account: '00A1',
      boxSerial: 'b',
      kind: 'alarm',
      code: 'YC',
      zone: '000',
      protocol: 'SIA-DCS',
      sequence: 1,
      occurredAt: new Date().toISOString(),
      possibleRepeat: 0,
      tries: 0,
      log: '[]',
      state: 'waiting',
    };
    rows.set(row.accountId, row as LineRow);
  }
  const [back, tried, calls] = [new Set<string>(), [] as string[], [] as (() => void)[]];
  const queue = {
    waiting: async () => [],
    head: async (id: string) => (rows.get(id)?.state === 'waiting' ? rows.get(id)! : null),
    drop: async () => {},
    trying: async ({ accountId, state }: LineRow) => state === 'waiting' && tried.push(accountId) > 0,
    tried: async (row: LineRow) => {
      rows.set(row.accountId, { ...row, state: 'acknowledged' });
    },
  };
  const sender = new LineSender({
    queue: queue as unknown as LineQueue,
    clock,
    log: pino({ level: 'silent' }),
    guard: {} as DialGuard,
    peer: async () => PEER,
    heard: () => {},
    hosted: () => new Promise((resolve) => calls.push(() => resolve(null))),
    gate: (row) => (back.has(row.accountId) ? 'hold' : 'go'),
  });
  for (const id of rows.keys()) sender.kick(id);
  await until('every call is out', () => calls.length === CALLS_AT_ONCE);
  const last = [...rows.keys()].at(-1)!;
  expect(tried).not.toContain(last);
  test({ last, rows, back });
  for (const end of calls.splice(0)) end();
  await clock.sleep(50);
  const stopped = sender.stop();
  for (const end of calls.splice(0)) end();
  await stopped;
  return tried.includes(last);
}

it('does not tell of a box that came back while its loss waited for its turn (ARC-24)', async () => {
  const sent = await full(({ last, rows, back }) => {
    back.add(last);
    rows.set(last, { ...rows.get(last)!, state: 'failed' });
  });
  expect(sent).toBe(false);
});

it('asks again at its turn whether the loss may leave', async () => {
  expect(await full(({ last, back }) => back.add(last))).toBe(false);
  expect(await full(() => {})).toBe(true);
});
