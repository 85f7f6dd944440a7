import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeDc09, encodeDc09 } from '../../protocol/codec/dc09.ts';
import { parseDc09Key } from '../../protocol/codec/dc09-cipher.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { centreToBe } from '../arc/joining/testing/centre.ts';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';

const KEY = '000102030405060708090A0B0C0D0E0F';

/** The first of some ports that nobody listens on; below those that the system gives away. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const servers = Array.from({ length: count }, (_, i) => createServer().listen(first + i, '127.0.0.1'));
    const free = await Promise.all(
      servers.map((server) =>
        Promise.race([once(server, 'listening').then(() => true), once(server, 'error').then(() => false)]),
      ),
    ).catch(() => [false]);
    for (const server of servers) server.close();
    if (free.every(Boolean)) return first;
  }
}

let relay: TestRelay;
let north: Company;
let south: Company;
let receivers: Record<string, { id: string; port: number }>;

async function hosted(centre: Company, name: string, more: object = {}) {
  const made = await centre.api('POST', '/arc-receivers', { name, kind: 'hosted', ...more });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return { id: made.body.id as string, port: made.body.direct.port as number };
}

beforeAll(async () => {
  const [from, software] = [await freePorts(3), await freePorts(2)];
  relay = await new TestRelay({
    receiver: {
      host: '127.0.0.1',
      ports: { from, to: from + 2 },
      softwarePorts: { from: software, to: software + 1 },
      address: 'alarms.example',
    },
  }).start();
  north = await centreToBe(relay, 'North');
  south = await centreToBe(relay, 'South');
  receivers = { north: await hosted(north, 'Main'), south: await hosted(south, 'Main') };
});
afterAll(() => relay.stop());

let sequence = 0;
/** One frame to a port; its answer. */
async function send(port: number, account: string, key: Buffer | null, data = '1130 01 005'): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    encodeDc09(
      {
        id: 'ADM-CID',
        encrypted: key !== null,
        sequence: ++sequence,
        receiver: '0',
        line: '0',
        account,
        data: `#${account}|${data}`,
        xdata: [],
        timestamp: Date.now(),
      },
      { key },
    ),
  );
  const [reply] = await once(socket, 'data');
  socket.destroy();
  const decoded = decodeDc09(reply, key);
  return decoded.ok ? decoded.message.id : 'unreadable';
}

