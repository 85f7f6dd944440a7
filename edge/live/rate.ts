import type { Clock } from '../../protocol/clock.ts';
import type { StreamName } from '../../protocol/wire/video.ts';

const WINDOW_MS = 2_000;
/** A line that takes less than this part of what is sent, for so long, is too slow for it. */
const TOO_SLOW = 0.85;
const SLOW_FOR_MS = 2_500;
/** The full picture is tried again after this, and after a failure twice as long each time. */
const TRY_AGAIN_MS = 20_000;
const TRY_AT_MOST_MS = 320_000;
/** So long without trouble, a try has succeeded. */
const SETTLED_MS = 10_000;

/**
 * Whether a viewer's line takes the stream it is sent, by what its receiver estimates (REMB). What a receiver estimates
 * grows only with what is sent: whether the line takes more is found out by trying, ever more rarely.
 */
export class Rate {
  readonly #clock: Clock;
  #sent: { atMs: number; bytes: number }[] = [];
  #slowSinceMs: number | null = null;
  #changedMs = Number.NEGATIVE_INFINITY;
  #waitMs = TRY_AGAIN_MS;
  /** The stream is the smaller one because of the line. */
  #reduced = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sent(bytes: number): void {
    const atMs = this.#clock.mono();
    this.#sent.push({ atMs, bytes });
    while (this.#sent[0]!.atMs < atMs - WINDOW_MS) this.#sent.shift();
  }

  /** Bits a second of late. */
  get bitrate(): number {
    const bytes = this.#sent.reduce((sum, one) => sum + one.bytes, 0);
    return (bytes * 8 * 1000) / WINDOW_MS;
  }

  /** Another stream to send; null: go on. */
  judge(estimate: number, now: { stream: StreamName; hasSub: boolean }): StreamName | null {
    const atMs = this.#clock.mono();
    if (now.stream === 'sub') {
      if (!this.#reduced || atMs - this.#changedMs < this.#waitMs || estimate < this.bitrate) return null;
      return this.#change('main', atMs);
    }
    if (this.#reduced && atMs - this.#changedMs > SETTLED_MS) {
      this.#reduced = false;
      this.#waitMs = TRY_AGAIN_MS;
    }
    if (estimate >= this.bitrate * TOO_SLOW || !now.hasSub) {
      this.#slowSinceMs = null;
      return null;
    }
    this.#slowSinceMs ??= atMs;
    // The first picture's burst says nothing of the line.
    if (atMs - this.#slowSinceMs < SLOW_FOR_MS) return null;
    if (this.#reduced) this.#waitMs = Math.min(this.#waitMs * 2, TRY_AT_MOST_MS);
    this.#reduced = true;
    return this.#change('sub', atMs);
  }

  #change(stream: StreamName, atMs: number): StreamName {
    this.#changedMs = atMs;
    this.#slowSinceMs = null;
    this.#sent = [];
    return stream;
  }
}
