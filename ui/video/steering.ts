export interface Span {
  start: number;
  end: number;
}
export interface Steer {
  /** Go there now. */
  seek: number | null;
  rate: number;
}

/** Behind the newest picture, in seconds: where live view starts, and how far it lets itself be pushed back by stalls. */
const NEAREST_S = 0.06;
const FARTHEST_S = 0.5;
const STALL_STEP_S = 0.08;
/** Beyond its distance it plays faster, then leaps. */
const FAST_S = 0.14;
const FASTER_S = 0.4;
const LEAP_S = 0.94;
const FAST_RATE = 1.1;
const FASTER_RATE = 1.25;
/** What comes at once at the beginning is taken in whole before its newest picture is gone to. */
const SETTLE_MS = 300;
/** After so long without a stall it comes nearer again. */
const CALM_MS = 15_000;
/** A hole smaller than this is one of rounding: browsers play over it. */
const TINY_S = 0.02;

/** Keeps live view near the newest picture: as near as the line allows without stalls. */
export class LiveEdge {
  #distance = NEAREST_S;
  #calmSinceMs = 0;
  #started = false;
  #firstMs: number | null = null;

  get distanceS(): number {
    return this.#distance;
  }

  /** Pictures begin anew: the next ones are gone to at once. */
  restart(): void {
    this.#started = false;
    this.#firstMs = null;
  }

  /** It ran out of pictures. */
  stalled(nowMs: number): void {
    this.#distance = Math.min(FARTHEST_S, this.#distance + STALL_STEP_S);
    this.#calmSinceMs = nowMs;
  }

  /** @param more is here and not taken in yet */
  steer(position: number, spans: readonly Span[], nowMs: number, more = false): Steer {
    const last = spans.at(-1);
    if (!last) return { seek: null, rate: 1 };
    if (nowMs - this.#calmSinceMs > CALM_MS && this.#distance > NEAREST_S) {
      this.#distance = Math.max(NEAREST_S, this.#distance - STALL_STEP_S);
      this.#calmSinceMs = nowMs;
    }
    const edge = Math.max(last.start, last.end - this.#distance);
    if (!this.#started) {
      this.#firstMs ??= nowMs;
      if (more && nowMs - this.#firstMs < SETTLE_MS) return { seek: null, rate: 1 };
      this.#started = true;
      this.#calmSinceMs = nowMs;
      return { seek: edge, rate: 1 };
    }
    if (position < last.start - TINY_S || position > last.end + TINY_S) return { seek: edge, rate: 1 };
    const behind = last.end - position - this.#distance;
    if (behind > LEAP_S) return { seek: edge, rate: 1 };
    return { seek: null, rate: behind > FASTER_S ? FASTER_RATE : behind > FAST_S ? FAST_RATE : 1 };
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
