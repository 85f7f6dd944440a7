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
/** Duration of a last picture that nothing follows. */
const USUAL_TICKS = TIMESCALE / 25;

/**
 * Turns access units into samples with durations on the clip's own time line, which begins at 0, and decides where
 * fragments end: at every key frame, after a second, and when they grow large. A unit is held back until the next one tells
 * how long it lasts.
 */
export class Fragmenter {
  readonly #cut: (cut: Cut) => void;
  #held: AccessUnit | null = null;
  #heldTime = 0;
  #base = 0;
  #samples: Sample[] = [];
  #start = 0;
  #ticks = 0;
  #bytes = 0;

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

  add(unit: AccessUnit): void {
    const time = this.#timeOf(unit);
    if (this.#held) {
      this.#push(this.#held, time - this.#heldTime);
      if (unit.keyFrame || this.#ticks >= PART_TICKS || this.#bytes >= PART_BYTES) this.flush();
    }
    this.#base = unit.time - time;
    this.#held = unit;
    this.#heldTime = time;
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
    if (held) this.#push(held, this.#samples.at(-1)?.duration ?? USUAL_TICKS);
    this.flush();
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