describe('receivers on the relay', () => {
  it('each has a port of its own, so that account numbers are its centre’s; keys are never shown (ARC-22)', async () => {
    expect(receivers.north!.port).not.toBe(receivers.south!.port);
    for (const [centre, key] of [
      [north, KEY],
      [south, null],
    ] as const) {
      const receiverId = receivers[centre === north ? 'north' : 'south']!.id;
      const added = await centre.api('POST', '/arc-senders', { receiverId, account: '1234', name: 'Panel', key });
      expect(added.status, JSON.stringify(added.body)).toBe(201);
      expect(JSON.stringify(added.body)).not.toContain(KEY);
    }
    expect(await send(receivers.north!.port, '1234', parseDc09Key(KEY, 'hex'))).toBe('ACK');
    expect(await send(receivers.south!.port, '1234', null)).toBe('ACK');
    expect(await send(receivers.south!.port, '9999', null)).toBe('NAK');
    for (const centre of [north, south]) {
      const { items } = (await centre.api('GET', '/arc-received')).body;
      expect(items).toHaveLength(1);
      expect(items[0]).toMatchObject({ account: '1234', encrypted: centre === north, events: [{ event: '130' }] });
      const senders = (await centre.api('GET', '/arc-senders')).body;
      expect(senders).toMatchObject({ host: 'alarms.example', receivers: [{ name: 'Main' }] });
      expect(senders.items[0].lastHeardAt).not.toBeNull();
    }
    const listed = await north.api('GET', '/arc-receivers');
    expect(listed.body.items[0].direct).toEqual({ host: 'alarms.example', port: receivers.north!.port });
    await until(
      'it',
      async () => (await relay.withDb((db) => db.selectFrom('desk_alarms').selectAll().execute())).length === 2,
    );
  });

  it('one centre reaches nothing of another’s', async () => {
    const output = await north.api('POST', '/arc-outputs', { name: 'Fetched', config: { kind: 'pull' } });
    const sender = (await north.api('GET', '/arc-senders')).body.items[0];
    const bodyOf = { name: 'x', config: { kind: 'pull' } };
    const tries: [string, string, unknown?][] = [
      ['PUT', `/arc-outputs/${output.body.id}`, bodyOf],
      ['DELETE', `/arc-outputs/${output.body.id}`],
      ['POST', `/arc-outputs/${output.body.id}/test`, {}],
      ['POST', `/arc-outputs/${output.body.id}/secret`],
      ['GET', `/arc-outputs/${output.body.id}/messages`],
      ['POST', `/arc-outputs/${output.body.id}/commit`, { cursor: '1' }],
      ['PUT', `/arc-senders/${sender.id}`, { receiverId: receivers.south!.id, account: '1234', name: 'x' }],
      ['DELETE', `/arc-senders/${sender.id}`],
      ['POST', '/arc-senders', { receiverId: receivers.north!.id, account: '7777', name: 'x' }],
    ];
    for (const [method, path, body] of tries)
      expect([path, (await south.api(method, path, body)).status]).toEqual([path, 404]);
    expect((await south.api('GET', '/arc-outputs')).body.items).toEqual([]);
    const installer = await relay.company('Installer');
    expect((await installer.api('GET', '/arc-outputs')).status).toBe(404);
  });

  it('hands on through the pull API: what came after it was made, until it is committed (API-02)', async () => {
    const { id } = (await north.api('GET', '/arc-outputs')).body.items[0];
    expect((await north.api('GET', `/arc-outputs/${id}/messages`)).body).toEqual({ items: [], cursor: null });
    const waiting = north.api('GET', `/arc-outputs/${id}/messages?wait=20`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await send(receivers.north!.port, '1234', parseDc09Key(KEY, 'hex'), '3130 01 005');
    const { items, cursor } = (await waiting).body;
    expect(items).toMatchObject([{ account: '1234', data: '#1234|3130 01 005', repeatOf: null }]);
    expect((await north.api('POST', `/arc-outputs/${id}/commit`, { cursor: '999999' })).status).toBe(409);
    expect((await north.api('POST', `/arc-outputs/${id}/commit`, { cursor })).status).toBe(204);
    expect((await north.api('GET', `/arc-outputs/${id}/messages`)).body.items).toEqual([]);
    expect((await north.api('GET', `/arc-outputs/${id}/messages?after=0`)).body.items.length).toBeGreaterThan(1);
  });

  it('MLR2 gets a port of the range, and only the addresses named may connect; a test message shows what became of it', async () => {
    const wanted = { name: 'Automation', config: { kind: 'mlr2', mode: 'server', peers: ['127.0.0.1'] } };
    expect(
      (await north.api('POST', '/arc-outputs', { ...wanted, config: { ...wanted.config, peers: [] } })).status,
    ).toBe(400);
    const made = await north.api('POST', '/arc-outputs', wanted);
    expect(made.body).toMatchObject({ state: 'connecting', webhookSecret: null, secret: false });
    const software = connect(made.body.listeningPort, '127.0.0.1');
    const lines: string[] = [];
    software.setEncoding('latin1').on('data', (text: string) => {
      lines.push(text);
      software.write('\x06');
    });
    const test = await north.api('POST', `/arc-outputs/${made.body.id}/test`, { account: '0042' });
    expect(test.status).toBe(202);
    await until('it', async () => lines.length > 1);
    expect(lines.slice(0, 2)).toEqual(['1011           @    \x14', '5011 180042E60200000\x14']);
    await until('it', async () => (await north.api('GET', '/arc-outputs')).body.items[1].lastAcknowledgedAt !== null);
    const [message] = (await north.api('GET', '/arc-received')).body.items;
    expect(message).toMatchObject({
      id: test.body.messageId,
      source: 'test',
      deliveries: [{ state: 'acknowledged', tries: 1 }],
    });
    software.destroy();
  });

  it('refuses addresses inside the relay’s own network, and webhooks in clear', async () => {
    const add = (config: object) => north.api('POST', '/arc-outputs', { name: 'x', config });
    expect((await add({ kind: 'webhook', url: 'http://192.0.2.1/' })).status).toBe(400);
    expect((await add({ kind: 'webhook', url: 'https://10.0.0.1/' })).status).toBe(400);
    expect((await add({ kind: 'dc09', host: '10.0.0.1', port: 1025 })).status).toBe(400);
    expect((await add({ kind: 'mlr2', mode: 'client', host: '169.254.169.254', port: 80 })).status).toBe(400);
  });

  it('gives the secret of a webhook once, and keeps it sealed', async () => {
    const made = await north.api('POST', '/arc-outputs', {
      name: 'Hook',
      enabled: false,
      config: { kind: 'webhook', url: 'https://127.0.0.1:9/alarms' },
    });
    expect(made.body.webhookSecret).toMatch(/^whsec_/);
    const text = JSON.stringify([
      (await north.api('GET', '/arc-outputs')).body,
      await relay.withDb((db) => db.selectFrom('receiver_outputs').selectAll().execute()),
      relay.logged,
    ]);
    expect(text).not.toContain(made.body.webhookSecret.slice(6));
    const renewed = await north.api('POST', `/arc-outputs/${made.body.id}/secret`);
    expect(renewed.body.webhookSecret).not.toBe(made.body.webhookSecret);
  });

  it('takes a box’s alarms directly and over the relay; one that came both ways is marked, and its account is known', async () => {
    const installer = await relay.company('Boxes');
    const box = await new TestBox(relay).claimedBy(installer);
    const { id: receiverId, port } = receivers.south!;
    const accountId = uuidv7();
    await relay.withDb((db) =>
      db
        .insertInto('arc_accounts')
        .values({
          id: accountId,
          siteId: installer.siteId,
          boxSerial: box.serial,
          receiverId,
          account: '00B1',
          protocol: 'ADM-CID',
          encrypted: 0,
          mode: 'direct-or-relay',
          events: '[]',
          zones: '[]',
          supervisionKind: 'off',
          supervisionIntervalMs: 60_000,
          createdAt: '',
          deletedAt: null,
        })
        .execute(),
    );
    const { ws } = await box.upgrade('/arc-path');
    const frame = encodeDc09({
      id: 'ADM-CID',
      encrypted: false,
      sequence: 41,
      receiver: '0',
      line: '0',
      account: '00B1',
      data: '#00B1|1130 01 009',
      xdata: [],
      timestamp: Date.now(),
    });
    const ask = async () => {
      const attempt = { type: 'attempt', id: 1, accountId, messageId: uuidv7(), attempt: 1, timeoutMs: 2_000 };
      ws!.send(JSON.stringify({ ...attempt, frame: frame.toString('base64') }));
      const outcome = JSON.parse(String((await once(ws!, 'message'))[0]));
      const reply = decodeDc09(Buffer.from(outcome.frame, 'base64'));
      return reply.ok && reply.message.id;
    };
    expect(await ask()).toBe('ACK');
    const socket = connect(port, '127.0.0.1');
    socket.write(frame);
    await once(socket, 'data');
    socket.destroy();
    const [again, first] = (await south.api('GET', '/arc-received')).body.items;
    expect(first).toMatchObject({ account: '00B1', accountId, sequence: 41, repeatOf: null });
    expect(again).toMatchObject({ account: '00B1', repeatOf: first.id });
    // The box reports its alarms itself: they are not on the desk twice.
    const onDesk = await relay.withDb((db) =>
      db.selectFrom('desk_alarms').selectAll().where('account', '=', '00B1').execute(),
    );
    expect(onDesk).toEqual([]);
    ws!.terminate();
    // Taken away at the centre, it is not taken any more.
    await relay.withDb((db) => db.updateTable('arc_accounts').set({ deletedAt: '2026-01-01T00:00:00.000Z' }).execute());
    await until('it', async () => (await send(port, '00B1', null)) === 'NAK');
  });

  it('listens on the same ports after a restart, and on none for a receiver that is gone', async () => {
    await relay.halt();
    await relay.start();
    expect(await send(receivers.south!.port, '1234', null)).toBe('ACK');
    const extra = await hosted(south, 'Second');
    expect((await south.api('POST', '/arc-receivers', { name: 'Third', kind: 'hosted' })).status).toBe(409);
    expect((await south.api('DELETE', `/arc-receivers/${extra.id}`)).status).toBe(204);
    const socket = connect(extra.port, '127.0.0.1');
    const [error] = await once(socket, 'error');
    expect(error.code).toBe('ECONNREFUSED');
    expect((await hosted(south, 'Third')).port).toBe(extra.port);
  });
});
