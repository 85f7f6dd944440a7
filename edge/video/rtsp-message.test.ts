import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RtspMessage, RtspReader } from './rtsp-message.ts';

const frame = (channel: number, payload: Buffer) =>
  Buffer.concat([Buffer.from([0x24, channel, payload.length >> 8, payload.length & 255]), payload]);
const rtp = (tag: number) => Buffer.from([0x80, 96, 0, tag, 0, 0, 0, 1, 0, 0, 0, 2, tag]);
const RESPONSE = Buffer.from('RTSP/1.0 200 OK\r\nCseq: 7\r\nContent-Length: 4\r\n\r\nbody');

function read(chunks: Buffer[], channels = [0, 1]) {
  const frames: [number, Buffer][] = [];
  const messages: RtspMessage[] = [];
  const reader = new RtspReader({
    frame: (c, p) => frames.push([c, Buffer.from(p)]),
    message: (m) => messages.push(m),
  });
  for (const c of channels) reader.channels.add(c);
  for (const chunk of chunks) reader.push(chunk);
  return { frames, messages, skipped: reader.skippedBytes };
}

function cut(data: Buffer, at: number[]): Buffer[] {
  const points = [...new Set([0, ...at.map((n) => n % (data.length + 1)), data.length])].sort((a, b) => a - b);
  return points.slice(1).map((end, i) => data.subarray(points[i], end));
}

describe('interleaved RTSP', () => {
  it('reads frames, answers and requests of the camera in whatever pieces they come', () => {
    const request = Buffer.from('OPTIONS rtsp://10.0.0.5/ RTSP/1.0\r\nCSeq: 3\r\n\r\n');
    const stream = Buffer.concat([RESPONSE, frame(0, rtp(1)), request, frame(1, rtp(2)), RESPONSE, frame(0, rtp(3))]);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (points) => {
        const { frames, messages, skipped } = read(cut(stream, points));
        expect(frames.map(([c, p]) => [c, p[3]])).toEqual([
          [0, 1],
          [1, 2],
          [0, 3],
        ]);
        expect(messages.map((m) => [m.method, m.status, m.headers.get('cseq')?.[0], m.body.toString()])).toEqual([
          [null, 200, '7', 'body'],
          ['OPTIONS', 0, '3', ''],
          [null, 200, '7', 'body'],
        ]);
        expect(skipped).toBe(0);
      }),
    );
  });

  it('finds the next frame behind garbage that is full of dollar signs', () => {
    const garbage = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => {
      // No channel that was set up stands behind a dollar sign: that would be a frame.
      return Buffer.from(bytes.map((b, i) => (i % 5 === 0 || b < 2 ? 0x24 : b)));
    });
    fc.assert(
      fc.property(garbage, fc.array(fc.nat(400), { maxLength: 10 }), (junk, points) => {
        const good = Array.from({ length: 3 }, (_, i) => frame(0, rtp(i)));
        const { frames, skipped } = read(cut(Buffer.concat([frame(0, rtp(9)), junk, ...good]), points));
        expect(frames.map(([, p]) => p[3])).toEqual([9, 0, 1, 2]);
        expect(skipped).toBeGreaterThan(0);
      }),
    );
  });

  it('survives anything and keeps no more than one unit of it', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 20 }), (chunks) => {
        expect(() => read(chunks.map((c) => Buffer.from(c)))).not.toThrow();
      }),
    );
    const endless = Array.from({ length: 200 }, () => Buffer.from(`RTSP/1.0 200 OK\r\n${'x'.repeat(1000)}`));
    expect(read(endless).messages).toEqual([]);
  });

  it.each([
    ['a status line that can be read in many ways', `RTSP/1.0 200${' '.repeat(16_000)}\rx\rx\r\n\r\n`],
    ['beginnings without an end', 'OPTIONS '],
    ['beginnings with one end for all', `${'OPTIONS '.repeat(2000)}\r\n\r\n`],
    ['requests without end', 'OPTIONS x RTSP/1.0\r\n\r\n'],
  ])('is not held up by %s', (_, piece) => {
    const data = Buffer.from(piece.repeat(Math.ceil(256_000 / piece.length)));
    const since = performance.now();
    read([data, RESPONSE]);
    expect(performance.now() - since).toBeLessThan(1_000);
  });

  it('hands over nothing more once it was stopped', () => {
    const messages: string[] = [];
    const reader = new RtspReader({
      frame: () => {},
      message: ({ uri }) => {
        messages.push(uri);
        reader.stop();
      },
    });
    for (const pair of ['12', '34'])
      reader.push(Buffer.from([...pair].map((uri) => `OPTIONS ${uri} RTSP/1.0\r\n\r\n`).join('')));
    expect(messages).toEqual(['1']);
  });
});
