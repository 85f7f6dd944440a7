import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16 } from './crc16.ts';
import {
  answersDc09,
  type Dc09Message,
  decodeDc09,
  encodeDc09,
  formatDc09Time,
  openDc09,
  parseDc09Time,
} from './dc09.ts';
import { badFrame, made, publishedBody, publishedEncrypted, publishedPlain } from './dc09.vectors.ts';
import { parseDc09Key, randomPad } from './dc09-cipher.ts';

const framed = (line: string): Buffer => Buffer.from(`\n${line}\r`, 'latin1');
const withCrc = (body: string): Buffer => {
  const hex = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
  return framed(hex(crc16(Buffer.from(body, 'latin1'))) + hex(body.length) + body);
};
const fixedPad = (count: number): Buffer => Buffer.from('0123456789ABCDEF'.slice(0, count));
const read = (frame: Buffer, key?: Buffer | null): Dc09Message => {
  const decoded = decodeDc09(frame, key);
  if (!decoded.ok) throw new Error(decoded.code);
  return decoded.message;
};

const hex = (min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF'), minLength: min, maxLength: max });
const bytes = (min: number, max: number) =>
  fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .map((c) => String.fromCharCode(c))
      .filter((c) => c !== '[' && c !== ']'),
    minLength: min,
    maxLength: max,
  });
const anyMessage: fc.Arbitrary<Dc09Message> = fc.record({
  id: fc.constantFrom('SIA-DCS', 'ADM-CID', 'NULL', 'ACK', 'DUH', 'RSP'),
  encrypted: fc.boolean(),
  sequence: fc.integer({ min: 0, max: 9999 }),
  receiver: fc.option(hex(0, 6)),
  line: fc.option(hex(0, 6)),
  account: hex(3, 16),
  data: bytes(0, 80),
  xdata: fc.array(bytes(1, 60), { maxLength: 3 }),
  timestamp: fc.integer({ min: 0, max: 4_000_000_000 }).map((s) => s * 1000),
});
const anyKey = fc
  .constantFrom(16, 24, 32)
  .chain((n) => fc.uint8Array({ minLength: n, maxLength: n }))
  .map(Buffer.from);

describe('CRC-16/ARC', () => {
  it('gives the check value, and EB01 where the printed table is wrong', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0xbb3d);
    expect(crc16(Buffer.from([100]))).toBe(0xeb01);
  });
});

describe('DC-09 codec against vectors', () => {
  it.each(publishedPlain)('%s', (line) => {
    const message = read(framed(line));
    // The one form that we never send: a panel's NULL whose data names another account. It comes back all the same.
    expect(encodeDc09(message)).toEqual(framed(line));
  });

  it.each(publishedEncrypted)('reads $name', ({ keyFormat, key, line, data, time }) => {
    const message = read(framed(line), parseDc09Key(key, keyFormat));
    expect(message).toMatchObject({ data, timestamp: parseDc09Time(time), encrypted: true });
  });

  it('reads lower-case ciphertext', () => {
    const { key, body, data, time } = publishedBody;
    expect(read(withCrc(body), Buffer.from(key, 'hex'))).toMatchObject({ data, timestamp: parseDc09Time(time) });
  });

  it.each(made)('makes and reads $line', ({ line, key: text, keyFormat, plaintext }) => {
    const key = text ? parseDc09Key(text, keyFormat!) : null;
    const message = read(framed(line), key);
    if (plaintext) expect(plaintext).toContain(`|${message.data}]`);
    expect(encodeDc09(message, { key, pad: fixedPad })).toEqual(framed(line));
  });

  it('refuses what is wrong in CRC or length, and says which', () => {
    expect(decodeDc09(framed(badFrame))).toMatchObject({ ok: false, code: 'length' });
    expect(decodeDc09(framed('1B950034"ADM-CID"0227R4F39L4F39#4F39[#4F39|3401 01 057]'))).toMatchObject({
      code: 'length',
    });
    expect(decodeDc09(framed('A9540028"SIA-DCS"0001R0L0#1234[#1234|Nri1/BA003]'))).toMatchObject({ code: 'crc' });
  });

  it('reads a lower-case CRC, NULs behind CR, a binary CRC and PKCS padding', () => {
    expect(read(framed('a9530028"SIA-DCS"0001R0L0#1234[#1234|Nri1/BA003]')).data).toBe('#1234|Nri1/BA003');
    expect(read(Buffer.concat([framed(publishedPlain[12]!), Buffer.alloc(3)])).id).toBe('NULL');
    const message = read(framed(publishedPlain[0]!));
    const binary = encodeDc09(message, { binaryCrc: true });
    expect(decodeDc09(binary)).toEqual({ ok: true, message, binaryCrc: true });
    const key = Buffer.alloc(16, 1);
    const cipher = createCipheriv('aes-128-cbc', key, Buffer.alloc(16));
    const text = cipher.update(`0123|${message.data}]_00:00:00,01-01-2026`, 'latin1', 'hex') + cipher.final('hex');
    expect(read(withCrc(`"*SIA-DCS"0001R0L0#1234[${text}`), key).data).toBe(message.data);
  });
});

