import type { AudioFrame } from '../video/audio.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { type Sample, TIMESCALE } from './fmp4.ts';

/** Samples that become one fragment. */
export interface Cut {
  decodeTime: number;
  samples: Sample[];
  bytes: number;
  durationMs: number;
  keyFrame: boolean;
}

/** Small parts, so that the first one is away soon even on a slow uplink. */
const PART_TICKS = TIMESCALE;
const PART_BYTES = 512 * 1024;
/** Nobody waits for continuous recording: fewer objects, whole groups of pictures where they are not too long. */
const LARGE_TICKS = 4 * TIMESCALE;
const LARGEST_TICKS = 10 * TIMESCALE;
const LARGE_BYTES = 4 * 1024 * 1024;
/** Duration of a last picture that nothing follows. */
const USUAL_TICKS = TIMESCALE / 25;
/** So long without a picture is a gap, unless the camera is that slow. */
const GAP_TICKS = TIMESCALE;

/**
 * Turns access units into samples with durations on the clip's own time line, which begins at 0, and decides where
 * fragments end: at every key frame, after a second, and when they grow large. A unit is held back until the next one tells
 * how long it lasts. Where pictures are missing the time line has a hole: no picture is stretched over it.
 */
export class Fragmenter {
  /** Longer parts; may change at any time. */
  large = false;
  readonly #cut: (cut: Cut) => void;
  #held: AccessUnit | null = null;
  #heldTime = 0;
  #base = 0;
  #samples: Sample[] = [];
  #start = 0;
  #ticks = 0;
  #bytes = 0;
  /** Distance of the last two pictures, and of the last two with none missing between them. */
  #lastStep = USUAL_TICKS;
  #usual = USUAL_TICKS;
  #opened: AccessUnit | null = null;

  constructor(cut: (cut: Cut) => void) {
    this.#cut = cut;
  }

  /** Where the next unit would stand if it came now: length so far in milliseconds, without the unit held back. */
  get lengthMs(): number {
    return this.#heldTime / (TIMESCALE / 1000);
  }

  /** Milliseconds between the clip's first picture and this one. */
  offsetMs(unit: AccessUnit): number {
    return this.#timeOf(unit) / (TIMESCALE / 1000);
  }

  /** Where sound stands in the clip, in ticks of its own clock rate; null: not beside these pictures. */
  soundTime({ epoch, time, codec }: AudioFrame): number | null {
    if (epoch !== this.#held?.epoch) return null;
    const at = time - Math.round((this.#base * codec.clockRate) / TIMESCALE);
    return at < 0 ? null : at;
  }

  add(unit: AccessUnit): void {
    if (this.#leads(unit)) return;
    const time = this.#timeOf(unit);
    if (this.#held) {
      const step = time - this.#heldTime;
      const gap = step > Math.max(GAP_TICKS, 3 * this.#lastStep);
      if (!gap) this.#usual = step;
      this.#push(this.#held, this.#usual);
      this.#lastStep = step;
      if (gap || this.#ends(unit)) this.flush();
    }
    this.#base = unit.time - time;
    this.#held = unit;
    this.#heldTime = time;
  }

  /** Shown before a recovery point that the clip begins with, and made of pictures that are not in it. */
  #leads(unit: AccessUnit): boolean {
    if (unit.recovery && unit.epoch !== this.#held?.epoch) this.#opened = unit;
    const opened = this.#opened;
    if (!opened || unit === opened) return false;
    if (unit.epoch === opened.epoch && shownAt(unit) < shownAt(opened)) return true;
    this.#opened = null;
    return false;
  }

  /** Ends the fragment with what has a duration. */
  flush(): void {
    if (this.#samples.length === 0) return;
    this.#cut({
      decodeTime: this.#start,
      samples: this.#samples,
      bytes: this.#bytes,
      durationMs: Math.round((this.#ticks * 1000) / TIMESCALE),
      keyFrame: this.#samples[0]!.keyFrame,
    });
    this.#samples = [];
  }

  /** The last picture lasts as long as the one before it. */
  end(): void {
    const held = this.#held;
    this.#held = null;
    if (held) this.#push(held, this.#usual);
    this.flush();
  }

  #ends(next: AccessUnit): boolean {
    if (!this.large) return next.keyFrame || this.#ticks >= PART_TICKS || this.#bytes >= PART_BYTES;
    return (next.keyFrame && this.#ticks >= LARGE_TICKS) || this.#ticks >= LARGEST_TICKS || this.#bytes >= LARGE_BYTES;
  }

  /** In a new epoch, times mean nothing: what our own clock saw pass fills the hole. */
  #timeOf(unit: AccessUnit): number {
    const held = this.#held;
    if (!held) return 0;
    const time =
      unit.epoch === held.epoch
        ? unit.time - this.#base
        : this.#heldTime + Math.round((unit.monoMs - held.monoMs) * (TIMESCALE / 1000));
    return Math.max(time, this.#heldTime + 1);
  }

  #push(unit: AccessUnit, duration: number): void {
    if (this.#samples.length === 0) {
      this.#start = this.#heldTime;
      this.#ticks = 0;
      this.#bytes = 0;
    }
    // The init segment has the parameter sets.
    const data = unit.keyFrame ? unit.data.subarray(unit.codec.prefix.length) : unit.data;
    this.#samples.push({ data, duration, compositionOffset: unit.compositionOffset, keyFrame: unit.keyFrame });
    this.#ticks += duration;
    this.#bytes += data.length;
  }
}

const shownAt = ({ time, compositionOffset }: AccessUnit): number => time + compositionOffset;
