import { PassThrough } from 'node:stream';
import { OpenAPIHono } from '@hono/zod-openapi';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { iso, ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type ProblemCode, problem } from '../../protocol/wire/problem.ts';
import { foundDevice } from '../../protocol/wire/testing/found-device.ts';
import { Health } from '../../protocol/wire/uplink.ts';
import type { Api, ApiEnv } from '../api/app.ts';
import { createScope, type Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import { DesiredStates } from '../desired/desired.ts';
import { BoxClient } from '../devices/box-client.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { deviceRow } from '../testing/device-row.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { registerLanRoutes } from './routes.ts';
import { SiteLan } from './site-lan.ts';
import { Unbinding } from './unbinding.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
const mac = (n: number) => `02-00-00-00-00-${String(n).padStart(2, '0')}`;
const STATIC = {
  dhcp: false as const,
  address: '10.0.0.50',
  subnetMask: '255.255.255.0' as const,
  gateway: null,
  dns: [],
};
let acme: Company;
let rival: Company;
let box: TestBox;
let far: TestBox;
let db: Db;
let lan: SiteLan;
let scope: Scope;
/** What the box is asked, and what it says: an answer, a code of a problem, or nothing. */
let asked: { path: string; body: Record<string, unknown> | null }[];
let says: Record<string, (body: Record<string, unknown>) => unknown>;
let credentials: unknown[];
let replaced: unknown[];
let told: unknown[];
const notifier = {
  toCompany: async (_: unknown, companyId: string, { code }: { code: string }) => void told.push([companyId, code]),
  kick: () => {},
};

const tunnel = {
  isConnected: () => true,
  request: async (_: string, { path, body }: { path: string; body?: Buffer }) => {
    const read = body ? JSON.parse(String(body)) : null;
    asked.push({ path, body: read });
    const answer = says[path]?.(read) ?? ('not-found' as ProblemCode);
    if (answer === 'lost') throw new Error('the tunnel broke');
    const bad = typeof answer === 'string';
    const stream = new PassThrough();
    stream.end(JSON.stringify(bad ? problem(answer as ProblemCode, `It said ${answer}.`) : answer));
    const type = bad ? 'application/problem+json' : 'application/json';
    return { status: bad ? 409 : 200, headers: { 'content-type': type }, body: stream };
  },
};
const device = async (of: Company, n: number, more: Record<string, unknown> = {}) => {
  const id = uuidv7();
  const row = deviceRow({ id, siteId: of.siteId, name: `Camera ${n}`, mac: mac(n), serial: `S${n}`, ...more });
  await db.insertInto('devices').values(row).execute();
  return id;
};
const row = (id: string) => db.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  rival = await relay.company('Rival');
  box = await new TestBox(relay).claimedBy(acme);
  far = await new TestBox(relay).claimedBy(rival);
  db = await openTestDatabase(relay.dir);
  scope = createScope(db, clock, acme);
  lan = new SiteLan({
    db,
    log: pino({ level: 'silent' }),
    box: new BoxClient({ tunnel }),
    desired: new DesiredStates({ db }),
    devices: {
      keepCredentials: async (_, { id }, wanted, also) => {
        await also?.(db);
        credentials.push([id, wanted]);
        return null as never;
      },
    },
    unbinding: new Unbinding({ clock, desired: new DesiredStates({ db }), notifier }),
    requests: { done: async () => {} },
    kept: async (_, __, of) => (of === mac(1) ? 'Kept-1' : null),
    replaceKept: async (_, at, password) => void replaced.push([at, password]),
  });
});
beforeEach(async () => {
  [asked, says, credentials, replaced, told] = [[], {}, [], [], []];
  await db.deleteFrom('box_health').execute();
  await db.deleteFrom('devices').execute();
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});

it('addresses of a batch: each with its own login and its own result (INIT-21)', async () => {
  const id = await device(acme, 2, { boxSerial: box.serial });
  says['/v1/lan/addresses'] = ({ mac: of, to }) =>
    of === mac(3) ? 'device-refused-login' : { address: (to as typeof STATIC).address ?? null, text: null };
  const items = [
    { mac: mac(1), to: { dhcp: true as const } },
    { mac: mac(2), to: STATIC },
    { mac: mac(3), password: 'Wrong-1', to: { ...STATIC, address: '10.0.0.51' } },
  ];
  const results = await lan.setAddresses(scope, acme.siteId, { boxSerial: box.serial, items });
  expect(results.map((r) => [r.mac, r.done, r.address, r.code])).toEqual([
    [mac(1), true, null, null],
    [mac(2), true, '10.0.0.50', null],
    [mac(3), false, null, 'device-refused-login'],
  ]);
  expect(asked.map(({ body }) => [body?.mac, body?.password, body?.deviceId])).toEqual(
    expect.arrayContaining([
      [mac(1), 'Kept-1', null],
      [mac(2), null, id],
      [mac(3), 'Wrong-1', null],
    ]),
  );
  expect((await row(id)).host).toBe('10.0.0.50');
});

