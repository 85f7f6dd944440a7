import type { Clock } from '../../protocol/clock.ts';

/*
 * Delay-based pacing of clip uploads (LEDBAT's idea, RFC 6817, as a rate instead of a window).
 *
 * Uploads must never be the reason that a click or an alarm waits. What makes others wait is a queue in front of the
 * uplink; the tunnel's round-trip time shows that queue while it is still short: queueing delay = sample − base, base
 * being the lowest sample of the last minute.
 *
 *   queueing delay         what happens to the rate
 *   below ½ target         grows, the faster the longer the queue stays empty (3 %, 6 %, … 25 % a step of 200 ms)
 *   ½ target to 2 targets  steered to the target, proportional and integral
 *   above 2 targets        cut by 20 % a step; this is also how uploads yield to others, who fill the queue themselves
 *   no sample for 600 ms   halved every 400 ms down to a cautious fixed rate: the sample may be stuck in the queue, or the
 *                          tunnel is down and nothing is known
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

  #users = 0;
  #release: (() => void)[] = [];
  #centre: number;
  #rate: number;
  /** Growth a step, while the queue stays empty. */
  #growth = 0;
  #sent = 0;
  #lastSampleAt = 0;
  #lastQueueMs = 0;
  #lastRttMs = 0;
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
    this.#targetMs = options.targetMs ?? 10;
    this.#floor = options.floorBytesPerSecond ?? 32 * 1024;
    this.#start = options.startBytesPerSecond ?? 384 * 1024;
    this.#fallback = options.fallbackBytesPerSecond ?? 192 * 1024;
    this.#max = options.maxBytesPerSecond ?? 125_000_000;
    this.#centre = this.#rate = this.#start;
  }

  /** Bytes a second now. */
  get rate(): number {
    return this.#rate;
  }

  /** How much to ask for at once: about 4 ms of the rate, so that a chunk itself is no queue. */
  get chunkBytes(): number {
    return Math.round(Math.min(16_384, Math.max(2048, this.#rate * 0.004)));
  }

  /**
   * The target where it can be kept: on a slow uplink two chunks alone are a longer queue, and over a long way the
   * answer to a change comes too late for it.
   */
  get #goalMs(): number {
    const baseMs = this.#lastRttMs - this.#lastQueueMs;
    return Math.max(this.#targetMs, (2000 * this.chunkBytes) / this.#rate, baseMs / 8);
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
    this.#centre = this.#rate = Math.max(this.#start, remembered);
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
    // One late sample is noise of the machine, two are a queue; a very late one counts at once.
    const steadyMs = queueMs > 4 * this.#goalMs ? queueMs : Math.min(queueMs, this.#lastQueueMs);
    this.#lastQueueMs = queueMs;
    this.#lastRttMs = ms;
    this.#heard = true;
    if (this.#pausedUntil > now) this.#pausedUntil = now;
    else if (elapsed >= 10) this.#steer(queueMs, steadyMs, elapsed);
    else return;
    this.#lastSampleAt = now;
    this.#sent = 0;
    if (now >= this.#nextProbeAt) {
      this.#nextProbeAt = now + PROBE_EVERY_MS;
      // The sample after the next is the first one that has seen an emptied queue.
      this.#pausedUntil = now + PROBE_MAX_MS;
    }
    this.#serve();
  }

  #steer(queueMs: number, steadyMs: number, elapsedMs: number): void {
    const goalMs = this.#goalMs;
    // How late the answer to a change shows: one sample interval and one round trip. All gains follow from it.
    const lagMs = Math.max(STEP_MS, elapsedMs + this.#lastRttMs - queueMs);
    const steps = elapsedMs / lagMs;
    const used = this.#sent >= 0.6 * this.#rate * (elapsedMs / 1000);
    const off = Math.max(-3, (goalMs - steadyMs) / goalMs);
    // The queue integrates the rate: critically damped with its zero at 2 lags.
    const proportional = 1 + (goalMs / (2 * lagMs)) * off;
    if (steadyMs < goalMs / 2) {
      if (queueMs >= goalMs / 2) this.#growth /= 2;
      else if (used) {
        this.#growth = Math.min(0.25, this.#growth + 0.03 * steps);
        this.#centre *= (1 + this.#growth) ** steps;
      }
      this.#set(this.#centre, used ? proportional : 1);
      return;
    }
    // The queue began to fill: the last growth was too much.
    this.#centre /= 1 + this.#growth;
    this.#growth = 0;
    if (steadyMs > 2 * goalMs) this.#centre *= 0.8 ** steps;
    else if (off < 0 || used) this.#centre *= Math.exp((goalMs / (16 * lagMs)) * off * steps);
    this.#set(this.#centre, proportional);
  }

  #checkSilence(): void {
    const silentMs = this.#clock.mono() - this.#lastSampleAt;
    if (silentMs < SILENCE_MS + (this.#heard ? this.#lastRttMs : 0)) return;
    this.#growth = 0;
    this.#set(Math.max(Math.min(this.#fallback, this.#rate), this.#rate / Math.SQRT2), 1);
  }

  #set(centre: number, factor: number): void {
    this.#refill();
    this.#centre = Math.min(this.#max, Math.max(this.#floor, centre));
    this.#rate = Math.max(this.#floor, this.#centre * factor);
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
