import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDc09, encodeDc09, MAX_DC09_FRAME } from './dc09.ts';
import { cidData, dc09Text, siaData } from './dc09-content.ts';
import { Dc09Stream } from './dc09-stream.ts';

const frame = (sequence: number, binaryCrc = false): Buffer =>
  encodeDc09(
    {
      id: 'SIA-DCS',
      encrypted: false,
      sequence,
      receiver: '0',
      line: '0',
      account: '1234',
      data: siaData('1234', 1, 'BA', '003', null),
      xdata: [],
      timestamp: sequence * 1000,
    },
    { binaryCrc },
  );

/** Cuts `all` at the given places and pushes the pieces. */
const pushCut = (stream: Dc09Stream, all: Buffer, cuts: number[]): Buffer[] => {
  const places = [0, ...cuts.map((c) => c % (all.length + 1)).sort((a, b) => a - b), all.length];
  return places.slice(1).flatMap((to, i) => stream.push(all.subarray(places[i], to)));
};

describe('DC-09 over a stream', () => {
  it('finds every frame however it is cut, with noise between and binary CRCs that hold CR or LF', () => {
    const noise = fc.constantFrom(
      Buffer.alloc(0),
      Buffer.alloc(3),
      Buffer.from('x\r'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.boolean(), noise), { minLength: 1, maxLength: 64 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (parts, cuts) => {
          const frames = parts.map(([n, binary]) => frame(n, binary));
          const all = Buffer.concat(parts.flatMap(([, , between], i) => [between, frames[i]!]));
          expect(pushCut(new Dc09Stream(), all, cuts)).toEqual(frames);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes a frame one byte at a time', () => {
    const stream = new Dc09Stream();
    const got = [...frame(7)].flatMap((byte) => stream.push(Buffer.from([byte])));
    expect(got).toEqual([frame(7)]);
  });

  it('never waits for more than a frame, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 }), (chunks) => {
        const stream = new Dc09Stream();
        for (const chunk of chunks) for (const got of stream.push(Buffer.from(chunk))) decodeDc09(got);
        // Whatever it still waited for is over after one frame's length, and the next frame is found.
        const got = [...stream.push(Buffer.alloc(MAX_DC09_FRAME)), ...stream.push(frame(1))];
        expect(got.at(-1)).toEqual(frame(1));
      }),
      { numRuns: 300 },
    );
    const stream = new Dc09Stream();
    expect(stream.push(Buffer.from('\n00000FFF"'))).toEqual([]);
    expect(stream.push(Buffer.alloc(MAX_DC09_FRAME, 0x20))).toEqual([]);
    expect(stream.push(frame(2))).toEqual([frame(2)]);
  });
});

describe('DC-09 content', () => {
  it('writes SIA and Contact ID blocks', () => {
    expect(siaData('00A1', 1, 'BA', '003', null)).toBe('#00A1|Nri1/BA003');
    expect(siaData('1234', 0, 'UA', '012', 'Hall')).toBe('#1234|Nri0/UA012|AHall');
    expect(cidData('1234', '130', false, 1, '007')).toBe('#1234|1130 01 007');
    expect(cidData('1234', '130', true, 12, '999')).toBe('#1234|3130 12 999');
  });

  it('cleans text for any receiver', () => {
    expect(dc09Text('Tür [links]|"Größe"^ é\r\nЖ')).toBe('Tuer links Groesse e ?');
    expect(dc09Text('x'.repeat(300))).toHaveLength(256);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(dc09Text(text)).toMatch(/^(?:(?![[\]|^"])[ -~]){0,256}$/);
      }),
    );
  });
});
