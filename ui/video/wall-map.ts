interface Point {
  media: number;
  wallMs: number;
}
const MAX_POINTS = 4_000;
/** More wall time than this a media second is a hole in what was recorded, not fast playing. */
const MAX_SPEED = 32;

/** Which wall time is on the screen: fragments say it of their first picture, between them it runs on. */
export class WallMap {
  readonly #points: Point[] = [];
  /** Played backward, wall time runs against the stream's own. */
  readonly #sign: 1 | -1;

  constructor({ back = false } = {}) {
    this.#sign = back ? -1 : 1;
  }

  clear(): void {
    this.#points.length = 0;
  }

  /** In order of media time; what comes for a time that was there replaces it. */
  add(media: number, wallMs: number): void {
    const points = this.#points;
    while (points.length > 0 && points.at(-1)!.media >= media) points.pop();
    points.push({ media, wallMs });
    if (points.length > MAX_POINTS) points.splice(0, MAX_POINTS / 2);
  }

  /** Null before anything came. */
  at(media: number): number | null {
    const points = this.#points;
    const first = points[0];
    if (!first) return null;
    let low = 0;
    let high = points.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (points[middle]!.media <= media) low = middle;
      else high = middle - 1;
    }
    const point = points[low]!;
    const speed = this.#slope(point, points[low + 1]) ?? this.#slope(points[low - 1], point) ?? this.#sign;
    return point.wallMs + Math.max(0, media - point.media) * 1000 * speed;
  }

  #slope(a: Point | undefined, b: Point | undefined): number | null {
    if (!a || !b || b.media <= a.media) return null;
    const speed = ((b.wallMs - a.wallMs) / 1000 / (b.media - a.media)) * this.#sign;
    return speed > 0 && speed <= MAX_SPEED ? speed * this.#sign : null;
  }
}
