import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { AlarmReport, ArcPathName } from '../../protocol/wire/event.ts';
import type { ArcPathHealth } from '../../protocol/wire/uplink.ts';
import { Deliveries } from './deliveries.ts';
import { type LastAddress, type Link, openLink } from './link.ts';
import { codeOf } from './message.ts';
import { ownMessage } from './own-messages.ts';
import { PATH_ZONES, PathWatch } from './path-watch.ts';
import { Paths } from './paths.ts';
import type { ArcQueue, QueuedMessage } from './queue.ts';
import type { KnownAccount } from './queue-schema.ts';
import type { RelayPath } from './relay-path.ts';
import { type Due, Schedule } from './schedule.ts';
import { type Attempted, type ReceiverClock, Transmitter } from './transmit.ts';
import type { ArcAccountConfig, ArcTimings, LinkFailure } from './types.ts';
import type { AccountWarnings } from './warnings.ts';

export interface SenderDeps {
  queue: ArcQueue;
  relay: Pick<RelayPath, 'send' | 'connected' | 'authority'>;
  /** The address of the second interface now; null: the box has none. */
  second: (() => string | null) | null;
  receiverClock: ReceiverClock;
  /** Puts a report into the journal. */
  report: (report: AlarmReport) => void;
  clock: Clock;
  log: Logger;
  warnings: AccountWarnings;
  timings: ArcTimings;
  onChange: () => void;
}

/** After this many refusals of the head, the next message is tried: see {@link AccountSender}. */
const REFUSALS_BEFORE_WITNESS = 3;
const MIN_RETRY_MS = 250;
/** A clock this wrong is a fault of its own (receivers take +20/−40 s). */
const CLOCK_FAULT_MS = 10_000;
/** Whoever was silent until then may be so for less time when it is asked again. */
const REPEAT_SHARE = 0.6;

type Delivered = 'acknowledged' | 'given-up' | 'unreachable' | 'refused';

/**
 * Drains the queue of one account, one message at a time and in order, over the first path that works: direct, else the
 * relay, else the second interface (docs/adr/0008-alarm-paths.md).
 *
 * A message that the receiver refuses again and again is either poison, or the account is set up wrongly. The next
 * message decides: if it is acknowledged, the first one is given up; if not, everything waits for a person.
 */
