/**
 * Places RTP timestamps (90 kHz) on our clocks. RTP gives durations, our clock gives the time of day: cameras' own
 * clocks step and their sender reports are rare.
 */
export interface Placement {
  /** Grows when the camera started its timestamps anew: times are comparable within one epoch only. */
  epoch: number;
  /** Decoding time, 90 kHz, strictly growing within an epoch. */
  time: number;
  /** Presentation minus decoding time, 90 kHz; 0 without reordered pictures. */
  compositionOffset: number;
  /** When the picture was taken, on the monotonic clock, as well as we know. */
  monoMs: number;
}

const TICKS_PER_MS = 90;
/** A step back of more than this, or of more than so many pictures, is a new base, not a reordered picture. */
const MAX_REORDER_TICKS = 90_000;
const MAX_REORDER_PICTURES = 4.5; // four, and what rounded timestamps are off
/** So many of the last pictures tell how long one lasts. */
const LEARNT_PICTURES = 16;
/** A step forward that our clock did not see. */
const MAX_JUMP_MS = 5_000;
const DRIFT_PPM = 500;
const WINDOW_MS = 30_000;

export class Timeline {
  #epoch = 0;
  #started = false;
  #lastRtp = 0;
  #lastReceiptMs = 0;
  #pts = 0;
  #lastTime = -1;
  #reorder = 0;
  #waiting: number[] = [];
  /** Presentation times of the last pictures. */
  #recent: number[] = [];
  #clock = new CaptureClock();
  readonly #clockRate: number;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Begins a new epoch: the next timestamp has no relation to the former ones. */
  restart(): void {
    if (!this.#started) return;
    this.#epoch++;
    this.#started = false;
  }

  /**
   * Whether this timestamp continues the epoch; if not, a new one has begun and a key frame must come first. Cameras whose
   * timestamps are of their wall clock step back when it is set: by too much for a reordered picture, or although the
   * stream has none (`reorders`).
   */
  follows(rtp: number, receiptMs: number, reorders = true): boolean {
    if (!this.#started) return true;
    const step = this.#step(rtp);
    const jump = step / TICKS_PER_MS - (receiptMs - this.#lastReceiptMs);
    const back = reorders ? Math.min(MAX_REORDER_TICKS, MAX_REORDER_PICTURES * this.#pictureTicks()) : 0;
    if (step >= -back && (step < MAX_JUMP_MS * TICKS_PER_MS || jump < MAX_JUMP_MS)) return true;
    this.restart();
    return false;
  }

  /**
   * Places the next picture in decoding order. How many pictures are shown later than they are decoded is learnt from
   * the stream: parameter sets announce more than cameras do, and an offset that is not needed is a delay. No key frame is
   * shown before what was decoded ahead of it: one that would be begins a new epoch.
   */
  place(rtp: number, receiptMs: number, keyFrame = false): Placement {
    if (keyFrame && this.#started && this.#step(rtp) < 0) this.restart();
    if (!this.#started) {
      this.#started = true;
      this.#pts = 90_000;
      this.#lastTime = -1;
      this.#waiting = [];
      this.#recent = [];
      this.#reorder = 0;
      this.#clock = new CaptureClock();
    } else {
      const step = this.#step(rtp);
      this.#pts += step;
      // A picture that is shown before its predecessor was decoded.
      if (step < 0 && this.#pts < this.#lastTime && this.#reorder < 4) this.#reorder++;
    }
    this.#lastRtp = rtp;
    this.#lastReceiptMs = receiptMs;
    this.#recent.push(this.#pts);
    if (this.#recent.length > LEARNT_PICTURES) this.#recent.shift();
    const time = this.#decodeTime();
    return {
      epoch: this.#epoch,
      time,
      compositionOffset: this.#pts - time,
      monoMs: this.#clock.capture(this.#pts / TICKS_PER_MS, receiptMs),
    };
  }

  /** When a picture of this timestamp is shown, in 90 kHz; null: the epoch has none yet, or it is far from its last one. */
  shownAt(rtp: number): number | null {
    if (!this.#started) return null;
    const step = this.#step(rtp);
    return Math.abs(step) > MAX_JUMP_MS * TICKS_PER_MS ? null : this.#pts + step;
  }

  /** With `reorder` pictures of delay, the n-th picture decodes at the (n − reorder)-th smallest presentation time. */
  #decodeTime(): number {
    let time = this.#pts;
    if (this.#reorder > 0) {
      this.#waiting.push(this.#pts);
      this.#waiting.sort((a, b) => a - b);
      time = this.#waiting.length > this.#reorder ? this.#waiting.shift()! : 0;
    }
    this.#lastTime = Math.max(time, this.#lastTime + 1);
    return this.#lastTime;
  }

  /** How long a picture lasts, by the span of the last ones; before two of them came: as long as may be. */
  #pictureTicks(): number {
    const recent = this.#recent;
    if (recent.length < 2) return MAX_REORDER_TICKS;
    return (Math.max(...recent) - Math.min(...recent)) / (recent.length - 1);
  }

  /** Signed distance to the last timestamp in 90 kHz, over the 32-bit wrap. */
  #step(rtp: number): number {
    const step = (rtp - this.#lastRtp) | 0;
    return this.#clockRate === 90_000 ? step : Math.round((step * 90_000) / this.#clockRate);
  }
}

/**
 * Maps media time to our monotonic clock: the smallest `receipt − media time` of the last minute is the path with the
 * least queueing. A picture cannot be received before it was taken, so the mapping falls at once; it rises by 500 ppm at
 * most, which is what clocks drift.
 */
export class CaptureClock {
  #offset: number | null = null;
  #lastMedia = 0;
  #windowStart = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #formerMinimum = Number.POSITIVE_INFINITY;

  capture(mediaMs: number, receiptMs: number): number {
    const difference = receiptMs - mediaMs;
    if (this.#offset === null) {
      this.#offset = difference;
      this.#lastMedia = mediaMs;
      this.#windowStart = receiptMs;
    }
    if (receiptMs - this.#windowStart > WINDOW_MS) {
      this.#formerMinimum = this.#minimum;
      this.#minimum = Number.POSITIVE_INFINITY;
      this.#windowStart = receiptMs;
    }
    this.#minimum = Math.min(this.#minimum, difference);
    const target = Math.min(this.#minimum, this.#formerMinimum);
    const rise = (Math.max(0, mediaMs - this.#lastMedia) * DRIFT_PPM) / 1_000_000;
    this.#offset = Math.min(target, this.#offset + rise);
    this.#lastMedia = Math.max(mediaMs, this.#lastMedia);
    return mediaMs + this.#offset;
  }
}
