import { percentile } from '../../percentile.ts';
import type { Handed } from './box.ts';
import type { Arrival } from './centre.ts';

export interface Tally {
  /** Events on the box's disk. */
  owed: number;
  lost: number[];
  /** Copies beyond the first. */
  doubled: number;
  /** Of these, such as no swallowed acknowledgement stands for. */
  unexcused: number[];
  /** Copies that differ from the first in number or content. */
  unlike: number[];
  /** Events of which a later one of the same class came first. */
  inversions: number[];
  /** Restores that came before their alarm, or not at all. */
  restoresAstray: number[];
  /** Events that nobody handed over. */
  strange: number;
  /** A sequence number that was given to another message too soon. */
  reused: number[];
}

/** A number comes again after 9999 others. */
const SEQUENCES = 9_999;

/** What the source handed over against what the receiver has. */
export function tally(handed: Handed[], arrivals: Arrival[], swallowed: Map<number, number>): Tally {
  const owed = handed.filter((e) => e.journalledAt !== null);
  const known = new Set(handed.map((e) => e.n));
  const events = byNumber(arrivals.filter((a) => a.what === 'event'));
  const restores = byNumber(arrivals.filter((a) => a.what === 'restore'));
  const copies = [...events, ...restores].filter(([, all]) => all.length > 1);
  const excused = (all: Arrival[]): boolean => all.length - 1 <= (swallowed.get(all[0]!.sequence) ?? 0);
  const alike = (all: Arrival[]): boolean =>
    all.every((a) => a.sequence === all[0]!.sequence && a.data === all[0]!.data);
  return {
    owed: owed.length,
    lost: owed.filter((e) => !events.has(e.n)).map((e) => e.n),
    doubled: copies.reduce((sum, [, all]) => sum + all.length - 1, 0),
    unexcused: copies.filter(([, all]) => !excused(all)).map(([n]) => n),
    unlike: copies.filter(([, all]) => !alike(all)).map(([n]) => n),
    inversions: inversions(handed, events),
    restoresAstray: owed.filter((e) => e.ends && !inOrder(events.get(e.n), restores.get(e.n))).map((e) => e.n),
    strange: [...events.keys()].filter((n) => !known.has(n)).length,
    reused: reused(arrivals),
  };
}

export const isClean = (t: Tally): boolean =>
  t.lost.length + t.unexcused.length + t.unlike.length + t.inversions.length + t.restoresAstray.length === 0 &&
  t.strange + t.reused.length === 0;

/** From the source to the receiver's acknowledgement, milliseconds. */
export function latencies(handed: Handed[], arrivals: Arrival[]): number[] {
  const first = byNumber(arrivals.filter((a) => a.what === 'event'));
  return handed.flatMap((e) => (first.has(e.n) ? [first.get(e.n)![0]!.at - e.at] : []));
}

export const seconds = (samples: number[], p: number): number => Math.round(percentile(samples, p)) / 1000;

function byNumber(arrivals: Arrival[]): Map<number, Arrival[]> {
  return Map.groupBy(arrivals, (a) => a.n);
}

function inversions(handed: Handed[], events: Map<number, Arrival[]>): number[] {
  const found: number[] = [];
  for (const [, all] of Map.groupBy(handed, (e) => e.rank)) {
    let latest = 0;
    for (const { n } of all) {
      const at = events.get(n)?.[0]?.at;
      if (at === undefined) continue;
      if (at < latest) found.push(n);
      else latest = at;
    }
  }
  return found;
}

const inOrder = (alarm?: Arrival[], restore?: Arrival[]): boolean =>
  restore !== undefined && alarm !== undefined && alarm[0]!.at <= restore[0]!.at;

/**
 * A number stands for one message until it comes round (E4). Numbers are given in the order in which events are handed over, and
 * restores and messages of paths take theirs in between, so that fewer than {@link SEQUENCES} events lie between two uses.
 */
function reused(arrivals: Arrival[]): number[] {
  const found: number[] = [];
  const events = arrivals.filter((a) => a.what === 'event');
  for (const [, all] of Map.groupBy(events, (a) => `${a.account} ${a.sequence}`)) {
    const numbers = [...new Set(all.map((a) => a.n))].sort((a, b) => a - b);
    for (const [i, n] of numbers.entries()) {
      if (i > 0 && n - numbers[i - 1]! < SEQUENCES * 0.8) found.push(all[0]!.sequence);
    }
  }
  return found;
}
