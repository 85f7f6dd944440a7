import { type Clock, iso } from '../../protocol/clock.ts';
import type { Dc09Message } from '../../protocol/codec/dc09.ts';
import { isLearnable, SentBlocks } from '../../protocol/dc09/acknowledgement.ts';
import type { ArcPathName, ArcTry } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Link } from './link.ts';
import { buildMessage, buildNull, encodeFor, judge, type Verdict } from './message.ts';
import { messageId, type QueuedMessage } from './queue.ts';
import type { RelayPath } from './relay-path.ts';
import { addTry, replyFrame, sentFrame } from './tries.ts';
import type { ArcAccountConfig, ArcTimings, LinkFailure } from './types.ts';

/** How one message fared on one path. `refused`: the receiver is alive but does not take it; no other path helps. */
export type Attempted =
  | { result: 'acknowledged' }
  | { result: 'unsupported' }
  | { result: 'refused'; why: 'nak' | 'other-key' }
  /** It was withdrawn meanwhile, and did not go out (again). */
  | { result: 'withdrawn' }
  | LinkFailure;
type Answer = { result: 'reply'; value: { verdict: Verdict; reply: Buffer } } | LinkFailure;

const MAX_NAK_RESENDS = 3;
/** The relay waits no shorter. */
const RELAY_WAITS_MS = 500;
/** The clocks may differ by this much before it is learned: timestamps are whole seconds. */
const OFFSET_STEP_MS = 2_000;

/** The clock of a receiver, as its refusals tell it; shared by the accounts there. */
export interface ReceiverClock {
  /** How far it is ahead of ours. */
  readonly offsetMs: number;
  learn(offsetMs: number): void;
}

/**
 * Sends for one account: builds the frame at each transmission, judges the reply, learns the receiver's clock from a NAK
 * and sends again at once. Every transmission is noted with its message.
 */
export class Transmitter {
  readonly #config: ArcAccountConfig;
  readonly #relay: Pick<RelayPath, 'send' | 'authority'>;
  readonly #clock: Clock;
  readonly #receiverClock: ReceiverClock;
  readonly #waits: (m: QueuedMessage) => boolean;
  readonly #beforeTry: (m: QueuedMessage) => void;
  /** How long a receiver may take to acknowledge. */
  readonly timeoutMs: number;
  /** Messages whose reply stored at the relay does not open with our key: asked for again under another id. */
  readonly #salts = new Map<string, number>();
  readonly #sent = new SentBlocks();
  #farOffMs: number | null = null;

  constructor(o: {
    config: ArcAccountConfig;
    relay: Pick<RelayPath, 'send' | 'authority'>;
    clock: Clock;
    receiverClock: ReceiverClock;
    timings: Pick<ArcTimings, 'ackTimeoutMs'>;
    /** Whether it is still to be sent. */
    waits: (m: QueuedMessage) => boolean;
    /** Makes the try durable. */
    beforeTry: (m: QueuedMessage) => void;
  }) {
    this.#config = o.config;
    this.#relay = o.relay;
    this.#clock = o.clock;
    this.#receiverClock = o.receiverClock;
    this.timeoutMs = o.timings.ackTimeoutMs ?? o.config.ackTimeoutMs;
    this.#waits = o.waits;
    this.#beforeTry = o.beforeTry;
  }

  /** How far a receiver says that its clock is ahead of ours, where that is too much to be believed; null: nothing such. */
  get farOffMs(): number | null {
    return this.#farOffMs;
  }

