import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Dc09Message, decodeDc09, encodeDc09, replyDc09 } from '../../protocol/codec/dc09.ts';
import { open } from '../../protocol/codec/sealed.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { colleague } from '../testing/colleague.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { centreToBe } from './joining/testing/centre.ts';

const relay = new TestRelay({ allowInternal: ['127.0.0.0/8'] });
let centre: Company;
let installer: Company;
const KEY = '000102030405060708090A0B0C0D0E0F';

beforeAll(async () => {
  await relay.start();
  centre = await centreToBe(relay, 'Harbour');
  installer = await relay.company('Keller');
});
afterAll(() => relay.stop());

let n = 0;
const receiver = (more: object = {}) => ({
  name: `Receiver ${n++}`,
  direct: { host: 'arc.example', port: 12_000 },
  relay: { host: '127.0.0.1', port: 12_000 },
  ...more,
});
const add = async (more: object = {}) => {
  const made = await centre.api('POST', '/arc-receivers', receiver(more));
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
};
/** As it was entered, to be sent back with a change. */
const again = ({ id: _, accounts: _a, createdAt: _c, encrypted: _e, ...receiver }: Record<string, unknown>) => receiver;

describe('a receiver of a centre', () => {
  it('says how accounts there are spoken for, with defaults that work (ARC-32)', async () => {
    const made = await add();
    expect(made).toMatchObject({
      kind: 'external',
      transport: 'tcp',
      protocol: 'SIA-DCS',
      encrypted: false,
      ackTimeoutMs: 5_000,
      attempts: 2,
      supervision: { kind: 'null', intervalMs: 25_000 },
      periodicTest: null,
      codes: [],
      partition: 1,
      accounts: 0,
      extended: { blocks: 1, text: false, picture: false, path: false },
      ownLine: { enabled: false, line: '1' },
    });
    expect((await centre.api('GET', `/arc-receivers/${made.id}`)).body).toEqual(made);
    expect((await installer.api('GET', `/arc-receivers/${made.id}`)).status).toBe(404);
  });

  it('keeps its key in the vault and shows it to nobody', async () => {
    const made = await add({ key: KEY });
    expect(made).toMatchObject({ encrypted: true, keyFormat: 'hex' });
    const stored = await relay.withDb(async (db) =>
      JSON.stringify([
        await db.selectFrom('arc_receivers').selectAll().execute(),
        await db.selectFrom('audit_entries').selectAll().execute(),
        await db.selectFrom('audit_people').selectAll().execute(),
        await db.selectFrom('idempotency_keys').selectAll().execute(),
      ]),
    );
    for (const text of [stored, JSON.stringify(made), JSON.stringify(relay.logged)]) expect(text).not.toContain(KEY);
    const changed = { ...again(made), attempts: 3 };
    expect((await centre.api('PUT', `/arc-receivers/${made.id}`, changed)).body).toMatchObject({
      encrypted: true,
      attempts: 3,
    });
    const otherWay = await centre.api('PUT', `/arc-receivers/${made.id}`, { ...changed, keyFormat: 'characters' });
    expect(otherWay.body.errors[0].path).toBe('key');
    const cleared = await centre.api('PUT', `/arc-receivers/${made.id}`, { ...changed, key: null });
    expect(cleared.body.encrypted).toBe(false);
  });

  it.each([
    ['a key that is too short', { key: '0011' }],
    ['hex digits that are none', { key: 'xyz'.repeat(16) }],
    ['an address inside the relay’s own network', { relay: { host: '10.0.0.1', port: 1 } }],
    ['no address', { direct: undefined }],
    [
      'a type of event twice',
      {
        codes: [
          { type: 'fire', cid: '110' },
          { type: 'fire', cid: '111' },
        ],
      },
    ],
    ['a code that is none', { codes: [{ type: 'fire', sia: 'fire' }] }],
    ['supervision every second', { supervision: { kind: 'null', intervalMs: 1_000 } }],
    ['the line of the boxes', { ownLine: { enabled: true, line: '00' } }],
    ['a line of seven digits', { ownLine: { enabled: true, line: '1234567' } }],
  ])('refuses %s', async (_, more) => {
    expect((await centre.api('POST', '/arc-receivers', receiver(more))).status).toBe(400);
  });

  it('is the centre’s: not an installer’s, nor an employee’s without all sites', async () => {
    expect((await installer.api('POST', '/arc-receivers', receiver())).status).toBe(403);
    const { id } = await add();
    const employee = await colleague(relay, centre.companyId, ['manage-assigned-sites', 'manage-devices']);
    expect((await employee.api('PUT', `/arc-receivers/${id}`, receiver())).status).toBe(403);
    expect((await employee.api('DELETE', `/arc-receivers/${id}`)).status).toBe(403);
    expect((await employee.api('POST', `/arc-receivers/${id}/test`, { account: '1234' })).status).toBe(403);
    expect((await centre.api('POST', '/arc-receivers', receiver({ kind: 'hosted' }))).body.detail).toContain(
      'enter where',
    );
    const { name } = (await centre.api('GET', `/arc-receivers/${id}`)).body;
    expect((await centre.api('POST', '/arc-receivers', receiver({ name }))).status).toBe(409);
    expect((await centre.api('DELETE', `/arc-receivers/${id}`)).status).toBe(204);
    expect((await centre.api('GET', `/arc-receivers/${id}`)).status).toBe(404);
  });

  it('is followed by every account there, on every box; its key is sealed to each of them', async () => {
    const made = await add();
    const boxes = await Promise.all([1, 2].map(() => new TestBox(relay).claimedBy(installer)));
    const accounts = boxes.map((box, i) => ({ box, id: uuidv7(), account: `100${i}` }));
    await relay.withDb(async (db) => {
      for (const { box, id, account } of accounts) {
        const mode = 'direct-or-relay' as const;
        const supervision = { kind: 'null' as const, intervalMs: 25_000 };
        const common = { id, account, mode, receiverId: made.id, protocol: 'SIA-DCS' as const };
        await db
          .insertInto('arc_accounts')
          .values({
            ...common,
            siteId: installer.siteId,
            boxSerial: box.serial,
            encrypted: 0,
            events: '["fire"]',
            zones: '[]',
            supervisionKind: supervision.kind,
            supervisionIntervalMs: supervision.intervalMs,
            createdAt: '',
            deletedAt: null,
          })
          .execute();
        const item = { ...common, key: null, direct: made.direct, events: ['fire'], zones: [], supervision };
        const empty = { version: 0, items: [] };
        const document = {
          version: 1,
          sections: { devices: empty, recording: empty, arc: { version: 1, items: [item] } },
        };
        await db
          .insertInto('desired_states')
          .values({ serial: box.serial, version: 1, document: JSON.stringify(document), reported: null })
          .execute();
      }
    });
    const change = {
      ...again(made),
      protocol: 'ADM-CID',
      transport: 'udp',
      key: KEY,
      partition: 7,
      ackTimeoutMs: 8_000,
      attempts: 4,
      direct: { host: 'new.example', port: 9 },
      supervision: { kind: 'test', intervalMs: 60_000 },
      codes: [{ type: 'fire', cid: '111' }],
      extended: { blocks: 2, text: true, picture: true, path: false },
      periodicTest: { intervalMs: 86_400_000, atMinute: 120 },
    };
    expect((await centre.api('PUT', `/arc-receivers/${made.id}`, change)).body).toMatchObject({ accounts: 2 });
    const itemOf = async (serial: string) => {
      const row = await relay.withDb((db) =>
        db.selectFrom('desired_states').selectAll().where('serial', '=', serial).executeTakeFirstOrThrow(),
      );
      return JSON.parse(row.document).sections.arc.items[0];
    };
    for (const { box, id, account } of accounts) {
      const { key, name: _n, relay: _r, ...rest } = change as Record<string, unknown>;
      const { kind: _k, ownLine: _o, ...fields } = rest;
      const item = await itemOf(box.serial);
      expect(item).toMatchObject({ ...fields, account, events: ['fire'], mode: 'direct-or-relay' });
      expect(open(item.key, box.sealKey, `arc:${id}`)).toBe(key);
    }
    const rows = await relay.withDb((db) =>
      db.selectFrom('arc_accounts').selectAll().where('receiverId', '=', made.id).execute(),
    );
    for (const row of rows)
      expect(row).toMatchObject({ protocol: 'ADM-CID', encrypted: 1, supervisionKind: 'test', account: /100\d/ });
    await centre.api('PUT', `/arc-receivers/${made.id}`, { ...change, key: null });
    expect((await itemOf(boxes[0]!.serial)).key).toBeNull();
    expect((await centre.api('DELETE', `/arc-receivers/${made.id}`)).status).toBe(409);
  });
});

