import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { AlarmReport } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { ArcPathHealth } from '../../protocol/wire/uplink.ts';
import { PRIORITY } from './codes.ts';
import { DirectState } from './direct-state.ts';
import { type Link, openLink } from './link.ts';
import { codeOf } from './message.ts';
import { PathWatch } from './path-watch.ts';
import type { ArcQueue, QueuedMessage } from './queue.ts';
import type { RelayPath } from './relay-path.ts';
import { reportOf } from './report.ts';
import { type Attempted, type Path, Transmitter } from './transmit.ts';
import type { ArcAccountConfig, ArcTimings, LinkFailure } from './types.ts';
import type { AccountWarnings } from './warnings.ts';

export interface SenderDeps {
  queue: ArcQueue;
  relay: Pick<RelayPath, 'send' | 'connected'>;
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

type Delivered = 'acknowledged' | 'given-up' | 'unreachable' | 'refused';

/**
 * Drains the queue of one account, one message at a time and in order, over the first path that works: direct, else the
 * relay (docs/adr/0008-alarm-paths.md).
 *
 * A message that the receiver refuses again and again is either poison, or the account is set up wrongly. The next
 * message decides: if it is acknowledged, the first one is given up; if not, everything waits for a person.
 */
export class AccountSender {
  readonly #config: ArcAccountConfig;
  readonly #deps: SenderDeps;
  readonly #direct: DirectState;
  readonly #link: Link;
  readonly #probe: Link;
  readonly #watch: PathWatch;
  readonly #transmitter: Transmitter;
  readonly #backoff: Backoff;
  readonly #refusals = new Map<string, number>();
  readonly #reportedWaiting = new Set<string>();
  readonly #abort = new AbortController();
  #relayState: 'up' | 'down' | 'unknown' = 'unknown';
  #path: ArcPathHealth['path'] = 'none';
  #since: number;
  #lastTrafficMs: number;
  #testMs: number;
  #wake: (() => void) | null = null;
  #woken = false;
  #loops: Promise<unknown> = Promise.resolve();

