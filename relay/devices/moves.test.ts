import { Readable } from 'node:stream';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { open } from '../../protocol/codec/sealed.ts';
import { DesiredRecording } from '../../protocol/wire/desired.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { problem } from '../../protocol/wire/problem.ts';
import { createScope, type Scope } from '../auth/scope.ts';
import type { Db } from '../db/database.ts';
import { DesiredStates } from '../desired/desired.ts';
import { Stage } from '../handover/testing.ts';
import type { Notifier } from '../notify/notifier.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { BoxClient } from './box-client.ts';
import { Moves } from './moves.ts';

const clock = new ManualClock();
const relay = new TestRelay({ clock });
const stage = new Stage(relay);
const log = pino({ level: 'silent' });
let acme: Company;
let db: Db;
let scope: Scope;
let moves: Moves;
let desired: DesiredStates;
let answer: { status: number; body: unknown };
const told: unknown[] = [];
const moved: string[] = [];

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  db = await openTestDatabase(relay.dir);
  scope = createScope(db, clock, acme);
  desired = new DesiredStates({ db });
  const tunnel = {
    isConnected: () => true,
    request: async () => ({
      status: answer.status,
      headers: { 'content-type': answer.status < 400 ? 'application/json' : 'application/problem+json' },
      body: Readable.from([Buffer.from(JSON.stringify(answer.body))]),
    }),
  };
  // What is told to people is looked at here only.
  const notifier = {
    kick: () => {},
    toCompany: async (...args: unknown[]) => void told.push(args),
  } as unknown as Notifier;
  const box = new BoxClient({ tunnel });
  moves = new Moves({ db, clock, log, desired, box, notifier, boxMoved: async (serial) => void moved.push(serial) });
}, 30_000);
beforeEach(() => {
  const model = { model: 'DS-1', serial: 'S', mac: null, firmware: '', deviceType: 'IPCamera', channels: [] };
  answer = { status: 200, body: model };
  moved.length = 0;
  told.length = 0;
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});

/** A box at a site with devices that record and report to an ARC. */
async function boxWith(siteId: string, count: number): Promise<{ box: TestBox; devices: string[]; accountId: string }> {
  const box = await new TestBox(relay).claimedBy({ ...acme, siteId });
  const devices: string[] = [];
  for (let i = 0; i < count; i++) devices.push(await stage.device(siteId, `Camera ${i}`));
  await db.updateTable('devices').set({ boxSerial: box.serial }).where('id', 'in', devices).execute();
  const receiver = { direct: { host: '127.0.0.9', port: 12300 }, relay: { host: '127.0.0.9', port: 12300 } };
  const { body } = await acme.api('POST', '/receivers', { name: uuidv7(), transport: 'tcp', ...receiver });
  const account = await acme.api('POST', `/sites/${siteId}/arc`, {
    boxSerial: box.serial,
    receiverId: body.id,
    account: '1234',
    protocol: 'SIA-DCS',
    events: ['motion'],
    zones: devices.map((deviceId, i) => ({ deviceId, channel: null, zone: i + 1 })),
    supervision: { kind: 'off', intervalMs: 86_400_000 },
  });
  expect(account.status).toBe(201);
  await desired.change(box.serial, 'recording', () =>
    devices.map((deviceId) => DesiredRecording.parse({ deviceId, channel: 1, triggers: ['motion'] })),
  );
  return { box, devices, accountId: account.body.id };
}
const siteOf = async (deviceId: string) =>
  (await db.selectFrom('devices').select('siteId').where('id', '=', deviceId).executeTakeFirstOrThrow()).siteId;
const wish = (devices: string[], via: { boxSerial: string; password: string } | null = null) =>
  devices.map((deviceId) => ({ deviceId, via }));

