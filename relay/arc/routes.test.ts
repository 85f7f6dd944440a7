import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { open } from '../../protocol/codec/sealed.ts';
import type { AlarmReport, JournalRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';

let relay: TestRelay;
let acme: Company;
let other: Company;
let box: TestBox;
beforeAll(async () => {
  relay = await new TestRelay({ allowInternal: ['127.0.9.0/24'] }).start();
  acme = await relay.company('Acme');
  other = await relay.company('Other');
});
afterAll(() => relay.stop());
beforeEach(async () => {
  box = await new TestBox(relay).claimedBy(acme);
});

const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXABCDEFGH';
let n = 0;
const receiverOf = (company: Company, change: object = {}) =>
  company.api('POST', '/receivers', {
    name: `ARC ${n++}`,
    direct: { host: 'arc.example', port: 12_000 },
    relay: { host: '127.0.9.1', port: 12_001 },
    ...change,
  });
const accountFor = async (change: object = {}) => {
  const receiver = (await receiverOf(acme)).body;
  const wanted = {
    boxSerial: box.serial,
    receiverId: receiver.id,
    account: '00A1',
    protocol: 'SIA-DCS',
    events: ['motion'],
  };
  const made = await acme.api('POST', `/sites/${acme.siteId}/arc`, { ...wanted, ...change });
  return { receiver, wanted: { ...wanted, ...change }, ...made };
};
// biome-ignore lint/suspicious/noExplicitAny: the document as the box gets it
const desired = async (): Promise<any[]> => {
  const row = await relay.withDb((db) =>
    db.selectFrom('desired_states').select('document').where('serial', '=', box.serial).executeTakeFirst(),
  );
  return row ? JSON.parse(row.document).sections.arc.items : [];
};

describe('receivers and accounts', () => {
  it('gives an account to the box, its key sealed and never shown (ARC-15)', async () => {
    const { status, body, receiver } = await accountFor({ key: KEY, keyFormat: 'characters' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ account: '00A1', encrypted: true, mode: 'direct-or-relay', zones: [], health: null });
    expect(JSON.stringify(body)).not.toContain(KEY);
    const [item] = await desired();
    expect(item).toMatchObject({
      id: body.id,
      receiverId: receiver.id,
      direct: receiver.direct,
      keyFormat: 'characters',
    });
    expect(open(item.key, box.sealKey, `arc:${body.id}`)).toBe(KEY);
    const listed = (await acme.api('GET', `/sites/${acme.siteId}/arc`)).body.items;
    expect(listed.find((a: { id: string }) => a.id === body.id)).toEqual(body);
    expect(relay.logged.filter((line) => JSON.stringify(line).includes(KEY))).toEqual([]);
    const dump = await relay.withDb((db) => db.selectFrom('arc_accounts').selectAll().execute());
    expect(JSON.stringify(dump)).not.toContain(KEY);
  });

  it('keeps the key when a change has none, and follows every other change', async () => {
    const { body, wanted } = await accountFor({ key: KEY, keyFormat: 'characters' });
    const change = { ...wanted, key: null, mode: 'relay', events: ['motion', 'tamper'], account: 'BEEF' };
    expect((await acme.api('PUT', `/arc/${body.id}`, change)).body).toMatchObject({ encrypted: true, mode: 'relay' });
    const [item] = await desired();
    expect(item).toMatchObject({ account: 'BEEF', events: ['motion', 'tamper'], keyFormat: 'characters' });
    expect(open(item.key, box.sealKey, `arc:${body.id}`)).toBe(KEY);
    const hex = '00'.repeat(16);
    await acme.api('PUT', `/arc/${body.id}`, { ...change, key: hex, keyFormat: 'hex' });
    expect(open((await desired())[0].key, box.sealKey, `arc:${body.id}`)).toBe(hex);
    expect((await acme.api('DELETE', `/arc/${body.id}`)).status).toBe(204);
    expect(await desired()).toEqual([]);
    expect((await acme.api('PUT', `/arc/${body.id}`, change)).status).toBe(404);
  });

  it('tells the boxes when a receiver moves', async () => {
    const { receiver } = await accountFor();
    const moved = { ...receiver, direct: { host: 'new.example', port: 9 }, transport: 'udp' };
    expect((await acme.api('PUT', `/receivers/${receiver.id}`, moved)).body).toEqual(moved);
    expect((await desired())[0]).toMatchObject({ direct: moved.direct, transport: 'udp' });
  });

  it('shows the path that the box uses now', async () => {
    const { body } = await accountFor();
    await box.connect();
    const since = new Date().toISOString();
    const health = { accountId: body.id, path: 'relay', since, direct: 'down', relay: 'up', waiting: 2 };
    await box.publish(box.topics.health, box.health({ arc: [health] } as never));
    await until('health', async () => {
      const { items } = (await acme.api('GET', `/sites/${acme.siteId}/arc`)).body;
      return items.find((a: { id: string }) => a.id === body.id).health?.path === 'relay';
    });
    box.disconnect();
  });

  it.each([
    [{ key: 'tooshort' }, 400],
    [{ key: 'xyz'.repeat(16), keyFormat: 'hex' }, 400],
    [{ account: '12' }, 400],
    [{ account: '00a1' }, 400],
    [{ events: [] }, 400],
    [{ receiverId: uuidv7() }, 404],
    [{ boxSerial: 'AAAAAAAAA' }, 404],
  ])('refuses %j', async (change, status) => {
    expect((await accountFor(change)).status).toBe(status);
    expect(await desired()).toEqual([]);
  });

  it('refuses an account number in use, and a receiver inside the relay’s own network', async () => {
    const { wanted } = await accountFor();
    expect(await acme.api('POST', `/sites/${acme.siteId}/arc`, wanted)).toMatchObject({ status: 409 });
    expect(await receiverOf(acme, { relay: { host: '127.0.0.1', port: 22 } })).toMatchObject({ status: 400 });
    expect(await receiverOf(acme, { relay: { host: '169.254.169.254', port: 80 } })).toMatchObject({ status: 400 });
  });

  it('shows nothing of another company, and lets nothing of it be used', async () => {
    const { body, receiver, wanted } = await accountFor();
    const foreign = (await receiverOf(other)).body;
    expect((await other.api('GET', '/receivers')).body.items).toEqual([foreign]);
    expect((await other.api('PUT', `/receivers/${receiver.id}`, receiver)).status).toBe(404);
    expect((await other.api('GET', `/sites/${acme.siteId}/arc`)).status).toBe(404);
    expect((await other.api('GET', `/sites/${acme.siteId}/alarms`)).status).toBe(404);
    expect((await other.api('PUT', `/arc/${body.id}`, wanted)).status).toBe(404);
    expect((await other.api('DELETE', `/arc/${body.id}`)).status).toBe(404);
    expect((await other.api('POST', `/sites/${other.siteId}/arc`, wanted)).status).toBe(404);
    const mixed = { ...wanted, receiverId: foreign.id, account: 'ABC' };
    expect((await acme.api('POST', `/sites/${acme.siteId}/arc`, mixed)).status).toBe(404);
  });
});

describe('alarms', () => {
  const report = (account: { id: string; receiverId: string }, change: Partial<AlarmReport>): JournalRecord => {
    const now = new Date().toISOString();
    return {
      seq: ++box.seq,
      id: uuidv7(),
      at: now,
      kind: 'alarm',
      body: {
        id: uuidv7(),
        eventId: uuidv7(),
        kind: 'alarm',
        accountId: account.id,
        account: '00A1',
        receiverId: account.receiverId,
        protocol: 'SIA-DCS',
        code: 'BA',
        zone: '001',
        sequence: 1,
        state: 'waiting',
        path: null,
        tries: 1,
        occurredAt: now,
        queuedAt: now,
        acknowledgedAt: null,
        possibleRepeat: false,
        reason: null,
        log: [],
        ...change,
      },
    } as JournalRecord;
  };

  it('lists what became of each message, newest first, and with its event', async () => {
    const { body: account, receiver } = await accountFor();
    const site = `/sites/${acme.siteId}/alarms`;
    await box.connect();
    const event = box.event({ deviceId: uuidv7() });
    const eventId = event.id;
    const waiting = report(account, { eventId });
    const id = (waiting.body as AlarmReport).id;
    await box.journal([event, waiting]);
    expect((await acme.api('GET', `${site}?limit=1`)).body.items[0]).toMatchObject({
      id,
      state: 'waiting',
      path: null,
    });
    const acknowledgedAt = new Date().toISOString();
    const end = {
      id,
      eventId,
      state: 'acknowledged',
      path: 'relay',
      tries: 3,
      possibleRepeat: true,
      acknowledgedAt,
    } as const;
    const last = report(account, end);
    await box.journal([last, report(account, { id, eventId, state: 'waiting' })]);
    const later = report(account, { kind: 'test', code: 'RP' });
    await box.journal([later]);
    const first = (await acme.api('GET', `${site}?limit=1`)).body;
    expect(first.items).toMatchObject([{ id: (later.body as AlarmReport).id, deviceId: null }]);
    const second = (await acme.api('GET', `${site}?limit=1&cursor=${first.nextCursor}`)).body;
    const shown = {
      siteId: acme.siteId,
      deviceId: event.body.deviceId,
      receiverName: receiver.name,
      origin: 'box',
    };
    expect(second.items).toEqual([{ ...last.body, ...shown }]);
    expect((await acme.api('GET', `/events/${eventId}`)).body.alarms).toEqual(second.items);
    expect((await acme.api('GET', `${site}?cursor=x`)).status).toBe(400);
    box.disconnect();
  });

  it('does not let a box write over an alarm of another, nor read a name through it', async () => {
    const { body: account } = await accountFor();
    const mine = report(account, {});
    await box.connect();
    await box.journal([mine]);
    box.disconnect();
    box = await new TestBox(relay).claimedBy(other);
    await box.connect();
    const { id } = mine.body as AlarmReport;
    await box.journal([report(account, { id, state: 'failed' }), report(account, { zone: '777' })]);
    box.disconnect();
    const listed = (await acme.api('GET', `/sites/${acme.siteId}/alarms`)).body.items;
    expect(listed.find((a: AlarmReport) => a.id === id)).toMatchObject({ state: 'waiting' });
    const theirs = (await other.api('GET', `/sites/${other.siteId}/alarms`)).body.items;
    expect(theirs).toMatchObject([{ zone: '777', receiverName: '' }]);
  });
});
