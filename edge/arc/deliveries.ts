import { type Clock, iso } from '../../protocol/clock.ts';
import type { AlarmReport, ArcPathName } from '../../protocol/wire/event.ts';
import type { ArcQueue, QueuedMessage } from './queue.ts';
import { reportOf } from './report.ts';
import type { ArcAccountConfig, ArcTimings } from './types.ts';
import type { AccountWarnings } from './warnings.ts';

/** What becomes of an account's messages: on disk, in the journal, and as a warning when one waits for too long. */
export class Deliveries {
  readonly #config: ArcAccountConfig;
  readonly #queue: ArcQueue;
  readonly #clock: Clock;
  readonly #timings: Pick<ArcTimings, 'waitingAfterMs' | 'faultAfterMs'>;
  readonly #warnings: Pick<AccountWarnings, 'noPath' | 'diskWorks' | 'diskFails'>;
  readonly #report: (report: AlarmReport) => void;
  readonly #onChange: () => void;
  readonly #stopped: AbortSignal;
  readonly #reportedWaiting = new Set<string>();
  readonly #settled = new WeakSet<QueuedMessage>();

  constructor(
    config: ArcAccountConfig,
    deps: {
      queue: ArcQueue;
      clock: Clock;
      timings: Pick<ArcTimings, 'waitingAfterMs' | 'faultAfterMs'>;
      warnings: Pick<AccountWarnings, 'noPath' | 'diskWorks' | 'diskFails'>;
      report: (report: AlarmReport) => void;
      onChange: () => void;
    },
    stopped: AbortSignal,
  ) {
    this.#config = config;
    this.#queue = deps.queue;
    this.#clock = deps.clock;
    this.#timings = deps.timings;
    this.#warnings = deps.warnings;
    this.#report = deps.report;
    this.#onChange = deps.onChange;
    this.#stopped = stopped;
  }

  /** A delivery begins; call what is returned when it is over, settled or not. */
  begin(m: QueuedMessage): () => void {
    // Negative when the clock was put back: the warning must not wait for it to come round again.
    const age = Math.max(0, this.#clock.now() - Math.max(Date.parse(m.queuedAt), m.dueMs ?? 0));
    const after = (ms: number, fn: () => void) => this.#clock.after(Math.max(0, ms - age), fn);
    const cancels = [after(this.#timings.waitingAfterMs, () => this.waits(m, null))];
    // Whatever keeps it back, a person is to know; a test of one path is told by itself.
    if (!m.via) cancels.push(after(this.#timings.faultAfterMs, () => this.#warnings.noPath()));
    const tries = m.tries;
    return () => {
      for (const cancel of cancels) cancel();
      if (!this.#settled.has(m) && m.tries > tries) this.durable(() => this.#queue.save(m));
    };
  }

  /** Tells once that a message waits. */
  waits(m: QueuedMessage, reason: string | null): void {
    if (this.#reportedWaiting.has(m.id) || !this.#queue.waits(m.id)) return;
    this.#reportedWaiting.add(m.id);
    this.#report(reportOf(m, this.#config, { state: 'waiting', path: null, acknowledgedAt: null, reason }));
  }

  /** The end of a message. */
  async settle(
    m: QueuedMessage,
    state: 'acknowledged' | 'failed',
    path: ArcPathName | null,
    reason: string | null,
  ): Promise<void> {
    const now = this.#clock.now();
    const acknowledgedAt = state === 'acknowledged' ? iso(now) : null;
    const report = reportOf(m, this.#config, { state, path, acknowledgedAt, reason });
    let ended = true;
    const end = () => {
      ended = this.#queue.settle(m, report, now);
    };
    // It must not be sent again only because the disk is full: the end is written before anything else is done.
    while (!this.durable(end) && !this.#stopped.aborted) {
      await this.#clock.sleep(1_000, this.#stopped);
    }
    this.#settled.add(m);
    this.#reportedWaiting.delete(m.id);
    if (ended) this.#report(report);
    this.#onChange();
  }

  /** Writes to disk; false when that failed, and a person learns of it. */
  durable(write: () => void): boolean {
    try {
      write();
      this.#warnings.diskWorks();
      return true;
    } catch (error) {
      this.#warnings.diskFails(error as Error);
      return false;
    }
  }
}
