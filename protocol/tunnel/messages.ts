import { TUNNEL_ERROR_CODES, TunnelError, type TunnelErrorCode } from './errors.ts';

/*
 * The thin transport between box and relay, version 1.
 *
 * It runs over any ordered, reliable Duplex: the payload bytes of WebSocket binary frames (websocket.ts; frame borders mean
 * nothing) or, after `Upgrade: gatepost-tunnel`, the bare bytes of the connection. It carries up to 16 channels, each an
 * ordered byte stream in both directions with half-close, and bounds what is on its way so that the kernel's send
 * buffer stays short. On each channel runs one HTTP/2 session; the transport neither knows nor cares.
 *
 * Message = type u8 · channel u8 · length u16 (of the payload) · payload. Numbers are big-endian. `channel` is 0 where none is named.
 *
 *   type          who      payload                    meaning
 *    1 OPEN       relay    class u8                   a new channel; 0 urgent, 1 interactive, 2 bulk. Data may follow at once
 *    2 DATA       both     1–65,535 bytes             the next bytes of the channel
 *    3 DATA_PUSH  both     as DATA                    as DATA, and nothing more is waiting: acknowledge now
 *    4 END        both     –                          no more bytes from this side (half-close)
 *    5 RESET      both     text, ≤ 512 bytes          this side gives the channel up in both directions, also after its END;
 *                                                     answered by RESET unless END or RESET was already sent
 *    6 CREDIT     both     n u32                      the reader took n more bytes of this channel
 *    7 ACK        both     total u48                  bytes of DATA received on all channels since the connection began
 *    8 PING       both     id u32                     answered by PONG at once
 *    9 PONG       both     id u32
 *   10 RESTART    relay    afterMs u32, spreadMs u32  the relay goes away soon: once the connection has ended, wait
 *                                                     afterMs + random × spreadMs before dialling again
 *   11 BYE        both     code, space, text, ≤ 512   the last message; the code is one of errors.ts
 *
 * Rules:
 *  - A channel number (1–255) is free again when each side has sent and received its END or RESET. The relay uses the numbers
 *    in turn, so a RESET or CREDIT that crossed the end of its channel meets an unknown number, and is ignored.
 *  - At most CREDIT_WINDOW bytes of a channel may be sent beyond what CREDIT returned: a reader that stalls holds up its own
 *    channel, costs a bounded amount of memory, and nothing else waits for it.
 *  - ACK says that bytes have arrived, not that anyone read them: it feeds the in-flight cap (cap.ts). It is due when
 *    ACK_EVERY bytes have come since the last, or with DATA_PUSH; at most once a read of the connection.
 *  - The box pings, at least every 5 s, and gives up when neither PONG nor ACK came for 11 s. The relay gives up when it
 *    heard nothing at all for 11 s.
 *  - Anything else (unknown type, wrong length, unknown channel, credit exceeded) is answered by BYE protocol-error and
 *    the end of this connection. No other connection notices.
 *
 * Versions: 1 (first).
 */

export const TYPE = {
  open: 1,
  data: 2,
  dataPush: 3,
  end: 4,
  reset: 5,
  credit: 6,
  ack: 7,
  ping: 8,
  pong: 9,
  restart: 10,
  bye: 11,
} as const;

/** Traffic classes, in the order of their number on the wire. */
export const CLASSES = ['urgent', 'interactive', 'bulk'] as const;
export type TrafficClass = (typeof CLASSES)[number];

export const HEADER_BYTES = 4;
export const MAX_PAYLOAD_BYTES = 65_535;
export const MAX_TEXT_BYTES = 512;
export const MAX_CHANNELS = 16;
export const CREDIT_WINDOW_BYTES = 8 * 1024 * 1024;
export const ACK_EVERY_BYTES = 4096;

/** What a decoder calls, in the order of the wire. */
export interface MessageSink {
  open(channel: number, trafficClass: TrafficClass): void;
  /** Bytes of a DATA message as they arrive, so one message may come in several pieces. `push`: the last piece of a DATA_PUSH. */
  data(channel: number, bytes: Buffer, push: boolean): void;
  end(channel: number): void;
  reset(channel: number, reason: string): void;
  credit(channel: number, bytes: number): void;
  ack(totalBytes: number): void;
  ping(id: number): void;
  pong(id: number): void;
  restart(afterMs: number, spreadMs: number): void;
  bye(code: TunnelErrorCode, reason: string): void;
}

/** Allowed payload lengths [least, most] and whether the message names a channel. */
const SHAPES: readonly ([number, number, boolean] | undefined)[] = [];
function shape(type: number, least: number, most: number, channel: boolean): void {
  (SHAPES as [number, number, boolean][])[type] = [least, most, channel];
}
shape(TYPE.open, 1, 1, true);
shape(TYPE.data, 1, MAX_PAYLOAD_BYTES, true);
shape(TYPE.dataPush, 1, MAX_PAYLOAD_BYTES, true);
shape(TYPE.end, 0, 0, true);
shape(TYPE.reset, 0, MAX_TEXT_BYTES, true);
shape(TYPE.credit, 4, 4, true);
shape(TYPE.ack, 6, 6, false);
shape(TYPE.ping, 4, 4, false);
shape(TYPE.pong, 4, 4, false);
shape(TYPE.restart, 8, 8, false);
shape(TYPE.bye, 1, MAX_TEXT_BYTES, false);

