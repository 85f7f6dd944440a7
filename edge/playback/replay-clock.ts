import { RecordedClock, type RecordedPlace } from './recorded-clock.ts';
import type { ReplayStamp } from './replay-extension.ts';

export interface ReplayPlace extends RecordedPlace {
  /** Where it goes on after nothing was recorded; null: it follows the picture before it. */
  gapToMs: number | null;
}
interface Timed {
  /** Decoding time in 90 kHz, growing. */
  ticks: number;
  compositionOffset: number;
  monoMs: number;
}

const TICKS_PER_MS = 90;
const PICTURE_TICKS = 3_600;
/** A step that the device calls a gap, and one that is a gap whatever it says: key frames are as far apart. */
const TOLD_GAP_MS = 2_000;
const SURE_GAP_MS = 15_000;
/** Stamps in whole seconds lag as much. */
const COARSE_MS = 1_200;

/**
 * Places pictures of one replay session by the time that the device stamps on each (ONVIF Streaming §6.3), whatever RTP says. Of a
 * device that stamps nothing, RTP counts as with other recorders; of one that stamps whole seconds, RTP tells what is between.
 */
export class ReplayClock {
  readonly #fallback: RecordedClock;
  readonly #gapsLast: boolean;
  /** By how much stamps are ahead of the box's clock. */
  aheadMs = 0;
  #speed: number;
  /** Where the first stamped picture stands. */
  #shown: number;
  #precise = false;
  #before: ReplayStamp | null = null;
  /** Of the last picture: decoding time as it was recorded, RTP's, and on the line of what is shown. */
  #last: { ms: number; ticks: number; shown: number } | null = null;
  #playedMs = 0;

  constructor(o: { fromMs: number; speed: number; shown: number; gapsLast: boolean }) {
    this.#fallback = new RecordedClock(o);
    this.#speed = o.speed;
    this.#gapsLast = o.gapsLast;
    this.#shown = o.shown;
  }

  /** Stamps tell parts of a second. */
  get precise(): boolean {
    return this.#precise;
  }
  get speed(): number {
    return this.#speed;
  }
  /** How much was played so far, gaps left out; null: the device stamps nothing. */
  get playedMs(): number | null {
    return this.#last ? this.#playedMs : null;
  }

  started(fromMs: number | null, speed: number): void {
    this.#fallback.started(fromMs, speed);
    this.#speed = speed;
  }

  place(unit: Timed, stamp: ReplayStamp | null): ReplayPlace {
    if (!stamp && !this.#last) {
      const place = this.#fallback.place(unit.ticks, unit.monoMs);
      this.#shown = place.shown + PICTURE_TICKS;
      return { ...place, gapToMs: null };
    }
    // Of fast or slow play RTP is another time line.
    const offsetMs = this.#speed === 1 ? unit.compositionOffset / TICKS_PER_MS : 0;
    const last = this.#last;
    const predicted = last
      ? last.ms + (unit.ticks - last.ticks) / TICKS_PER_MS / (this.#speed === 1 ? 1 : Infinity)
      : 0;
    const stamped = stamp ? stamp.ms - this.aheadMs - offsetMs : predicted;
    this.#precise ||= stamp !== null && stamp.ms % 1000 !== 0;
    const coarse = this.#speed === 1 && !this.#precise && Math.abs(stamped - predicted) < COARSE_MS;
    const ms = last && coarse ? predicted : stamped;
    const stepMs = last ? ms - last.ms : 0;
    const told = (stamp?.discontinuity ?? false) || (this.#before?.end ?? false);
    const gap = stepMs > SURE_GAP_MS * Math.max(1, this.#speed) || (told && this.#speed <= 1 && stepMs > TOLD_GAP_MS);
    let step = Math.round((stepMs * TICKS_PER_MS) / this.#speed);
    if (gap && !this.#gapsLast) step = PICTURE_TICKS;
    if (!gap && stepMs > 0) this.#playedMs += stepMs;
    // A clock that was set back, and pictures in another order.
    const shown = last ? last.shown + Math.max(1, step) : this.#shown;
    this.#last = { ms, ticks: unit.ticks, shown };
    this.#before = stamp;
    return { recordedMs: ms + offsetMs, shown, gapToMs: gap ? ms + offsetMs : null };
  }
}