  /** `link`: of a path without the relay. `timeoutMs`: how long to wait for each acknowledgement. */
  async send(m: QueuedMessage, path: ArcPathName, link: Link | null, timeoutMs = this.timeoutMs): Promise<Attempted> {
    for (let resends = 0; ; resends++) {
      if (!this.#waits(m)) return { result: 'withdrawn' };
      m.possibleRepeat ||= m.unanswered;
      m.unanswered = 1;
      m.tries++;
      this.#beforeTry(m);
      const message = buildMessage(this.#config, m, this.#clock.now(), this.#offsetMs, path);
      const answer = await this.#exchange(m, message, path, link, timeoutMs);
      if (answer.result === 'failed') {
        if (!answer.sent) m.unanswered = 0;
        return answer;
      }
      const { verdict } = answer.value;
      if (verdict.is !== 'nak') this.#farOffMs = null;
      if (verdict.is === 'acknowledged') return { result: 'acknowledged' };
      m.unanswered = 0;
      if (verdict.is === 'duh') return { result: 'unsupported' };
      if (verdict.is === 'other-key') {
        this.#salts.set(m.id, (this.#salts.get(m.id) ?? 0) + 1);
        return { result: 'refused', why: 'other-key' };
      }
      // Receivers send a NAK twice or close after it: the next try begins on a connection of its own.
      link?.close();
      this.#learn(verdict.timeMs);
      if (resends === MAX_NAK_RESENDS) return { result: 'refused', why: 'nak' };
    }
  }

  /** Link supervision or a poll; any reply of the receiver is good. */
  async poll(path: ArcPathName, link: Link | null): Promise<{ result: 'answered'; otherKey: boolean } | LinkFailure> {
    const message = buildNull(this.#config, this.#clock.now() + this.#offsetMs);
    const frame = encodeFor(this.#config, message);
    const reply = await this.#carry(message, frame, path, link, this.timeoutMs, () => [uuidv7(this.#clock.now()), 1]);
    if (reply.result === 'failed') return reply;
    const { verdict } = reply.value;
    if (verdict.is === 'nak') {
      link?.close();
      this.#learn(verdict.timeMs);
    }
    return { result: 'answered', otherKey: verdict.is === 'other-key' };
  }

  forget(m: QueuedMessage): void {
    this.#salts.delete(m.id);
  }

  #learn(receiverMs: number | null): void {
    if (receiverMs === null) return;
    const offset = receiverMs - this.#clock.now();
    // Nothing shows who says it: with any time that is believed messages for that time can be had from us.
    this.#farOffMs = isLearnable(offset) ? null : offset;
    if (this.#farOffMs !== null) return;
    if (Math.abs(offset - this.#receiverClock.offsetMs) >= OFFSET_STEP_MS) this.#receiverClock.learn(offset);
  }

  /** What earlier versions learned may be too much. */
  get #offsetMs(): number {
    const { offsetMs } = this.#receiverClock;
    return isLearnable(offsetMs) ? offsetMs : 0;
  }

  /** One transmission, noted with its message. */
  async #exchange(
    m: QueuedMessage,
    message: Dc09Message,
    path: ArcPathName,
    link: Link | null,
    timeoutMs: number,
  ): Promise<Answer> {
    const frame = encodeFor(this.#config, message);
    const [at, began] = [iso(this.#clock.now()), this.#clock.mono()];
    const answer = await this.#carry(
      message,
      frame,
      path,
      link,
      timeoutMs,
      () => {
        const salt = this.#salts.get(m.id);
        return [salt ? messageId(m, ` ${salt}`) : m.id, m.tries];
      },
      Date.parse(m.queuedAt),
    );
    const { host, port } = this.#config.direct;
    const direct = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    addTry(m, {
      at,
      path,
      receiver: path === 'relay' ? this.#relay.authority : direct,
      outcome: outcomeOf(answer),
      tookMs: Math.max(0, Math.round(this.#clock.mono() - began)),
      frame: sentFrame(frame),
      reply: replyFrame(answer.result === 'reply' ? answer.value.reply : null),
    });
    return answer;
  }

  #carry(
    message: Dc09Message,
    frame: Buffer,
    path: ArcPathName,
    link: Link | null,
    timeoutMs: number,
    ids: () => [messageId: string, attempt: number],
    queuedMs = this.#clock.now(),
  ): Promise<Answer> {
    this.#sent.add(frame);
    // The relay keeps the reply to an earlier transmission of the same message.
    const sinceMs = path === 'relay' ? queuedMs + this.#offsetMs : undefined;
    const judged = (reply: Buffer) => {
      const verdict = judge(reply, message, this.#config.key, { before: this.#sent, sinceMs });
      return verdict && { verdict, reply };
    };
    if (path !== 'relay' && link) return link.exchange(frame, judged, timeoutMs);
    const [id, attempt] = ids();
    return this.#relayed(frame, judged, id, attempt, timeoutMs);
  }

  async #relayed(
    frame: Buffer,
    judged: (reply: Buffer) => { verdict: Verdict; reply: Buffer } | null,
    id: string,
    attempt: number,
    timeoutMs: number,
  ): Promise<Answer> {
    const accountId = this.#config.id;
    const waits = Math.max(RELAY_WAITS_MS, timeoutMs);
    const reply = await this.#relay.send({ accountId, messageId: id, attempt, frame, timeoutMs: waits });
    if (reply.result === 'failed') return reply;
    const value = judged(reply.frame);
    if (value) return { result: 'reply', value };
    return { result: 'failed', code: 'invalid', sent: true, text: 'the reply was not to this message' };
  }
}

function outcomeOf(answer: Answer): ArcTry['outcome'] {
  return answer.result === 'failed' ? answer.code : answer.value.verdict.is;
}