/** The header of a DATA message (its first byte may still be turned into DATA_PUSH); its payload is written after it, uncopied. */
export function dataHeader(channel: number, length: number): Buffer {
  const b = Buffer.allocUnsafe(HEADER_BYTES);
  b[0] = TYPE.data;
  b[1] = channel;
  b.writeUInt16BE(length, 2);
  return b;
}

function message(type: number, channel: number, length: number): Buffer {
  const b = Buffer.allocUnsafe(HEADER_BYTES + length);
  b[0] = type;
  b[1] = channel;
  b.writeUInt16BE(length, 2);
  return b;
}

function number(type: number, channel: number, bytes: 1 | 4 | 6, value: number): Buffer {
  const b = message(type, channel, bytes);
  b.writeUIntBE(value, HEADER_BYTES, bytes);
  return b;
}

function text(type: number, channel: number, value: string): Buffer {
  let bytes = Buffer.from(value);
  if (bytes.length > MAX_TEXT_BYTES) bytes = Buffer.from(bytes.toString('utf8', 0, MAX_TEXT_BYTES - 3));
  return Buffer.concat([message(type, channel, bytes.length).subarray(0, HEADER_BYTES), bytes]);
}

export const encode = {
  open: (channel: number, c: TrafficClass) => number(TYPE.open, channel, 1, CLASSES.indexOf(c)),
  end: (channel: number) => message(TYPE.end, channel, 0),
  reset: (channel: number, reason: string) => text(TYPE.reset, channel, reason),
  credit: (channel: number, bytes: number) => number(TYPE.credit, channel, 4, bytes),
  ack: (totalBytes: number) => number(TYPE.ack, 0, 6, totalBytes),
  ping: (id: number) => number(TYPE.ping, 0, 4, id),
  pong: (id: number) => number(TYPE.pong, 0, 4, id),
  restart: (afterMs: number, spreadMs: number) => {
    const b = message(TYPE.restart, 0, 8);
    b.writeUInt32BE(afterMs, 4);
    b.writeUInt32BE(spreadMs, 8);
    return b;
  },
  bye: (code: TunnelErrorCode, reason: string) => text(TYPE.bye, 0, `${code} ${reason}`),
};

/** Cuts a byte stream into messages. DATA is handed on in place and in pieces; everything else is at most 512 bytes. */
export class MessageDecoder {
  readonly #sink: MessageSink;
  readonly #small = Buffer.alloc(HEADER_BYTES);
  /** Bytes of the header read so far; HEADER_BYTES while inside a payload. */
  #headerRead = 0;
  #type = 0;
  #channel = 0;
  #left = 0;
  /** Payload of a message other than DATA that came in more than one piece. */
  #partial: Buffer[] = [];

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  /** @throws TunnelError protocol-error; the decoder must not be used after that. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length || (this.#headerRead === HEADER_BYTES && this.#left === 0)) {
      if (this.#headerRead < HEADER_BYTES) {
        this.#small[this.#headerRead++] = chunk[at++]!;
        if (this.#headerRead === HEADER_BYTES) this.#header();
        continue;
      }
      const piece = chunk.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      const done = this.#left === 0;
      if (done) this.#headerRead = 0;
      if (this.#type === TYPE.data || this.#type === TYPE.dataPush) {
        this.#sink.data(this.#channel, piece, done && this.#type === TYPE.dataPush);
      } else if (done) {
        const payload = this.#partial.length > 0 ? Buffer.concat([...this.#partial, piece]) : piece;
        this.#partial = [];
        this.#dispatch(payload);
      } else {
        this.#partial.push(Buffer.from(piece));
      }
    }
  }

  #header(): void {
    this.#type = this.#small[0]!;
    this.#channel = this.#small[1]!;
    this.#left = this.#small.readUInt16BE(2);
    const rule = SHAPES[this.#type];
    if (!rule) throw protocolError(`unknown message type ${this.#type}`);
    if (this.#left < rule[0] || this.#left > rule[1]) {
      throw protocolError(`message type ${this.#type} with ${this.#left} bytes`);
    }
    if (rule[2] !== this.#channel > 0) throw protocolError(`message type ${this.#type} with channel ${this.#channel}`);
  }

  #dispatch(p: Buffer): void {
    const s = this.#sink;
    const channel = this.#channel;
    switch (this.#type) {
      case TYPE.open: {
        const trafficClass = CLASSES[p[0]!];
        if (!trafficClass) throw protocolError(`unknown class ${p[0]}`);
        s.open(channel, trafficClass);
        break;
      }
      case TYPE.end:
        s.end(channel);
        break;
      case TYPE.reset:
        s.reset(channel, p.toString());
        break;
      case TYPE.credit:
        s.credit(channel, p.readUInt32BE(0));
        break;
      case TYPE.ack:
        s.ack(p.readUIntBE(0, 6));
        break;
      case TYPE.ping:
        s.ping(p.readUInt32BE(0));
        break;
      case TYPE.pong:
        s.pong(p.readUInt32BE(0));
        break;
      case TYPE.restart:
        s.restart(p.readUInt32BE(0), p.readUInt32BE(4));
        break;
      case TYPE.bye: {
        const [, code, reason] = /^(\S+) ?(.*)$/s.exec(p.toString()) ?? [];
        // A code of a later version is still a goodbye.
        const known = TUNNEL_ERROR_CODES.find((c) => c === code) ?? 'disconnected';
        s.bye(known, reason ?? '');
        break;
      }
    }
  }
}

export function protocolError(text: string): TunnelError {
  return new TunnelError('protocol-error', `The other side broke the tunnel protocol: ${text}`);
}
