import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DeskAlarm } from '../../../protocol/wire/arc-desk.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { TestBox } from '../../testing/box.ts';
import { type Colleague, colleague } from '../../testing/colleague.ts';
import { deviceRow } from '../../testing/device-row.ts';
import { type Company, TestRelay, until } from '../../testing/relay.ts';
import { TestStream } from '../../testing/stream.ts';
import { alarmRecord } from './testing/alarms.ts';
import { centreWith, grantTo } from './testing/centre.ts';

const relay = new TestRelay();
let acme: Company;
let made: Awaited<ReturnType<typeof centreWith>>;
let night: Colleague;
const streams: TestStream[] = [];
const ids = (items: DeskAlarm[]) => items.map((item) => item.id);

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  made = await centreWith(relay, acme, 'Centre');
  night = await colleague(relay, made.centre.companyId, ['manage-all-sites'], { name: 'Nina Night' });
  await made.box.connect();
});
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});
afterAll(async () => {
  made.box.disconnect();
  await relay.stop();
});

const alarm = (change: Parameters<typeof alarmRecord>[1] | object = {}) =>
  alarmRecord(made.box, { accountId: made.accountId, ...change });
const watch = async (token: string) => {
  const stream = await new TestStream().open(`${relay.url}/api/v1/arc-desk/stream`, token);
  streams.push(stream);
  await stream.first('hello');
  return stream;
};
const list = async (query = '', who: { api: Company['api'] } = made.centre): Promise<DeskAlarm[]> =>
  (await who.api('GET', `/arc-desk/alarms${query}`)).body.items;

const camera = async () => {
  const id = uuidv7();
  const device = deviceRow({ id, siteId: acme.siteId, boxSerial: made.box.serial, name: 'Yard' });
  await relay.withDb((db) => db.insertInto('devices').values(device).execute());
  return id;
};

describe('the list', () => {
  it('has what waits most urgent first, then newest first, and pages through it (ARC-02)', async () => {
    const sent = [
      alarm({ code: 'ET', zone: '004' }),
      alarm({ code: 'BA' }),
      alarm({ code: 'FA', zone: '007' }),
      alarm({ code: 'BA', zone: '002' }),
      alarm({ code: 'CL', zone: '001' }),
      alarm({ kind: 'test', code: 'RP', zone: '' }),
      alarm({ protocol: 'ADM-CID', code: '1120' }),
    ];
    await made.box.journal(sent);
    const [fault, burglary, fire, second, closing, test, panic] = sent.map((record) => record.body.id);
    const open = await list();
    expect(ids(open)).toEqual([panic, fire, second, burglary, fault]);
    expect(open.map(({ urgency, meaning }) => [urgency, meaning])).toEqual([
      [0, 'panic'],
      [0, 'fire'],
      [1, 'burglary'],
      [1, 'burglary'],
      [2, 'fault'],
    ]);
    expect(open[1]).toMatchObject({ account: '00A1', zone: '007', code: 'FA', open: true, test: false, handled: null });
    expect(open[1]).toMatchObject({ site: { id: acme.siteId, name: 'Acme HQ' }, receiverName: 'Centre receiver' });
    const paged: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await made.centre.api('GET', `/arc-desk/alarms?limit=2${cursor}`);
      paged.push(...ids(body.items));
      if (!body.nextCursor) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(paged).toEqual(ids(open));
    expect(ids(await list('?show=all'))).toEqual([panic, test, closing, second, fire, burglary, fault]);
    expect(ids(await list('?show=tests'))).toEqual([test]);
    expect(ids(await list('?urgency=0'))).toEqual([panic, fire]);
    expect(ids(await list('?show=all&urgency=3'))).toEqual([test, closing]);
    expect(await list('?account=00A2')).toEqual([]);
    expect(ids(await list(`?account=00A1&siteId=${acme.siteId}&accountId=${made.accountId}`))).toHaveLength(5);
    const later = new Date(Date.now() + 60_000).toISOString();
    expect(await list(`?show=all&from=${later}`)).toEqual([]);
    expect(ids(await list(`?show=all&to=${later}`))).toHaveLength(7);
    expect((await made.centre.api('GET', '/arc-desk/alarms?cursor=12')).status).toBe(400);
    await made.centre.api('POST', '/arc-desk/acknowledgements', { alarmIds: ids(open) });
    expect(await list()).toEqual([]);
  });

  it('is the centre’s whose receiver the account is at, whatever a box says of its receiver', async () => {
    const other = await centreWith(relay, await relay.company('Elsewhere'), 'Rival');
    await other.box.connect();
    const forged = alarmRecord(other.box, { accountId: made.accountId, receiverId: made.receiverId, account: '00A1' });
    const own = alarmRecord(other.box, { accountId: other.accountId, receiverId: made.receiverId });
    await other.box.journal([forged, own]);
    other.box.disconnect();
    expect(ids(await list('', other.centre))).toEqual([own.body.id]);
    expect(ids(await list('?show=all'))).not.toContain(forged.body.id);
    const { status } = await made.centre.api('GET', `/arc-desk/alarms/${own.body.id}`);
    expect(status).toBe(404);
    await other.centre.api('POST', '/arc-desk/acknowledgements', { alarmIds: [own.body.id] });
  });

  it('shows the end of an alarm with the alarm', async () => {
    const stream = await watch(made.centre.token);
    const eventId = uuidv7();
    const begin = alarm({ eventId });
    await made.box.journal([begin]);
    const endedAt = new Date(Date.now() + 1_000).toISOString();
    const end = alarm({ eventId, kind: 'restore', code: 'BH', occurredAt: endedAt });
    await made.box.journal([end]);
    expect(await stream.first('alarm', (a) => a.restoredAt === endedAt)).toMatchObject({
      id: begin.body.id,
      open: true,
    });
    await made.centre.api('POST', `/arc-desk/alarms/${begin.body.id}/acknowledge`, {});
  });

  it('of who sees certain sites only has those', async () => {
    const small = await colleague(relay, made.centre.companyId, ['manage-assigned-sites']);
    const record = alarm();
    await made.box.journal([record]);
    expect(await list('', small)).toEqual([]);
    expect((await small.api('POST', `/arc-desk/alarms/${record.body.id}/acknowledge`, {})).status).toBe(404);
    const stream = await watch(small.token);
    await grantTo(relay, made.centre.companyId, { siteId: acme.siteId, permission: 'view' });
    await relay.withDb((db) =>
      db.insertInto('site_managers').values({ siteId: acme.siteId, userId: small.userId, untilMs: null }).execute(),
    );
    expect(ids(await list('', small))).toEqual([record.body.id]);
    await made.box.journal([alarm({ ...record.body, possibleRepeat: true })]);
    expect(await stream.first('alarm')).toMatchObject({ id: record.body.id, possibleRepeat: true });
    expect((await small.api('POST', `/arc-desk/alarms/${record.body.id}/acknowledge`, {})).status).toBe(200);
  });
});

