import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertStreamParser, type Part } from './multipart.ts';

const alert = (n: number) =>
  `<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">\r\n<channelID>1</channelID>\r\n<activePostCount>${n}</activePostCount>\r\n<eventType>VMD</eventType>\r\n<eventState>active</eventState>\r\n</EventNotificationAlert>\r\n`;
const part = (body: string | Buffer, type = 'application/xml; charset="UTF-8"', length = Buffer.byteLength(body)) =>
  Buffer.concat([
    Buffer.from(`--boundary\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`),
    Buffer.from(body as string),
    Buffer.from('\r\n'),
  ]);
const numbers = (parts: Part[]) =>
  parts.flatMap((p) => [...p.body.toString('latin1').matchAll(/<activePostCount>(\d+)/g)].map((m) => Number(m[1])));

/** Feeds in chunks of the given sizes, over and over. */
function feed(bytes: Buffer, sizes: number[] = [bytes.length]): Part[] {
  const parser = new AlertStreamParser();
  const parts: Part[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length]!);
    parts.push(...parser.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...parts, ...parser.resync()];
}

/** Streams that devices were seen to send, each with the alerts that must come out of it. */
const picture = Buffer.concat([
  Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
  Buffer.from('JFIF\r\n--boundary\r\nContent-Type: x\r\n\r\n<Event'),
  Buffer.from([0xff, 0xd9]),
]);
const STREAMS: [string, Buffer, number[]][] = [
  ['as the guide says', Buffer.concat([part(alert(1)), part(alert(2))]), [1, 2]],
  [
    'delimiters doubled',
    Buffer.concat([
      part(alert(1)),
      Buffer.from('--boundary\r\n'),
      part(alert(2)),
      Buffer.from('--boundary\n--boundary\n'),
      part(alert(3)),
    ]),
    [1, 2, 3],
  ],
  [
    'line feeds alone',
    Buffer.from(
      Buffer.concat([part(alert(1)), part(alert(2))])
        .toString()
        .replaceAll('\r\n', '\n')
        .replace(/Content-Length.*\n/g, ''),
    ),
    [1, 2],
  ],
  [
    'no lengths',
    Buffer.from(
      Buffer.concat([part(alert(1)), part(alert(2))])
        .toString()
        .replace(/Content-Length.*\r\n/g, ''),
    ),
    [1, 2],
  ],
  ['no headers', Buffer.from(`--boundary\r\n${alert(1)}--boundary\r\n\r\n${alert(2)}`), [1, 2]],
  [
    'no empty line after the header',
    Buffer.from(`--b\r\nContent-Type: application/xml\r\n${alert(1)}--b\r\n${alert(2)}`),
    [1, 2],
  ],
  [
    'no line end after the part',
    Buffer.from(
      Buffer.concat([part(alert(1).trim()), part(alert(2).trim()), part(alert(3))])
        .toString()
        .replaceAll('>\r\n--', '>--'),
    ),
    [1, 2, 3],
  ],
  [
    'angle brackets in the boundary',
    Buffer.from(
      Buffer.concat([part(alert(1)), part(alert(2))])
        .toString()
        .replaceAll('--boundary', '--<frontier>'),
    ),
    [1, 2],
  ],
  [
    'a picture with the delimiter inside',
    Buffer.concat([part(alert(1)), part(picture, 'image/pjpeg'), part(alert(2))]),
    [1, 2],
  ],
  [
    'a picture with a length too short',
    Buffer.concat([part(alert(1)), part(picture, 'image/jpeg', 7), part(alert(2))]),
    [1, 2],
  ],
  [
    'a picture without a length',
    Buffer.concat([
      part(alert(1)),
      Buffer.from('--boundary\r\nContent-Type: image/jpeg\r\n\r\n'),
      Buffer.from([0xff, 0xd8, 0xff, 0x0a, 0x0d, 0xd9, 0x0a]),
      part(alert(2)),
    ]),
    [1, 2],
  ],
  ['a length too long', Buffer.concat([part(alert(1), undefined, 900), part(alert(2)), part(alert(3))]), [1, 2, 3]],
  ['a length too short', Buffer.concat([part(alert(1), undefined, 100), part(alert(2))]), [1, 2]],
  ['an absurd length', Buffer.concat([part(alert(1), undefined, 99_999_999), part(alert(2))]), [1, 2]],
  ['the last length too long', Buffer.concat([part(alert(1)), part(alert(2), undefined, 5000)]), [1, 2]],
  [
    'noise in front',
    Buffer.concat([Buffer.from([0, 1, 0xff, 0x0a, 0x2d, 0x2d, 0x0a]), Buffer.from('garbage garbage'), part(alert(1))]),
    [1],
  ],
  ['noise without a line end before a document', Buffer.from(`noise ${alert(1)}`), [1]],
  [
    'bytes that are no UTF-8',
    part(
      Buffer.from(alert(1).replace('<channelID>', '<channelName>\xc4\xe3\xba\xc3</channelName><channelID>'), 'latin1'),
    ),
    [1],
  ],
  ['an end marker', Buffer.concat([part(alert(1)), Buffer.from('--boundary--\r\n'), part(alert(2))]), [1, 2]],
];

