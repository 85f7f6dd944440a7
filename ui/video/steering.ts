export interface Span {
  start: number;
  end: number;
}
export interface Steer {
  /** Go there now. */
  seek: number | null;
  rate: number;
}

/**
 * How long, in seconds, the newest picture waits for its turn: what is left for pictures that come late. It grows by a step
 * with each stall.
 */
const NEAREST_S = 0.02;
const FARTHEST_S = 0.5;
const STALL_STEP_S = 0.04;
/** A shorter stall than this is not seen. */
const STALL_MS = 60;
/** Back at its distance; beyond it, it plays faster, and leaps. */
const BACK_S = 0.01;
const LEAP_S = 0.94;
/** So far behind, so fast; once it is faster, it stays at the least of these until it is back. */
type Rates = readonly (readonly [behindS: number, rate: number])[];
const SLOWEST = [0.05, 1.1] as const;
/** After a stall what is behind is what the next one may need: it is given up slowly, but for what is much. */
const RATES_AFTER_STALL: Rates = [[0.45, 1.5], [0.2, 1.25], SLOWEST];
/** Where nothing has stalled of late, as at the beginning, it makes pictures old for nothing. */
const RATES: Rates = [[0.2, 2], [0.1, 1.25], SLOWEST];
/**
 * What comes at once at the beginning is taken in whole before its newest picture is gone to: pictures that are less apart
 * than they would be from a camera are not the last of it.
 */
const SETTLE_MS = 300;
const AT_ONCE_MS = 20;
/** After so long without a stall it comes nearer by a step; longer, up to a minute, where that was too near before. */
const CALM_MS = 4_000;
const MAX_CALM_MS = 64_000;
/** A hole smaller than this is one of rounding: browsers play over it. */
const TINY_S = 0.02;
const USUAL_STEP_S = 0.04;

/** Keeps live view near the newest picture: as near as the line allows without stalls. */
export class LiveEdge {
  #spare = NEAREST_S;
  /** From picture to picture: the newest one is shown as long as that, until the next one is there. */
  #step = USUAL_STEP_S;
  #end: number | null = null;
  #calmSinceMs = 0;
  #calmMs = CALM_MS;
  #nearerMs: number | null = null;
  #waitingMs: number | null = null;
  #stalledMs = Number.NEGATIVE_INFINITY;
  #started = false;
  #firstMs: number | null = null;
  #freshMs = Number.POSITIVE_INFINITY;
  #rate = 1;

  /** Behind the end of the newest picture, when it has just come. */
  get distanceS(): number {
    return this.#step + this.#spare;
  }

  /** Pictures begin anew: the next ones are gone to at once. */
  restart(): void {
    this.#started = false;
    this.#firstMs = null;
    this.#freshMs = Number.POSITIVE_INFINITY;
    this.#end = null;
    this.#waitingMs = null;
    this.#rate = 1;
  }

  /** It ran out of pictures. */
  waiting(nowMs: number): void {
    if (this.#started) this.#waitingMs ??= nowMs;
  }

  /** It goes on. */
  playing(nowMs: number): void {
    const stalled = this.#waitingMs !== null && nowMs - this.#waitingMs >= STALL_MS;
    this.#waitingMs = null;
    if (!stalled) return;
    this.#stalledMs = nowMs;
    this.#spare = Math.min(FARTHEST_S, this.#spare + STALL_STEP_S);
    // It had just come nearer: it tries that less often.
    if (this.#nearerMs !== null && nowMs - this.#nearerMs < this.#calmMs)
      this.#calmMs = Math.min(MAX_CALM_MS, this.#calmMs * 2);
    this.#nearerMs = null;
    this.#calmSinceMs = nowMs;
  }

  /** @param more is here and not taken in yet */
  steer(position: number, spans: readonly Span[], nowMs: number, more = false): Steer {
    const last = spans.at(-1);
    if (!last) return { seek: null, rate: 1 };
    const fresh = this.#taken(last.end);
    this.#calm(nowMs);
    const edge = Math.max(last.start, last.end - this.distanceS);
    const leap = (): Steer => {
      this.#rate = 1;
      return { seek: edge, rate: 1 };
    };
    if (!this.#started) {
      this.#firstMs ??= nowMs;
      const burst = more || !(nowMs - this.#freshMs >= AT_ONCE_MS);
      if (fresh) this.#freshMs = nowMs;
      if (burst && nowMs - this.#firstMs < SETTLE_MS) return { seek: null, rate: 1 };
      this.#started = true;
      this.#calmSinceMs = nowMs;
      return leap();
    }
    if (position < last.start - TINY_S || position > last.end + TINY_S) return leap();
    const behind = last.end - position - this.distanceS;
    if (behind > LEAP_S) return leap();
    // Between two pictures the distance shrinks by itself: it is judged when one has come.
    if (behind <= BACK_S) this.#rate = 1;
    else if (fresh) {
      const rates = nowMs - this.#stalledMs < CALM_MS ? RATES_AFTER_STALL : RATES;
      const [, rate] = rates.find(([s]) => behind > s) ?? (this.#rate === 1 ? [0, 1] : SLOWEST);
      this.#rate = rate;
    }
    return { seek: null, rate: this.#rate };
  }

  /** True when a picture has come since the last time; learns how far they are apart. */
  #taken(end: number): boolean {
    const step = this.#end === null ? 0 : end - this.#end;
    if (step === 0 && this.#end !== null) return false;
    this.#end = end;
    if (step > 0 && step < 1) this.#step += (step - this.#step) / 8;
    return true;
  }

  #calm(nowMs: number): void {
    if (this.#spare <= NEAREST_S || nowMs - this.#calmSinceMs < this.#calmMs) return;
    this.#spare = Math.max(NEAREST_S, this.#spare - STALL_STEP_S);
    this.#calmSinceMs = nowMs;
    this.#nearerMs = nowMs;
  }
}

/**
 * Of something recorded: where to go when the player stands before a hole, or has not begun.
 * @returns null to play on
 */
export function overHole(position: number, spans: readonly Span[]): number | null {
  const inside = spans.find(({ start, end }) => position >= start - TINY_S && position < end - TINY_S);
  if (inside) return position < inside.start ? inside.start : null;
  return spans.find(({ start }) => start > position)?.start ?? null;
}

/** Less than this is not missed. */
const REST_S = 0.3;
const BEGINS_S = 0.05;

/**
 * Of something recorded that has come to its end: nothing is left to be seen. Browsers stop as they show the last picture, and
 * backward or fast that one lasts until the next key frame would have been.
 * @param last where the last picture begins
 */
export function allShown(position: number, end: number, last: number | null): boolean {
  return end - position < REST_S || (last !== null && last - position < BEGINS_S);
}
