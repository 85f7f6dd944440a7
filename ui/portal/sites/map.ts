/** A place on the drawn map, in its own units. */
export interface Dot<T> {
  x: number;
  y: number;
  items: T[];
}
const MARGIN = 24;
/** Places nearer than this to one another are one dot. */
const NEAR = 14;

/**
 * Places as they lie to one another (equirectangular about their middle latitude), fitted into a rectangle; near ones are
 * put together. Without a map behind it: nothing is asked of other hosts.
 */
export function plot<T extends { latitude: number | null; longitude: number | null }>(
  places: readonly T[],
  width: number,
  height: number,
): Dot<T>[] {
  const known = places.filter((place) => place.latitude !== null && place.longitude !== null);
  if (known.length === 0) return [];
  const north = known.map((place) => place.latitude!);
  const middle = (Math.min(...north) + Math.max(...north)) / 2;
  const squeeze = Math.max(0.01, Math.cos((middle * Math.PI) / 180));
  const at = known.map((place) => ({ place, x: place.longitude! * squeeze, y: -place.latitude! }));
  const [left, right] = [Math.min(...at.map((p) => p.x)), Math.max(...at.map((p) => p.x))];
  const [top, bottom] = [Math.min(...at.map((p) => p.y)), Math.max(...at.map((p) => p.y))];
  const scale = Math.min(
    (width - 2 * MARGIN) / Math.max(right - left, 0.01),
    (height - 2 * MARGIN) / Math.max(bottom - top, 0.01),
  );
  const dots: Dot<T>[] = [];
  for (const { place, x, y } of at) {
    const dot = {
      x: width / 2 + (x - (left + right) / 2) * scale,
      y: height / 2 + (y - (top + bottom) / 2) * scale,
      items: [place],
    };
    const near = dots.find((other) => Math.hypot(other.x - dot.x, other.y - dot.y) < NEAR);
    if (near) near.items.push(place);
    else dots.push(dot);
  }
  return dots;
}
