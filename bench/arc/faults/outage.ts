import { setTimeout as sleep } from 'node:timers/promises';
import type { EventType } from '../../../protocol/wire/event.ts';
import { type Audit, audit } from './audit.ts';
import { type BoxUnderTest, nowMs } from './box.ts';
import type { Arrival } from './centre.ts';
import type { Kind } from './kinds.ts';
import { isClean, latencies, seconds, type Tally, tally } from './tally.ts';
import { soon } from './wait.ts';
import { type Run, World } from './world.ts';

/** How one fault went (acceptance D1–D7). Seconds; null: did not happen. */
export interface OutageRow {
  kind: Kind;
  events: number;
  tally: Tally;
  swallowed: number;
  /** Tries through the relay whose answer came later than the box waits. */
  gaveUp: number;
  first: number | null;
  /** Of alarms handed over after the change, until the fault ended. */
  laterP95: number;
  laterMax: number;
  told: number | null;
  /** Zones of the paths whose loss was told, one for each message. */
  tolds: number[];
  goodPolls: number;
  back: number | null;
  restores: number;
  /** Longest of the alarms within 5 s of the change back. */
  atChange: number;
  via: Record<Arrival['via'], number>;
  audit: Audit;
  failures: string[];
  /** Times that were not kept, and what follows: on a machine that is busy with other work they say little of the product. */
  late: string[];
}

type Figures = Omit<OutageRow, 'failures' | 'late'>;

const OUTAGE_MS = 100_000;
const AFTER_MS = 140_000;
const DRAIN_MS = 60_000;

/** Seven alarms, a fault and a test of ten; every fifth alarm ends. */
const typeOf = (n: number): EventType => (n % 10 === 8 ? 'videoLoss' : n % 10 === 9 ? 'panelTest' : 'motion');
const endsOf = (n: number): boolean => n % 10 === 5;

/** Steady events, whatever becomes of them, until `count` or for as long as `go` says. */
export async function steady(
  box: BoxUnderTest,
  o: { from?: number; count: number; everyMs: number; at?: (n: number) => Promise<void> | void },
): Promise<void> {
  const start = performance.now();
  const from = o.from ?? 0;
  for (let i = 0; i < o.count; i++) {
    await sleep(Math.max(0, start + i * o.everyMs - performance.now()));
    await o.at?.(from + i);
    box.hand(from + i, typeOf(from + i), endsOf(from + i));
    if (endsOf(from + i - 3)) box.say({ do: 'end', n: from + i - 3 });
  }
}

/** Healthy, broken, healthy again; `count` events at a steady rate throughout. */
export async function outage(run: Run, kind: Kind): Promise<OutageRow> {
  const world = await new World(run, { keyBytes: 32, ...kind.options, name: kind.name }).start();
  try {
    const { box, centre } = world;
    const count = run.events;
    // At 5 a second 2,000 events are 400 s: the outage is told, healed and over within them. Fewer events come more slowly.
    const everyMs = Math.max(1_000 / run.rate, (OUTAGE_MS + AFTER_MS) / run.scale / count / 0.9);
    const breakAt = Math.round(count * 0.1);
    const healAt = breakAt + Math.max(Math.round(OUTAGE_MS / run.scale / everyMs), Math.round(count * 0.45));
    let [brokenAt, healedAt] = [0, 0];
    await steady(box, {
      count,
      everyMs,
      at: async (n) => {
        if (n !== breakAt && n !== healAt) return;
        await kind.set(world, n === breakAt);
        if (n === breakAt) brokenAt = nowMs();
        else healedAt = nowMs();
        run.log(`${kind.title}: ${n === breakAt ? 'broken' : 'healed'} at event ${n}`);
      },
    });
    const isTold = () => centre.arrivals().some((a) => a.what === 'path-restore');
    await world.arrived(DRAIN_MS);
    await soon(isTold, healedAt + AFTER_MS / run.scale - nowMs());
    await soon(() => box.health.every((h) => h.waiting === 0), DRAIN_MS);
    await sleep(500);
    await box.stop();
    return row(world, kind, { brokenAt, healedAt, breakAt, healAt });
  } finally {
    await world.stop();
  }
}

