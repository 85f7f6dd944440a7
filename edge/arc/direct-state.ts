import type { ArcTimings } from './types.ts';

/**
 * Whether the direct path may be used. It goes down at the first transport failure and comes back only after several
 * good polls and a time of being good: a path that flaps floods the receiving centre.
 */
export class DirectState {
  readonly #timings: Pick<ArcTimings, 'holdDownMs' | 'goodPolls'>;
  #state: 'up' | 'down' | 'unknown' = 'unknown';
  #goodPolls = 0;
  #goodSince = 0;

  constructor(timings: Pick<ArcTimings, 'holdDownMs' | 'goodPolls'>) {
    this.#timings = timings;
  }

  get state(): 'up' | 'down' | 'unknown' {
    return this.#state;
  }

  /** It answers again, though it is not trusted yet. */
  get recovering(): boolean {
    return this.#state === 'down' && this.#goodPolls > 0;
  }

  /**
   * The receiver answered; `nowMs` monotonic. Any answer is good, a refusal included: the path
   * carried it. Returns whether the path may be used now.
   */
  good(nowMs: number): boolean {
    if (this.#state === 'down' && this.#goodPolls++ === 0) this.#goodSince = nowMs;
    const { goodPolls, holdDownMs } = this.#timings;
    const trusted = this.#goodPolls >= goodPolls && nowMs - this.#goodSince >= holdDownMs;
    if (this.#state === 'unknown' || trusted) this.#state = 'up';
    return this.#state === 'up';
  }

  bad(): void {
    this.#state = 'down';
    this.#goodPolls = 0;
  }
}
