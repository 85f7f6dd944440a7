import type { Clock } from '../../protocol/clock.ts';
import { PullError } from '../video/pull.ts';
import type { Pull, SpanWays } from './span-download.ts';
import type { RecordedPicture } from './span-pull.ts';

/** Key frames of so much are taken at once: a session for each of them costs two round trips. */
const PIECE_MS = 12_000;
const PIECE_OF_SPEED_MS = 4_000;
/** As fast as devices play; of that, key frames are enough. */
const TAKEN_AT = 16;
/** Of a piece. Where key frames are larger, every second one is left out. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_PICTURES = 256;
/** Handed on so long before it is shown: a picture is written when the next one tells how long it lasts. */
const AHEAD_MS = 5_000;
/** The key frame before what was asked for is no further away. */
const NEAR_MS = 60_000;
const LAST_MS = 200;

/**
 * Plays one span backward: no recorder does this by itself that can be relied on (a negative Scale), but all play forward
 * fast. So pieces of it are taken one before the other, in key frames, and each is handed on in reverse. While one is shown
 * the one before it is taken.
 */
export class BackwardPull implements Pull {
  readonly #ways: SpanWays;
  readonly #make: (ways: SpanWays) => Pull;
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  #held: PromiseWithResolvers<void> | null = null;
  #startedMs: number | null = null;
  /** How fast the device gives what is taken. */
  #takenAt = TAKEN_AT;
  #said = false;
  #last: RecordedPicture | null = null;

  /** `ways.speed`: of what is shown, above zero. `make`: one session that plays forward. */
  constructor(o: { ways: SpanWays; make: (ways: SpanWays) => Pull; clock: Clock }) {
    this.#ways = o.ways;
    this.#make = o.make;
    this.#clock = o.clock;
  }

  get shownTo(): number | null {
    return this.#last ? this.#last.shown + LAST_MS * 90 : null;
  }

  hold(): void {
    this.#held ??= Promise.withResolvers<void>();
  }
  release(): void {
    this.#held?.resolve();
    this.#held = null;
  }

  /** null: it was played to its beginning. */
  async run(signal: AbortSignal): Promise<PullError | null> {
    const { span } = this.#ways;
    const onAbort = () => {
      this.#abort.abort();
      this.release();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    let toMs = span.toMs;
    let shown: Promise<void> = Promise.resolve();
    let end: PullError | null = null;
    while (toMs > span.fromMs && !signal.aborted) {
      const fromMs = Math.max(span.fromMs, toMs - this.#piece);
      const piece = await this.#take(fromMs, toMs);
      // The one behind it first: of two pieces no more are kept.
      await shown;
      end = piece.end;
      if (end && piece.pictures.length === 0) break;
      shown = this.#show(piece.pictures);
      toMs = Math.min(fromMs, piece.pictures.at(-1)?.recordedMs ?? fromMs);
    }
    await shown;
    signal.removeEventListener('abort', onAbort);
    this.#abort.abort();
    return signal.aborted ? new PullError('stopped', 'nobody waits for it any more') : end;
  }

  get #piece(): number {
    return Math.max(PIECE_MS, this.#ways.speed * PIECE_OF_SPEED_MS);
  }

  /** Its key frames, the last one first. */
  async #take(fromMs: number, toMs: number): Promise<{ pictures: RecordedPicture[]; end: PullError | null }> {
    const { signal } = this.#abort;
    const { span, speed } = this.#ways;
    let pictures: RecordedPicture[] = [];
    let bytes = 0;
    const pull = this.#make({
      ...this.#ways,
      span: { ...span, fromMs, toMs },
      speed: this.#takenAt,
      shown: 0,
      onTrack: () => {},
      onSound: () => {},
      onSpeed: (granted) => {
        this.#takenAt = granted;
        // What it does not give faster is not shown faster.
        if (granted < speed && !this.#said) this.#ways.onSpeed(granted);
        this.#said ||= granted < speed;
      },
      onPicture: (picture) => {
        const { keyFrame, data } = picture.unit;
        if (!keyFrame || picture.recordedMs >= toMs || picture.recordedMs < fromMs - NEAR_MS) return;
        pictures.push(picture);
        bytes += data.length;
        if (bytes <= MAX_BYTES && pictures.length <= MAX_PICTURES) return;
        pictures = pictures.filter((_, i) => i % 2 === 0);
        bytes = pictures.reduce((sum, { unit }) => sum + unit.data.length, 0);
      },
    });
    const end = await pull.run(signal);
    return { pictures: pictures.sort((a, b) => b.recordedMs - a.recordedMs), end };
  }

  async #show(pictures: readonly RecordedPicture[]): Promise<void> {
    const { shown: begun, speed, onPicture } = this.#ways;
    for (const picture of pictures) {
      const last = this.#last;
      const backMs = last ? last.recordedMs - picture.recordedMs : 0;
      // Pieces overlap by the key frame before.
      if (last && backMs <= 0) continue;
      const shown = last ? last.shown + Math.round((backMs * 90) / speed) : begun;
      this.#startedMs ??= this.#clock.mono();
      const dueMs = this.#startedMs + (shown - begun) / 90 - AHEAD_MS;
      const waitMs = dueMs - this.#clock.mono();
      if (waitMs > 0) await this.#clock.sleep(waitMs, this.#abort.signal);
      while (this.#held && !this.#abort.signal.aborted) await this.#held.promise;
      if (this.#abort.signal.aborted) return;
      this.#last = { recordedMs: picture.recordedMs, shown, unit: { ...picture.unit, compositionOffset: 0 } };
      onPicture(this.#last);
    }
  }
}
