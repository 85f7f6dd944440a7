import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { type Dc09Message, decodeDc09, encodeDc09 } from '../../protocol/codec/dc09.ts';
import type { ArcOutcome } from '../../protocol/wire/arc-path.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';

let relay: TestRelay;
let acme: Company;
let box: TestBox;
let ws: WebSocket;
const KEY = '000102030405060708090A0B0C0D0E0F';

/** A receiver that answers as each test wants; what it got stays in `got`. */
let arc: Server;
let got: Dc09Message[] = [];
let answer: (message: Dc09Message, socket: Socket) => void;
const sockets = new Set<Socket>();
const acknowledge = (m: Dc09Message, socket: Socket): void => {
  socket.write(encodeDc09({ ...m, id: 'ACK', data: '', xdata: [] }, { key: Buffer.from(KEY, 'hex') }));
};
const port = () => (arc.address() as AddressInfo).port;

beforeAll(async () => {
  relay = await new TestRelay().start();
  acme = await relay.company('Acme');
  arc = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const decoded = decodeDc09(data, Buffer.from(KEY, 'hex'));
      if (!decoded.ok) throw new Error(decoded.code);
      got.push(decoded.message);
      answer(decoded.message, socket);
    });
  }).listen(0, '127.0.0.1');
  await once(arc, 'listening');
});
afterAll(async () => {
  await relay.stop();
  arc.close();
});

let plain: string;
let encrypted: string;
beforeEach(async () => {
  got = [];
  answer = acknowledge;
  box = await new TestBox(relay).claimedBy(acme);
  const { serial: boxSerial } = box;
  const ends = { direct: { host: 'arc.example', port: 1 }, relay: { host: '127.0.0.1', port: port() } };
  const receiver = (await acme.api('POST', '/receivers', { name: `ARC ${boxSerial}`, ...ends })).body;
  const add = async (account: string, key: string | null) => {
    const wanted = { boxSerial, receiverId: receiver.id, account, protocol: 'SIA-DCS', key, events: ['motion'] };
    return (await acme.api('POST', `/sites/${acme.siteId}/arc`, wanted)).body.id;
  };
  plain = await add('1234', null);
  encrypted = await add('00A1', KEY);
  ws = await open();
});
afterEach(() => {
  ws.terminate();
  for (const socket of sockets) socket.destroy();
});

async function open(): Promise<WebSocket> {
  const { ws: socket, status } = await box.upgrade('/arc-path');
  expect(status).toBe(101);
  return socket!;
}

const frame = (change: Partial<Dc09Message> = {}): string =>
  encodeDc09(
    {
      id: 'SIA-DCS',
      encrypted: false,
      sequence: 7,
      receiver: '0',
      line: '0',
      account: '1234',
      data: '#1234|Nri1/BA003',
      xdata: [],
      timestamp: 1_700_000_000_000,
      ...change,
    },
    { key: Buffer.from(KEY, 'hex') },
  ).toString('base64');

let nextId = 1;
function ask(change: object = {}, socket = ws): Promise<ArcOutcome> {
  const id = nextId++;
  const attempt = { type: 'attempt', id, accountId: plain, messageId: uuidv7(), attempt: 1, frame: frame() };
  socket.send(JSON.stringify({ ...attempt, timeoutMs: 500, ...change }));
  return new Promise((resolve) => {
    const listen = (data: unknown): void => {
      const outcome = JSON.parse(String(data)) as ArcOutcome;
      if (outcome.id !== id) return;
      socket.off('message', listen);
      resolve(outcome);
    };
    socket.on('message', listen);
  });
}
const replyOf = (outcome: ArcOutcome) => {
  if (outcome.result !== 'reply') throw new Error(outcome.text);
  const decoded = decodeDc09(Buffer.from(outcome.frame, 'base64'), Buffer.from(KEY, 'hex'));
  return decoded.ok ? decoded.message : null;
};
const attempts = () => relay.withDb((db) => db.selectFrom('arc_attempts').selectAll().orderBy('rowId').execute());