describe('moving devices', () => {
  it('takes a box with all behind it to a new site; what was set up is dropped (MOVE-02, MOVE-03, MOVE-05)', async () => {
    const from = await stage.site(acme, uuidv7());
    const { box, devices, accountId } = await boxWith(from, 2);
    const { items } = await moves.candidates(scope, from, '');
    expect(items.map((item) => item.settings)).toEqual([
      ['recording', 'arc'],
      ['recording', 'arc'],
    ]);
    const target = { name: uuidv7(), timeZone: 'Europe/Berlin' };
    const result = await moves.move(scope, from, { devices: wish(devices), target });
    const dropped = ['recording', 'arc'];
    expect(result.items).toEqual(
      devices.map((deviceId) => ({ deviceId, moved: true, dropped, code: null, detail: null })),
    );
    expect(await siteOf(devices[0]!)).toBe(result.siteId);
    expect(moved).toEqual([box.serial]);
    const state = await desired.get(box.serial);
    expect(state.sections.recording.items).toEqual([]);
    expect(state.sections.arc.items).toEqual([]);
    const account = await db
      .selectFrom('arc_accounts')
      .selectAll()
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow();
    expect(account.deletedAt).not.toBeNull();
    const row = await db
      .selectFrom('boxes')
      .select('siteId')
      .where('serial', '=', box.serial)
      .executeTakeFirstOrThrow();
    expect(row.siteId).toBe(result.siteId);
    const made = (await acme.api('GET', `/sites/${result.siteId}`)).body;
    expect(made).toMatchObject(target);
  });

  it('leaves one behind its box where it is, unless a box at the new site sees it', async () => {
    const [from, to] = [await stage.site(acme, uuidv7()), await stage.site(acme, uuidv7())];
    const { box, devices, accountId } = await boxWith(from, 2);
    const other = await new TestBox(relay).claimedBy({ ...acme, siteId: to });
    const target = { siteId: to };
    const alone = await moves.move(scope, from, { devices: wish([devices[0]!]), target });
    expect(alone).toMatchObject({ siteId: null, items: [{ moved: false, code: 'behind-box' }] });

    answer = { status: 502, body: problem('device-refused-login', 'no') };
    const via = { boxSerial: other.serial, password: 'Aa345678' };
    const refused = await moves.move(scope, from, { devices: wish([devices[0]!], via), target });
    expect(refused.items[0]).toMatchObject({ moved: false, code: 'device-refused-login' });

    answer = {
      status: 200,
      body: { model: 'DS-1', serial: 'S', mac: null, firmware: '', deviceType: '', channels: [] },
    };
    const taken = await moves.move(scope, from, { devices: wish([devices[0]!], via), target });
    expect(taken).toMatchObject({ siteId: to, items: [{ moved: true, dropped: ['recording', 'arc'] }] });
    const [item] = (await desired.get(other.serial)).sections.devices.items;
    expect(open(item!.password, other.sealKey, `device:${devices[0]}`)).toBe('Aa345678');
    const left = (await desired.get(box.serial)).sections;
    expect(left.recording.items.map((r) => r.deviceId)).toEqual([devices[1]]);
    expect(left.arc.items[0]!.zones.map((z) => z.deviceId)).toEqual([devices[1]]);
    const account = await db
      .selectFrom('arc_accounts')
      .selectAll()
      .where('id', '=', accountId)
      .executeTakeFirstOrThrow();
    expect(JSON.parse(account.zones)).toHaveLength(1);
    expect(moved).toEqual([]);
  });

  it.each([
    ['shared', { status: 'shared' as const }, 'site-status'],
    ['of another owner', { owner: true }, 'conflict'],
    ['of a customer who has not authorised you', { status: 'not-authorized' as const }, 'site-status'],
  ])('refuses a site that is %s (MOVE-01, SHAR-17)', async (_, more, code) => {
    const [from, to] = [await stage.site(acme, uuidv7()), await stage.site(acme, uuidv7())];
    const deviceId = await stage.device(from, 'Camera');
    const owner = 'owner' in more ? (await relay.customer(`O${uuidv7().slice(-6)}`)).companyId : null;
    await db
      .updateTable('sites')
      .set({ ownerId: owner, ...('status' in more ? { status: more.status } : {}) })
      .where('id', '=', to)
      .execute();
    const move = moves.move(scope, from, { devices: wish([deviceId]), target: { siteId: to } });
    await expect(move).rejects.toMatchObject({ code });
    expect((await moves.candidates(scope, from, '')).targets.map((site) => site.id)).not.toContain(to);
    expect(await siteOf(deviceId)).toBe(from);
  });

  it('refuses a name that is taken, an unknown zone, a foreign site', async () => {
    const [from, to] = [
      await stage.site(acme, 'Taken'),
      await stage.site({ companyId: (await relay.customer('F')).companyId }, 'F'),
    ];
    const deviceId = await stage.device(from, 'Camera');
    const move = (target: { siteId: string } | { name: string; timeZone: string }) =>
      moves.move(scope, from, { devices: wish([deviceId]), target });
    await expect(move({ name: 'Taken', timeZone: 'UTC' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(move({ name: uuidv7(), timeZone: 'Mars/Base' })).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(move({ siteId: to })).rejects.toMatchObject({ code: 'not-found' });
    await expect(move({ siteId: from })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('keeps owner, status and rights at a new site of a customer, who is told; permissions go with the device', async () => {
    const from = await stage.site(acme, uuidv7());
    const deviceId = await stage.device(from, 'Camera');
    const owner = await relay.customer(`O${uuidv7().slice(-6)}`);
    await db
      .updateTable('sites')
      .set({ ownerId: owner.companyId, status: 'authorized' })
      .where('id', '=', from)
      .execute();
    await db.deleteFrom('grants').where('siteId', '=', from).execute();
    await stage.grant(owner, from, 'own', 'transfer');
    await stage.grant(acme, from, 'manage', 'authorization');
    const live = { id: uuidv7(), companyId: acme.companyId, siteId: from, deviceId, permission: 'live' as const };
    await db
      .insertInto('grants')
      .values({ ...live, source: 'application' })
      .execute();
    const target = { name: uuidv7(), timeZone: 'UTC' };
    const { siteId } = await moves.move(scope, from, { devices: wish([deviceId]), target });
    const site = await db.selectFrom('sites').selectAll().where('id', '=', siteId).executeTakeFirstOrThrow();
    expect(site).toMatchObject({ ownerId: owner.companyId, status: 'authorized' });
    expect(await scope.holds(siteId!, deviceId, 'live')).toBe(true);
    expect(await createScope(db, clock, owner).holds(siteId!, null, 'own')).toBe(true);
    expect(told).toHaveLength(1);
  });
});
