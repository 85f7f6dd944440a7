import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { Pacer } from '../upload/pacer.ts';
import { UplinkTest } from './uplink-test.ts';

const PATH = `/box/v1/uplink-tests/one/${'t'.repeat(32)}`;
let server: Server;
let received: number;
let status: number;
let alarms: number;
let pacer: Pacer;
let test: UplinkTest;

beforeEach(async () => {
  [received, status, alarms] = [0, 0, 0];
  server = createServer((request, response) => {
    request.on('error', () => {});
    if (status) response.writeHead(status).end();
    else request.on('data', (bytes) => (received += bytes.length));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relayUrl = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  pacer = new Pacer({ clock, onRtt: () => () => {} });
  test = new UplinkTest({ relayUrl, pacer, alarmsWaiting: () => alarms, clock, log: pino({ level: 'silent' }) });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('UplinkTest', () => {
  it('sends for the time that was asked, one test at a time, and tells clips apart from it', async () => {
    const running = test.run({ path: PATH, ms: 1_000 });
    expect(await test.run({ path: PATH, ms: 1_000 })).toBeNull();
    const release = pacer.begin();
    await pacer.take(5_000);
    release();
    const done = await running;
    expect(done).toMatchObject({ otherBytes: 5_000, yielded: false, error: null });
    expect(done!.ms).toBeGreaterThan(950);
    expect(done!.bytes).toBeGreaterThan(20_000);
    expect(received).toBeGreaterThan(0.5 * done!.bytes);
    expect(received).toBeLessThanOrEqual(done!.bytes);
  });

  it('stops at once for an alarm, but not for one that waited before', async () => {
    alarms = 2;
    const long = test.run({ path: PATH, ms: 10_000 });
    await clock.sleep(300);
    expect(received).toBeGreaterThan(0);
    const before = performance.now();
    alarms = 3;
    expect(await long).toMatchObject({ yielded: true, error: null });
    expect(performance.now() - before).toBeLessThan(500);
  });

  it('ends with the request for it, and where the relay does not take it', async () => {
    const abort = new AbortController();
    const cut = test.run({ path: PATH, ms: 10_000 }, abort.signal);
    setTimeout(() => abort.abort(), 100);
    expect((await cut)!.ms).toBeLessThan(2_000);
    status = 500;
    const refused = await test.run({ path: PATH, ms: 10_000 });
    expect(refused).toMatchObject({ yielded: false, error: 'the relay answered 500' });
    expect(refused!.ms).toBeLessThan(2_000);
  });
});
