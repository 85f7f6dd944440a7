import type { Clock } from '../../protocol/clock.ts';
import type { ArcPathName } from '../../protocol/wire/event.ts';
import type { KnownAccount } from './queue-schema.ts';
import type { ArcAccountConfig, ArcTimings } from './types.ts';

/** Supervision is this early, so that jitter never makes it late. */
const EARLY = 0.9;
const MINUTE = 60_000;

export type Due =
  | { what: 'poll' }
  /** `time`: which of the account's times it renews. `via`: over this path alone. */
  | { what: 'test'; time: 'testMs' | 'periodicMs' }
  | { what: 'test'; time: 'alternativeMs'; via: ArcPathName[] };

type Times = Pick<KnownAccount, 'testMs' | 'periodicMs' | 'alternativeMs'>;

/** The next time after `lastMs`: `intervalMs` later or, where a minute of the day (UTC) is given, at that minute of a day. */
export function nextTest(lastMs: number, intervalMs: number, atMinute: number | null): number {
  if (atMinute === null) return lastMs + intervalMs;
  const first = atMinute * MINUTE;
  return first + (Math.floor((lastMs - first) / intervalMs) + 1) * intervalMs;
}

/** When an account is to be heard of though nothing happens: supervision, and the periodic test (ARC-32). */
export class Schedule {
  readonly #config: Pick<ArcAccountConfig, 'supervision' | 'periodicTest'>;
  /** When each was last queued, by the monotonic clock: the wall clock may be put back, or forward, at any time. */
  readonly #doneAt: Record<keyof Times, number>;
  readonly #clock: Clock;
  readonly #alternativeMs: number;
  /** The paths besides the one in use. */
  readonly #others: () => ArcPathName[];
  #trafficAt: number;

  constructor(o: {
    config: Pick<ArcAccountConfig, 'supervision' | 'periodicTest'>;
    /** By the wall clock, as they are on disk. */
    times: Times;
    clock: Clock;
    timings: Pick<ArcTimings, 'alternativeTestMs'>;
    others: () => ArcPathName[];
  }) {
    this.#config = o.config;
    this.#clock = o.clock;
    const { testMs, periodicMs, alternativeMs } = o.times;
    this.#doneAt = { testMs: 0, periodicMs: 0, alternativeMs: 0 };
    for (const [time, ms] of Object.entries({ testMs, periodicMs, alternativeMs })) {
      const age = o.clock.now() - ms;
      // One of the future was written before the clock was put back: how long ago is not known, so it is due.
      this.#doneAt[time as keyof Times] = age < 0 ? Number.NEGATIVE_INFINITY : o.clock.mono() - age;
    }
    this.#alternativeMs = o.timings.alternativeTestMs;
    this.#others = o.others;
    this.#trafficAt = o.clock.mono();
  }

  /** Something went to the receiver: NULL supervision begins anew (DC-09 §5.5.2). */
  traffic(): void {
    this.#trafficAt = this.#clock.mono();
  }

  /** What is due now; what is taken from here is not due again. */
  due(): Due[] {
    const due: Due[] = [];
    const { supervision, periodicTest } = this.#config;
    if (supervision.kind === 'test' && this.#toSupervision() <= 0) due.push({ what: 'test', time: 'testMs' });
    if (periodicTest && this.#toPeriodic() <= 0) due.push({ what: 'test', time: 'periodicMs' });
    if (periodicTest && this.#toAlternative() <= 0) {
      due.push({ what: 'test', time: 'alternativeMs', via: this.#others() });
    }
    for (const one of due) if (one.what === 'test') this.#doneAt[one.time] = this.#clock.mono();
    if (supervision.kind === 'null' && this.#toSupervision() <= 0) due.push({ what: 'poll' });
    return due;
  }

  untilDue(): number {
    return Math.max(0, Math.min(this.#toSupervision(), this.#toPeriodic(), this.#toAlternative()));
  }

  #toSupervision(): number {
    const { kind, intervalMs } = this.#config.supervision;
    if (kind === 'off') return Number.POSITIVE_INFINITY;
    const last = kind === 'null' ? this.#trafficAt : this.#doneAt.testMs;
    return intervalMs * EARLY - (this.#clock.mono() - last);
  }

  #toPeriodic(): number {
    const { periodicTest } = this.#config;
    if (!periodicTest) return Number.POSITIVE_INFINITY;
    const { intervalMs, atMinute } = periodicTest;
    return nextTest(this.#last('periodicMs'), intervalMs, atMinute) - this.#clock.now();
  }

  /** Once a day over each of the other paths, so that one which nothing needed for long is known to carry. */
  #toAlternative(): number {
    const { periodicTest } = this.#config;
    if (!periodicTest || this.#others().length === 0) return Number.POSITIVE_INFINITY;
    return nextTest(this.#last('alternativeMs'), this.#alternativeMs, periodicTest.atMinute) - this.#clock.now();
  }

  /** By the wall clock as it is now. */
  #last(time: keyof Times): number {
    return this.#clock.now() - (this.#clock.mono() - this.#doneAt[time]);
  }
}
