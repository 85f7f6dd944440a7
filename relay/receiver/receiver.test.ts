import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type Dc09Message, decodeDc09, encodeDc09 } from '../../protocol/codec/dc09.ts';
import { parseDc09Key } from '../../protocol/codec/dc09-cipher.ts';
import { Dc09Stream } from '../../protocol/codec/dc09-stream.ts';
import { onPostgres } from '../testing/database.ts';
import { toMessage } from './message.ts';
import { sample, TestCentre } from './testing/centre.ts';

const KEY = '000102030405060708090A0B0C0D0E0F';
const key = parseDc09Key(KEY, 'hex');
const clock = new ManualClock(Date.UTC(2026, 10, 1));
let centre: TestCentre;

beforeEach(async () => {
  centre = await new TestCentre({ clock }).start();
});
afterEach(() => centre.stop());

const message = (more: Partial<Dc09Message> = {}): Dc09Message => ({
  id: 'ADM-CID',
  encrypted: false,
  sequence: 1,
  receiver: '0',
  line: '0',
  account: '1234',
  data: '#1234|1130 01 005',
  xdata: [],
  timestamp: clock.now(),
  ...more,
});

/** What the receiver answers to each. */
async function send(frames: Buffer[], transport: 'tcp' | 'udp' = 'tcp'): Promise<string[]> {
  const replies: string[] = [];
  const done = (reply: Buffer) => {
    const decoded = decodeDc09(reply, key);
    replies.push(decoded.ok ? `${decoded.message.encrypted ? '*' : ''}${decoded.message.id}` : 'unreadable');
  };
  if (transport === 'udp') {
    const socket = createSocket('udp4');
    for (const frame of frames) {
      socket.send(frame, centre.port, '127.0.0.1');
      done((await once(socket, 'message'))[0]);
    }
    socket.close();
    return replies;
  }
  const socket = connect(centre.port, '127.0.0.1');
  const stream = new Dc09Stream();
  for (const frame of frames) {
    socket.write(frame);
    const before = replies.length;
    while (replies.length === before) for (const reply of stream.push((await once(socket, 'data'))[0])) done(reply);
  }
  socket.destroy();
  return replies;
}

const stored = async () =>
  (await centre.db.selectFrom('receiver_messages').selectAll().orderBy('rowId').execute()).map((row) => ({
    ...toMessage(row),
    frame: row.frame,
  }));

/** What is stored, once there are so many. */
async function told(count: number) {
  for (let i = 0; i < 500 && (await stored()).length < count; i++)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return stored();
}

