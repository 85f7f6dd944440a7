import type { Region } from '../../../protocol/wire/operations.ts';
import { covers } from '../../drivers/regions.ts';
import type { Change } from '../edit-xml.ts';
import { list, text, type XmlNode } from '../xml.ts';

/*
 * What is drawn on a picture for one kind of event: a fixed number of places, each with an area or a line, or empty (ISAPI
 * Smart, isapi.md §9). Coordinates go from 0 to 1000 and from the picture's lower left; ours go from its upper left.
 */
const SCALE = 1000;
const MAX_POINTS = 10;

export interface Places {
  /** The list, and one of it. */
  list: string;
  item: string;
  coordinates: [list: string, item: string];
  /** An area has at least three, a line two. */
  points: 'area' | 'line';
}

export interface Place {
  node: XmlNode;
  shape: Region | null;
  /** It is looked at; a place that is off tells of nothing, whatever is drawn in it. */
  inForce: boolean;
}

export function placesOf(node: XmlNode, of: Places): Place[] {
  return list(node, of.list, of.item).map((item) => {
    const points = list(item, ...of.coordinates).map((point): [number, number] => [
      clamp(Number(text(point, 'positionX')) / SCALE),
      clamp((SCALE - Number(text(point, 'positionY'))) / SCALE),
    ]);
    const shape = isShape(points, of.points) ? points : null;
    const on = list(item, 'enabled').length === 0 || text(item, 'enabled').toLowerCase() === 'true';
    return { node: item, shape, inForce: on && shape !== null };
  });
}

/** What is in force, in the order of its places. */
export const shapesOf = (places: readonly Place[]): Region[] =>
  places.flatMap(({ shape, inForce }) => (shape && inForce ? [shape] : []));

/**
 * The changes that leave exactly these in force. What is there already stays where it is, untouched; what differs takes the
 * place of what is gone, in order, and then empty ones.
 */
export function placed(places: readonly Place[], wanted: readonly Region[], of: Places): Change[] {
  const kept = new Map<number, Region>();
  const rest = wanted.filter((shape) => {
    const at = places.findIndex((place, i) => place.inForce && !kept.has(i) && isSame(place.shape!, shape));
    if (at >= 0) kept.set(at, shape);
    return at < 0;
  });
  const free = places.flatMap(({ inForce }, i) => (kept.has(i) ? [] : [{ i, inForce }]));
  free.sort((a, b) => Number(b.inForce) - Number(a.inForce) || a.i - b.i);
  return free.flatMap(({ i, inForce }): Change[] => {
    const shape = rest.shift();
    if (!shape) return inForce ? put(of, i, null) : [];
    return put(of, i, shape);
  });
}

/** Puts what is drawn already, but off, in force; none: nothing is drawn. */
export const revived = (places: readonly Place[], of: Places): Change[] =>
  places.flatMap(({ shape }, i): Change[] => (shape ? [switched(of, i, true)] : []));

const at = (of: Places, index: number) => [of.list, { name: of.item, index }];
const switched = (of: Places, index: number, on: boolean): Change => ({
  path: [...at(of, index), 'enabled'],
  value: String(on),
  optional: true,
});

function put(of: Places, index: number, shape: Region | null): Change[] {
  const [outer, inner] = of.coordinates;
  const points = (shape ?? []).slice(0, MAX_POINTS).map(([x, y]) => {
    const [px, py] = [Math.round(x * SCALE), Math.round((1 - y) * SCALE)];
    return `<${inner}><positionX>${px}</positionX><positionY>${py}</positionY></${inner}>`;
  });
  return [switched(of, index, shape !== null), { path: [...at(of, index), outer], inner: points.join('') }];
}

/** Devices keep points in one corner for "none". */
function isShape(points: Region, kind: Places['points']): boolean {
  if (points.some(([x, y]) => Number.isNaN(x) || Number.isNaN(y))) return false;
  if (kind === 'area') return points.length >= 3 && covers(points);
  const [a, b] = points;
  return points.length === 2 && (Math.abs(a![0] - b![0]) > 0.002 || Math.abs(a![1] - b![1]) > 0.002);
}

const isSame = (a: Region, b: Region): boolean =>
  a.length === b.length && a.every(([x, y], i) => Math.abs(x - b[i]![0]) < 0.0006 && Math.abs(y - b[i]![1]) < 0.0006);

const clamp = (n: number): number => Math.min(1, Math.max(0, n));
