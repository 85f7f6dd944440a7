/*
 * How many bytes may be on their way before the first of them is acknowledged.
 *
 *   cap = max(minBytes, maxRate × (gain × minRtt + slackMs))
 *
 * maxRate is the highest delivery rate of the last 1.6 s in which the cap was the limit (100 ms averages; a decaying average
 * chokes a fast path, and time without demand proves nothing). minRtt comes from pings sent into an empty pipe, so that
 * it never contains the queue that the cap itself allows. The gain is 1.25, and 2.5 until the rate stops growing.
 */

export interface CapOptions {
  /** Never less, or a TCP connection with delayed acknowledgements stands still. */
  minBytes: number;
  /** Never more: bounds the memory a peer that does not acknowledge can hold. */
  maxBytes: number;
  /** Time that may wait in the pipe on top of the round trip, ms. */
  slackMs: number;
}
const CAP_DEFAULTS: CapOptions = { minBytes: 16 * 1024, maxBytes: 16 * 1024 * 1024, slackMs: 7 };

const BUCKET_MS = 100;
const RATE_WINDOW_MS = 1600;
const RTT_WINDOW_MS = 10_000;
/** After this long without sending, what was learnt about the path is forgotten. */
const FORGET_AFTER_MS = 10_000;
/** A pause this short is part of the rate. */
const IDLE_MS = 20;
const START_BYTES = 32 * 1024;
const START_GAIN = 2.5;
const GAIN = 1.25;

export class InFlightCap {
  /** The cap, bytes. */
  bytes: number;
  readonly #options: CapOptions;
  #starting = true;
  #plateau = 0;
  #best = 0;
  /** Bytes a ms, with the limited time at which each was measured. */
  #rates: { rate: number; at: number }[] = [];
  #limitedMs = 0;
  #bucketAt = 0;
  #bucketBytes = 0;
  #bucketLimited = false;
  #lastAckAt = 0;
  #rtt = new WindowedMin(RTT_WINDOW_MS);

  constructor(options: Partial<CapOptions> = {}) {
    this.#options = { ...CAP_DEFAULTS, ...options };
    this.bytes = Math.max(this.#options.minBytes, Math.min(START_BYTES, this.#options.maxBytes));
  }

  /** The first byte after nothing was on its way. */
  resume(now: number): void {
    const idle = now - this.#lastAckAt;
    if (idle > FORGET_AFTER_MS) this.#forget();
    // A pipe that runs empty with every acknowledgement is one with a cap too small, not one without demand.
    if (idle < IDLE_MS) return;
    this.#bucketAt = now;
    this.#bucketBytes = 0;
    this.#bucketLimited = false;
  }

  /** `limited`: the cap, and not the demand, held bytes back since the last call. */
  acked(bytes: number, limited: boolean, now: number): void {
    this.#lastAckAt = now;
    this.#bucketBytes += bytes;
    this.#bucketLimited ||= limited;
    const elapsed = now - this.#bucketAt;
    const bucket = this.#starting ? Math.min(BUCKET_MS, Math.max(10, this.#rtt.value ?? 0)) : BUCKET_MS;
    if (elapsed < bucket) return;
    const rate = this.#bucketBytes / elapsed;
    const highest = this.#maxRate();
    if (this.#bucketLimited) this.#limitedMs += elapsed;
    if (this.#bucketLimited || rate > highest) {
      const from = this.#limitedMs - RATE_WINDOW_MS;
      this.#rates = this.#rates.filter((r) => r.at > from && r.rate > rate);
      this.#rates.push({ rate, at: this.#limitedMs });
    }
    if (this.#starting && this.#bucketLimited) {
      this.#plateau = rate < this.#best * 1.25 ? this.#plateau + 1 : 0;
      this.#best = Math.max(this.#best, rate);
      if (this.#plateau >= 3) this.#starting = false;
    }
    this.#bucketAt = now;
    this.#bucketBytes = 0;
    this.#bucketLimited = false;
    this.#update();
  }

  /** A round trip through a pipe that was empty when the ping was sent, ms. */
  emptyRtt(ms: number, now: number): void {
    this.#rtt.add(ms, now);
    this.#update();
  }

  /** When {@link emptyRtt} was last called; −∞ at first. */
  get lastEmptyRttAt(): number {
    return this.#rtt.lastAt;
  }

  #maxRate(): number {
    // Only rates higher than every later one are kept, so the first is the highest.
    return this.#rates[0]?.rate ?? 0;
  }

  #update(): void {
    const { minBytes, maxBytes, slackMs } = this.#options;
    const rate = this.#maxRate();
    const rtt = this.#rtt.value;
    if (rate === 0 || rtt === null) return;
    const wanted = rate * ((this.#starting ? START_GAIN : GAIN) * rtt + slackMs);
    this.bytes = Math.round(Math.min(maxBytes, Math.max(minBytes, wanted)));
  }

  #forget(): void {
    this.#starting = true;
    this.#plateau = 0;
    this.#best = 0;
    this.#rates = [];
    this.bytes = Math.max(this.#options.minBytes, Math.min(this.bytes, START_BYTES));
  }
}

/** The least value of the last one to two half windows. */
export class WindowedMin {
  readonly #halfMs: number;
  #now: number | null = null;
  #before: number | null = null;
  #turnedAt = 0;
  lastAt = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#halfMs = windowMs / 2;
  }

  add(value: number, now: number): void {
    if (now - this.#turnedAt >= this.#halfMs) {
      this.#before = now - this.#turnedAt >= 2 * this.#halfMs ? null : this.#now;
      this.#now = null;
      this.#turnedAt = now;
    }
    this.lastAt = now;
    this.#now = this.#now === null ? value : Math.min(this.#now, value);
  }

  get value(): number | null {
    if (this.#now === null || this.#before === null) return this.#now ?? this.#before;
    return Math.min(this.#now, this.#before);
  }
}
