import type { Clock } from '../../protocol/clock.ts';

/*
 * Delay-based pacing of clip uploads (LEDBAT's idea, RFC 6817, as a rate instead of a window).
 *
 * Uploads must never be the reason that a click or an alarm waits. What makes others wait is a queue in front of the
 * uplink; the tunnel's round-trip time shows that queue while it is still short: queueing delay = sample − base, base
 * being the lowest sample of the last minute.
 *
 *   queue empty (below ½ goal)   the rate grows, the faster the longer it stays empty: 3 %, 6 %, … 25 % a step of 200 ms
 *   a queue stands               what left it is what was sent less what it grew by: our share of the link, measured; the
 *                                rate is this share, corrected so that the queue comes to the goal in about two steps.
 *                                Beside others who fill the queue the correction takes away more each step: uploads yield.
 *   no sample for 600 ms         the rate is halved every 400 ms down to a cautious fixed one: the sample may be stuck in
 *                                the queue, or the tunnel is down and nothing is known
 *
 * The rate grows only while it is used, or an idle hour would end in a burst. It never falls below the floor. Every 10 s
 * the sender pauses for one sample, so that its own standing queue is not taken for the base (RFC 6817 §4.3, "latecomer").
 *
 * Why pacing by small chunks: Node cannot set TCP_NOTSENT_LOWAT, and the kernel takes up to 4 MB of send buffer a
 * connection, 1.6 s at 20 Mbit/s. A connection that is fed below the rate of the link is application limited: its send
 * buffer stays empty and its congestion window does not grow (RFC 7661), so the only queue is the one measured here.
 */

export interface PacerOptions {
  clock: Clock;
  /** {@link TunnelClient.onRtt}: every round-trip sample; ≥ 5 Hz while someone listens. */
  onRtt: (fn: (ms: number, minRttMs: number) => void) => () => void;
  /** Queueing delay that uploads may cause, in ms; more on uplinks below 4 Mbit/s or above 80 ms. */
  targetMs?: number;
  floorBytesPerSecond?: number;
  startBytesPerSecond?: number;
  /** Rate while no round-trip samples arrive. */
  fallbackBytesPerSecond?: number;
  maxBytesPerSecond?: number;
}

const STEP_MS = 200;
const SILENCE_MS = 600;
/** So many samples in a row show whether a queue lasts. */
const RECENT = 3;
const PROBE_EVERY_MS = 10_000;
const PROBE_MAX_MS = 500;
const BASE_BUCKET_MS = 10_000;
const BASE_BUCKETS = 6;
/** How long the rate of the last upload is remembered; the next one starts at half of it. */
const REMEMBER_MS = 60_000;
/** Every n-th chunk goes to whoever has waited longest, so that an urgent stream never starves the rest for good. */
const FAIR_EVERY = 8;
/** Tokens for this long may gather: timers are late by a few ms on a busy box. */
const BURST_MS = 8;

interface Waiter {
  bytes: number;
  rank: number;
  resolve: () => void;
}

/** Shares one uplink rate among all uploads. */
export class Pacer {
  readonly #clock: Clock;
  readonly #onRtt: PacerOptions['onRtt'];
  readonly #targetMs: number;
  readonly #floor: number;
  readonly #start: number;
  readonly #fallback: number;
  readonly #max: number;
  #limit = Number.POSITIVE_INFINITY;

  #users = 0;
  #release: (() => void)[] = [];
  #centre: number;
  #rate: number;
  /** Growth a step, while the queue stays empty. */
  #growth = 0;
  #sent = 0;
  #total = 0;
  #lastSampleAt = 0;
  #lastQueueMs = 0;
  #recent: number[] = [];
  #lastRttMs = 0;
  #emptyRttMs = 0;
  #heard = false;
  #idleSince = Number.NEGATIVE_INFINITY;
  #base: { since: number; min: number }[] = [];

  #tokens = 0;
  #filledAt = 0;
  #waiters: Waiter[] = [];
  #served = 0;
  #cancelTimer: (() => void) | null = null;
  #pausedUntil = 0;
  #nextProbeAt = 0;