describe('people at the desk', () => {
  it('see a new alarm at once, with the device, its event, path and delay (ARC-22)', async () => {
    const stream = await watch(night.token);
    const event = made.box.event({ type: 'lineCrossing', channel: 2, text: 'Line 1' });
    const record = alarm({ eventId: event.id, state: 'waiting', path: null, acknowledgedAt: null });
    await made.box.journal([event, record]);
    const told = await stream.first('alarm', (a) => a.id === record.body.id);
    expect(told).toMatchObject({ eventType: 'lineCrossing', channel: 2, text: 'Line 1', state: 'waiting', path: null });
    const acknowledgedAt = new Date().toISOString();
    await made.box.journal([alarm({ ...record.body, state: 'acknowledged', path: 'relay', tries: 3, acknowledgedAt })]);
    const after = await stream.first('alarm', (a) => a.state === 'acknowledged');
    expect(after).toMatchObject({ path: 'relay', tries: 3, acknowledgedAt, open: true });
    expect(after).not.toHaveProperty('companyId');
    await night.api('POST', `/arc-desk/alarms/${record.body.id}/acknowledge`, { note: 'Police informed' });
    expect(await stream.first('alarm', (a) => a.handled)).toMatchObject({ open: false, notes: 1 });
  });

  it('acknowledge once: the second hears who was first; notes, and what was done, stay with it', async () => {
    const tries = [
      {
        at: new Date().toISOString(),
        path: 'direct',
        receiver: '192.0.2.1:12000',
        outcome: 'timeout',
        tookMs: 5000,
        frame: 'C4D10032"*SIA-DCS"0001R0L1#00A1[…',
        reply: null,
      },
    ];
    const record = alarm({ log: tries, sequence: 17 });
    await made.box.journal([record]);
    const path = `/arc-desk/alarms/${record.body.id}`;
    const [first, second] = await Promise.all([
      night.api('POST', `${path}/acknowledge`, { note: 'Calling the owner' }),
      made.centre.api('POST', `${path}/acknowledge`, {}),
    ]);
    expect([first.status, second.status].sort()).toEqual([200, 409]);
    const [winner, loser] = first.status === 200 ? [night, second] : [made.centre, first];
    expect(loser.body.detail).toBe(`${winner === night ? 'Nina Night' : 'Owner'} has acknowledged this alarm already.`);
    await winner.api('POST', `${path}/acknowledge`, {});
    await made.centre.api('POST', `${path}/notes`, { text: 'False alarm: cat' });
    await night.api('POST', `${path}/reopen`, {});
    expect(ids(await list())).toEqual([record.body.id]);
    expect((await night.api('POST', `${path}/reopen`, {})).status).toBe(409);
    const { body } = await made.centre.api('GET', path);
    expect(body.history.map((n: { kind: string }) => n.kind)).toEqual(['acknowledged', 'note', 'reopened']);
    expect(body).toMatchObject({ log: tries, sequence: 17, open: true, handled: null });
    const done = await night.api('POST', '/arc-desk/acknowledgements', { alarmIds: [record.body.id, uuidv7()] });
    expect(done.body).toEqual({ acknowledged: [record.body.id] });
    const log = await made.centre.api('GET', '/log?limit=3');
    expect(log.body.items.map((e: { action: string }) => e.action)).toContain('acknowledgeAlarms');
  });
});