describe('DC-09 codec, whatever the message', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(anyMessage, anyKey, (message, key) => {
        expect(read(encodeDc09(message, { key }), key)).toEqual(message);
      }),
      { numRuns: 3000 },
    );
  });

  it('catches every flipped bit, but for the letter case of CRC and length', () => {
    fc.assert(
      fc.property(anyMessage, anyKey, (message, key) => {
        const frame = encodeDc09(message, { key });
        for (let bit = 0; bit < frame.length * 8; bit++) {
          const flipped = Buffer.from(frame);
          flipped[bit >> 3]! ^= 1 << (bit & 7);
          if (bit >> 3 < 9 && flipped.toString('latin1').toUpperCase() === frame.toString('latin1').toUpperCase())
            continue;
          expect(decodeDc09(flipped, key).ok, `bit ${bit} of ${frame.toString('latin1')}`).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('pads to 16 with 1 to 16 bytes, never a bracket or a bar', () => {
    const key = Buffer.alloc(32, 7);
    const counts = new Set<number>();
    for (let extra = 0; extra < 16; extra++) {
      const message = { ...read(framed(publishedPlain[1]!)), encrypted: true, data: 'x'.repeat(extra) };
      const pad = (n: number) => {
        counts.add(n);
        return randomPad(n);
      };
      const frame = encodeDc09(message, { key, pad });
      const opened = openDc09(frame);
      expect(opened.ok && opened.tail.length % 32).toBe(0);
      expect(read(frame, key).data).toBe(message.data);
    }
    expect([...counts].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    expect(randomPad(20_000).some((b) => b === 0x5b || b === 0x5d || b === 0x7c)).toBe(false);
  });

  it('does not open with another key', () => {
    fc.assert(
      fc.property(anyMessage, anyKey, anyKey, (message, key, other) => {
        fc.pre(!key.equals(other));
        const frame = encodeDc09({ ...message, encrypted: true }, { key });
        expect(decodeDc09(frame, other)).toMatchObject({
          ok: false,
          code: 'key',
          header: { account: message.account },
        });
        expect(decodeDc09(frame)).toMatchObject({ ok: false, code: 'key' });
      }),
      { numRuns: 300 },
    );
  });

  it('survives any bytes', () => {
    const wrapped = fc.oneof(fc.string({ unit: 'binary' }), fc.string()).map((s) => withCrc(`"${s}`.slice(0, 4000)));
    const cut = anyMessage.chain((m) => {
      const frame = encodeDc09({ ...m, encrypted: false });
      return fc.integer({ min: 0, max: frame.length }).map((n) => frame.subarray(0, n));
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }).map(Buffer.from), wrapped, cut), (frame) => {
        expect(['boolean']).toContain(typeof decodeDc09(frame, Buffer.alloc(16)).ok);
      }),
      { numRuns: 5000 },
    );
  });

  it('refuses to send what would end a block early', () => {
    const message = read(framed(publishedPlain[0]!));
    for (const data of ['a]b', 'a[b', 'a\rb', 'a\nb', '€']) {
      expect(() => encodeDc09({ ...message, data })).toThrow(RangeError);
      expect(() => encodeDc09({ ...message, xdata: [data] })).toThrow(RangeError);
    }
    expect(() => encodeDc09({ ...message, encrypted: true })).toThrow(RangeError);
    expect(() => encodeDc09({ ...message, data: 'x'.repeat(4090) })).toThrow(RangeError);
  });
});

describe('replies, times and keys', () => {
  it('takes as answer only what carries our number and account, or a NAK', () => {
    const ack = read(framed('DBE70014"ACK"0001R0L0#1234[]'));
    expect(answersDc09(ack, { sequence: 1, account: '1234' })).toBe(true);
    expect(answersDc09(ack, { sequence: 2, account: '1234' })).toBe(false);
    expect(answersDc09(ack, { sequence: 1, account: '001234' })).toBe(false);
    expect(answersDc09({ ...ack, id: 'SIA-DCS' }, { sequence: 1, account: '1234' })).toBe(false);
    expect(answersDc09(read(framed(publishedPlain[10]!)), { sequence: 7, account: '1234' })).toBe(true);
  });

  it('reads only real times', () => {
    expect(parseDc09Time('03:04:05,01-02-2026')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(formatDc09Time(Date.UTC(2026, 0, 2, 3, 4, 5, 999))).toBe('03:04:05,01-02-2026');
    for (const bad of ['03:04:05,02-30-2026', '24:00:00,01-02-2026', '3:04:05,01-02-2026', '', 'x']) {
      expect(parseDc09Time(bad)).toBeNull();
    }
    expect(read(withCrc('"NAK"0000R0L0A0[]_whenever')).timestamp).toBeNull();
  });

  it('takes keys as hex digits or as characters, of 16, 24 or 32 bytes', () => {
    expect(parseDc09Key('000102030405060708090a0B0c0d0e0f', 'hex')?.[10]).toBe(10);
    expect(parseDc09Key('ABCDEFGHIJKLMNOPQRSTUVWX', 'characters')).toHaveLength(24);
    expect(parseDc09Key('ABCDEFGHIJKLMNOP', 'hex')).toBeNull();
    expect(parseDc09Key('0001', 'hex')).toBeNull();
    expect(parseDc09Key('€BCDEFGHIJKLMNOP', 'characters')).toBeNull();
  });
});
