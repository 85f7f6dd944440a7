import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../clock.ts';
import { type Dc09Message, decodeDc09, encodeDc09 } from '../codec/dc09.ts';
import { Dc09Stream } from '../codec/dc09-stream.ts';
import {
  type Dc09Answer,
  Dc09Listener,
  type Dc09ListenerOptions,
  type Dc09Problem,
  type Dc09Received,
} from './listener.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const KEY = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex');
const PLAIN = '1234';
const SECRET = '00A1B2';
const LOCAL = 'BEEF';

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function listening(o: { answer?: (r: Dc09Received) => Promise<Dc09Answer> } & Partial<Dc09ListenerOptions> = {}) {
  const received: Dc09Received[] = [];
  const problems: Dc09Problem['code'][] = [];
  const clock = new ManualClock(NOW);
  const listener = new Dc09Listener({
    host: '127.0.0.1',
    port: 0,
    transports: ['tcp', 'udp'],
    clock,
    log: pino({ level: 'silent' }),
    known: (account) =>
      account === SECRET
        ? { key: KEY }
        : [PLAIN, LOCAL].includes(account)
          ? { key: null, localTime: account === LOCAL }
          : null,
    received: async (r) => {
      received.push(r);
      return (await o.answer?.(r)) ?? 'ack';
    },
    problem: (p) => problems.push(p.code),
    ...o,
  });
  const ports = await listener.start();
  open.push(() => listener.stop());
  const peer = { address: '127.0.0.1', port: 9, transport: 'tcp' } as const;
  const answer = async (frame: Buffer) => (await listener.answer(frame, peer))?.toString('latin1') ?? null;
  return { listener, ports, received, problems, clock, answer };
}

function message(account: string, part: Partial<Dc09Message> = {}): Dc09Message {
  return {
    id: 'SIA-DCS',
    encrypted: account === SECRET,
    sequence: 1,
    receiver: '0',
    line: '0',
    account,
    data: `#${account}|Nri1/BA003`,
    xdata: [],
    timestamp: NOW,
    ...part,
  };
}
const frame = (account: string, part: Partial<Dc09Message> = {}) => encodeDc09(message(account, part), { key: KEY });
const line = (text: string) => Buffer.from(`\n${text}\r`, 'latin1');

/** Sends the pieces over one connection and gives every reply, until `count` came or the end. */
function overTcp(port: number, pieces: Buffer[], count: number, half = false): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const stream = new Dc09Stream();
    const got: Buffer[] = [];
    open.push(() => void socket.destroy());
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      got.push(...stream.push(chunk));
      if (got.length >= count && !half) resolve(got);
    });
    socket.on('end', () => resolve(got));
    socket.on('error', reject);
    socket.on('connect', async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((r) => setImmediate(r));
      }
      if (half) socket.end();
    });
  });
}

