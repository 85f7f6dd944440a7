import type { Clock } from '../clock.ts';
import { ACK_EVERY_BYTES, CREDIT_WINDOW_BYTES, encode } from './messages.ts';

/** On a fast path a write costs as much as the reads it answers: acknowledge at most once in this time. */
const ACK_GAP_MS = 1;

/** What is owed to the other side for the bytes it sent: ACK for what arrived, CREDIT for what was read. */
export class Receipts {
  readonly #clock: Clock;
  readonly #flush: () => void;
  /** Bytes of DATA received since the connection began. */
  received = 0;
  #acknowledged = 0;
  #acknowledgedAt = Number.NEGATIVE_INFINITY;
  #wanted = false;
  #cancel: (() => void) | null = null;
  /** Bytes read but not yet returned as credit, by channel. */
  #read: Map<number, number> | null = null;

  /** `flush` is called when an ACK is due; it then asks {@link takeAck}. */
  constructor(clock: Clock, flush: () => void) {
    this.#clock = clock;
    this.#flush = flush;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** The other side waits for an acknowledgement. */
  want(): void {
    this.#wanted = true;
  }

  /** After each read of the connection. */
  settle(): void {
    if (this.received - this.#acknowledged >= ACK_EVERY_BYTES) this.#wanted = true;
    if (!this.#wanted) return;
    const wait = this.#acknowledgedAt + ACK_GAP_MS - this.#clock.mono();
    if (wait <= 0) this.#flush();
    else this.#cancel ??= this.#clock.after(wait, this.#flush);
  }

  /** The ACK that is owed, once. */
  takeAck(): Buffer | null {
    if (!this.#wanted) return null;
    this.stop();
    this.#wanted = false;
    this.#acknowledged = this.received;
    this.#acknowledgedAt = this.#clock.mono();
    return encode.ack(this.received);
  }

  /** `bytes` of a channel were read; returns the CREDIT to send, a quarter of the window at a time. */
  read(channel: number, bytes: number): Buffer | null {
    this.#read ??= new Map();
    const sum = (this.#read.get(channel) ?? 0) + bytes;
    const due = sum >= CREDIT_WINDOW_BYTES / 4;
    this.#read.set(channel, due ? 0 : sum);
    return due ? encode.credit(channel, sum) : null;
  }

  /** The channel is over. */
  forget(channel: number): void {
    this.#read?.delete(channel);
  }
}