describe('alarm path of the relay', () => {
  it('records the attempt, sends the frame once and returns the reply (ARC-24)', async () => {
    let recorded: unknown;
    const before = (await attempts()).length;
    answer = async (message, socket) => {
      recorded = (await attempts()).slice(before).map((row) => row.state);
      acknowledge(message, socket);
    };
    const outcome = await ask({ accountId: encrypted, frame: frame({ account: '00A1', encrypted: true }) });
    expect(outcome).toMatchObject({ result: 'reply', stored: false });
    expect(replyOf(outcome)).toMatchObject({ id: 'ACK', encrypted: true, sequence: 7, account: '00A1' });
    expect(recorded).toEqual(['sending']);
    expect((await attempts()).slice(before)).toMatchObject([
      { state: 'acknowledged', accountId: encrypted, attempt: 1 },
    ]);
    expect(got).toHaveLength(1);
  });

  it('answers from its record what was acknowledged, also after a restart, and asked for twice at once sends once', async () => {
    const messageId = uuidv7();
    answer = (message, socket) => void setTimeout(() => acknowledge(message, socket), 100);
    const both = await Promise.all([ask({ messageId }), ask({ messageId, attempt: 2 })]);
    expect(both.map((o) => o.result)).toEqual(['reply', 'reply']);
    expect(await ask({ messageId, attempt: 3 })).toMatchObject({ result: 'reply', stored: true });
    await relay.halt();
    await relay.start();
    ws = await open();
    const later = await ask({ messageId, attempt: 4 });
    expect(later).toMatchObject({ result: 'reply', stored: true });
    expect(replyOf(later)).toMatchObject({ id: 'ACK', sequence: 7 });
    expect(got).toHaveLength(1);
  });

  it('sends again what was refused, and what nobody knows of', async () => {
    const messageId = uuidv7();
    answer = (message, socket) => {
      socket.write(encodeDc09({ ...message, id: 'NAK', sequence: 0, line: '0', account: null, data: '', xdata: [] }));
    };
    expect(replyOf(await ask({ messageId }))).toMatchObject({ id: 'NAK' });
    answer = () => {};
    expect(await ask({ messageId, attempt: 2 })).toMatchObject({ result: 'failed', code: 'timeout', sent: true });
    answer = acknowledge;
    expect(await ask({ messageId, attempt: 3 })).toMatchObject({ result: 'reply', stored: false });
    expect(got).toHaveLength(3);
  });

  it('does not take a clear ACK to an encrypted message for an acknowledgement', async () => {
    const messageId = uuidv7();
    answer = (m, socket) => socket.write(encodeDc09({ ...m, id: 'ACK', encrypted: false, data: '', xdata: [] }));
    const attempt = { messageId, accountId: encrypted, frame: frame({ account: '00A1', encrypted: true }) };
    expect(await ask(attempt)).toMatchObject({ result: 'reply', stored: false });
    expect(await ask({ ...attempt, attempt: 2 })).toMatchObject({ result: 'reply', stored: false });
  });

  it('ignores a reply that is to another message', async () => {
    answer = (m, socket) => {
      acknowledge({ ...m, sequence: 8 }, socket);
      acknowledge({ ...m, account: '4321' }, socket);
      socket.write('\nrubbish\r');
      setTimeout(() => acknowledge(m, socket), 20);
    };
    expect(replyOf(await ask())).toMatchObject({ sequence: 7, account: '1234' });
  });

  it('says whether the frame had left when there is no reply', async () => {
    answer = (_, socket) => socket.resetAndDestroy();
    expect(await ask()).toMatchObject({ result: 'failed', code: 'reset', sent: true });
    answer = (_, socket) => socket.destroy();
    expect(await ask()).toMatchObject({ result: 'failed', code: 'reset', sent: true });
    const receivers = (await acme.api('GET', '/receivers')).body.items;
    const mine = receivers.find((r: { name: string }) => r.name.endsWith(box.serial));
    await acme.api('PUT', `/receivers/${mine.id}`, { ...mine, relay: { host: '127.0.0.1', port: 1 } });
    expect(await ask()).toMatchObject({ result: 'failed', code: 'refused', sent: false });
    await acme.api('PUT', `/receivers/${mine.id}`, { ...mine, relay: { host: 'no-such-host.invalid', port: 1 } });
    expect(await ask()).toMatchObject({ result: 'failed', code: 'unreachable', sent: false });
  });

  it('sends nothing for an account of another box, to another account, in clear where there is a key, or that is no frame', async () => {
    const other = await new TestBox(relay).claimedBy(acme);
    const { ws: foreign } = await other.upgrade('/arc-path');
    expect(await ask({}, foreign)).toMatchObject({ code: 'not-allowed', sent: false });
    foreign!.terminate();
    expect(await ask({ accountId: uuidv7() })).toMatchObject({ code: 'not-allowed' });
    expect(await ask({ frame: frame({ account: '9999' }) })).toMatchObject({ code: 'not-allowed' });
    expect(await ask({ accountId: encrypted, frame: frame({ account: '00A1' }) })).toMatchObject({ code: 'invalid' });
    expect(await ask({ frame: frame({ encrypted: true }) })).toMatchObject({ code: 'invalid' });
    expect(await ask({ frame: frame({ id: 'ACK' }) })).toMatchObject({ code: 'invalid' });
    expect(await ask({ frame: Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('base64') })).toMatchObject({
      code: 'invalid',
    });
    await acme.api('DELETE', `/arc/${plain}`);
    expect(await ask()).toMatchObject({ code: 'not-allowed' });
    expect(got).toEqual([]);
  });

  it.each([
    ['no JSON', 'x', 1008],
    ['another message', JSON.stringify({ type: 'attempt' }), 1008],
    ['too much', JSON.stringify({ type: 'x'.repeat(20_000) }), 1009],
  ])('closes on %s and harms nobody else', async (_, text, code) => {
    ws.send(text);
    const [closed] = await once(ws, 'close');
    expect(closed).toBe(code);
    ws = await open();
    expect(await ask()).toMatchObject({ result: 'reply' });
  });

  it('takes a bounded number at once', async () => {
    answer = () => {};
    ws.setMaxListeners(50);
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => ask()));
    expect(outcomes.filter((o) => o.result === 'failed' && o.code === 'busy')).toHaveLength(8);
  });

  it('passes supervision on without recording it', async () => {
    const before = (await attempts()).length;
    const nothing = frame({ id: 'NULL', sequence: 0, data: '' });
    expect(replyOf(await ask({ frame: nothing }))).toMatchObject({ id: 'ACK', sequence: 0 });
    expect(await attempts()).toHaveLength(before);
  });

  it('has one connection a box, the newest, and cuts it when the box is revoked', async () => {
    const second = await open();
    await until('the first one closed', () => ws.readyState === ws.CLOSED);
    expect(await ask({}, second)).toMatchObject({ result: 'reply' });
    await acme.api('POST', `/boxes/${box.serial}/revoke`);
    await until('cut off', () => second.readyState === second.CLOSED);
    expect((await box.upgrade('/arc-path')).status).toBe(403);
  });
});
