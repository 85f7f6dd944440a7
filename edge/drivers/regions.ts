import type { Region } from '../../protocol/wire/operations.ts';

/** Whether a point lies in a polygon (even–odd rule). */
export function inRegion(region: Region, x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = region.length - 1; i < region.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [region[i]!, region[j]!];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Twice the part of the picture that a polygon covers; what devices keep for "none" covers nothing. */
export function covers(region: Region): boolean {
  let area = 0;
  for (let i = 0; i < region.length; i++) {
    const [[x1, y1], [x2, y2]] = [region[i]!, region[(i + 1) % region.length]!];
    area += x1 * y2 - x2 * y1;
  }
  return Math.abs(area) > 0.0002;
}

const LINE_ENDS_APART = 0.01;

/** Lines by their ends, in whatever order they stand; areas by what they cover. */
export function sameDrawing(a: readonly Region[], b: readonly Region[]): boolean {
  if (![...a, ...b].some(({ length }) => length === 2)) return sameArea(a, b);
  const near = (one: Region, other: Region) =>
    one.length === other.length &&
    one.every(
      ([x, y], i) => Math.abs(x - other[i]![0]) <= LINE_ENDS_APART && Math.abs(y - other[i]![1]) <= LINE_ENDS_APART,
    );
  const covered = (of: readonly Region[], by: readonly Region[]) =>
    of.every((one) => by.some((other) => near(one, other)));
  return a.length === b.length && covered(a, b) && covered(b, a);
}

const GRID = 60;
const MOST_DIFFERENT = 0.35;

/**
 * Whether two sets of polygons cover about the same: devices round corners to their own grid, start them elsewhere and cut
 * one area into several, so the corners themselves prove nothing.
 */
export function sameArea(a: readonly Region[], b: readonly Region[]): boolean {
  let different = 0;
  let either = 0;
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const [x, y] = [(column + 0.5) / GRID, (row + 0.5) / GRID];
      const [inA, inB] = [a.some((r) => inRegion(r, x, y)), b.some((r) => inRegion(r, x, y))];
      if (inA || inB) either++;
      if (inA !== inB) different++;
    }
  }
  // Too small for the grid: it is at least there or not.
  return either === 0 ? a.some(covers) === b.some(covers) : different <= either * MOST_DIFFERENT;
}