/** Timers of a second each, so that what they begin is done in between. */
async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('a receiver', () => {
  it('takes plain and encrypted messages over TCP and UDP, each account with its own key (ARC-22)', async () => {
    centre.account('1234');
    centre.account('5678', { key: KEY });
    const secret = (sequence: number) =>
      encodeDc09(message({ encrypted: true, account: '5678', data: '#5678|Nri1/BA003', id: 'SIA-DCS', sequence }), {
        key,
      });
    expect(await send([encodeDc09(message()), secret(1)])).toEqual(['ACK', '*ACK']);
    expect(await send([encodeDc09(message({ sequence: 2 })), secret(2)], 'udp')).toEqual(['ACK', '*ACK']);
    // Link supervision is answered, and is no message.
    expect(await send([encodeDc09(message({ id: 'NULL', sequence: 0, data: '' }))])).toEqual(['ACK']);
    const all = await stored();
    expect(all.map(({ account, sequence, encrypted }) => [account, sequence, encrypted])).toEqual([
      ['1234', 1, false],
      ['5678', 1, true],
      ['1234', 2, false],
      ['5678', 2, true],
    ]);
    expect(all[1]).toMatchObject({
      protocol: 'SIA-DCS',
      data: '#5678|Nri1/BA003',
      repeatOf: null,
      events: [{ event: 'BA', qualifier: 'begin', area: 1, zone: '003', text: null }],
    });
    // What is kept of the frame is what was on the wire.
    expect(all[1]!.frame).not.toContain('BA003');
  });

  it('does not take what it does not know, or another key, or in clear what must be encrypted', async () => {
    centre.account('5678', { key: KEY });
    const other = Buffer.alloc(16, 1);
    const unknown = encodeDc09(message());
    const wrongKey = encodeDc09(message({ encrypted: true, account: '5678' }), { key: other });
    const clear = encodeDc09(message({ account: '5678', data: '#5678|1130 01 005' }));
    expect(await send([unknown, wrongKey, clear])).toEqual(['NAK', 'NAK', 'DUH']);
    expect(await stored()).toEqual([]);
    expect(JSON.stringify(centre.logged)).not.toContain(KEY);
  });

  it('does not let strangers fill its log', async () => {
    const unknown = Array.from({ length: 60 }, (_, i) => message({ account: `F${100 + i}` }));
    await Promise.all(unknown.map((m) => send([encodeDc09(m)])));
    const lines = () => centre.logged.filter(({ msg }) => /not taken/.test(String(msg)));
    expect(lines()).toHaveLength(5);
    await clock.advance(60_000);
    await send([encodeDc09(message({ timestamp: clock.now() }))]);
    expect(lines()).toHaveLength(7);
    expect(lines()[5]).toMatchObject({ code: 'unknown-account', messages: 55 });
  });

  it('acknowledges a message again that it has, and marks it', async () => {
    centre.account('1234');
    const output = await centre.output({ kind: 'webhook', url: 'https://192.0.2.1/' }, { secret: 'none' });
    const first = message();
    // The second try of an old event carries its time; it is the same all the same.
    const second = message({ xdata: ['H03:04:00,10-31-2026'], timestamp: clock.now() });
    const restore = message({ data: '#1234|3130 01 005' });
    const frames = [first, second, restore, first, message({ sequence: 2 })].map((m) => encodeDc09(m));
    expect(await send(frames)).toEqual(Array(5).fill('ACK'));
    const all = await stored();
    const repeats = all.map(({ repeatOf }) => repeatOf);
    // The fourth is like the first, but the restore came between under the same number: a sender that does not count.
    expect(repeats).toEqual([null, all[0]!.id, null, null, null]);
    const deliveries = await centre.db.selectFrom('receiver_deliveries').selectAll().orderBy('messageRowId').execute();
    expect(deliveries.map((d) => d.outputId)).toEqual(Array(4).fill(output));
    await clock.advance(600_001);
    expect(await send([encodeDc09(message({ sequence: 2, timestamp: clock.now() }))])).toEqual(['ACK']);
    expect((await stored()).at(-1)!.repeatOf).toBeNull();
  });

  it.skipIf(onPostgres)('gives no acknowledgement for what it could not store', async () => {
    centre.account('1234');
    await centre.db.schema.alterTable('receiver_messages').renameTo('elsewhere').execute();
    const socket = connect(centre.port, '127.0.0.1');
    let answered = false;
    socket.on('data', () => {
      answered = true;
    });
    socket.write(encodeDc09(message()));
    while (!centre.logged.some(({ msg }) => /not acknowledged/.test(String(msg))))
      await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(answered).toBe(false);
    socket.destroy();
    await centre.db.schema.alterTable('elsewhere').renameTo('receiver_messages').execute();
    expect(await send([encodeDc09(message())])).toEqual(['ACK']);
    expect(await stored()).toHaveLength(1);
  });
});

