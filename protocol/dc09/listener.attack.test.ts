import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import pino from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock, systemClock } from '../clock.ts';
import { crc16 } from '../codec/crc16.ts';
import { type Dc09Message, decodeDc09, encodeDc09 } from '../codec/dc09.ts';
import { Connections } from './connections.ts';
import { Dc09Listener, type Dc09ListenerOptions, type Dc09Problem, type Dc09Received } from './listener.ts';
import { networkOf, Refusals } from './refusals.ts';

const KEY = Buffer.alloc(16, 7);
const GARBAGE = Buffer.from('\nXXXX0001"\r');
const peer = { address: '192.0.2.1', port: 9, transport: 'tcp' } as const;

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function listening(more: Partial<Dc09ListenerOptions> = {}) {
  const received: Dc09Received[] = [];
  const problems: Dc09Problem['code'][] = [];
  const listener = new Dc09Listener({
    host: '127.0.0.1',
    port: 0,
    transports: ['tcp', 'udp'],
    clock: systemClock,
    log: pino({ level: 'silent' }),
    known: (account) => (['1234', '9999'].includes(account) ? { key: KEY } : account === '5555' ? { key: null } : null),
    received: async (r) => {
      received.push(r);
      return 'ack';
    },
    problem: (p) => problems.push(p.code),
    ...more,
  });
  const ports = await listener.start();
  open.push(() => listener.stop());
  const answer = async (frame: Buffer) => {
    const reply = await listener.answer(frame, peer);
    return reply && /"(\*?\w+)"/.exec(reply.toString('latin1'))![1];
  };
  return { ports: { tcp: ports.tcp!, udp: ports.udp! }, received, problems, answer };
}

function frame(part: Partial<Dc09Message> = {}): Buffer {
  const account = part.account ?? '1234';
  return encodeDc09(
    {
      id: 'ADM-CID',
      encrypted: true,
      sequence: 42,
      receiver: '0',
      line: '0',
      account,
      data: `#${account}|1130 01 001`,
      xdata: [],
      timestamp: Date.now(),
      ...part,
    },
    { key: KEY },
  );
}
/** With length and CRC made anew, as whoever is on the way can. */
function framed(body: string): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  const hex = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
  return Buffer.concat([Buffer.from(`\n${hex(crc16(bytes))}${hex(bytes.length)}`), bytes, Buffer.from('\r')]);
}
const changed = (f: Buffer, from: string, to: string) =>
  framed(f.toString('latin1', 9, f.length - 1).replace(from, () => to));

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  open.push(() => void socket.destroy());
  return socket;
}
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('DC-09 listener: changed on the way', () => {
  it('an alarm whose header became NULL is not acknowledged, nor supervision that became an alarm', async () => {
    const { answer, received, problems } = await listening();
    expect(await answer(changed(frame(), '*ADM-CID', '*NULL'))).toBe('DUH');
    expect(await answer(changed(frame({ data: '#1234|Nri1/BA003', id: 'SIA-DCS' }), '*SIA-DCS', '*NULL'))).toBe('DUH');
    expect(await answer(frame({ id: 'NULL', data: '', xdata: ['H03:04:05,01-02-2026'] }))).toBe('DUH');
    for (const data of ['', '#1234|0000 00 000'])
      for (const id of ['*ADM-CID', '*SIA-DCS'])
        expect(await answer(changed(frame({ id: 'NULL', sequence: 0, data }), '*NULL', id))).toBe('DUH');
    expect(await answer(changed(frame(), '*ADM-CID', '*SIA-DCS'))).toBe('DUH');
    expect(received).toEqual([]);
    expect(new Set(problems)).toEqual(new Set(['format']));
    for (const data of ['', '#1234', '#1234|', '#1234|0000 00 000', '#0000|0000 00 000'])
      expect(await answer(frame({ id: 'NULL', sequence: 0, data }))).toBe('*ACK');
  });

  it('an account in the data that is not the header’s is refused when encrypted', async () => {
    const { answer, received, problems } = await listening();
    expect(await answer(changed(frame(), '#1234[', '#9999['))).toBe('NAK');
    expect(await answer(changed(frame({ id: 'NULL', data: '#1234|0000 00 000' }), '#1234[', '#9999['))).toBe('NAK');
    expect(problems).toEqual(['account', 'account']);
    expect(received).toEqual([]);
    for (const data of ['1130 01 001', '#0000|1130 01 001', '#1234|1130 01 001'])
      expect(await answer(frame({ data }))).toBe('*ACK');
  });

  it('an hours-old message of an encrypted sender with local time is refused once its zone is known', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 2));
    const { answer, problems } = await listening({ clock, known: () => ({ key: KEY, localTime: true }) });
    const hours = (n: number) => frame({ timestamp: clock.now() + n * 3_600_000 });
    // Held back before anything was known of it: the next true one puts that right.
    expect(await answer(hours(-3))).toBe('*ACK');
    expect(await answer(hours(2))).toBe('*ACK');
    for (const old of [-3, -1, 0]) expect(await answer(hours(old))).toBe('NAK');
    expect(problems).toEqual(['time', 'time', 'time']);
    // Daylight saving time begins and ends.
    for (const n of [1, 2, 1]) expect(await answer(hours(n))).toBe('*ACK');
    await clock.advance(25 * 3_600_000);
    expect(await answer(hours(-5))).toBe('*ACK');
  });

  it('control characters are refused', async () => {
    const { answer } = await listening();
    for (const [data, xdata] of [
      ['#5555|1130 01 001|\n', ''],
      ['#5555|1130 01 001', '[Ia\0b]'],
      ['#5555|Nri1/BA003|A\x1b[31m'.replace('[', ''), ''],
    ])
      expect(await answer(framed(`"SIA-DCS"0001R0L0#5555[${data}]${xdata}`))).toBe('DUH');
    expect(await answer(framed('"SIA-DCS"0001R0L0#5555[#5555|Nri1/BA003|AT\xc3\xbcr \x80]'))).toBe('ACK');
  });
});

