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
  printDc09,
  replyDc09,
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

describe('what senders do to an encrypted message', () => {
  const key = Buffer.alloc(24, 5);
  const sealed = (text: string | Buffer, autoPadding = false): Buffer => {
    const cipher = createCipheriv('aes-192-cbc', key, Buffer.alloc(16)).setAutoPadding(autoPadding);
    const hex = Buffer.concat([cipher.update(text), cipher.final()])
      .toString('hex')
      .toUpperCase();
    return withCrc(`"*SIA-DCS"0001R0L0#1234[${hex}`);
  };
  const tail = '|#1234|Nri1/BA003]_03:04:05,01-02-2026';
  const padded = (pad: string, rest = tail): Buffer => {
    const count = 16 - (rest.length % 16);
    return Buffer.from(pad.repeat(16).slice(0, count) + rest, 'latin1');
  };
  const expected = { data: '#1234|Nri1/BA003', timestamp: parseDc09Time('03:04:05,01-02-2026') };

  it.each([
    ['zeros as pad', sealed(padded('\0'))],
    ['the digit 0 as pad', sealed(padded('0'))],
    ['line feeds as pad', sealed(padded('\n'))],
    ['brackets in the pad', sealed(padded('[]x'))],
    ['bars and brackets in the pad', sealed(padded('|]ab'))],
    ['no pad at all, PKCS#7 behind', sealed(Buffer.from(tail), true)],
    ['pad before and PKCS#7 behind', sealed(padded('p'), true)],
    ['zeros behind', sealed(Buffer.concat([Buffer.from(tail), Buffer.alloc(48 - tail.length)]))],
    ['line ends behind', sealed(Buffer.from(tail + '\n'.repeat(48 - tail.length)))],
    ['a month without its zero', sealed(padded('p', tail.replace('01-02', '1-02')))],
    ['pad of a whole AES-256 key', sealed(Buffer.concat([Buffer.alloc(16, 'p'), padded('p')]))],
    ['spaces behind', sealed(Buffer.from(tail + ' '.repeat(48 - tail.length)))],
  ])('reads %s', (_, frame) => {
    expect(read(frame, key)).toMatchObject(expected);
  });

  it('reads lower case and a closing bracket, and masks no more than it must', () => {
    const body = sealed(padded('p')).toString('latin1').slice(9, -1);
    const [head, text] = [body.slice(0, body.indexOf('[') + 1), body.slice(body.indexOf('[') + 1)];
    expect(read(withCrc(`${head}${text.toLowerCase()}`), key)).toMatchObject(expected);
    expect(read(withCrc(`${head}${text}]`), key)).toMatchObject(expected);
    for (const broken of [text.slice(0, -1), text.slice(0, -2), '', `${text}zz`]) {
      expect(decodeDc09(withCrc(`${head}${broken}`), key)).toMatchObject({ ok: false, code: 'key' });
    }
  });

  it('never shows or repeats a key that is handed over', () => {
    const frame = withCrc('"SIA-DCS"0001R0L0#1234[#1234|NYG][K0123456789ABCDEF][Ihall]_03:04:05,01-02-2026');
    expect(read(frame).xdata).toEqual(['K0123456789ABCDEF', 'Ihall']);
    expect(printDc09(frame)).toContain('[#1234|NYG][K***][Ihall]_03:04:05');
    expect(printDc09(encodeDc09(read(frame), { binaryCrc: true })).slice(0, 8)).toBe(printDc09(frame).slice(0, 8));
    const opened = openDc09(frame);
    expect(replyDc09({ id: 'ACK', prefix: opened.ok ? opened.prefix : '' }, 0).toString()).not.toContain('0123456789');
  });
});

describe('replies as a receiver makes them', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5);
  it('are those of the vectors, byte for byte', () => {
    expect(replyDc09({ id: 'ACK', prefix: '0001R0L0#1234' }, now)).toEqual(framed('DBE70014"ACK"0001R0L0#1234[]'));
    expect(replyDc09({ id: 'ACK', prefix: '0000L0#1409' }, now)).toEqual(framed('59890012"ACK"0000L0#1409[]'));
    expect(replyDc09({ id: 'DUH', prefix: '0001R0L0#1234' }, now)).toEqual(framed('AB3F0014"DUH"0001R0L0#1234[]'));
    expect(replyDc09({ id: 'NAK' }, now)).toEqual(framed('1F1C0025"NAK"0000R0L0A0[]_03:04:05,01-02-2026'));
    for (const { line, key, keyFormat } of made.filter((m) => m.line.includes('"*ACK"'))) {
      const prefix = /"\*ACK"([^[]*)/.exec(line)![1]!;
      const ours = replyDc09({ id: 'ACK', prefix, key: parseDc09Key(key!, keyFormat!) }, now, { pad: fixedPad });
      expect(ours).toEqual(framed(line));
    }
  });

  it('are understood, RSP and what receivers make of a missing R included', () => {
    const sent = { sequence: 1, account: '1234' };
    for (const body of ['"ACK"0001RNoneL0#1234[]', '"RSP"0001R0L0#1234[][K0123]', '"ACK"0001#1234[]']) {
      expect(answersDc09(read(withCrc(body)), sent), body).toBe(true);
    }
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
    // Letters and digits only, all of them.
    expect(new Set(randomPad(20_000).toString('latin1')).size).toBe(62);
    expect(randomPad(20_000).toString('latin1')).toMatch(/^[A-Za-z0-9]+$/);
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
    expect(parseDc09Time('3:4:05,1-2-2026')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(formatDc09Time(Date.UTC(2026, 0, 2, 3, 4, 5, 999))).toBe('03:04:05,01-02-2026');
    for (const bad of ['03:04:05,02-30-2026', '24:00:00,01-02-2026', '03:04:05,13-02-2026', '', 'x']) {
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