it('the API takes no mask outside of the list, and no address twice (INIT-22)', async () => {
  const send = (items: unknown[]) =>
    acme.api('POST', `/sites/${acme.siteId}/lan/addresses`, { boxSerial: box.serial, items });
  for (const to of [
    { ...STATIC, subnetMask: '255.255.255.1' },
    { ...STATIC, address: '10.0.0.255' },
    { ...STATIC, gateway: '10.1.0.1' },
  ])
    expect((await send([{ mac: mac(1), to }])).body.code).toBe('invalid-request');
  expect(
    (
      await send([
        { mac: mac(1), to: STATIC },
        { mac: mac(2), to: STATIC },
      ])
    ).body.code,
  ).toBe('invalid-request');
});

describe('unbinding', () => {
  const listed = (n: number, serial = `S${n}`) =>
    foundDevice(n, { mac: mac(n), serial, model: 'M', address: '10.0.0.9' });
  const probed = { model: 'M', serial: 'S1', mac: mac(1), firmware: null, deviceType: 'IPCamera', channels: [] };
  const unbind = (n = 1) => lan.unbind(scope, acme.siteId, { boxSerial: box.serial, mac: mac(n), password: 'Right-1' });

  const DAY = 86_400_000;
  const added = (ago: number) => ({ boxSerial: far.serial, createdAt: iso(clock.now() - ago) });
  /** What the owner's own box told of it last. */
  const told24 = async (id: string, state: string, sinceMs: number, receivedMs = clock.now()) => {
    const rest = { model: null, firmware: null, serial: null, channels: [] };
    const document = JSON.stringify({
      at: iso(receivedMs),
      version: '1',
      uptimeMs: 0,
      rssBytes: 0,
      diskFreeBytes: 0,
      diskTotalBytes: 0,
      tunnelRttMs: null,
      queues: { uplink: 0, upload: 0, uploadBytes: 0, arc: 0 },
      warnables: [],
      devices: [{ id, state, since: iso(sinceMs), ...rest }],
      clocks: [],
      arc: [],
    });
    expect(Health.safeParse(JSON.parse(document)).error).toBeUndefined();
    const values = { serial: far.serial, document, receivedMs };
    await db
      .insertInto('box_health')
      .values(values)
      .onConflict((c) => c.column('serial').doUpdateSet(values))
      .execute();
  };
  const there = () => {
    says['/v1/discovery'] = () => ({ items: [listed(1)] });
    says['/v1/devices/probe'] = () => probed;
  };

  it('takes it from the other account, for who has it on the LAN and knows its password (UNBD-01…03)', async () => {
    const id = await device(rival, 1, added(3 * DAY));
    await told24(id, 'offline', clock.now() - DAY);
    there();
    expect(await unbind()).toEqual({ unbound: { fromAccount: true, text: null }, companies: [rival.companyId] });
    expect((await row(id)).deletedAt).not.toBeNull();
    expect(asked.map((a) => a.path)).toEqual(['/v1/discovery', '/v1/devices/probe']);
    expect(told).toEqual([[rival.companyId, 'device-unbound']]);
  });

  it('never while its present box looks after it, whatever the asker’s box says (UNBD-03)', async () => {
    const id = await device(rival, 1, added(3 * DAY));
    there();
    const now = clock.now();
    const refused = async () => {
      await expect(unbind()).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('owner') });
      expect([(await row(id)).deletedAt, told]).toEqual([null, []]);
    };
    await told24(id, 'online', now - 2 * DAY);
    await refused();
    // The box itself went away lately; the device went offline lately.
    await told24(id, 'online', now - 2 * DAY, now - DAY + 1);
    await refused();
    await told24(id, 'offline', now - DAY + 1);
    await refused();
    // Added just now, and not told of yet; then one that no box looks after.
    await db.deleteFrom('box_health').execute();
    await db
      .updateTable('devices')
      .set({ createdAt: iso(now - DAY + 1) })
      .where('id', '=', id)
      .execute();
    await refused();
    await db
      .updateTable('devices')
      .set({ boxSerial: null, createdAt: iso(now - 9 * DAY) })
      .where('id', '=', id)
      .execute();
    await refused();
  });

  it('stands in the log of both, and the owner is told (UNBD-01)', async () => {
    const app = new OpenAPIHono<ApiEnv>() as Api;
    const notes: unknown[] = [];
    app.use('*', async (c, next) => {
      c.set('scope', scope);
      await next();
      notes.push(c.get('audit'));
    });
    registerLanRoutes(app, { lan, passwords: {} as never });
    await told24(await device(rival, 1, added(3 * DAY)), 'offline', clock.now() - DAY);
    there();
    const body = JSON.stringify({ boxSerial: box.serial, mac: mac(1), password: 'Right-1' });
    const headers = { 'content-type': 'application/json' };
    const answer = await app.request(`/sites/${acme.siteId}/unbindings`, { method: 'POST', headers, body });
    expect([answer.status, notes]).toMatchObject([200, [{ companies: [rival.companyId] }]]);
  });

  it.each([
    ['it is not on the LAN', { items: [] }, probed, 'not-found'],
    ['the password is wrong', { items: [listed(1)] }, 'device-refused-login', 'device-refused-login'],
    ['another device answers there', { items: [listed(1)] }, { ...probed, serial: 'S9' }, 'conflict'],
  ])('not when %s (UNBD-03)', async (_, discovery, probe, code) => {
    const id = await device(rival, 1, { boxSerial: far.serial });
    says['/v1/discovery'] = () => discovery;
    says['/v1/devices/probe'] = () => probe;
    await expect(unbind()).rejects.toMatchObject({ code });
    expect((await row(id)).deletedAt).toBeNull();
  });

  it('what is bound to no account here is asked to leave the maker’s cloud', async () => {
    says['/v1/discovery'] = () => ({ items: [listed(1)] });
    says['/v1/devices/probe'] = () => probed;
    says['/v1/lan/unbind'] = () => ({ address: '10.0.0.9', text: null });
    expect(await unbind()).toEqual({ unbound: { fromAccount: false, text: null }, companies: [] });
    says['/v1/lan/unbind'] = () => 'device-error';
    await expect(unbind()).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('the password of a device', () => {
  const change = (id: string, more: { oldPassword?: string } = {}) =>
    lan.changePassword(scope, id, { newPassword: 'Other-22', ...more });

  it('is set directly, and the box goes on with it (PWD-03)', async () => {
    const id = await device(acme, 1, { boxSerial: box.serial });
    says[`/v1/devices/${id}/password`] = () => ({ outcome: 'changed', text: null });
    expect(await change(id)).toMatchObject({ outcome: 'changed' });
    expect(asked[0]?.body).toEqual({ oldPassword: null, newPassword: 'Other-22' });
    // What is kept since its activation would be a wrong try from now on.
    expect(replaced).toEqual([[{ companyId: acme.companyId, siteId: acme.siteId, mac: mac(1) }, 'Other-22']]);
    expect(credentials).toEqual([[id, { username: 'admin', password: 'Other-22' }]]);
  });

  it('what the device refused, or whose outcome is not known, is not kept', async () => {
    const id = await device(acme, 1, { boxSerial: box.serial });
    says[`/v1/devices/${id}/password`] = () => 'device-refused-login';
    await expect(change(id, { oldPassword: 'Wrong-1' })).rejects.toMatchObject({ code: 'device-refused-login' });
    says[`/v1/devices/${id}/password`] = () => 'lost';
    expect(await change(id)).toMatchObject({ outcome: 'uncertain' });
    says[`/v1/devices/${id}/password`] = () => ({ outcome: 'uncertain', text: 'gone' });
    expect(await change(id)).toMatchObject({ outcome: 'uncertain' });
    expect([credentials, replaced]).toEqual([[], []]);
  });

  it('of a site that is handed over takes the old one, or the customer (PWD-04, PWD-05, PWD-01)', async () => {
    const id = await device(acme, 1, { boxSerial: box.serial });
    await db.updateTable('sites').set({ status: 'authorized' }).where('id', '=', acme.siteId).execute();
    await expect(change(id)).rejects.toMatchObject({ code: 'site-status' });
    expect(asked).toEqual([]);
    await db.updateTable('sites').set({ status: 'not-handed-over' }).where('id', '=', acme.siteId).execute();
  });

  it('can be made recoverable only before the device is added (PWD-08)', async () => {
    says['/v1/lan/recovery'] = () => ({ address: '10.0.0.9', text: null });
    const recovery = { email: 'owner@example.com', answers: null };
    const set = () => lan.setRecovery(scope, acme.siteId, { boxSerial: box.serial, mac: mac(1), recovery });
    expect(await set()).toMatchObject({ done: true });
    expect(asked[0]?.body).toMatchObject({ password: 'Kept-1' });
    // Whether another account has it is not told here.
    await device(rival, 1);
    expect(await set()).toMatchObject({ done: true });
    await device(acme, 1, { boxSerial: box.serial });
    await expect(set()).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is reset by questions, and the box of an added device learns it (PWD-07)', async () => {
    const id = await device(acme, 1, { boxSerial: box.serial });
    says['/v1/lan/reset'] = () => ({ address: '10.0.0.9', text: null });
    const answers = [1, 2, 3].map((n) => ({ id: n, answer: 'x' }));
    const reset = (n: number) =>
      lan.reset(scope, acme.siteId, { boxSerial: box.serial, mac: mac(n), answers, newPassword: 'Other-22' });
    await reset(1);
    expect(credentials).toEqual([[id, { username: 'admin', password: 'Other-22' }]]);
    await reset(2);
    expect(replaced).toMatchObject([1, 2].map((n) => [{ siteId: acme.siteId, mac: mac(n) }, 'Other-22']));
  });
});