describe('supervision', () => {
  it('tells the software once that an account is silent, and once that it is back (ARC-32)', async () => {
    centre.account('1234', { supervisionMs: 90_000 });
    centre.account('5678');
    await centre.centre.supervision.reload();
    const hear = () => send([encodeDc09(message({ id: 'NULL', sequence: 0, data: '', timestamp: clock.now() }))]);
    await hear();
    await pass(85);
    expect(await stored()).toEqual([]);
    await hear();
    await pass(89);
    expect(await stored()).toEqual([]);
    await pass(2);
    const [silent, ...more] = await told(1);
    expect(more).toEqual([]);
    expect(silent).toMatchObject({
      source: 'receiver',
      account: '1234',
      data: '#1234|Nri0/YC000',
      protocol: 'SIA-DCS',
    });
    await pass(120);
    expect(await stored()).toHaveLength(1);
    // A restart does not forget that it was told, nor tell it again.
    await centre.halt();
    await centre.start();
    await pass(100);
    expect(await stored()).toHaveLength(1);
    await hear();
    const [, back] = await told(2);
    expect(back).toMatchObject({ source: 'receiver', data: '#1234|Nri0/YK000', events: [{ qualifier: 'end' }] });
    expect(centre.centre.supervision.state('main', '1234').silentMs).toBeNull();
    await pass(60);
    expect(await stored()).toHaveLength(2);
  });

  it('remembers nothing of accounts that are in no list', async () => {
    const heard = async () =>
      (await centre.db.selectFrom('receiver_heard').select('account').execute()).map((row) => row.account);
    centre.account('1234');
    centre.account('ABCD');
    const frames = ['1234', 'ABCD'].map((account) =>
      encodeDc09(message({ account, data: '', id: 'NULL', sequence: 0 })),
    );
    await send(frames);
    await centre.halt();
    await centre.start();
    expect((await heard()).sort()).toEqual(['1234', 'ABCD']);
    centre.other = (account) => account !== '1234';
    await centre.halt();
    await centre.start();
    expect(await heard()).toEqual(['1234']);
    expect(await send(frames)).toEqual(['ACK', 'ACK']);
    expect(centre.centre.supervision.state('main', 'ABCD').lastMs).toBeNull();
  });

  it('speaks the language of the account', async () => {
    centre.account('1234', { supervisionMs: 20_000 });
    await centre.centre.supervision.reload();
    await send([encodeDc09(message())]);
    await pass(22);
    expect((await told(2)).at(-1)).toMatchObject({ protocol: 'ADM-CID', data: '#1234|1354 00 000' });
  });
});

describe('the pull API', () => {
  const pull = async (id: string, more: { waitMs?: number; after?: number; limit?: number } = {}) => {
    const output = await centre.db
      .selectFrom('receiver_outputs')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const { signal } = new AbortController();
    return (await centre.centre.pull.read(output, { limit: 100, waitMs: 0, after: null, signal, ...more }))!;
  };
  const commit = async (id: string, cursor: string) => {
    const output = await centre.db
      .selectFrom('receiver_outputs')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return centre.centre.pull.commit(output, Number(cursor));
  };
  const zones = (items: { events: { zone: string | null }[] }[]) => items.map((m) => Number(m.events[0]!.zone));

  it('gives the same again until it is committed, and keeps a week (API-02)', async () => {
    const id = await centre.output({ kind: 'pull' }, { repeats: true });
    for (let n = 0; n < 5; n++) await centre.centre.inbox.add(sample('1234', n, { receivedMs: clock.now() }));
    const first = await pull(id, { limit: 3 });
    expect(zones(first.items)).toEqual([0, 1, 2]);
    expect(zones((await pull(id, { limit: 3 })).items)).toEqual([0, 1, 2]);
    expect(await commit(id, first.cursor!)).toBe(true);
    const second = await pull(id);
    expect(zones(second.items)).toEqual([3, 4]);
    // A commit that comes late does not take one back that came after it; one of nowhere is refused.
    expect(await commit(id, second.cursor!)).toBe(true);
    expect(await commit(id, first.cursor!)).toBe(true);
    expect(await commit(id, String(Number(second.cursor) + 1_000))).toBe(false);
    expect(await pull(id)).toEqual({ items: [], cursor: null });
    // Six days and 23 hours later everything can be read again; after the time to keep nothing.
    await clock.jump(7 * 86_400_000 - 3_600_000);
    await centre.centre.sweep();
    expect(zones((await pull(id, { after: 0 })).items)).toEqual([0, 1, 2, 3, 4]);
    await clock.jump(31 * 86_400_000);
    await centre.centre.sweep();
    expect((await pull(id, { after: 0 })).items).toEqual([]);
  });

  it('waits for the next message', async () => {
    const id = await centre.output({ kind: 'pull' });
    const waiting = pull(id, { waitMs: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await centre.centre.inbox.add(sample('1234', 7));
    expect(zones((await waiting).items)).toEqual([7]);
    const nothing = pull(id, { waitMs: 20_000, after: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await clock.advance(20_001);
    expect(await nothing).toEqual({ items: [], cursor: null });
  });

  it('gives nobody what another owner received', async () => {
    const id = await centre.output({ kind: 'pull' });
    await centre.centre.inbox.add(sample('1234', 1, { owner: 'somebody else' }));
    expect((await pull(id)).items).toEqual([]);
  });
});
