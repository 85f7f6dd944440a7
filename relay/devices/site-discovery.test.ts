import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { SiteDiscoveryMessage } from '../../protocol/wire/box-api.ts';
import { foundDevice } from '../../protocol/wire/testing/found-device.ts';
import { createScope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { BoxClient } from './box-client.ts';
import { SiteDiscovery } from './site-discovery.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let acme: Company;
let serials: string[];
let db: Db;
let discovery: SiteDiscovery;
/** Streams of boxes that are there, newest last. */
const bodies: Record<string, PassThrough[]> = {};
const here = new Set<string>();

const listed = (n: number, pingMs = 1) => foundDevice(n, { pingMs });
const says = (serial: string, event: string, data: unknown) =>
  bodies[serial]!.at(-1)!.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  serials = [];
  for (let i = 0; i < 2; i++) serials.push((await new TestBox(relay).claimedBy(acme)).serial);
  serials.sort();
  db = await openTestDatabase(relay.dir);
  const tunnel = {
    isConnected: (serial: string) => here.has(serial),
    request: async (serial: string, { path }: { path: string }) => {
      expect(path).toBe('/v1/discovery/events');
      const body = new PassThrough();
      bodies[serial] = [...(bodies[serial] ?? []), body];
      return { status: 200, headers: { 'content-type': 'text/event-stream' }, body };
    },
  };
  discovery = new SiteDiscovery({ db, box: new BoxClient({ tunnel }), clock, log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});
const scope = () => createScope(db, clock, acme);

it('merges what the boxes of a site say; one that is away, breaks off or talks nonsense never hides the others (DISC-03)', async () => {
  const [one, two] = serials as [string, string];
  here.add(one);
  const told: SiteDiscoveryMessage[] = [];
  const boxes = await discovery.boxes(scope(), acme.siteId);
  expect(boxes).toEqual(serials);
  const release = discovery.follow(boxes, (message) => told.push(message));
  const last = () => expect.poll(() => told.at(-1));
  await last().toEqual({ event: 'away', data: { boxSerial: two } });
  says(one, 'list', { items: [listed(1)] });
  await last().toEqual({ event: 'list', data: { items: [listed(1)], boxSerial: one } });
  here.add(two);
  await clock.advance(2_000);
  await expect.poll(() => bodies[two]?.length).toBe(1);
  says(two, 'list', { items: [] });
  says(two, 'changes', { items: [listed(2)], gone: [] });
  await last().toEqual({ event: 'changes', data: { items: [listed(2)], gone: [], boxSerial: two } });
  // Nonsense of one: its stream is opened anew, and its list comes whole.
  says(two, 'changes', { items: [{ mac: 1 }], gone: [] });
  await last().toEqual({ event: 'away', data: { boxSerial: two } });
  await expect.poll(() => bodies[two]?.[0]?.destroyed).toBe(true);
  says(one, 'changes', { items: [], gone: [listed(1).mac] });
  await last().toEqual({ event: 'changes', data: { items: [], gone: [listed(1).mac], boxSerial: one } });
  await clock.advance(2_000);
  await expect.poll(() => bodies[two]?.length).toBe(2);
  says(two, 'list', { items: [listed(2, 7)] });
  await last().toMatchObject({ event: 'list', data: { boxSerial: two, items: [{ pingMs: 7 }] } });
  // Away once more is said once, however often it is tried.
  here.delete(two);
  bodies[two]!.at(-1)!.end();
  await last().toEqual({ event: 'away', data: { boxSerial: two } });
  const count = told.length;
  for (let i = 0; i < 3; i++) await clock.advance(2_000);
  expect(told.length).toBe(count);
  release();
  await expect.poll(() => bodies[one]!.at(-1)!.destroyed).toBe(true);
});

it('ends with the right, and when the site gets another box', async () => {
  const boxes = await discovery.boxes(scope(), acme.siteId);
  await discovery.check(scope(), acme.siteId, boxes);
  const rival = await relay.company('Rival');
  await expect(discovery.boxes(createScope(db, clock, rival), acme.siteId)).rejects.toMatchObject({
    code: 'not-found',
  });
  await new TestBox(relay).claimedBy(acme);
  await expect(discovery.check(scope(), acme.siteId, boxes)).rejects.toMatchObject({ code: 'conflict' });
});
