import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TunnelError } from './errors.ts';
import type { FramingSink } from './framing.ts';
import { answer, offer, PROTOCOL } from './handshake.ts';
import { CLASSES, dataHeader, encode, MessageDecoder, type MessageSink } from './messages.ts';
import { WebSocketFraming } from './websocket.ts';

function decoded(chunks: Buffer[]): unknown[] {
  const got: unknown[] = [];
  const record = new Proxy({} as MessageSink, {
    get:
      (_, name) =>
      (...args: unknown[]) => {
        const last = got.at(-1) as unknown[] | undefined;
        // Pieces of one channel's data are one piece.
        if (name === 'data' && last?.[0] === 'data' && last[1] === args[0]) {
          last[2] = Buffer.concat([last[2] as Buffer, args[1] as Buffer]);
        } else got.push(name === 'data' ? [name, args[0], Buffer.from(args[1] as Buffer)] : [name, ...args]);
      },
  });
  const decoder = new MessageDecoder(record);
  for (const chunk of chunks) decoder.push(chunk);
  return got;
}

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const at = [0, ...places.map((p) => p % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => Buffer.from(bytes.subarray(at[i], end)));
}

const channel = fc.integer({ min: 1, max: 255 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const anyMessage = fc.oneof(
  fc.tuple(channel, fc.constantFrom(...CLASSES)).map(([c, k]) => [encode.open(c, k), ['open', c, k]] as const),
  channel.map((c) => [encode.end(c), ['end', c]] as const),
  fc.tuple(channel, fc.string({ maxLength: 100 })).map(([c, t]) => [encode.reset(c, t), ['reset', c, t]] as const),
  fc.tuple(channel, u32).map(([c, n]) => [encode.credit(c, n), ['credit', c, n]] as const),
  fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((n) => [encode.ack(n), ['ack', n]] as const),
  u32.map((n) => [encode.ping(n), ['ping', n]] as const),
  u32.map((n) => [encode.pong(n), ['pong', n]] as const),
  fc.tuple(u32, u32).map(([a, b]) => [encode.restart(a, b), ['restart', a, b]] as const),
  fc.string({ maxLength: 100 }).map((t) => [encode.bye('restart', t), ['bye', 'restart', t]] as const),
);
const places = fc.array(fc.nat(), { maxLength: 20 });

describe('messages', () => {
  it('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 12 }), places, (messages, at) => {
        const bytes = Buffer.concat(messages.map(([b]) => b));
        expect(decoded(cut(bytes, at))).toEqual(messages.map(([, m]) => m));
      }),
    );
  });

  it('carry data in place, however the bytes are cut', () => {
    fc.assert(
      fc.property(channel, fc.uint8Array({ minLength: 1, maxLength: 2000 }), places, (c, payload, at) => {
        const data = Buffer.from(payload);
        expect(decoded(cut(Buffer.concat([dataHeader(c, data.length), data]), at))).toEqual([['data', c, data]]);
      }),
    );
  });

  it('never fail with anything but a protocol error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 }), (chunks) => {
        try {
          decoded(chunks.map((c) => Buffer.from(c)));
        } catch (error) {
          expect(error).toBeInstanceOf(TunnelError);
        }
      }),
    );
  });

  it('cut a text that is too long between characters, and read a code of a later version as a goodbye', () => {
    const [[, , text]] = decoded([encode.reset(1, 'ä'.repeat(400))]) as [[string, number, string]];
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(512);
    expect(decoded([encode.bye('from-the-future' as 'stopped', 'x y')])).toEqual([['bye', 'disconnected', 'x y']]);
  });
});

function receive(framing: WebSocketFraming, chunks: Buffer[]) {
  const got = { payload: [] as Buffer[], replies: [] as Buffer[], closed: null as [number, string] | null };
  const sink: FramingSink = {
    payload: (b) => got.payload.push(Buffer.from(b)),
    reply: (b) => got.replies.push(b),
    closed: (code, reason) => {
      got.closed = [code, reason];
    },
  };
  for (const chunk of chunks) framing.receive(chunk, sink);
  return { ...got, payload: Buffer.concat(got.payload) };
}

