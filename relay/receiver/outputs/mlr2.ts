import type { Clock } from '../../../protocol/clock.ts';
import type { Outgoing } from '../message.ts';
import type { DriverState, Outcome, OutputDriver } from './driver.ts';
import { Mlr2Accounts } from './mlr2-accounts.ts';
import { heartbeatFrame, type Mlr2Source } from './mlr2-frames.ts';
import { type Answer, Mlr2Link, type Mlr2Way } from './mlr2-link.ts';

/** Tries of one frame before it goes back to the buffer (SG Automation Output Protocol). */
const TRIES = 3;
/** Heartbeats without an answer after which the connection is given up: half-open ones look well for minutes. */
const DEAD_AFTER = 3;

/** A heartbeat tells when to go on; not at once, or a refusal would go round and round. */
const AFTER_FAILURE_MS = 5_000;

/**
 * Sur-Gard MLR2 to automation software. A message that is not acknowledged in three tries goes back to the buffer, and nothing
 * is sent until the software acknowledges a heartbeat. A new connection begins with one, so that what answers is known
 * to be the software.
 */
export class Mlr2Driver implements OutputDriver {
  readonly lanes = 1;
  readonly #source: Mlr2Source;
  readonly #heartbeatMs: number;
  readonly #clock: Clock;
  readonly #accounts: Mlr2Accounts;
  readonly #link: Mlr2Link;
  #changed: () => void = () => {};
  #proven = false;
  #missed = 0;
  #cancel: (() => void) | null = null;
  /** One exchange at a time: messages and heartbeats share the connection. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(o: {
    way: Mlr2Way;
    source: Mlr2Source;
    heartbeatMs: number;
    accounts: { from: string; to: string }[];
    otherAccount: string;
    clock: Clock;
  }) {
    this.#source = o.source;
    this.#heartbeatMs = o.heartbeatMs;
    this.#clock = o.clock;
    this.#accounts = new Mlr2Accounts(o);
    this.#link = new Mlr2Link({ way: o.way, clock: o.clock, changed: () => this.#linkChanged() });
  }

  async start(changed: () => void): Promise<void> {
    this.#changed = changed;
    await this.#link.start();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#link.stop();
    await this.#turn;
  }

  usable(): boolean {
    return this.#link.connected && this.#proven;
  }

  async deliver({ message }: Outgoing): Promise<Outcome> {
    for (const frame of this.#accounts.frames(this.#source, message)) {
      const answer = await this.#send(frame);
      if (answer === 'ack') continue;
      this.#proven = false;
      // Whoever is silent that long may be gone; and its answers, coming late, must not be taken for others.
      if (answer === 'none') this.#link.reset('three tries without an answer');
      else this.#beatIn(Math.min(this.#heartbeatMs, AFTER_FAILURE_MS));
      this.#changed();
      return answer === 'nak'
        ? { is: 'refused', reason: 'the automation software refused it three times (NAK)' }
        : { is: 'down', reason: 'the automation software did not acknowledge in three tries' };
    }
    return { is: 'acknowledged' };
  }

  state(): DriverState {
    const { connected, reason, port } = this.#link;
    const state = !connected ? 'connecting' : this.#proven ? 'connected' : 'failing';
    const why = connected && !this.#proven ? 'the automation software has not acknowledged a heartbeat' : reason;
    return {
      state,
      reason: state === 'connected' ? null : why,
      listeningPort: port,
      unmapped: this.#accounts.unmapped,
    };
  }

  async #send(frame: Buffer): Promise<Answer> {
    let answer: Answer = 'none';
    for (let tries = 0; tries < TRIES && answer !== 'ack' && this.#link.connected; tries++)
      answer = await this.#exchange(frame);
    return answer;
  }

  #exchange(frame: Buffer): Promise<Answer> {
    const next = this.#turn.then(() => this.#link.exchange(frame));
    this.#turn = next;
    return next;
  }

  #linkChanged(): void {
    const { connected } = this.#link;
    // A newer connection in the place of an older one begins anew too.
    this.#proven = false;
    this.#missed = 0;
    if (connected) this.#beatIn(0);
    else this.#cancel?.();
    this.#changed();
  }

  #beatIn(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#clock.after(ms, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const answer = await this.#exchange(heartbeatFrame(this.#source));
    if (!this.#link.connected) return;
    this.#beatIn(this.#heartbeatMs);
    const before = this.#proven;
    this.#proven = answer === 'ack';
    this.#missed = this.#proven ? 0 : this.#missed + 1;
    if (this.#proven) this.#link.proven();
    if (this.#missed >= DEAD_AFTER) this.#link.reset('three heartbeats without an answer');
    if (this.#proven !== before) this.#changed();
  }
}
