import { randomInt, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { ManualClock } from '../../protocol/clock.ts';
import { encodeDc09 } from '../../protocol/codec/dc09.ts';
import type { ArcOutcome } from '../../protocol/wire/arc-path.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';
import { LineReceiver } from './testing/line-world.ts';

const clock = new ManualClock(Date.UTC(2026, 5, 1));
const relay = new TestRelay({ clock });
const receiver = new LineReceiver(clock);
const tls = new TestRelay({ clock, publicUrl: 'https://relay.example', proxies: 1 });
let acme: Company;
let other: Company;
let box: TestBox;
let accountId: string;

beforeAll(async () => {
  await receiver.start();
  await relay.start();
  await tls.start();
  acme = await relay.company('Acme');
  other = await relay.company('Other');
});
afterAll(async () => {
  await relay.stop();
  await tls.stop();
  await receiver.stop();
});
beforeEach(async () => {
  receiver.got.length = 0;
  receiver.answer = () => 'ack';
  ({ box, accountId } = await boxOf(acme, '1234'));
});
const sockets: WebSocket[] = [];
afterEach(() => {
  for (const ws of sockets.splice(0)) ws.terminate();
  box.disconnect();
});

async function boxOf(company: Company, account: string) {
  const made = await new TestBox(relay).claimedBy(company);
  const end = { host: '127.0.0.1', port: receiver.port };
  const arc = { name: `ARC ${made.serial}`, direct: end, relay: end };
  const { id: receiverId } = (await company.api('POST', '/receivers', arc)).body;
  const wanted = { boxSerial: made.serial, receiverId, account, protocol: 'SIA-DCS', events: ['motion'] };
  const { id } = (await company.api('POST', `/sites/${company.siteId}/arc`, wanted)).body;
  return { box: made, accountId: id as string };
}
async function open(of: TestBox): Promise<WebSocket> {
  const { ws, status } = await of.upgrade('/arc-path');
  expect(status).toBe(101);
  ws!.setMaxListeners(1000);
  sockets.push(ws!);
  return ws!;
}
const frameOf = (account: string, sequence = 7) =>
  encodeDc09({
    id: 'SIA-DCS',
    encrypted: false,
    sequence,
    receiver: '0',
    line: '0',
    account,
    data: `#${account}|Nri1/BA003`,
    xdata: [],
    timestamp: clock.now(),
  }).toString('base64');
let nextId = 1;
function ask(ws: WebSocket, change: object): Promise<ArcOutcome> {
  const id = nextId++;
  const attempt = { type: 'attempt', id, accountId, messageId: uuidv7(), attempt: 1, frame: frameOf('1234') };
  ws.send(JSON.stringify({ ...attempt, timeoutMs: 500, ...change }));
  return new Promise((resolve) => {
    const listen = (data: unknown): void => {
      const outcome = JSON.parse(String(data)) as ArcOutcome;
      if (outcome.id !== id) return;
      ws.off('message', listen);
      resolve(outcome);
    };
    ws.on('message', listen);
  });
}
const attempts = () => relay.withDb((db) => db.selectFrom('arc_attempts').selectAll().execute());

describe('who may use the relay path', () => {
  it('is a box with a fresh proof for it: none, another’s, one for elsewhere or used before is refused (ARC-24)', async () => {
    const header = await box.header('/arc-path');
    expect((await box.upgrade('/arc-path', '')).status).toBe(401);
    expect((await box.upgrade('/arc-path', await box.header('/mqtt'))).status).toBe(401);
    const foreign = await boxOf(other, '9999');
    const stolen = (await foreign.box.header('/arc-path')).replace(foreign.box.serial, box.serial);
    expect((await box.upgrade('/arc-path', stolen)).status).toBe(401);
    const first = await box.upgrade('/arc-path', header);
    sockets.push(first.ws!);
    expect(first.status).toBe(101);
    // Captured on the way and played back: in a second, and after a minute.
    expect(await box.upgrade('/arc-path', header)).toMatchObject({ status: 401, code: 'box-not-authenticated' });
    await clock.jump(61_000);
    expect((await box.upgrade('/arc-path', header)).status).toBe(401);
  });

  it('comes over TLS where the relay has it', async () => {
    const company = await tls.company('Acme');
    const clear = await new TestBox(tls).claimedBy(company);
    expect(await clear.upgrade('/arc-path')).toEqual({ status: 403, code: 'tls-needed' });
  });

  it('loses it at once for a revoked key, and within a minute for one revoked in the database behind the relay', async () => {
    const ws = await open(box);
    expect(await ask(ws, {})).toMatchObject({ result: 'reply' });
    await relay.withDb((db) =>
      db.updateTable('boxes').set({ state: 'revoked' }).where('serial', '=', box.serial).execute(),
    );
    expect(await ask(ws, {})).toMatchObject({ result: 'failed', code: 'not-allowed', sent: false });
    for (let s = 0; s < 60 && ws.readyState === ws.OPEN; s += 5) {
      ws.ping();
      await new Promise((resolve) => setTimeout(resolve, 5));
      await clock.advance(5_000);
    }
    await until('cut off', () => ws.readyState === ws.CLOSED);
    expect((await box.upgrade('/arc-path')).code).toBe('box-revoked');
    expect(receiver.got).toHaveLength(1);
  });

  it('is refused to two boxes with one identity, and the site is told', async () => {
    box.epoch = 3;
    const ws = await open(box);
    const own = box.boot;
    box.boot = randomUUID();
    const copy = await box.upgrade('/arc-path');
    expect(copy).toEqual({ status: 409, code: 'duplicate-identity' });
    await until('the first is cut off, too', () => ws.readyState === ws.CLOSED);
    box.boot = own;
    expect((await box.upgrade('/arc-path')).code).toBe('duplicate-identity');
    const { warnables } = (await acme.api('GET', `/sites/${acme.siteId}`)).body;
    expect(warnables).toContainEqual(
      expect.objectContaining({ code: 'duplicate-identity', subject: `box:${box.serial}`, severity: 'error' }),
    );
  });
});

describe('a box among others', () => {
  it('reaches no account but its own, whatever ids it tries, and learns nothing of them', async () => {
    const foreign = await boxOf(other, '9999');
    const sibling = await boxOf(acme, 'BBBB');
    const theirs = await open(foreign.box);
    const messageId = uuidv7();
    const sent = { accountId: foreign.accountId, messageId, frame: frameOf('9999') };
    expect(await ask(theirs, sent)).toMatchObject({ result: 'reply', stored: false });
    const before = await attempts();
    receiver.got.length = 0;
    const ws = await open(box);
    const ids = [foreign.accountId, sibling.accountId, uuidv7(), accountId];
    const flip = (id: string) => {
      const at = [0, 5, 9, 15, 20, 30][randomInt(6)]!;
      return id.slice(0, at) + 'abcdef0123456789'[randomInt(16)] + id.slice(at + 1);
    };
    const told = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const asked = Array.from({ length: 30 }, () => {
        const id = ids[randomInt(ids.length)]!;
        const other = { accountId: randomInt(3) ? id : flip(id), messageId: randomInt(2) ? messageId : uuidv7() };
        // Never its own account with its own number.
        const account =
          other.accountId === accountId ? ['9999', 'BBBB'][randomInt(2)]! : ['1234', '9999', 'BBBB'][randomInt(3)]!;
        return ask(ws, { ...other, frame: frameOf(account, randomInt(1, 10_000)) });
      });
      for (const outcome of await Promise.all(asked)) {
        expect(outcome).toMatchObject({ result: 'failed', code: 'not-allowed', sent: false });
        if (outcome.result === 'failed') told.add(outcome.text);
      }
    }
    // The same words for what is another's and for what is nowhere.
    expect([...told].sort()).toEqual(['the frame is for another account', 'this box has no such account']);
    expect(receiver.got).toEqual([]);
    expect(await attempts()).toEqual(before);
  });

  it('gets no stored answer of another account of its own for the same message', async () => {
    const ws = await open(box);
    const messageId = uuidv7();
    await ask(ws, { messageId });
    const { receiverId } = (await acme.api('GET', `/sites/${acme.siteId}/arc`)).body.items.find(
      (account: { id: string }) => account.id === accountId,
    );
    const wanted = { boxSerial: box.serial, receiverId, account: '5678', protocol: 'SIA-DCS', events: ['motion'] };
    const second = (await acme.api('POST', `/sites/${acme.siteId}/arc`, wanted)).body.id;
    const outcome = await ask(ws, { messageId, accountId: second, frame: frameOf('5678') });
    expect(outcome).toMatchObject({ result: 'reply', stored: false });
    expect(receiver.got.map(({ message }) => message.account)).toEqual(['1234', '5678']);
  });
});