export class AccountSender {
  readonly #config: ArcAccountConfig;
  readonly #deps: SenderDeps;
  readonly #links: Record<ArcPathName, Link | null>;
  readonly #probes: Record<ArcPathName, Link | null>;
  readonly #paths: Paths;
  readonly #watch: PathWatch;
  readonly #transmitter: Transmitter;
  readonly #schedule: Schedule;
  readonly #deliveries: Deliveries;
  readonly #backoff: Backoff;
  readonly #refusals = new Map<string, number>();
  readonly #abort = new AbortController();
  #clockTold: boolean;
  #wake: (() => void) | null = null;
  #woken = false;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(config: ArcAccountConfig, known: KnownAccount, deps: SenderDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#clockTold = known.clockTold === 1;
    const { clock, timings, queue, relay } = deps;
    const second = config.mode === 'relay' ? null : deps.second;
    this.#paths = new Paths({
      config,
      clock,
      timings,
      log: deps.log,
      warnings: deps.warnings,
      onChange: deps.onChange,
      hasSecond: second !== null,
      relayConnected: () => relay.connected,
    });
    const last: LastAddress = { address: null };
    const options = { ...config.direct, transport: config.transport, clock, timings, last };
    const links = () => ({
      direct: openLink(options),
      relay: null,
      second: second && openLink({ ...options, from: second }),
    });
    this.#links = links();
    this.#probes = links();
    this.#transmitter = new Transmitter({
      config,
      relay,
      clock,
      timings,
      receiverClock: deps.receiverClock,
      waits: (m) => queue.waits(m.id),
      beforeTry: (m) => this.#deliveries.durable(() => queue.save(m)),
    });
    this.#deliveries = new Deliveries(config, deps, this.#abort.signal);
    this.#watch = new PathWatch(config, {
      transmitter: this.#transmitter,
      probes: this.#probes,
      paths: this.#paths,
      queue,
      clock,
      timings,
      relayConnected: () => relay.connected,
      worked: (path, otherKey) => {
        const before = this.#paths.current;
        this.#paths.worked(path);
        if (otherKey) deps.warnings.refused('other-key');
        // What waits is tried over a path that has come back.
        if (this.#paths.current !== before || this.#paths.state(path) === 'recovering') this.wake();
      },
      failed: (path, failure) => this.#paths.failed(path, failure),
      durable: (write) => this.#deliveries.durable(write),
      queued: () => this.wake(),
    });
    this.#schedule = new Schedule({
      config,
      times: known,
      clock,
      timings,
      others: () => this.#paths.names.filter((path) => path !== this.#paths.current),
    });
    this.#backoff = new Backoff(timings.retryFirstMs, timings.retryCapMs);
  }

  start(): void {
    this.#paths.update();
    const loops = [this.#run()];
    if (this.#config.mode === 'direct-or-relay') loops.push(this.#watch.run(this.#abort.signal));
    this.#loops = Promise.all(loops);
  }

  /** Lets the frame that is out get its acknowledgement: cut off, it would go out a second time after the restart. */
  async stop(): Promise<void> {
    this.#abort.abort();
    for (const probe of Object.values(this.#probes)) probe?.close();
    this.wake();
    await Promise.race([this.#loops, this.#deps.clock.sleep(this.#transmitter.timeoutMs)]);
    for (const link of Object.values(this.#links)) link?.close();
    await this.#loops;
  }

  /** A new message, or a path that returned: whatever waits is tried at once. */
  wake(): void {
    this.#woken = true;
    this.#backoff.reset();
    this.#wake?.();
  }

  relayChanged(): void {
    if (this.#deps.relay.connected) {
      this.#paths.relayReturned();
      this.wake();
    }
    this.#paths.update();
  }

  health(): ArcPathHealth {
    const accountId = this.#config.id;
    return { accountId, ...this.#paths.health(), waiting: this.#deps.queue.waiting(accountId) };
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { queue, clock } = this.#deps;
    while (!signal.aborted) {
      this.#woken = false;
      const due = this.#schedule.due();
      for (const one of due) this.#queueTest(one);
      const message = queue.head(this.#config.id, clock.now());
      if (!message) {
        if (due.some((one) => one.what === 'poll')) await this.#supervise();
        if (!this.#woken) await this.#sleep(Math.min(this.#schedule.untilDue(), this.#untilNextDue()));
        continue;
      }
      const delivered = await this.#deliver(message);
      if (delivered === 'acknowledged' || delivered === 'given-up') continue;
      if (delivered === 'refused' && (await this.#witnessAgainst(message))) continue;
      this.#deps.log.debug({ message: message.id, delivered }, 'alarm waits');
      // A new alarm ends the wait, but a burst of them does not make a storm of tries.
      await clock.sleep(MIN_RETRY_MS, signal);
      if (!this.#woken) await this.#sleep(this.#backoff.next());
    }
  }

  async #deliver(m: QueuedMessage): Promise<Delivered> {
    const done = this.#deliveries.begin(m);
    try {
      let left = false;
      for (const path of m.via ? [m.via] : this.#paths.plan()) {
        if (this.#abort.signal.aborted) return 'unreachable';
        const attempted = await this.#attempt(m, path);
        if (attempted.result === 'withdrawn') return this.#forget(m);
        if (attempted.result === 'failed') {
          left ||= attempted.sent;
          this.#paths.failed(path, attempted);
          this.#deliveries.waits(m, attempted.text);
          continue;
        }
        this.#paths.worked(path);
        if (attempted.result !== 'acknowledged' && this.#renumbered(m)) return 'unreachable';
        return await this.#answered(m, path, attempted);
      }
      if (left) this.#renumbered(m);
      if (m.via && !this.#abort.signal.aborted) {
        await this.#settle(m, 'failed', null, 'The test over this path was not acknowledged.');
        return 'given-up';
      }
      if (!m.via) this.#deps.warnings.noPath();
      return 'unreachable';
    } finally {
      done();
    }
  }

  /**
   * Under a number that the account had before, a message is tried once on each path, for the receiver to recognise what it
   * has. Where nobody takes it, that number is known there no more (or never was): it goes under the account's own.
   */
  #renumbered(m: QueuedMessage): boolean {
    if (m.account === this.#config.account || this.#abort.signal.aborted) return false;
    return this.#deliveries.durable(() => {
      this.#deps.queue.renumber(m, this.#config);
      Object.assign(m, { protocol: null, generic: 0 });
    });
  }

  /**
   * One path, as often as the account's attempts say: what left may have arrived and only its acknowledgement be lost, so it
   * goes once more with the same number before another path doubles it.
   */
  async #attempt(m: QueuedMessage, path: ArcPathName): Promise<Attempted> {
    const { timeoutMs } = this.#transmitter;
    let attempted = await this.#send(m, path, timeoutMs);
    for (let again = 1; again < this.#config.attempts; again++) {
      if (attempted.result !== 'failed' || !attempted.sent) break;
      if (this.#paths.state(path) === 'down' || this.#abort.signal.aborted) break;
      attempted = await this.#send(m, path, Math.round(timeoutMs * REPEAT_SHARE));
    }
    return attempted;
  }

  /** With what the receiver takes: its own protocol, else the other, else as an untyped alarm with text. */
  async #send(m: QueuedMessage, path: ArcPathName, timeoutMs: number): Promise<Attempted> {
    for (;;) {
      const attempted = await this.#transmitter.send(m, path, this.#links[path], timeoutMs);
      this.#schedule.traffic();
      this.#watch.traffic(path);
      if (attempted.result !== 'unsupported' || !this.#nextForm(m)) return attempted;
      this.#deps.log.warn({ message: m.id, protocol: m.protocol, generic: m.generic }, 'the receiver does not take it');
    }
  }

  #nextForm(m: QueuedMessage): boolean {
    if (!m.protocol) m.protocol = this.#config.protocol === 'SIA-DCS' ? 'ADM-CID' : 'SIA-DCS';
    else if (m.generic === 0 && m.kind !== 'test') {
      m.generic = 1;
      m.protocol = null;
    } else return false;
    return true;
  }

  async #answered(
    m: QueuedMessage,
    path: ArcPathName,
    attempted: Exclude<Attempted, LinkFailure | { result: 'withdrawn' }>,
  ): Promise<Delivered> {
    const { warnings } = this.#deps;
    this.#compareClocks();
    if (attempted.result === 'refused') {
      this.#refusals.set(m.id, (this.#refusals.get(m.id) ?? 0) + 1);
      warnings.refused(attempted.why);
      this.#deliveries.waits(m, REFUSED[attempted.why]);
      return 'refused';
    }
    if (attempted.result === 'unsupported') {
      warnings.gaveUp(codeOf(m, this.#config.protocol, this.#config.codes));
      await this.#settle(m, 'failed', path, 'The receiver does not take this message in either protocol.');
      return 'given-up';
    }
    warnings.delivered();
    await this.#settle(m, 'acknowledged', path, null);
    return 'acknowledged';
  }

  /** True when the message was given up because another one got through. */
  async #witnessAgainst(m: QueuedMessage): Promise<boolean> {
    const { queue, warnings } = this.#deps;
    if ((this.#refusals.get(m.id) ?? 0) < REFUSALS_BEFORE_WITNESS) return false;
    const witness = queue.headBut(this.#config.id, m.eventId, this.#deps.clock.now());
    if (!witness || (await this.#deliver(witness)) !== 'acknowledged') return false;
    // Perhaps what was wrong was put right between the two; or it is the code that is not known there.
    const again = await this.#deliver(m);
    if (again !== 'refused') return again !== 'unreachable';
    if (m.generic === 0 && m.kind !== 'test') {
      m.generic = 1;
      const generic = await this.#deliver(m);
      if (generic !== 'refused') return generic !== 'unreachable';
    }
    warnings.gaveUp(codeOf(m, this.#config.protocol, this.#config.codes));
    await this.#settle(m, 'failed', null, 'The receiver refuses this message, though it takes others.');
    return true;
  }

  async #settle(
    m: QueuedMessage,
    state: 'acknowledged' | 'failed',
    path: ArcPathName | null,
    reason: string | null,
  ): Promise<void> {
    await this.#deliveries.settle(m, state, path, reason);
    this.#forget(m);
  }

  #forget(m: QueuedMessage): 'given-up' {
    this.#transmitter.forget(m);
    this.#refusals.delete(m.id);
    this.#backoff.reset();
    return 'given-up';
  }

  /** Messages carry the receiver's time, so that they are taken; the centre and a person learn that the clocks disagree. */
  #compareClocks(): void {
    const { queue, clock, receiverClock, warnings } = this.#deps;
    const offsetMs = this.#transmitter.farOffMs ?? receiverClock.offsetMs;
    if (Math.abs(offsetMs) <= CLOCK_FAULT_MS) {
      warnings.clockRight();
      if (!this.#clockTold) return;
      this.#clockTold = !this.#deliveries.durable(() => queue.clockAgrees(this.#config.id));
      return;
    }
    warnings.clockOff(offsetMs);
    if (this.#clockTold) return;
    const message = ownMessage(this.#config, 'clockFault', clock.now());
    this.#clockTold = this.#deliveries.durable(() => queue.addClockFault(message));
  }

  /** NULL supervision over the path in use, when nothing else has gone for its interval. */
  async #supervise(): Promise<void> {
    const path = this.#paths.plan()[0]!;
    let polled = await this.#transmitter.poll(path, this.#links[path]);
    // One datagram may get lost.
    if (polled.result === 'failed' && polled.sent) polled = await this.#transmitter.poll(path, this.#links[path]);
    this.#schedule.traffic();
    this.#watch.traffic(path);
    if (this.#abort.signal.aborted) return;
    if (polled.result === 'failed') return this.#paths.failed(path, polled);
    this.#paths.worked(path);
    if (polled.otherKey) this.#deps.warnings.refused('other-key');
  }

  #queueTest(due: Due): void {
    if (due.what === 'poll') return;
    const { queue, clock } = this.#deps;
    const now = clock.now();
    for (const via of due.time === 'alternativeMs' ? due.via : [null]) {
      const message = { ...ownMessage(this.#config, 'test', now), via, zone: via ? PATH_ZONES[via] : '000' };
      this.#deliveries.durable(() => queue.addTest(message, due.time, now));
    }
  }

  #untilNextDue(): number {
    const dueMs = this.#deps.queue.nextDue(this.#config.id);
    return dueMs === null ? Number.POSITIVE_INFINITY : Math.max(0, dueMs - this.#deps.clock.now());
  }

  async #sleep(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#deps.clock.sleep(Math.min(ms, 3_600_000), woken.signal);
    this.#wake = null;
  }
}

const REFUSED = {
  nak: 'The receiver refuses the message (NAK).',
  'other-key': 'The receiver answers with another key.',
};
