import { type Dc09Message, openDc09 } from '../codec/dc09.ts';

/*
 * DC-09 encrypts and does not authenticate (§5.4), and both directions share key and form: whoever is on the wire can send a
 * message, or the end of one, back as its own acknowledgement. So what an acknowledgement must look like is asked exactly.
 */

/** So far a receiver's clock may be off. Beyond it a clock is to be set, and what says such a time is not believed. */
export const MAX_CLOCK_OFF_MS = 15 * 60_000;
/** Blocks of extended data that only senders write. */
const OF_SENDERS = /^[HIJV]/i;
const BLOCK_DIGITS = 32;
/** More than what one sender says within {@link MAX_CLOCK_OFF_MS}, twice that with tests and retries. */
const MAX_BLOCKS = 4_096;

/**
 * Whether a reply that was opened is a receiver's: it says nothing of its own and, encrypted, carries a time of now, by a
 * clock that may be off. `sinceMs`: when the message first left, by the clock of its time, where an earlier reply may come.
 */
export function isReceipt(reply: Dc09Message, sent: Dc09Message, sinceMs = sent.timestamp ?? 0): boolean {
  if (reply.encrypted !== sent.encrypted || reply.data !== '') return false;
  if (reply.xdata.some((block) => OF_SENDERS.test(block))) return false;
  if (!sent.encrypted) return true;
  const [at, sentAt] = [reply.timestamp, sent.timestamp];
  if (at === null || sentAt === null) return false;
  return at >= Math.min(sinceMs, sentAt) - MAX_CLOCK_OFF_MS && at <= sentAt + MAX_CLOCK_OFF_MS;
}

/** Whether a clock may be believed that is this far ahead of ours. A NAK, which tells it, is not encrypted. */
export const isLearnable = (offsetMs: number): boolean => Math.abs(offsetMs) <= MAX_CLOCK_OFF_MS;

/**
 * What one sender has encrypted of late. Its pads are random, so that no receiver's reply has a block of ciphertext in
 * common with it; what was sent back, whole or in parts, has.
 */
export class SentBlocks {
  readonly #blocks = new Set<string>();

  add(frame: Buffer): void {
    for (const block of blocksOf(frame)) this.#blocks.add(block);
    for (const block of this.#blocks) {
      if (this.#blocks.size <= MAX_BLOCKS) break;
      this.#blocks.delete(block);
    }
  }

  /** Whether a reply has parts of what was sent. */
  in(reply: Buffer): boolean {
    return blocksOf(reply).some((block) => this.#blocks.has(block));
  }
}

function blocksOf(frame: Buffer): string[] {
  const opened = openDc09(frame);
  if (!opened.ok || !opened.header.encrypted) return [];
  return opened.tail.toUpperCase().match(new RegExp(`[0-9A-F]{${BLOCK_DIGITS}}`, 'g')) ?? [];
}