  constructor(options: PacerOptions) {
    this.#clock = options.clock;
    this.#onRtt = options.onRtt;
    this.#targetMs = options.targetMs ?? 6;
    this.#floor = options.floorBytesPerSecond ?? 64 * 1024;
    this.#start = options.startBytesPerSecond ?? 384 * 1024;
    this.#fallback = options.fallbackBytesPerSecond ?? 192 * 1024;
    this.#max = options.maxBytesPerSecond ?? 125_000_000;
    this.#centre = this.#rate = this.#start;
  }

  /** Bytes a second now. */
  get rate(): number {
    return this.#rate;
  }

  /** Most that may be sent, whatever the uplink has; null: no such limit. */
  limit(bytesPerSecond: number | null): void {
    this.#limit = bytesPerSecond ?? Number.POSITIVE_INFINITY;
    this.#set(this.#centre, 1);
  }

  /** Granted to all since it was made. */
  get sentBytes(): number {
    return this.#total;
  }

  /** How much to ask for at once: about 3 ms of the rate, so that a chunk itself is no queue. */
  get chunkBytes(): number {
    return Math.round(Math.min(16_384, Math.max(2048, this.#rate * 0.003)));
  }

  /**
   * The target where it can be kept: on a slow uplink two chunks alone are a longer queue, and over a long way the
   * answer to a change comes too late for it.
   */
  get #goalMs(): number {
    return Math.max(this.#targetMs, (2000 * this.chunkBytes) / this.#rate, this.#emptyRttMs / 8);
  }

  /** Held while an upload runs; round-trip samples are asked for only then. Returns the release. */
  begin(): () => void {
    if (this.#users++ === 0) this.#wake();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#users === 0) this.#sleep();
    };
  }

  /**
   * Resolves when `bytes` may be written (or at once when `signal` aborts). The lowest `rank` is served first.
   * Must be called between {@link begin} and its release.
   */
  take(bytes: number, rank = 0, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        bytes,
        rank,
        resolve: () => {
          signal?.removeEventListener('abort', drop);
          resolve();
        },
      };
      const drop = () => {
        const i = this.#waiters.indexOf(waiter);
        if (i >= 0) this.#waiters.splice(i, 1);
        resolve();
      };
      signal?.addEventListener('abort', drop, { once: true });
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  #wake(): void {
    const now = this.#clock.mono();
    const remembered = now - this.#idleSince < REMEMBER_MS ? this.#rate / 2 : 0;
    this.#centre = this.#rate = Math.min(this.#limit, Math.max(this.#start, remembered));
    this.#growth = 0.25;
    this.#lastSampleAt = this.#filledAt = now;
    this.#tokens = 0;
    this.#sent = 0;
    this.#heard = false;
    this.#nextProbeAt = now + PROBE_EVERY_MS;
    this.#release = [
      this.#onRtt((ms, min) => this.#sample(ms, min)),
      this.#clock.every(STEP_MS, () => this.#checkSilence()),
    ];
  }

  #sleep(): void {
    for (const release of this.#release) release();
    this.#release = [];
    this.#idleSince = this.#clock.mono();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #sample(ms: number, minRttMs: number): void {
    const now = this.#clock.mono();
    const elapsed = Math.min(1000, now - this.#lastSampleAt);
    const base = this.#baseMs(now, ms, minRttMs);
    const queueMs = ms - base;
    this.#emptyRttMs = base;
    this.#lastRttMs = ms;
    this.#recent.push(queueMs);
    if (this.#recent.length > RECENT) this.#recent.shift();
    this.#heard = true;
    if (this.#pausedUntil > now) this.#pausedUntil = now;
    else if (elapsed >= 10) this.#steer(queueMs, elapsed);
    else return;
    this.#lastQueueMs = queueMs;
    this.#lastSampleAt = now;
    this.#sent = 0;
    if (now >= this.#nextProbeAt) {
      this.#nextProbeAt = now + PROBE_EVERY_MS;
      // The sample after the next is the first one that has seen an emptied queue.
      this.#pausedUntil = now + PROBE_MAX_MS;
    }
    this.#serve();
  }

  #steer(queueMs: number, elapsedMs: number): void {
    const goalMs = this.#goalMs;
    // How late the answer to a change shows: one sample interval and one round trip. All gains follow from it.
    const lagMs = Math.max(STEP_MS, elapsedMs + this.#emptyRttMs);
    const steps = elapsedMs / lagMs;
    const used = this.#sent >= 0.6 * this.#rate * (elapsedMs / 1000);
    // One late sample is noise of the machine, one early one chance: two make the case.
    if (Math.max(queueMs, this.#lastQueueMs) < goalMs / 2) {
      if (used) {
        this.#growth = Math.min(0.25, this.#growth + 0.03 * steps);
        this.#centre *= (1 + this.#growth) ** steps;
      }
    } else if (Math.min(queueMs, this.#lastQueueMs) < goalMs / 2) {
      this.#growth /= 2;
    } else {
      // While there is a queue, what left it is what was sent less what it grew by: our share of the link, measured.
      const share = (1000 * this.#sent) / Math.max(elapsedMs / 4, elapsedMs + queueMs - this.#lastQueueMs);
      // Lasting changes need a queue that lasts: a busy machine makes samples late too, and must not starve uploads.
      const lasts = Math.min(...this.#recent) >= goalMs / 2;
      const weight = Math.max(Math.min(1, this.#growth / 0.15), lasts ? 1 - Math.exp(-steps / 3) : 0);
      if (used || share > this.#centre) this.#centre += weight * (Math.min(share, this.#centre * 1.25) - this.#centre);
      this.#growth = 0;
    }
    // The queue integrates the rate: it comes to the goal within about two lags.
    const off = (goalMs - queueMs) / (2 * lagMs);
    this.#set(this.#centre, used || off < 0 ? 1 + Math.max(-0.5, off) : 1);
  }

  #checkSilence(): void {
    const silentMs = this.#clock.mono() - this.#lastSampleAt;
    if (silentMs < SILENCE_MS + (this.#heard ? this.#lastRttMs : 0)) return;
    this.#growth = 0;
    this.#set(Math.max(Math.min(this.#fallback, this.#rate), this.#rate / Math.SQRT2), 1);
  }

  #set(centre: number, factor: number): void {
    this.#refill();
    this.#centre = Math.min(this.#max, this.#limit, Math.max(this.#floor, centre));
    this.#rate = Math.min(this.#limit, Math.max(this.#floor, this.#centre * factor));
  }

  /** Lowest sample of the last minute; a route that became longer is believed after that. `known` is used at first. */
  #baseMs(now: number, ms: number, known: number): number {
    while (this.#base[0] && now - this.#base[0].since > BASE_BUCKET_MS * BASE_BUCKETS) this.#base.shift();
    const current = this.#base.at(-1);
    if (current && now - current.since < BASE_BUCKET_MS) current.min = Math.min(current.min, ms);
    else this.#base.push({ since: now, min: !current && known > 0 ? Math.min(ms, known) : ms });
    return Math.min(...this.#base.map((b) => b.min));
  }

  #refill(): void {
    const now = this.#clock.mono();
    const burst = Math.max(2 * this.chunkBytes, (this.#rate * BURST_MS) / 1000);
    this.#tokens = Math.min(burst, this.#tokens + (this.#rate * (now - this.#filledAt)) / 1000);
    this.#filledAt = now;
  }

  #serve(): void {
    this.#refill();
    const now = this.#clock.mono();
    while (this.#waiters.length > 0 && this.#tokens > 0 && now >= this.#pausedUntil) {
      const i = ++this.#served % FAIR_EVERY === 0 ? 0 : this.#mostUrgent();
      const waiter = this.#waiters.splice(i, 1)[0]!;
      this.#tokens -= waiter.bytes;
      this.#sent += waiter.bytes;
      this.#total += waiter.bytes;
      waiter.resolve();
    }
    if (this.#waiters.length === 0 || this.#cancelTimer) return;
    const waitMs = Math.max(1, (-this.#tokens / this.#rate) * 1000, this.#pausedUntil - now);
    this.#cancelTimer = this.#clock.after(waitMs, () => {
      this.#cancelTimer = null;
      this.#serve();
    });
  }

  #mostUrgent(): number {
    let best = 0;
    for (let i = 1; i < this.#waiters.length; i++) if (this.#waiters[i]!.rank < this.#waiters[best]!.rank) best = i;
    return best;
  }
}