describe('WebSocket framing', () => {
  it('carries bytes both ways in frames of any length, however they are cut', () => {
    const sizes = fc.array(fc.constantFrom(1, 125, 126, 127, 1000, 65_535, 65_536, 70_000), { maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom('client' as const, 'server' as const), sizes, places, (from, frames, at) => {
        const sender = new WebSocketFraming(from);
        const bodies = frames.map((n, i) => Buffer.alloc(n, i + 1));
        const wire = Buffer.concat(bodies.flatMap((b) => [sender.header(b.length), b]));
        const got = receive(new WebSocketFraming(from === 'client' ? 'server' : 'client'), cut(wire, at));
        expect(got.payload.equals(Buffer.concat(bodies))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('unmasks any key (the example of RFC 6455 §5.7), also in fragments and across cuts', () => {
    const whole = Buffer.from('818537fa213d7f9f4d5158', 'hex');
    whole[0] = 0x82;
    for (let at = 0; at <= whole.length; at++) {
      expect(receive(new WebSocketFraming('server'), cut(whole, [at])).payload.toString()).toBe('Hello');
    }
    const fragments = Buffer.from('028137fa213d7f' + '808437fa213d529f4d51', 'hex');
    expect(receive(new WebSocketFraming('server'), [fragments]).payload.toString('latin1')).toHaveLength(5);
  });

  it('answers a ping, also between two fragments, and tells a close', () => {
    const got = receive(new WebSocketFraming('client'), [
      Buffer.from('0201418902686980014288 0403e96279'.replace(' ', ''), 'hex'),
    ]);
    expect(got.payload.toString()).toBe('AB');
    expect(got.replies.map((b) => b.toString('hex'))).toEqual(['8a82000000006869']);
    expect(got.closed).toEqual([1001, 'by']);
  });

  it.each([
    ['a reserved bit', 'c200'],
    ['a text frame', '810141'],
    ['an unknown opcode', '8300'],
    ['an unknown control opcode', '8b00'],
    ['a mask from the relay', '828100000000' + '41'],
    ['a fragmented ping', '0900'],
    ['a long ping', '897e0080'],
    ['a continuation of nothing', '800141'],
    ['a message inside a message', '020141820141'],
    ['a 16-bit length below 126', '827e0010'],
    ['a 64-bit length below 65,536', '827f0000000000001000'],
    ['a frame over 16 MiB', '827f0000000001000001'],
    ['a length of 2^63', '827f8000000000000000'],
    ['a close of one byte', '880103'],
  ])('refuses %s', (_, hex) => {
    expect(() => receive(new WebSocketFraming('client'), [Buffer.from(hex, 'hex')])).toThrow(
      expect.objectContaining({ code: 'protocol-error' }),
    );
  });

  it('refuses an unmasked frame from the box', () => {
    expect(() => receive(new WebSocketFraming('server'), [Buffer.from('820141', 'hex')])).toThrow(TunnelError);
  });

  it('never fails with anything but a protocol error', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('client' as const, 'server' as const),
        fc.uint8Array({ maxLength: 300 }),
        (role, bytes) => {
          try {
            receive(new WebSocketFraming(role), [Buffer.from(bytes)]);
          } catch (error) {
            expect(error).toBeInstanceOf(TunnelError);
          }
        },
      ),
    );
  });
});

describe('the handshake', () => {
  const response = (head: string) =>
    Object.fromEntries(
      head
        .split('\r\n')
        .slice(1)
        .filter(Boolean)
        .map((line) => [line.split(': ')[0]!.toLowerCase(), line.slice(line.indexOf(': ') + 2)]),
    );
  const lower = (h: Record<string, string>) =>
    Object.fromEntries(Object.entries(h).map(([k, v]) => [k.toLowerCase(), v]));

  it.each(['websocket', 'raw'] as const)('agrees on %s', (mode) => {
    const ours = offer(mode);
    const theirs = answer(lower(ours.headers));
    expect(theirs?.framing.mode).toBe(mode);
    expect(ours.accepted(response(theirs!.head))?.mode).toBe(mode);
  });

  it('refuses another protocol, version or key, and an answer to another key', () => {
    const good = lower(offer('websocket').headers);
    expect(answer({ ...good, 'sec-websocket-protocol': 'mqtt' })).toBeNull();
    expect(answer({ ...good, 'sec-websocket-version': '8' })).toBeNull();
    expect(answer({ ...good, 'sec-websocket-key': 'short' })).toBeNull();
    expect(answer({ upgrade: 'gatepost-tunnel.2' })).toBeNull();
    expect(answer({ ...good, 'sec-websocket-protocol': `other, ${PROTOCOL}` })).not.toBeNull();
    expect(offer('websocket').accepted(response(answer(good)!.head))).toBeNull();
  });
});
