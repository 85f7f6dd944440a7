import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { uplinkTestRoutes } from '../../edge/bandwidth/routes.ts';
import { UplinkTest } from '../../edge/bandwidth/uplink-test.ts';
import { Pacer } from '../../edge/upload/pacer.ts';
import { systemClock as clock, iso } from '../../protocol/clock.ts';
import { TEST_TIMES, type TestTimes } from '../../protocol/wire/bandwidth.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { createScope } from '../../relay/auth/scope.ts';
import { BandwidthTests, TESTS_PATH } from '../../relay/bandwidth/bandwidth.ts';
import { testSink } from '../../relay/bandwidth/sink.ts';
import { BoxClient } from '../../relay/devices/box-client.ts';
import { openTestDatabase } from '../../relay/testing/database.ts';
import { deviceRow } from '../../relay/testing/device-row.ts';
import { TunnelHub } from '../../relay/tunnel/hub.ts';
import { makeClient, silent } from '../tunnel/pair.ts';

export const SERIAL = 'ACDEFGHJK';

/** What of a relay tests uplinks: its routes, its tunnels, a site with one box and a recorder of four channels. */
export async function startTestRelay(o: { dir: string; host?: string; times?: Partial<TestTimes> }) {
  const { dir, host = '127.0.0.1' } = o;
  const db = await openTestDatabase(dir);
  const [companyId, userId, siteId, deviceId] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const createdAt = iso(clock.now());
  await db.insertInto('companies').values({ id: companyId, name: 'Acme', createdAt }).execute();
  const person = { id: userId, companyId, email: 'a@b.example', name: 'A', passwordHash: '', createdAt };
  await db.insertInto('users').values(person).execute();
  const site = { id: siteId, companyId, name: 'S', sortName: 's', timeZone: 'UTC', createdAt };
  await db.insertInto('sites').values(site).execute();
  const grant = { id: uuidv7(), companyId, siteId, permission: 'all' as const, source: 'site' as const };
  await db.insertInto('grants').values(grant).execute();
  const keys = { publicKey: '', sealKey: '', codeHash: '', enrolledMs: 0 };
  await db
    .insertInto('boxes')
    .values({
      serial: SERIAL,
      ...keys,
      state: 'claimed',
      siteId,
      companyId,
      boot: null,
      epoch: null,
      seenMs: null,
      version: null,
    })
    .execute();
  await db
    .insertInto('devices')
    .values(
      deviceRow({
        id: deviceId,
        siteId,
        boxSerial: SERIAL,
        name: 'NVR',
        type: 'encoding',
        model: 'DS-7608NI-K2/8P',
        firmware: 'V4.72.107',
        channelCount: 4,
      }),
    )
    .execute();
  const hub = new TunnelHub({ clock, log: silent });
  const box = new BoxClient({ tunnel: hub });
  const times = { ...TEST_TIMES, ...o.times };
  const tests = new BandwidthTests({ db, clock, log: silent, box, times });
  await tests.start();
  const app = new Hono().route(TESTS_PATH, testSink(tests) as never);
  const server = createServer(getRequestListener(app.fetch as never));
  const asked: string[] = [];
  server.on('request', (request) => asked.push(request.url ?? ''));
  server.on('upgrade', (request, socket, head) =>
    hub.handleUpgrade(request, socket, head, { serial: SERIAL, boot: 'boot', epoch: 1 }),
  );
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const who = { userId, companyId, companyType: 'installer' as const, admin: true, limited: false };
  const scope = createScope(db, clock, { ...who, permissions: new Set<never>() });
  return {
    db,
    hub,
    tests,
    scope,
    siteId,
    deviceId,
    host,
    port,
    /** Paths of all requests, oldest first. */
    asked,
    stop: async () => {
      await tests.stop();
      await hub.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await db.destroy();
    },
  };
}

/** What of a box tests its uplink. */
export function startTestBox(relayUrl: URL, o: { alarmsWaiting?: () => number } = {}) {
  const app = new Hono();
  const tunnel = makeClient(relayUrl, { serial: SERIAL, handler: (request) => app.fetch(request) });
  const pacer = new Pacer({ clock, onRtt: (fn) => tunnel.onRtt(fn) });
  const { alarmsWaiting = () => 0 } = o;
  const test = new UplinkTest({ relayUrl, pacer, alarmsWaiting, clock, log: silent });
  app.route('/v1/uplink-test', uplinkTestRoutes(test));
  tunnel.start();
  return { tunnel, pacer, stop: () => tunnel.stop() };
}