describe('DC-09 listener: answers', () => {
  it('acknowledges what was kept, byte for byte as the standard has it', async () => {
    const { answer, received } = await listening();
    expect(await answer(line('A9530028"SIA-DCS"0001R0L0#1234[#1234|Nri1/BA003]'))).toBe(
      '\nDBE70014"ACK"0001R0L0#1234[]\r',
    );
    expect(received[0]!.content).toMatchObject([
      { code: 'BA', zone: '003', area: 1, qualifier: 'begin', account: '1234' },
    ]);
    expect(await answer(frame(PLAIN, { id: 'NULL', sequence: 0, data: '' }))).toContain('"ACK"0000R0L0#1234[]\r');
    expect(received[1]!.content).toBeNull();
  });

  it('answers an encrypted message encrypted, with pad and time', async () => {
    const { answer, received } = await listening();
    const reply = Buffer.from((await answer(frame(SECRET, { sequence: 77 })))!, 'latin1');
    expect(reply.toString('latin1')).toMatch(/^\n[0-9A-F]{4}0056"\*ACK"0077R0L0#00A1B2\[[0-9A-F]{64}\r$/);
    expect(decodeDc09(reply, KEY)).toMatchObject({
      ok: true,
      message: { id: 'ACK', encrypted: true, data: '', timestamp: NOW },
    });
    expect(received[0]!.message.data).toBe('#00A1B2|Nri1/BA003');
  });

  it('repeats sequence, receiver, line and account letter for letter, however odd', async () => {
    const { answer } = await listening({ known: () => ({ key: null }) });
    for (const head of ['0001L#22334455', '0001#0123', '9876R579BDFL789ABC#12345A', '0002RL0#ff8b', '0003r1l2#00a1']) {
      const odd = encodeDc09(message('1')).toString('latin1').replace('0001R0L0#1[', `${head}[`);
      expect(await answer(reframed(odd))).toContain(`"ACK"${head}[]\r`);
    }
  });

  it('refuses an unknown account, a wrong key, a broken frame and a wrong time, and never acknowledges them', async () => {
    const { answer, received, problems } = await listening();
    const nak = `"NAK"0000R0L0A0[]_03:04:05,01-02-2026\r`;
    expect(await answer(frame('999'))).toBe(`\n1F1C0025${nak}`);
    expect(await answer(frame('001234'))).toContain(nak);
    expect(await answer(encodeDc09(message(SECRET), { key: Buffer.alloc(16, 9) }))).toContain(nak);
    expect(await answer(encodeDc09(message(PLAIN, { encrypted: true }), { key: KEY }))).toContain(nak);
    const broken = frame(PLAIN);
    broken[20]! ^= 1;
    expect(await answer(broken)).toContain(nak);
    expect(await answer(line('AA1A0036"ADM-CID"0227R4F39L4F39#4F39[#4F39|3401 01 057]'))).toContain(nak);
    for (const off of [21_000, -41_000, 600_000, -600_000]) {
      expect(await answer(frame(PLAIN, { timestamp: NOW + off }))).toContain(nak);
    }
    expect(received).toHaveLength(0);
    expect(problems).toEqual([
      ...['unknown-account', 'unknown-account', 'key', 'key', 'crc', 'length'],
      ...['time', 'time', 'time', 'time'],
    ]);
    for (const off of [20_000, -40_000])
      expect(await answer(frame(PLAIN, { timestamp: NOW + off }))).toContain('"ACK"');
  });

  it('says DUH to what it reads and cannot use, and to clear text of an account that has a key', async () => {
    const { answer, received, problems } = await listening();
    expect(await answer(frame(PLAIN, { id: 'ACR-SF' }))).toContain('"DUH"0001R0L0#1234[]');
    expect(await answer(frame(PLAIN, { data: '' }))).toContain('"DUH"');
    expect(await answer(frame(SECRET, { encrypted: false }))).toContain('"DUH"');
    expect(problems).toEqual(['format', 'format', 'plain-refused']);
    expect(received).toHaveLength(0);
  });

  it('takes any time zone of a sender whose clock is local, and puts its times right', async () => {
    const { answer, received } = await listening();
    for (const hours of [2, -7, 5.75, 0]) {
      const ms = hours * 3_600_000;
      const old = new Date(NOW + ms - 3_600_000).toISOString();
      const h = `H${old.slice(11, 19)},${old.slice(5, 10)}-${old.slice(0, 4)}`;
      expect(await answer(frame(LOCAL, { timestamp: NOW + ms - 5_000, xdata: [h] }))).toContain('"ACK"');
      expect(received.at(-1)!.content![0]!.occurredAt).toBe(NOW - 3_600_000);
    }
    expect(await answer(frame(LOCAL, { timestamp: NOW + 300_000 }))).toContain('"NAK"');
    expect(await answer(frame(LOCAL, { timestamp: NOW + 20 * 3_600_000 }))).toContain('"NAK"');
  });

  it('answers a binary CRC with one', async () => {
    const { answer } = await listening();
    const reply = await answer(encodeDc09(message(PLAIN), { binaryCrc: true }));
    expect(reply).toBe('\n\xdb\xe70014"ACK"0001R0L0#1234[]\r');
    expect((await answer(encodeDc09(message('999'), { binaryCrc: true })))!.slice(3, 8)).toBe('0025"');
  });

  it('says nothing when it could not be kept, and nothing to replies', async () => {
    const answers: Dc09Answer[] = ['nak', 'duh', 'none'];
    const { answer } = await listening({
      answer: async () => answers.shift() ?? Promise.reject(new Error('disk full')),
    });
    expect(await answer(frame(PLAIN))).toContain('"NAK"');
    expect(await answer(frame(PLAIN))).toContain('"DUH"');
    expect(await answer(frame(PLAIN))).toBeNull();
    expect(await answer(frame(PLAIN))).toBeNull();
    for (const id of ['ACK', 'NAK', 'DUH', 'RSP']) expect(await answer(frame(PLAIN, { id }))).toBeNull();
  });
});

describe('DC-09 listener: transports', () => {
  it('takes 64 frames in one segment and one frame in many, in order', async () => {
    const { ports, received } = await listening();
    const frames = Array.from({ length: 64 }, (_, i) => frame(i % 2 ? PLAIN : SECRET, { sequence: i + 1 }));
    const replies = await overTcp(ports.tcp!, [Buffer.concat(frames)], 64);
    expect(replies.map((r) => Number(/ACK"(\d{4})/.exec(r.toString('latin1'))![1]))).toEqual(
      frames.map((_, i) => i + 1),
    );
    expect(received.map((r) => r.message.sequence)).toEqual(frames.map((_, i) => i + 1));
    const bytes = [...frame(PLAIN, { sequence: 100 }), 0, 0].map((b) => Buffer.from([b]));
    expect(await overTcp(ports.tcp!, bytes, 1)).toHaveLength(1);
  });

  it('takes frames cut at every byte', async () => {
    const { ports, received } = await listening();
    const both = Buffer.concat([frame(SECRET, { sequence: 1 }), encodeDc09(message(PLAIN), { binaryCrc: true })]);
    const cuts = Array.from({ length: both.length - 1 }, (_, i) => i + 1);
    await Promise.all(
      cuts.map(async (at) => {
        expect(await overTcp(ports.tcp!, [both.subarray(0, at), both.subarray(at)], 2)).toHaveLength(2);
      }),
    );
    expect(received).toHaveLength(2 * cuts.length);
  });

  it('throws where its port is taken over either transport, and holds nothing then', async () => {
    const { ports } = await listening();
    for (const transport of ['tcp', 'udp'] as const) {
      await expect(listening({ port: ports.tcp!, transports: [transport] })).rejects.toThrow('EADDRINUSE');
    }
  });

  it('stops although something is never kept', async () => {
    const { listener, ports, received, clock } = await listening({ answer: () => new Promise(() => {}) });
    const replies = overTcp(ports.tcp!, [frame(PLAIN)], 1).catch(() => []);
    while (received.length < 1) await new Promise((r) => setTimeout(r, 1));
    const stopped = listener.stop();
    await clock.advance(2_000);
    await stopped;
    expect(await replies).toEqual([]);
  });

  it('waits for the disk before each acknowledgement, and keeps the order', async () => {
    let release = (_: Dc09Answer): void => {};
    const { ports, received } = await listening({ answer: () => new Promise((resolve) => (release = resolve)) });
    const replies = overTcp(ports.tcp!, [Buffer.concat([frame(PLAIN), frame(PLAIN, { sequence: 2 })])], 2);
    while (received.length < 1) await new Promise((r) => setTimeout(r, 1));
    await new Promise((r) => setTimeout(r, 10));
    expect(received).toHaveLength(1);
    release('ack');
    while (received.length < 2) await new Promise((r) => setTimeout(r, 1));
    release('ack');
    expect(await replies).toHaveLength(2);
  });

  it('answers one that has closed its side, also what is broken', async () => {
    const { ports } = await listening();
    const replies = await overTcp(
      ports.tcp!,
      [Buffer.concat([frame(PLAIN), line('00000030"SIA-DCS"0001R0L0#1234[#1234|Nri1/BA003]'), frame(PLAIN)])],
      3,
      true,
    );
    expect(replies.map((r) => /"(\w+)"/.exec(r.toString())![1])).toEqual(['ACK', 'NAK', 'ACK']);
  });

  it('answers datagrams at their source, and not what is no frame', async () => {
    const { ports, problems } = await listening();
    expect(ports.udp).toBe(ports.tcp);
    const socket = createSocket('udp4');
    open.push(() => void socket.close());
    const replies: Buffer[] = [];
    socket.on('message', (m) => replies.push(m));
    socket.send('GET / HTTP/1.1\r\n\r\n', ports.udp!, '127.0.0.1');
    for (let i = 1; i <= 20; i++) socket.send(frame(SECRET, { sequence: i }), ports.udp!, '127.0.0.1');
    while (replies.length < 20) await new Promise((r) => setTimeout(r, 5));
    const numbers = replies.map((r) => {
      const decoded = decodeDc09(r, KEY);
      return decoded.ok && decoded.message.sequence;
    });
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(problems).toEqual(['format']);
  });

  it('lets the silent go: by time, and for a new one when it is full', async () => {
    const { ports, clock } = await listening({ maxConnections: 2, idleMs: 30_000 });
    const ended = (): [Promise<unknown>, Promise<unknown>] => {
      const socket = connect(ports.tcp!, '127.0.0.1');
      open.push(() => void socket.destroy());
      return [new Promise((r) => socket.on('connect', r)), new Promise((r) => socket.on('close', r))];
    };
    const first = ended();
    await first[0];
    await clock.advance(1_000);
    const second = ended();
    await second[0];
    expect(await overTcp(ports.tcp!, [frame(PLAIN)], 1)).toHaveLength(1);
    await first[1];
    await clock.advance(60_000);
    await second[1];
  });
});

/** Puts length and CRC right after the body was changed. */
function reframed(text: string): Buffer {
  const body = Buffer.from(text.slice(9, -1), 'latin1');
  let crc = 0;
  for (const byte of body) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  const hex = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
  return Buffer.concat([Buffer.from(`\n${hex(crc)}${hex(body.length)}`), body, Buffer.from('\r')]);
}
