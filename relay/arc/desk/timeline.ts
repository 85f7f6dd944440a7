import type { ArcPathName } from '../../../protocol/wire/event.ts';

export interface PathChange {
  path: ArcPathName | 'all';
  atMs: number;
  up: boolean;
}
export interface Gap {
  fromMs: number;
  /** Null: it lasts. */
  toMs: number | null;
}
export interface Line {
  observedMs: number;
  downMs: number;
  gaps: Gap[];
}

const PATHS: readonly ArcPathName[] = ['direct', 'relay', 'second'];

/**
 * How long each path was there between two times, and all of them together: at least one was (EN 50136-1, availability of the
 * transmission system). A box that was off had none. Time before a path is known counts for nothing.
 */
export function timelineOf(changes: PathChange[], fromMs: number, toMs: number): Record<ArcPathName | 'all', Line> {
  const sorted = [...changes].sort((a, b) => a.atMs - b.atMs);
  const state: Record<ArcPathName, boolean | null> = { direct: null, relay: null, second: null };
  let on = true;
  const lines = Object.fromEntries(
    ['all', ...PATHS].map((path) => [path, { observedMs: 0, downMs: 0, gaps: [] as Gap[] }]),
  ) as Record<ArcPathName | 'all', Line>;
  const account = (path: ArcPathName | 'all', up: boolean | null, begin: number, end: number) => {
    if (up === null || end <= begin) return;
    const line = lines[path];
    line.observedMs += end - begin;
    if (up) return;
    line.downMs += end - begin;
    const last = line.gaps.at(-1);
    if (last?.toMs === begin) last.toMs = end;
    else line.gaps.push({ fromMs: begin, toMs: end });
  };
  const span = (begin: number, end: number) => {
    const now = PATHS.map((path) => [path, state[path] === null ? null : on && state[path]] as const);
    for (const [path, up] of now) account(path, up, begin, end);
    const known = now.filter(([, up]) => up !== null);
    account('all', known.length === 0 ? null : known.some(([, up]) => up), begin, end);
  };
  let at = fromMs;
  for (const change of sorted) {
    const next = Math.min(Math.max(change.atMs, fromMs), toMs);
    span(at, next);
    at = next;
    if (change.path === 'all') on = change.up;
    else state[change.path] = change.up;
  }
  span(at, toMs);
  return lines;
}