describe('a short address', () => {
  it('shows a clip without an account, as long as the centre may play it, and cannot be made up (ARC-28)', async () => {
    const deviceId = await camera();
    const event = made.box.event({ deviceId });
    const record = alarm({ eventId: event.id });
    await made.box.journal([event, record]);
    const path = `/arc-desk/alarms/${record.body.id}/link`;
    await relay.withDb((db) => db.deleteFrom('grants').where('companyId', '=', made.centre.companyId).execute());
    expect((await made.centre.api('POST', path)).body.code).toBe('permission-needed');
    await grantTo(relay, made.centre.companyId, { siteId: acme.siteId, deviceId, permission: 'playback' });
    const link = (await made.centre.api('POST', path)).body;
    expect(link.path).toMatch(/^\/v\/[\w-]{24}$/);
    expect(link.url).toBe(`${relay.url}${link.path}`);
    expect((await made.centre.api('POST', path)).body.path).toBe(link.path);
    const shown = await relay.call('GET', `${link.path}/about`);
    expect(shown).toMatchObject({ status: 200, body: { siteName: 'Acme HQ', eventType: 'motion', clip: null } });
    expect((await relay.call('GET', `${link.path}/video`)).status).toBe(404);
    const [last] = link.path.slice(-2);
    const forged = `${link.path.slice(0, -2)}${last === 'A' ? 'B' : 'A'}${link.path.slice(-1)}`;
    for (const bad of [forged, `${link.path}A`, '/v/x']) {
      expect((await relay.call('GET', `${bad}/about`)).body).toMatchObject({ code: 'link-invalid' });
    }
    await relay.withDb((db) => db.deleteFrom('grants').where('deviceId', '=', deviceId).execute());
    expect((await relay.call('GET', `${link.path}/about`)).status).toBe(410);
  });

  it('is given to a box for its own account, before its event has come, and shows no other box’s event', async () => {
    const ask = async (accountId: string, eventId: string) =>
      relay.call(
        'POST',
        '/box/v1/arc-links',
        { accountId, eventId },
        { authorization: await made.box.header('/box/v1/arc-links') },
      );
    expect((await ask(uuidv7(), uuidv7())).status).toBe(404);
    const second = await new TestBox(relay).claimedBy(acme);
    await second.connect();
    const foreign = second.event();
    await second.journal([foreign]);
    second.disconnect();
    await grantTo(relay, made.centre.companyId, { siteId: acme.siteId, permission: 'playback' });
    const other = await ask(made.accountId, foreign.id);
    expect((await relay.call('GET', `${other.body.path}/about`)).status).toBe(410);
    const event = made.box.event({});
    const { body } = await ask(made.accountId, event.id);
    expect((await relay.call('GET', `${body.path}/about`)).status).toBe(410);
    await made.box.journal([event]);
    expect((await relay.call('GET', `${body.path}/about`)).body).toMatchObject({ occurredAt: event.body.occurredAt });
    expect((await relay.call('POST', '/box/v1/arc-links', {})).status).toBe(401);
    await until('the look is noted', async () => {
      const row = await relay.withDb((db) =>
        db.selectFrom('desk_links').select('opened').where('eventId', '=', event.id).executeTakeFirst(),
      );
      return row?.opened === 1;
    });
    // Asked for before there was an event at all: the report of the alarm that took it says which one it is.
    const linkId = uuidv7();
    const ahead = (await ask(made.accountId, linkId)).body.path;
    const taken = made.box.event({});
    await made.box.journal([taken, alarm({ eventId: taken.id, linkId })]);
    expect((await relay.call('GET', `${ahead}/about`)).body).toMatchObject({ occurredAt: taken.body.occurredAt });
    // Of another box it is not: its word changes nothing.
    const theirs = uuidv7();
    const kept = (await ask(made.accountId, theirs)).body.path;
    await second.connect();
    await second.journal([alarmRecord(second, { accountId: uuidv7(), eventId: foreign.id, linkId: theirs })]);
    second.disconnect();
    expect((await relay.call('GET', `${kept}/about`)).status).toBe(410);
  });
});
