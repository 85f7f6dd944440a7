import type { Framing, FramingSink } from './framing.ts';
import { protocolError } from './messages.ts';

/*
 * WebSocket framing (RFC 6455 §5) for a byte stream: binary frames whose borders mean nothing, so payload is handed on
 * as it arrives and nothing is ever assembled.
 *
 * The box masks with the key 0, which RFC 6455 §5.1 requires to be present and §5.3 wants unpredictable: the mask protects proxies
 * from bytes that a hostile web page chose, and no web page speaks here. It costs no pass over the data. The relay
 * unmasks whatever key comes.
 */

const OP = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** More than any proxy makes; a larger announcement is an error, not a wait. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const MAX_CONTROL_BYTES = 125;

export class WebSocketFraming implements Framing {
  readonly mode = 'websocket';
  readonly #client: boolean;
  readonly #head = Buffer.alloc(14);
  #headRead = 0;
  #headNeeded = 2;
  #opcode = 0;
  #left = 0;
  #mask = 0;
  /** Payload bytes of this frame seen so far, for the phase of the mask. */
  #seen = 0;
  #inMessage = false;
  #control: Buffer[] = [];

  /** `client`: the side that dialled, whose frames carry a mask. */
  constructor(role: 'client' | 'server') {
    this.#client = role === 'client';
  }

  header(length: number): Buffer {
    return this.#frame(OP.binary, length);
  }

  closing(): Buffer {
    return Buffer.concat([this.#frame(OP.close, 2), Buffer.from([0x03, 0xe8])]);
  }

  receive(chunk: Buffer, sink: FramingSink): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headRead < this.#headNeeded) {
        const n = Math.min(this.#headNeeded - this.#headRead, chunk.length - at);
        chunk.copy(this.#head, this.#headRead, at, at + n);
        at += n;
        this.#headRead += n;
        if (this.#headRead < this.#headNeeded || !this.#parseHead()) continue;
        if (this.#left > 0) continue;
      }
      const piece = chunk.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      if (this.#mask !== 0) this.#unmask(piece);
      const done = this.#left === 0;
      if (done) {
        this.#headRead = 0;
        this.#headNeeded = 2;
      }
      if (this.#opcode < OP.close) {
        if (piece.length > 0) sink.payload(piece);
      } else {
        this.#control.push(Buffer.from(piece));
        if (done) this.#finishControl(sink);
      }
    }
  }

  /** Returns whether the whole head is there. */
  #parseHead(): boolean {
    const head = this.#head;
    const short = head[1]! & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const masked = (head[1]! & 0x80) !== 0;
    const needed = 2 + extended + (masked ? 4 : 0);
    if (this.#headNeeded < needed) {
      this.#checkFirstBytes(masked, short);
      this.#headNeeded = needed;
      return false;
    }
    if (needed === 2) this.#checkFirstBytes(masked, short);
    const length =
      extended === 2
        ? head.readUInt16BE(2)
        : extended === 8
          ? head.readUInt32BE(2) * 2 ** 32 + head.readUInt32BE(6)
          : short;
    if ((extended === 2 && length < 126) || (extended === 8 && length < 65_536)) {
      throw protocolError('a WebSocket length that is not in its shortest form');
    }
    if (length > MAX_FRAME_BYTES) throw protocolError(`a WebSocket frame of ${length} bytes`);
    this.#left = length;
    this.#mask = masked ? head.readUInt32BE(needed - 4) : 0;
    this.#seen = 0;
    return true;
  }

  #checkFirstBytes(masked: boolean, short: number): void {
    const first = this.#head[0]!;
    const final = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    this.#opcode = opcode;
    if ((first & 0x70) !== 0) throw protocolError('reserved WebSocket bits are set');
    if (masked === this.#client)
      throw protocolError(masked ? 'a masked WebSocket frame' : 'an unmasked WebSocket frame');
    if (opcode >= OP.close) {
      if (opcode > OP.pong) throw protocolError(`WebSocket opcode ${opcode}`);
      if (!final || short > MAX_CONTROL_BYTES) throw protocolError('a fragmented or long WebSocket control frame');
      return;
    }
    if (opcode !== OP.binary && opcode !== OP.continuation) throw protocolError(`WebSocket opcode ${opcode}`);
    if ((opcode === OP.continuation) !== this.#inMessage) throw protocolError('WebSocket fragments out of order');
    this.#inMessage = !final;
  }

  #finishControl(sink: FramingSink): void {
    const body = this.#control.length === 1 ? this.#control[0]! : Buffer.concat(this.#control);
    this.#control = [];
    if (this.#opcode === OP.ping) sink.reply(Buffer.concat([this.#frame(OP.pong, body.length), body]));
    if (this.#opcode !== OP.close) return;
    if (body.length === 1) throw protocolError('a WebSocket close frame of one byte');
    sink.closed(body.length === 0 ? 1005 : body.readUInt16BE(0), body.toString('utf8', 2));
  }

  #frame(opcode: number, length: number): Buffer {
    const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
    const b = Buffer.alloc(2 + extended + (this.#client ? 4 : 0));
    b[0] = 0x80 | opcode;
    b[1] = (this.#client ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
    if (extended === 2) b.writeUInt16BE(length, 2);
    else if (extended === 8) b.writeUIntBE(length, 4, 6);
    return b;
  }

  #unmask(bytes: Buffer): void {
    const key = this.#mask;
    for (let i = 0; i < bytes.length; i++) {
      bytes[i]! ^= (key >>> (24 - 8 * ((this.#seen + i) & 3))) & 0xff;
    }
    this.#seen += bytes.length;
  }
}
