/** A picture's place: when it was taken, and when it is to be shown. */
export interface RecordedPlace {
  recordedMs: number;
  /** From 0, in 90 kHz. */
  shown: number;
}

/** What was seen of a device: whether its timestamps run as what was recorded did, also when it plays faster or slower. */
export interface RtpMemory {
  media: boolean | null;
}

const TICKS_PER_MS = 90;
/** So long it takes to see how fast timestamps run. */
const MEASURE_MS = 1_000;

/**
 * Places pictures of one playback session. At another speed than 1 an RTP clock runs as what is shown does (RFC 2326 appendix
 * B); some devices let it run as what was recorded did. Which one it is shows after a second: both run past at different
 * speeds. A device that refuses a speed plays at 1.
 */
export class RecordedClock {
  #speed: number;
  #baseMs: number;
  #first: { ticks: number; monoMs: number } | null = null;
  #lastTicks = 0;
  #shown: number;
  /** Null: not seen yet. */
  #media: boolean | null;

  readonly #memory: RtpMemory;

  /** `shown`: where the session stands on the time line of what is shown. */
  constructor(o: { fromMs: number; speed: number; shown: number; memory?: RtpMemory }) {
    this.#memory = o.memory ?? { media: null };
    this.#baseMs = o.fromMs;
    this.#speed = o.speed;
    this.#shown = o.shown;
    this.#media = o.speed === 1 ? true : this.#memory.media;
  }

  get speed(): number {
    return this.#speed;
  }

  /** What the device made of the request: from when, and how fast. Pictures may have come before. */
  started(fromMs: number | null, speed: number): void {
    if (fromMs !== null) this.#baseMs = fromMs;
    this.#speed = speed;
    if (speed === 1) this.#media = true;
  }

  /** `ticks`: decoding time in 90 kHz, growing. */
  place(ticks: number, monoMs: number): RecordedPlace {
    this.#first ??= { ticks, monoMs };
    const sinceMs = (ticks - this.#first.ticks) / TICKS_PER_MS;
    const passedMs = monoMs - this.#first.monoMs;
    if (this.#media === null && passedMs >= MEASURE_MS) {
      const rate = sinceMs / passedMs;
      this.#media = this.#speed > 1 ? rate > Math.sqrt(this.#speed) : rate < Math.sqrt(this.#speed);
      if (this.#speed !== 1) this.#memory.media = this.#media;
    }
    const step = sinceMs === 0 ? 0 : ticks - this.#lastTicks;
    this.#lastTicks = ticks;
    this.#shown += Math.round(this.#media ? step / this.#speed : step);
    return { recordedMs: this.#baseMs + sinceMs * (this.#media ? 1 : this.#speed), shown: this.#shown };
  }
}
