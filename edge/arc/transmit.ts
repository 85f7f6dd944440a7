import type { Clock } from '../../protocol/clock.ts';
import type { Dc09Message } from '../../protocol/codec/dc09.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Link } from './link.ts';
import { buildMessage, buildNull, encodeFor, judge, type Verdict } from './message.ts';
import { messageId, type QueuedMessage } from './queue.ts';
import type { RelayPath } from './relay-path.ts';
import type { ArcAccountConfig, ArcTimings, LinkFailure } from './types.ts';

export type Path = 'direct' | 'relay';
/** How one message fared on one path. `refused`: the receiver is alive but does not take it; no other path helps. */
export type Attempted =
  | { result: 'acknowledged' }
  | { result: 'unsupported' }
  | { result: 'refused'; why: 'nak' | 'other-key' }
  | LinkFailure;

const MAX_NAK_RESENDS = 3;
/** The clocks may differ by this much before it is learned (timestamps are whole seconds) … */
const OFFSET_STEP_MS = 2_000;

/**
 * Sends for one account: builds the frame at each transmission, judges the reply, learns the receiver's clock from a NAK
 * and sends again at once.
 */
export class Transmitter {
  readonly #config: ArcAccountConfig;
  readonly #relay: Pick<RelayPath, 'send'>;
  readonly #clock: Clock;
  readonly #timings: ArcTimings;
  readonly #beforeTry: (m: QueuedMessage) => void;
  #offsetMs = 0;
  /** Messages whose reply stored at the relay does not open with our key: asked for again under another id. */
  readonly #salts = new Map<string, number>();

  constructor(o: {
    config: ArcAccountConfig;
    relay: Pick<RelayPath, 'send'>;
    clock: Clock;
    timings: ArcTimings;
    /** Makes the try durable. */
    beforeTry: (m: QueuedMessage) => void;
  }) {
    this.#config = o.config;
    this.#relay = o.relay;
    this.#clock = o.clock;
    this.#timings = o.timings;
    this.#beforeTry = o.beforeTry;
  }

  /** How far the receiver's clock is ahead of ours, as learned from its refusals. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** `timeoutMs`: how long to wait for each acknowledgement. */
  async send(m: QueuedMessage, path: Path, link: Link, timeoutMs = this.#timings.ackTimeoutMs): Promise<Attempted> {
    for (let resends = 0; ; resends++) {
      m.possibleRepeat ||= m.unanswered;
      m.unanswered = 1;
      m.tries++;
      this.#beforeTry(m);
      const message = buildMessage(this.#config, m, this.#clock.now(), this.#offsetMs);
      const verdict =
        path === 'direct' ? await this.#direct(message, link, timeoutMs) : await this.#viaRelay(message, m);
      if (verdict.result === 'failed') {
        if (!verdict.sent) m.unanswered = 0;
        return verdict;
      }
      if (verdict.value.is === 'acknowledged') return { result: 'acknowledged' };
      m.unanswered = 0;
      if (verdict.value.is === 'duh') return { result: 'unsupported' };
      if (verdict.value.is === 'other-key') {
        this.#salts.set(m.id, (this.#salts.get(m.id) ?? 0) + 1);
        return { result: 'refused', why: 'other-key' };
      }
      // Receivers send a NAK twice or close after it: the next try begins on a connection of its own.
      link.close();
      this.#learn(verdict.value.timeMs);
      if (resends === MAX_NAK_RESENDS) return { result: 'refused', why: 'nak' };
    }
  }

  /** Link supervision or a poll; any reply of the receiver is good. null: it answered. */
  async poll(path: Path, link: Link): Promise<LinkFailure | null> {
    const message = buildNull(this.#config, this.#clock.now() + this.#offsetMs);
    const reply =
      path === 'direct'
        ? await this.#direct(message, link, this.#timings.ackTimeoutMs)
        : await this.#relayed(message, uuidv7(this.#clock.now()), 1);
    if (reply.result === 'failed') return reply;
    if (reply.value.is === 'nak') {
      link.close();
      this.#learn(reply.value.timeMs);
    }
    return null;
  }

  forget(m: QueuedMessage): void {
    this.#salts.delete(m.id);
  }

  #learn(receiverMs: number | null): void {
    if (receiverMs === null) return;
    const offset = receiverMs - this.#clock.now();
    if (Math.abs(offset - this.#offsetMs) >= OFFSET_STEP_MS) this.#offsetMs = offset;
  }

  #direct(message: Dc09Message, link: Link, timeoutMs: number) {
    const { key } = this.#config;
    return link.exchange<Verdict>(encodeFor(this.#config, message), (reply) => judge(reply, message, key), timeoutMs);
  }

  #viaRelay(message: Dc09Message, m: QueuedMessage) {
    const salt = this.#salts.get(m.id);
    return this.#relayed(message, salt ? messageId(m, ` ${salt}`) : m.id, m.tries);
  }

  async #relayed(
    message: Dc09Message,
    id: string,
    attempt: number,
  ): Promise<{ result: 'reply'; value: Verdict } | LinkFailure> {
    const reply = await this.#relay.send({
      accountId: this.#config.id,
      messageId: id,
      attempt,
      frame: encodeFor(this.#config, message),
      timeoutMs: this.#timings.ackTimeoutMs,
    });
    if (reply.result === 'failed') return reply;
    const value = judge(reply.frame, message, this.#config.key);
    if (value) return { result: 'reply', value };
    return { result: 'failed', code: 'invalid', sent: true, text: 'the reply was not to this message' };
  }
}
