import { describe, expect, it } from 'vitest';
import { crc16 } from '../codec/crc16.ts';
import { type Dc09Message, decodeDc09, encodeDc09, formatDc09Time, openDc09, replyDc09 } from '../codec/dc09.ts';
import { encryptTail } from '../codec/dc09-cipher.ts';
import { isLearnable, isReceipt, MAX_CLOCK_OFF_MS, SentBlocks } from './acknowledgement.ts';

const KEY = Buffer.alloc(16, 7);
const NOW = Date.UTC(2026, 10, 10, 12);
const message = (change: Partial<Dc09Message> = {}): Dc09Message => ({
  id: 'ADM-CID',
  encrypted: true,
  sequence: 42,
  receiver: '0',
  line: '0',
  account: '1234',
  data: '#1234|1130 01 001',
  xdata: [],
  timestamp: NOW,
  ...change,
});
const alarm = message();
const sent = encodeDc09(alarm, { key: KEY });
const hex4 = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
const framed = (text: string) => {
  const body = Buffer.from(text, 'latin1');
  return Buffer.concat([Buffer.from(`\n${hex4(crc16(body))}${hex4(body.length)}`), body, Buffer.from('\r')]);
};
const ack = (tail: string) => framed(`"*ACK"0042R0L0#1234[${tail}`);
const tailOf = (frame: Buffer): string => {
  const opened = openDc09(frame);
  return opened.ok ? opened.tail : '';
};

/** Whether a reply counts for somebody who has sent all of these. */
function counts(reply: Buffer, frames: Buffer[] = [sent], to = alarm, sinceMs?: number): boolean {
  const blocks = new SentBlocks();
  for (const frame of frames) blocks.add(frame);
  const decoded = decodeDc09(reply, to.encrypted ? KEY : null);
  return decoded.ok && isReceipt(decoded.message, to, sinceMs) && !blocks.in(reply);
}

describe('a receipt', () => {
  it('is what receivers send, also with a clock that is off, without a bar, or in clear', () => {
    const opened = openDc09(sent);
    const prefix = opened.ok ? opened.prefix : '';
    for (const offMs of [0, 600_000, -600_000])
      expect(counts(replyDc09({ id: 'ACK', prefix, key: KEY }, NOW + offMs))).toBe(true);
    // As a maker in the field writes it: a pad of zeros, and no bar.
    expect(counts(ack(encryptTail(Buffer.from(']_12:00:03,11-10-2026'), KEY, (n) => Buffer.alloc(n, '0'))))).toBe(true);
    const plain = message({ encrypted: false });
    expect(counts(replyDc09({ id: 'ACK', prefix }, NOW), [], plain)).toBe(true);
    expect(counts(framed('"ACK"0042R0L0#1234[#1234|1130 01 001]'), [], plain)).toBe(false);
  });

  it('is none when our own message comes back, whole or in parts (ARC-24)', () => {
    const tail = tailOf(sent);
    expect(counts(ack(tail))).toBe(false);
    expect(counts(ack(tail.toLowerCase()))).toBe(false);
    // Its last blocks alone may read as a time without data.
    for (let from = 32; from < tail.length; from += 32) expect(counts(ack(tail.slice(from)))).toBe(false);
    const poll = tailOf(encodeDc09(message({ id: 'NULL', sequence: 0, data: '' }), { key: KEY }));
    expect(counts(ack(poll), [sent])).toBe(true);
    const polled = framed(`"*NULL"0000R0L0#1234[${poll}`);
    expect(counts(ack(poll), [polled, sent])).toBe(false);
    expect(counts(ack(`${'0'.repeat(32)}${poll}`), [polled, sent])).toBe(false);
  });

  it('is none from another time, unless the message was out then', () => {
    const reply = (at: number) => ack(encryptTail(Buffer.from(`]_${formatDc09Time(at)}`), KEY));
    expect(counts(reply(NOW - 30 * 86_400_000))).toBe(false);
    expect(counts(reply(NOW + 3_600_000))).toBe(false);
    expect(counts(reply(NOW - 2 * 3_600_000))).toBe(false);
    expect(counts(reply(NOW - 2 * 3_600_000), [sent], alarm, NOW - 2 * 3_600_000)).toBe(true);
  });

  it('says nothing that only senders say', () => {
    for (const block of ['H12:00:00,11-10-2026', 'Vhttps://a', 'Itext', 'J1'])
      expect(isReceipt(message({ id: 'ACK', data: '', xdata: [block] }), alarm)).toBe(false);
    expect(isReceipt(message({ id: 'ACK', data: '', xdata: ['X1'] }), alarm)).toBe(true);
    expect(isReceipt(message({ id: 'ACK' }), alarm)).toBe(false);
    expect(isReceipt(message({ id: 'ACK', data: '', encrypted: false }), alarm)).toBe(false);
  });

  it('remembers so many blocks and no more', () => {
    const blocks = new SentBlocks();
    for (let i = 0; i < 2_000; i++) blocks.add(encodeDc09(message({ sequence: i }), { key: KEY }));
    blocks.add(sent);
    expect(blocks.in(ack(tailOf(sent)))).toBe(true);
  });
});

it('a clock is learnt that is off by a quarter of an hour at most', () => {
  expect([MAX_CLOCK_OFF_MS, -MAX_CLOCK_OFF_MS, 600_000].every(isLearnable)).toBe(true);
  expect([MAX_CLOCK_OFF_MS + 1, -3 * 86_400_000].some(isLearnable)).toBe(false);
});
