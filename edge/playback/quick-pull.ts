import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { PullError } from '../video/pull.ts';
import type { Pull, SpanWays } from './span-download.ts';
import { type RecordedPicture, SpanPull } from './span-pull.ts';

/** Whether a device takes `Speed`; null: nobody knows yet. */
export interface QuickMemory {
  takes: boolean | null;
  untilMs: number;
}

const KNOWN_MS = 24 * 3_600_000;
const NOT_MS = 3_600_000;
/** So long it takes to see whether it comes faster, and how much faster that must be: more than what a device has ready at first. */
const PROOF_MS = 1_200;
const PROVEN_RATE = 2.5;
/** Seconds of the largest pictures: by then it is seen. */
const MAX_KEPT_BYTES = 24 * 1024 * 1024;
const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
/** A step of pictures that is so many times the usual one has others left out. */
const LEFT_OUT_TIMES = 5;
const LEFT_OUT_MS = 400;

type Kept = { bytes: number; hand: () => void };

/**
 * Takes a span of a file over RTSP faster than it was recorded (`Speed`, RFC 2326 §12.35: the same pictures, sooner), where the
 * device does: its timestamps prove it before anything is handed on, and none may be left out. Else it is played as it was.
 */
export class QuickPull implements Pull {
  readonly #ways: SpanWays;
  readonly #memory: QuickMemory;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #abort = new AbortController();
  #pull: SpanPull | null = null;
  #held = false;
  #crowded = false;
  /** What came until it is proven; null: it is, or need not be. */
  #kept: Kept[] | null = null;
  #bytes = 0;
  #first: { recordedMs: number; monoMs: number } | null = null;
  #last: RecordedPicture | null = null;
  #usualMs: number | null = null;
  /** Why it is not taken that way. */
  #refuted: string | null = null;
  #handed = false;

  constructor(o: { ways: SpanWays; memory: QuickMemory; clock: Clock; log: Logger }) {
    this.#ways = o.ways;
    this.#memory = o.memory;
    this.#clock = o.clock;
    this.#log = o.log;
  }

  get shownTo(): number | null {
    return this.#handed ? (this.#pull?.shownTo ?? null) : null;
  }
  hold(): void {
    this.#held = true;
    this.#pull?.hold();
  }
  release(): void {
    this.#held = false;
    if (!this.#crowded) this.#pull?.release();
  }

  async run(signal: AbortSignal): Promise<PullError | null> {
    if (this.#memory.takes === false && this.#memory.untilMs > this.#clock.mono()) return this.#plain(signal);
    this.#pull = new SpanPull({
      ...this.#ways,
      quick: (told) => this.#answered(told),
      onPicture: (picture) => this.#picture(picture),
      onSound: (frame, recordedMs) =>
        this.#take({ bytes: frame.data.length, hand: () => this.#ways.onSound(frame, recordedMs) }),
    });
    if (this.#held) this.#pull.hold();
    const end = await this.#pull.run(AbortSignal.any([signal, this.#abort.signal]));
    if (signal.aborted) return end;
    if (this.#refuted !== null) {
      this.#remember(false);
      this.#log.info(
        { reason: this.#refuted },
        'the device does not give recordings faster than they were: they are played',
      );
      return this.#handed ? new PullError('closed', this.#refuted) : this.#plain(signal);
    }
    // Short, and over before it could be seen: nothing of it is doubtful that was played to its end.
    this.#flush();
    return end;
  }

  #plain(signal: AbortSignal): Promise<PullError | null> {
    this.#handed = true;
    this.#pull = new SpanPull(this.#ways);
    if (this.#held) this.#pull.hold();
    return this.#pull.run(signal);
  }

  #answered(told: number | null): void {
    if (told !== null && told > 1) this.#kept = [];
    else this.#remember(false);
  }

  #remember(takes: boolean): void {
    this.#memory.takes = takes;
    this.#memory.untilMs = this.#clock.mono() + (takes ? KNOWN_MS : NOT_MS);
  }

  #picture(picture: RecordedPicture): void {
    if (this.#refuted !== null) return;
    const stepMs = this.#last ? picture.recordedMs - this.#last.recordedMs : null;
    this.#last = picture;
    if (stepMs !== null && this.#usualMs !== null && stepMs > Math.max(LEFT_OUT_MS, this.#usualMs * LEFT_OUT_TIMES)) {
      this.#refute('it leaves pictures out');
      return;
    }
    if (stepMs !== null) this.#usualMs = Math.min(this.#usualMs ?? stepMs, Math.max(1, stepMs));
    this.#take({ bytes: picture.unit.data.length, hand: () => this.#ways.onPicture(picture) });
    this.#prove(picture);
    if (this.#kept === null) void this.#room();
  }

  #prove({ recordedMs }: RecordedPicture): void {
    if (this.#kept === null) return;
    const monoMs = this.#clock.mono();
    this.#first ??= { recordedMs, monoMs };
    const passedMs = monoMs - this.#first.monoMs;
    if (passedMs < PROOF_MS && this.#bytes < MAX_KEPT_BYTES) return;
    const rate = (recordedMs - this.#first.recordedMs) / Math.max(1, passedMs);
    if (rate < PROVEN_RATE) {
      this.#refute('what it sends comes no faster than it was');
      return;
    }
    this.#remember(true);
    this.#flush();
  }

  #take(item: Kept): void {
    if (this.#refuted !== null) return;
    if (this.#kept === null) {
      this.#handed = true;
      item.hand();
      return;
    }
    this.#kept.push(item);
    this.#bytes += item.bytes;
    // Pictures prove it before. Of sound alone nothing is seen.
    if (this.#bytes > MAX_KEPT_BYTES + MAX_PICTURE_BYTES) this.#refute('it sends sound without pictures');
  }

  #flush(): void {
    const kept = this.#kept ?? [];
    this.#kept = null;
    this.#handed ||= kept.length > 0;
    for (const { hand } of kept) hand();
  }

  #refute(reason: string): void {
    this.#refuted = reason;
    this.#kept = null;
    this.#abort.abort();
  }

  /** What comes faster than it was waits for what works on it. */
  async #room(): Promise<void> {
    if (this.#crowded) return;
    this.#crowded = true;
    const pull = this.#pull;
    pull?.hold();
    await this.#ways.room();
    this.#crowded = false;
    if (!this.#held) pull?.release();
  }
}
