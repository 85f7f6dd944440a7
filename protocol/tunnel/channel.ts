import { Duplex } from 'node:stream';
import type { TunnelError } from './errors.ts';
import { CREDIT_WINDOW_BYTES, protocolError, type TrafficClass } from './messages.ts';

/** What a channel asks of its transport. */
export interface ChannelOwner {
  /** Bytes wait to be sent. */
  wake(): void;
  consumed(channel: Channel, bytes: number): void;
  end(channel: Channel): void;
  reset(channel: Channel, reason: string): void;
}

/** A reader that stalls under many tiny messages must not cost an object each. */
const MAX_INBOX_PIECES = 4096;

/**
 * One channel of the tunnel: an ordered byte stream each way with half-close. `destroy(error)` resets it; `destroy()` before both
 * sides have ended resets it too, because a cut transfer must never look complete. Made by the transport only.
 */
export class Channel extends Duplex {
  readonly id: number;
  readonly trafficClass: TrafficClass;
  readonly #owner: ChannelOwner;

  // Towards the other side. Node hands over one batch at a time, so this is bounded by the writer's batch.
  #outbox: Buffer[] = [];
  #outboxAt = 0;
  #outboxOffset = 0;
  /** Bytes that wait to be sent. */
  queued = 0;
  /** Bytes the other side is ready to take. */
  credit = CREDIT_WINDOW_BYTES;
  /** Position in the weighted order of the scheduler. */
  turn = 0;
  #written: (() => void) | null = null;

  // Towards the reader.
  #inbox: Buffer[] = [];
  #inboxBytes = 0;
  #wanted = false;
  #inEnded = false;
  #sentEnd = false;

  constructor(owner: ChannelOwner, id: number, trafficClass: TrafficClass) {
    super({ allowHalfOpen: true, readableHighWaterMark: 256 * 1024, writableHighWaterMark: 256 * 1024 });
    this.#owner = owner;
    this.id = id;
    this.trafficClass = trafficClass;
  }

  /** Each side has ended or reset it: the number is free again. */
  get finished(): boolean {
    return this.#sentEnd && this.#inEnded;
  }
  /** Nothing more comes from the other side. */
  get inEnded(): boolean {
    return this.#inEnded;
  }

  // Called by the transport.

  /** Moves up to `bytes` waiting bytes to `out` without copying them. */
  takeOut(bytes: number, out: Buffer[]): void {
    this.queued -= bytes;
    this.credit -= bytes;
    while (bytes > 0) {
      const head = this.#outbox[this.#outboxAt]!;
      const piece =
        this.#outboxOffset === 0 && head.length <= bytes
          ? head
          : head.subarray(this.#outboxOffset, this.#outboxOffset + bytes);
      out.push(piece);
      bytes -= piece.length;
      this.#outboxOffset += piece.length;
      if (this.#outboxOffset === head.length) {
        this.#outboxAt++;
        this.#outboxOffset = 0;
      }
    }
    if (this.queued === 0) this.#writeDone();
  }

  /** Bytes from the other side. @throws TunnelError protocol-error when they exceed the credit. */
  receive(bytes: Buffer): void {
    if (this.#inEnded) throw protocolError(`bytes after the end of channel ${this.id}`);
    if (this.destroyed) {
      this.#owner.consumed(this, bytes.length);
      return;
    }
    if (this.#inbox.length === 0 && this.#wanted) {
      this.#deliver(bytes);
      return;
    }
    this.#inboxBytes += bytes.length;
    if (this.#inboxBytes > CREDIT_WINDOW_BYTES) throw protocolError(`more than the credit of channel ${this.id}`);
    this.#inbox.push(bytes);
    if (this.#inbox.length > MAX_INBOX_PIECES) this.#inbox = [Buffer.concat(this.#inbox)];
  }

  receiveEnd(): void {
    if (this.#inEnded) throw protocolError(`a second end of channel ${this.id}`);
    this.#inEnded = true;
    if (this.#inbox.length === 0 && !this.destroyed) this.push(null);
  }

  /** The other side reset the channel, or the connection is over. */
  fail(error: TunnelError): void {
    this.#inEnded = true;
    this.destroy(error);
  }

  // Duplex.

  override _read(): void {
    this.#wanted = true;
    while (this.#wanted && this.#inbox.length > 0) {
      const bytes = this.#inbox.shift()!;
      this.#inboxBytes -= bytes.length;
      this.#deliver(bytes);
    }
    if (this.#wanted && this.#inEnded && this.#inbox.length === 0) this.push(null);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#enqueue([chunk], chunk.length, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    let bytes = 0;
    const list: Buffer[] = [];
    for (const { chunk } of chunks) {
      if (chunk.length === 0) continue;
      bytes += chunk.length;
      list.push(chunk);
    }
    this.#enqueue(list, bytes, done);
  }

  override _final(done: () => void): void {
    this.#sentEnd = true;
    this.#owner.end(this);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#outbox = [];
    this.queued = 0;
    this.#inbox = [];
    // Also after END: the other side must not go on sending to nobody.
    const cut = !this.finished;
    this.#sentEnd = true;
    if (cut) this.#owner.reset(this, error?.message ?? 'cut');
    this.#written = null;
    done(error);
  }

  #enqueue(list: Buffer[], bytes: number, done: () => void): void {
    if (bytes === 0) {
      done();
      return;
    }
    this.#outbox = list;
    this.#outboxAt = 0;
    this.#outboxOffset = 0;
    this.queued = bytes;
    this.#written = done;
    this.#owner.wake();
  }

  #writeDone(): void {
    this.#outbox = [];
    const done = this.#written;
    this.#written = null;
    done?.();
  }

  #deliver(bytes: Buffer): void {
    this.#wanted = this.push(bytes);
    this.#owner.consumed(this, bytes.length);
  }
}