function row(
  world: World,
  kind: Kind,
  o: { brokenAt: number; healedAt: number; breakAt: number; healAt: number },
): OutageRow {
  const { box, centre, run } = world;
  const arrivals = centre.arrivals();
  const swallowed = centre.swallowed();
  const audited = audit(box.options.dir, centre.key);
  const counted = tally(box.handed, arrivals, together(swallowed, audited.gaveUp));
  const events = arrivals.filter((a) => a.what === 'event');
  const alarms = box.handed.filter((e) => e.rank === 0);
  const during = alarms.filter((e) => e.n >= o.breakAt && e.n < o.healAt);
  // The first that came by the other path; where the relay's leg fails there is no other, and the first of the outage counts.
  const changed = (a: Arrival): boolean =>
    a.at > o.brokenAt && (kind.leg === 'relay' ? a.n === during[0]!.n : a.via === 'relay');
  const arrivedAt = events.find(changed)?.at;
  const after = <T extends { at: number }>(list: T[], at: number): T[] => list.filter((a) => a.at > at);
  const later = arrivedAt ? after(during, arrivedAt) : during;
  const zone = kind.leg === 'direct' ? 1 : 2;
  const faults = arrivals.filter((a) => a.what === 'path-fault' && a.n > 0);
  const restores = arrivals.filter((a) => a.what === 'path-restore' && a.n > 0);
  const told = faults.find((a) => a.n === zone);
  const backAt =
    kind.leg === 'direct' ? lastingReturn(events, o.healedAt) : (restores.find((a) => a.n === zone)?.at ?? null);
  const polls = after(arrivals, o.healedAt).filter(
    (a) => a.what === 'poll' && a.via === kind.leg && a.at <= (backAt ?? 0),
  );
  const near = backAt ? alarms.filter((e) => Math.abs(e.at - backAt) < 5_000) : [];
  const result: Figures = {
    kind,
    tally: counted,
    events: box.handed.length,
    swallowed: total(swallowed),
    gaveUp: total(audited.gaveUp),
    first: arrivedAt ? seconds([arrivedAt - during[0]!.at], 50) : null,
    laterP95: seconds(latencies(later, arrivals), 95),
    laterMax: seconds(latencies(later, arrivals), 100),
    told: told ? seconds([told.at - o.brokenAt], 50) : null,
    tolds: faults.filter((a, i) => faults.findIndex((b) => b.sequence === a.sequence) === i).map((a) => a.n),
    goodPolls: polls.length,
    back: backAt ? seconds([backAt - o.healedAt], 50) : null,
    restores: distinct(restores),
    atChange: near.length ? seconds(latencies(near, arrivals), 100) : 0,
    via: {
      direct: events.filter((a) => a.via === 'direct').length,
      relay: events.filter((a) => a.via === 'relay').length,
    },
    audit: audited,
  };
  return { ...result, failures: failuresOf(result), late: lateOf(result, run.scale) };
}

const total = (counts: Map<number, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);

function together(a: Map<number, number>, b: Map<number, number>): Map<number, number> {
  const sum = new Map(a);
  for (const [key, count] of b) sum.set(key, (sum.get(key) ?? 0) + count);
  return sum;
}

/** When the first event came direct after which none went through the relay any more. */
function lastingReturn(events: Arrival[], healedAt: number): number | null {
  const lastRelay = events.findLast((a) => a.via === 'relay')?.at ?? 0;
  return events.find((a) => a.via === 'direct' && a.at > Math.max(lastRelay, healedAt))?.at ?? null;
}

/** Messages of a path, each counted once however often it came. */
const distinct = (messages: Arrival[]): number => new Set(messages.map((a) => a.sequence)).size;

/** What no machine may do, however busy it is. */
function failuresOf(r: Figures): string[] {
  return named([
    [r.tally.owed < r.events, `${r.events - r.tally.owed} events were not taken by the box`],
    [!isClean(r.tally), 'lost, doubled without a reason, or out of order'],
    [r.tally.doubled > r.swallowed + r.gaveUp, 'more doubled than acknowledgements swallowed'],
    [r.first === null, 'no alarm in the outage'],
    [r.audit.incomplete.length > 0, `audit: ${r.audit.incomplete[0]}`],
    [r.audit.leaks.length > 0, `the key stands in ${r.audit.leaks[0]}`],
  ]);
}

/** Times, and what depends on them: a path that answers too late for a busy machine is one that fails. */
function lateOf(r: Figures, scale: number): string[] {
  const isDirect = r.kind.leg === 'direct';
  return named([
    [(r.first ?? 0) * 1_000 > r.kind.firstMs, `first alarm later than ${r.kind.firstMs / 1_000} s`],
    [r.laterP95 > 2, 'later alarms: p95 over 2 s'],
    [r.told === null || r.told > 90, 'path fault not told within 90 s'],
    [r.tolds.length !== 1, `path faults told: ${r.tolds.join(', ')}`],
    [r.back === null || r.back > 120, 'not back within 120 s'],
    [r.restores !== 1, `return told ${r.restores} times`],
    [isDirect && (r.back ?? 0) < 60 / scale, 'back before it was good for 60 s'],
    [isDirect && r.goodPolls < 3, 'back before 3 good polls'],
    [r.atChange > 2, 'an alarm was held up by the change back'],
  ]);
}

const named = (all: [is: boolean, what: string][]): string[] => all.filter(([is]) => is).map(([, what]) => what);