describe('alertStream', () => {
  it.each(STREAMS)('%s', (_name, bytes, expected) => {
    expect(numbers(feed(bytes))).toEqual(expected);
  });

  it('is the same for any chunks', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STREAMS),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
        (stream, sizes) => {
          expect(numbers(feed(stream[1], sizes))).toEqual(stream[2]);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('takes what stands before a document as a part of it: byte order mark, declaration, comment', () => {
    const before = '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- motion -> alarm -->\r\n';
    const bytes = Buffer.concat([part(before + alert(1)), part(before + alert(2))]);
    for (const sizes of [[bytes.length], [1], [7, 100]]) {
      const parts = feed(bytes, sizes);
      expect(parts).toHaveLength(2);
      expect(numbers(parts)).toEqual([1, 2]);
    }
  });

  it('cuts JSON parts, with braces and quotes inside', () => {
    const json = '{"a":"} \\" {","b":{"c":1}}';
    for (const length of [true, false]) {
      const bytes = Buffer.from(
        `--MIME_boundary\r\nContent-Type: application/json\r\n${length ? `Content-Length: ${json.length}\r\n` : ''}\r\n${json}\r\n--MIME_boundary\r\n`,
      );
      expect(feed(bytes, [3]).map((p) => p.body.toString())).toEqual([json]);
    }
  });

  it('gives a part out as soon as it is whole, not when the next one begins', () => {
    for (const bytes of [
      part(alert(1)),
      STREAMS[3]![1].subarray(0, STREAMS[3]![1].indexOf('--boundary', 5)),
      Buffer.from(`--b\n${alert(1)}`),
    ]) {
      expect(numbers(new AlertStreamParser().push(bytes))).toEqual([1]);
    }
  });

  it('lets go of a part that never comes, when told that it takes too long', () => {
    const parser = new AlertStreamParser();
    parser.push(part(picture, 'image/jpeg', 3_000_000));
    expect(parser.pending).toBeGreaterThan(0);
    expect(parser.push(part(alert(1)))).toEqual([]);
    expect(numbers(parser.resync())).toEqual([1]);
    expect(parser.pending).toBe(0);
  });

  it('brings large documents and pictures without a length, sent byte by byte, with what follows them', () => {
    const large = (type: string, body: Buffer | string) =>
      Buffer.concat([Buffer.from(`--b\r\nContent-Type: ${type}\r\n\r\n`), Buffer.from(body), part(alert(2))]);
    const document = alert(1).replace('</EventNotificationAlert>', `${' '.repeat(40_000)}</EventNotificationAlert>`);
    expect(numbers(feed(large('application/xml', document), [1]))).toEqual([1, 2]);
    const picture = Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(1_500_000, 7), Buffer.from('\r\n')]);
    expect(numbers(feed(large('image/jpeg', picture), [1_000]))).toEqual([2]);
  });

  it('holds a bounded amount, whatever comes', () => {
    const parser = new AlertStreamParser();
    for (let i = 0; i < 100; i++) parser.push(Buffer.alloc(100_000, 0x41));
    for (const start of ['<a>', '{', '--b\r\nContent-Type: image/jpeg\r\n\r\n', `--b\r\n${'x-y: z\r\n'.repeat(100)}`]) {
      parser.push(Buffer.from(start));
      for (let i = 0; i < 60; i++) parser.push(Buffer.alloc(100_000, 0x42));
      const parts = parser.push(Buffer.from(`\n--b\r\n${alert(7)}\n`));
      expect(numbers([...parts, ...parser.resync()])).toEqual([7]);
    }
    expect(parser.skippedBytes).toBeGreaterThan(10_000_000);
  });

  it('survives 10,000 mutated streams, and the alerts after the damage come through', () => {
    const tail = Buffer.concat([Buffer.from('\r\n'), part(alert(901)), part(alert(902)), part(alert(903))]);
    fc.assert(
      fc.property(
        fc.constantFrom(...STREAMS),
        fc.array(fc.tuple(fc.nat(), fc.nat(30), fc.uint8Array({ maxLength: 12 })), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 }),
        ([, original], cuts, sizes) => {
          let bytes = original;
          for (const [where, cut, insert] of cuts) {
            const at = where % bytes.length;
            bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + cut)]);
          }
          // The part that was damaged last may take the first one after it along.
          expect(numbers(feed(Buffer.concat([bytes, tail]), sizes)).slice(-2)).toEqual([902, 903]);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('finds whole documents although the delimiter it learnt was a damaged one', () => {
    const damaged = Buffer.from('--bent\r\n{"eventType":"IO"\r\n');
    const parts = feed(Buffer.concat([damaged, part(alert(1)), part(alert(2)), part(alert(3))]));
    const whole = parts.filter((p) => p.body.toString().trimEnd().endsWith('</EventNotificationAlert>'));
    expect(numbers(whole)).toEqual([1, 2, 3]);
  });
});