describe('DC-09 listener: floods', () => {
  it('reads nothing more from whoever does not read its answers, and lets it go when that lasts', async () => {
    const clock = new ManualClock(Date.now());
    const { ports, received } = await listening({ clock });
    const socket = dial(ports.tcp);
    // As if the system took none of the answers.
    const full = new Set<Socket>();
    const write = Socket.prototype.write;
    const spy = vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args) {
      if (this === socket) return write.apply(this, args as unknown as Parameters<typeof write>);
      full.add(this);
      Object.defineProperty(this, 'writableNeedDrain', { value: true, configurable: true });
      return false;
    });
    open.push(() => spy.mockRestore());
    socket.write(Buffer.concat(Array<Buffer>(100).fill(frame())));
    while (received.length === 0) await wait(5);
    await wait(50);
    expect(received.length).toBe(1);
    for (const one of full) one.emit('drain');
    await wait(50);
    expect(received.length).toBe(2);
    const closed = once(socket, 'close');
    await clock.advance(10_000);
    await closed;
    expect(received.length).toBe(2);
  });

  it('closes a connection that is refused again and again, and stays fast for others', async () => {
    const { ports } = await listening();
    const bad = dial(ports.tcp);
    let answers = 0;
    bad.on('data', (data: Buffer) => (answers += data.toString('latin1').split('\n').length - 1));
    bad.write(Buffer.concat(Array<Buffer>(5000).fill(GARBAGE)));
    await once(bad, 'close');
    expect(answers).toBe(8);
    const good = dial(ports.tcp);
    let stop = false;
    // Three floods that begin again as soon as they are closed.
    const floods = [1, 2, 3].map(async () => {
      while (!stop) {
        const socket = dial(ports.tcp);
        socket.write(Buffer.concat(Array<Buffer>(200).fill(GARBAGE)));
        await Promise.race([once(socket, 'close'), wait(1_000)]);
        socket.destroy();
      }
    });
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const at = Date.now();
      good.write(frame());
      await once(good, 'data');
      times.push(Date.now() - at);
      await wait(10);
    }
    stop = true;
    await Promise.all(floods);
    // The first message of a connection may have to wait; one that is proven does not.
    expect(Math.max(...times.slice(1))).toBeLessThan(300);
  }, 20_000);

  it('sends nothing to where an unreadable datagram says it comes from, and one answer to a datagram', async () => {
    const { ports } = await listening();
    const socket = createSocket('udp4');
    open.push(() => void socket.close());
    const got: Buffer[] = [];
    socket.on('message', (m) => got.push(m));
    const broken = frame();
    broken[20]! ^= 1;
    for (const datagram of [GARBAGE, Buffer.concat(Array<Buffer>(100).fill(GARBAGE)), broken])
      socket.send(datagram, ports.udp, '127.0.0.1');
    socket.send(Buffer.concat([frame({ sequence: 1 }), frame({ sequence: 2 })]), ports.udp, '127.0.0.1');
    while (got.length === 0) await wait(5);
    await wait(50);
    expect(got.map((reply) => decodeDc09(reply, KEY))).toMatchObject([{ ok: true, message: { sequence: 1 } }]);
  });
});

describe('DC-09 listener: bounds', () => {
  const fake = () => Object.assign(Object.create(null), { on() {}, destroyed: false }) as Socket & { gone?: boolean };

  it('makes room by those from which nothing came, the most silent first', () => {
    const connections = new Connections({ clock: systemClock, max: 3 });
    const gone: number[] = [];
    const sockets = [0, 1, 2, 3, 4].map((i) => Object.assign(fake(), { destroy: () => void gone.push(i) }));
    for (const socket of sockets.slice(0, 3)) connections.add(socket, '192.0.2.1');
    connections.taken(sockets[0]!);
    connections.heard(sockets[1]!);
    connections.add(sockets[3]!, '192.0.2.1');
    connections.add(sockets[4]!, '192.0.2.2');
    expect(gone).toEqual([2, 1]);
    expect(connections.proven(sockets[0]!)).toBe(true);
    expect([connections.unproven('192.0.2.1'), connections.unproven('192.0.2.2')]).toEqual([1, 1]);
  });

  it('counts refusals by address, of IPv6 by network, and forgets the oldest', () => {
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8:0:0:ffff:1:2:3'));
    expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8::1'));
    expect(networkOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
    const refusals = new Refusals({ clock: systemClock, maxAddresses: 10 });
    for (let i = 0; i < 100; i++) refusals.add(`2001:db8::${i}`);
    expect(refusals.spent('2001:db8::ffff')).toBe(true);
    expect(refusals.spent('192.0.2.1')).toBe(false);
    for (let i = 0; i < 100; i++) refusals.add(`192.0.2.${i}`);
    expect(refusals.size).toBe(10);
  });
});