describe('a test of a receiver, from the relay', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  /** A receiver that answers as the test wants; null: nothing. */
  const receiving = async (answer: (frame: Buffer) => Buffer | 'close' | null): Promise<number> => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (frame) => {
        const reply = answer(frame);
        if (reply === 'close') socket.destroy();
        else if (reply) socket.write(reply);
      });
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const ack = (m: Dc09Message, key: Buffer | null, now = Date.now()) =>
    encodeDc09({ ...m, id: 'ACK', encrypted: key !== null, data: '', xdata: [], timestamp: key ? now : null }, { key });
  const bytes = Buffer.from(KEY, 'hex');
  const plain = (frame: Buffer) => {
    const decoded = decodeDc09(frame, bytes);
    if (!decoded.ok) throw new Error(decoded.code);
    return decoded.message;
  };
  const test = async (port: number, more: object = {}, asked: object = {}) => {
    const { id } = await add({ relay: { host: '127.0.0.1', port }, ackTimeoutMs: 1_000, ...more });
    const { status, body } = await centre.api('POST', `/arc-receivers/${id}/test`, { account: '00A1', ...asked });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(JSON.stringify(body)).not.toContain(KEY);
    return body;
  };

  it('says what was sent, and that it was acknowledged', async () => {
    const port = await receiving((frame) => ack(plain(frame), null));
    const done = await test(port, { ownLine: { enabled: true, line: 'A1' } });
    expect(done).toMatchObject({ result: 'ok', address: '127.0.0.1', opened: null });
    expect(done.sent).toMatch(/"SIA-DCS"\d{4}R0LA1#00A1\[#00A1\|Nri1\/RP\]/);
    expect(done.steps.map((s: { step: string; ok: boolean }) => [s.step, s.ok])).toEqual([
      ['resolve', true],
      ['connect', true],
      ['answer', true],
      ['crc', true],
    ]);
    const cid = await test(port, { protocol: 'ADM-CID' });
    expect(cid.sent).toContain('|1602 01 000]');
    expect((await test(port, {}, { message: 'null' })).sent).toContain('"NULL"0000R0L0#00A1[]');
  });

  it('opens the answer with the key, also with one that is not saved yet', async () => {
    const port = await receiving((frame) => ack(plain(frame), bytes));
    expect(await test(port, { key: KEY })).toMatchObject({ result: 'ok', opened: '[]' });
    expect((await test(port, {}, { key: KEY, keyFormat: 'hex' })).result).toBe('ok');
  });

  it('says “CRC good, decrypt bad” where the receiver has another key', async () => {
    const other = Buffer.alloc(16, 7);
    // It acknowledges although it cannot read: such receivers were seen.
    const port = await receiving((frame) => {
      const [, sequence] = /"(\d{4})R/.exec(frame.toString('latin1'))!;
      const head = { id: 'SIA-DCS', sequence: Number(sequence), receiver: '0', line: '0', account: '00A1' };
      return ack({ ...head, encrypted: true, data: '', xdata: [], timestamp: 0 }, other);
    });
    const done = await test(port, { key: 'FF'.repeat(16) });
    expect(done.result).toBe('decrypt-bad');
    expect(done.steps.slice(-2)).toEqual([
      { step: 'crc', ok: true, ms: null },
      { step: 'key', ok: false, ms: null },
    ]);
  });

  it('says so when the receiver reads the same key as characters', async () => {
    const asCharacters = Buffer.from(KEY, 'latin1');
    const port = await receiving((frame) => {
      const decoded = decodeDc09(frame, asCharacters);
      return decoded.ok ? ack(decoded.message, asCharacters) : replyDc09({ id: 'NAK' }, Date.now());
    });
    expect((await test(port, { key: KEY })).result).toBe('key-format');
  });

  it('learns the receiver’s clock from a NAK and sends again', async () => {
    const aheadMs = 600_000;
    const port = await receiving((frame) => {
      const message = plain(frame);
      const late = Math.abs(message.timestamp! - (Date.now() + aheadMs)) > 20_000;
      return late ? replyDc09({ id: 'NAK' }, Date.now() + aheadMs) : ack(message, null);
    });
    const done = await test(port);
    expect(done.result).toBe('ok');
    expect(Math.abs(done.clockOffsetMs - aheadMs)).toBeLessThan(3_000);
    const never = await receiving(() => replyDc09({ id: 'NAK' }, Date.now() + aheadMs));
    expect((await test(never)).result).toBe('clock');
  });

  it.each([
    ['refused', () => replyDc09({ id: 'NAK' }, Date.now())],
    [
      'unsupported',
      (frame: Buffer) => encodeDc09({ ...plain(frame), id: 'DUH', data: '', xdata: [], timestamp: null }),
    ],
    ['crc-bad', () => Buffer.from('\n0000000B"ACK"0001L0\r')],
    ['reset', () => 'close' as const],
    ['no-answer', () => null],
  ])('says %s', async (result, answer) => {
    expect((await test(await receiving(answer))).result).toBe(result);
  });

  it('says that nobody listens there, or that the answer came in clear', async () => {
    const port = await receiving((frame) => ack(plain(frame), null));
    expect((await test(port, { key: KEY })).result).toBe('plain-answer');
    servers.splice(0)[0]!.close();
    const done = await test(port);
    expect(done).toMatchObject({ result: 'no-connection', answer: null });
  });
});