  /** `testMs`: when the last periodic test was queued. */
  constructor(config: ArcAccountConfig, testMs: number, deps: SenderDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#testMs = testMs;
    const { clock, timings } = deps;
    this.#direct = new DirectState(timings);
    const link = () => openLink({ ...config.direct, transport: config.transport, clock, timings });
    this.#link = link();
    this.#probe = link();
    this.#transmitter = new Transmitter({
      config,
      relay: deps.relay,
      clock,
      timings,
      beforeTry: (m) => this.#durable(() => deps.queue.save(m)),
    });
    this.#watch = new PathWatch(config, {
      transmitter: this.#transmitter,
      probe: this.#probe,
      queue: deps.queue,
      clock,
      timings,
      state: (path) => (path === 'relay' ? this.#relay : this.#direct.recovering ? 'recovering' : this.#direct.state),
      relayConnected: () => deps.relay.connected,
      worked: (path) => {
        const before = this.#path;
        this.#pathWorked(path);
        // What waits is tried over a path that has come back.
        if (this.#path !== before || this.#direct.recovering) this.wake();
      },
      failed: (path, failure) => this.#pathFailed(path, failure),
      durable: (write) => this.#durable(write),
      queued: () => this.wake(),
    });
    this.#backoff = new Backoff(timings.retryFirstMs, timings.retryCapMs);
    this.#since = clock.now();
    this.#lastTrafficMs = clock.mono();
  }

  start(): void {
    this.#changed();
    const loops = [this.#run()];
    if (this.#config.mode === 'direct-or-relay') loops.push(this.#watch.run(this.#abort.signal));
    this.#loops = Promise.all(loops);
  }

  /** Lets the frame that is out get its acknowledgement: cut off, it would go out a second time after the restart. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#probe.close();
    this.wake();
    await Promise.race([this.#loops, this.#deps.clock.sleep(this.#deps.timings.ackTimeoutMs)]);
    this.#link.close();
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
      this.#relayState = 'unknown';
      this.wake();
    }
    this.#changed();
  }

  health(): ArcPathHealth {
    return {
      accountId: this.#config.id,
      path: this.#path,
      since: iso(this.#since),
      direct: this.#config.mode === 'relay' ? 'unknown' : this.#direct.state,
      relay: this.#relay,
      second: 'absent',
      waiting: this.#deps.queue.waiting(this.#config.id),
    };
  }

  get #relay(): 'up' | 'down' | 'unknown' {
    return this.#deps.relay.connected ? this.#relayState : 'down';
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { queue, clock } = this.#deps;
    while (!signal.aborted) {
      this.#woken = false;
      this.#queueTestIfDue();
      const message = queue.head(this.#config.id);
      if (!message) {
        await this.#pollIfDue();
        if (!this.#woken) await this.#sleep(this.#untilDue());
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
    const { clock, timings } = this.#deps;
    const age = clock.now() - Date.parse(m.queuedAt);
    const cancel = clock.after(Math.max(0, timings.waitingAfterMs - age), () => this.#reportWaiting(m, null));
    try {
      for (const path of this.#plan()) {
        if (this.#abort.signal.aborted) return 'unreachable';
        let attempted = await this.#attempt(m, path);
        if (path === 'direct' && attempted.result === 'failed' && attempted.sent && this.#mayRepeat()) {
          // It may have arrived and only its acknowledgement be lost: once more, same number, before another path doubles it.
          attempted = await this.#attempt(m, path, this.#deps.timings.repeatTimeoutMs);
        }
        if (attempted.result === 'failed') {
          this.#pathFailed(path, attempted);
          this.#reportWaiting(m, attempted.text);
          continue;
        }
        this.#pathWorked(path);
        return this.#answered(m, path, attempted);
      }
      this.#deps.warnings.noPath();
      return 'unreachable';
    } finally {
      cancel();
    }
  }

  #mayRepeat(): boolean {
    return this.#direct.state !== 'down' && !this.#abort.signal.aborted;
  }

  /** The paths to try, in order. A direct path that is not trusted is still better than none. */
  #plan(): Path[] {
    if (this.#config.mode === 'relay') return ['relay'];
    return this.#direct.state === 'down' ? ['relay', 'direct'] : ['direct', 'relay'];
  }

  async #attempt(m: QueuedMessage, path: Path, timeoutMs?: number): Promise<Attempted> {
    let attempted = await this.#transmitter.send(m, path, this.#link, timeoutMs);
    if (attempted.result === 'unsupported' && !m.protocol) {
      m.protocol = this.#config.protocol === 'SIA-DCS' ? 'ADM-CID' : 'SIA-DCS';
      this.#deps.log.warn({ message: m.id, protocol: m.protocol }, 'the receiver does not take the protocol');
      attempted = await this.#transmitter.send(m, path, this.#link);
    }
    this.#lastTrafficMs = this.#deps.clock.mono();
    this.#watch.traffic(path);
    return attempted;
  }

  async #answered(m: QueuedMessage, path: Path, attempted: Exclude<Attempted, LinkFailure>): Promise<Delivered> {
    const { warnings } = this.#deps;
    const { offsetMs } = this.#transmitter;
    if (Math.abs(offsetMs) > CLOCK_FAULT_MS) warnings.clockOff(offsetMs);
    else warnings.clockRight();
    if (attempted.result === 'refused') {
      this.#refusals.set(m.id, (this.#refusals.get(m.id) ?? 0) + 1);
      warnings.refused(attempted.why);
      this.#reportWaiting(m, REFUSED[attempted.why]);
      return 'refused';
    }
    if (attempted.result === 'unsupported') {
      warnings.gaveUp(codeOf(m, this.#config.protocol));
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
    const witness = queue.headBut(this.#config.id, m.eventId);
    if (!witness || (await this.#deliver(witness)) !== 'acknowledged') return false;
    // Perhaps what was wrong was put right between the two.
    const again = await this.#deliver(m);
    if (again !== 'refused') return again !== 'unreachable';
    warnings.gaveUp(codeOf(m, this.#config.protocol));
    await this.#settle(m, 'failed', null, 'The receiver refuses this message, though it takes others.');
    return true;
  }

  async #settle(
    m: QueuedMessage,
    state: 'acknowledged' | 'failed',
    path: Path | null,
    reason: string | null,
  ): Promise<void> {
    const { queue, clock } = this.#deps;
    const now = clock.now();
    const acknowledgedAt = state === 'acknowledged' ? iso(now) : null;
    const report = reportOf(m, this.#config.protocol, { state, path, acknowledgedAt, reason });
    // It must not be sent again only because the disk is full: the end is written before anything else is done.
    while (!this.#durable(() => queue.settle(m, report, now)) && !this.#abort.signal.aborted) {
      await clock.sleep(1_000, this.#abort.signal);
    }
    this.#transmitter.forget(m);
    this.#refusals.delete(m.id);
    this.#reportedWaiting.delete(m.id);
    this.#backoff.reset();
    this.#deps.report(report);
    this.#deps.onChange();
  }

  #durable(write: () => void): boolean {
    try {
      write();
      this.#deps.warnings.diskWorks();
      return true;
    } catch (error) {
      this.#deps.warnings.diskFails(error as Error);
      return false;
    }
  }

  #reportWaiting(m: QueuedMessage, reason: string | null): void {
    if (this.#reportedWaiting.has(m.id)) return;
    this.#reportedWaiting.add(m.id);
    const end = { state: 'waiting', path: null, acknowledgedAt: null, reason } as const;
    this.#deps.report(reportOf(m, this.#config.protocol, end));
  }

  #pathFailed(path: Path, failure: LinkFailure): void {
    if (path === 'direct') {
      if (this.#direct.state !== 'down') this.#deps.warnings.directDown(failure);
      this.#direct.bad();
    } else this.#relayState = 'down';
    this.#changed();
  }

  #pathWorked(path: Path): void {
    if (path === 'relay') this.#relayState = 'up';
    else this.#directGood();
    this.#deps.warnings.somePath();
    this.#changed();
  }

  #directGood(): void {
    if (this.#direct.good(this.#deps.clock.mono())) this.#deps.warnings.directUp();
  }

  /** NULL supervision over the path in use, when nothing else has gone for its interval. */
  async #pollIfDue(): Promise<void> {
    const { clock } = this.#deps;
    if (this.#config.supervision.kind !== 'null' || this.#untilDue() > 0) return;
    const path = this.#plan()[0]!;
    let failed = await this.#transmitter.poll(path, this.#link);
    // One datagram may get lost.
    if (failed?.sent) failed = await this.#transmitter.poll(path, this.#link);
    this.#lastTrafficMs = clock.mono();
    this.#watch.traffic(path);
    if (this.#abort.signal.aborted) return;
    if (failed) this.#pathFailed(path, failed);
    else this.#pathWorked(path);
  }

  #queueTestIfDue(): void {
    const { queue, clock } = this.#deps;
    if (this.#config.supervision.kind !== 'test' || this.#untilDue() > 0) return;
    const now = clock.now();
    this.#testMs = now;
    this.#durable(() =>
      queue.addTest(
        {
          eventId: uuidv7(now),
          accountId: this.#config.id,
          kind: 'test',
          priority: PRIORITY.test,
          type: 'test',
          zone: '000',
          text: null,
          occurredAt: iso(now),
          queuedAt: iso(now),
          account: this.#config.account,
          receiverId: this.#config.receiverId,
        },
        now,
      ),
    );
  }

  /** Milliseconds to the next supervision; 10 % early, so that jitter never makes it late. */
  #untilDue(): number {
    const { kind, intervalMs } = this.#config.supervision;
    const { clock } = this.#deps;
    if (kind === 'off') return Number.POSITIVE_INFINITY;
    const since = kind === 'null' ? clock.mono() - this.#lastTrafficMs : clock.now() - this.#testMs;
    return Math.max(0, intervalMs * 0.9 - since);
  }

  async #sleep(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#deps.clock.sleep(Math.min(ms, 3_600_000), woken.signal);
    this.#wake = null;
  }

  #changed(): void {
    const before = this.#path;
    const relay = this.#relay !== 'down' ? 'relay' : 'none';
    const direct = this.#direct.state !== 'down' || (relay === 'none' && this.#direct.recovering);
    this.#path = this.#config.mode === 'direct-or-relay' && direct ? 'direct' : relay;
    if (this.#path !== before) {
      this.#since = this.#deps.clock.now();
      this.#deps.log.info({ from: before, to: this.#path }, 'alarm path changed');
    }
    this.#deps.onChange();
  }
}

const REFUSED = {
  nak: 'The receiver refuses the message (NAK).',
  'other-key': 'The receiver answers with another key.',
};
