import { setTimeout as sleep } from 'node:timers/promises';
import type { EventType } from '../../../protocol/wire/event.ts';
import { nowMs } from './box.ts';
import { steady } from './outage.ts';
import type { RuleRow } from './rules.ts';
import { isClean, latencies, seconds, tally } from './tally.ts';
import { soon } from './wait.ts';
import { type Run, World } from './world.ts';

const RTT_MS = 50;
const LIMITS = { direct: [0.5, 2, 5], relay: [1, 3, Number.POSITIVE_INFINITY] } as const;

/** C1, C2: one alarm a second over 50 ms, from the source to the acknowledgement back at the box. */
export async function latency(run: Run, path: 'direct' | 'relay', count = 60): Promise<RuleRow[]> {
  const mode = path === 'direct' ? 'direct-or-relay' : 'relay';
  const world = await new World(run, { name: `latency-${path}`, keyBytes: 32, rttMs: RTT_MS, mode }).start();
  try {
    const { box, centre } = world;
    await steady(box, { count, everyMs: 1_000 });
    await world.arrived(30_000);
    // What the receiver has acknowledged still comes back over as many half ways.
    const wayBackMs = (RTT_MS / 2) * (path === 'direct' ? 1 : 2);
    const took = latencies(box.handed, centre.arrivals()).map((ms) => ms + wayBackMs);
    const [p50, p95, max] = [seconds(took, 50), seconds(took, 95), seconds(took, 100)];
    const [limit50, limit95, limitMax] = LIMITS[path];
    return [
      {
        id: path === 'direct' ? 'C1' : 'C2',
        what: `from input to acknowledgement, ${path === 'direct' ? 'direct' : 'through the relay'}, ${count} alarms at 1/s, 50 ms round trip on every leg`,
        demanded: `p50 ≤ ${limit50} s, p95 ≤ ${limit95} s${path === 'direct' ? `, max ≤ ${limitMax} s` : ''}`,
        measured: `p50 ${p50} s, p95 ${p95} s, max ${max} s`,
        ok: took.length === count && p50 <= limit50 && p95 <= limit95 && max <= limitMax,
      },
    ];
  } finally {
    await world.stop();
  }
}

const ACCOUNTS = Array.from({ length: 10 }, (_, i) => `00B${i}`);
/** Tests and faults are in the queue first; panic and fire come last and overtake them. */
const BURST: EventType[] = [
  ...Array<EventType>(20).fill('panelTest'),
  ...Array<EventType>(20).fill('videoLoss'),
  ...Array<EventType>(90).fill('motion'),
  ...Array<EventType>(5).fill('fire'),
  ...Array<EventType>(5).fill('panic'),
];

/** C3: a hundred alarms at once, each to ten accounts of a box, behind tests and faults. */
export async function burst(run: Run): Promise<RuleRow[]> {
  const world = await new World(run, { name: 'burst', keyBytes: 32, rttMs: RTT_MS, accounts: ACCOUNTS }).start();
  try {
    const { box, centre } = world;
    const before = nowMs();
    for (const [n, type] of BURST.entries()) box.hand(n, type, type === 'motion');
    for (const [n, type] of BURST.entries()) if (type === 'motion') box.say({ do: 'end', n });
    const wanted = BURST.length + 90;
    const arrivals = () => centre.arrivals().filter((a) => a.what === 'event' || a.what === 'restore');
    await soon(() => arrivals().length >= wanted * ACCOUNTS.length, 120_000);
    await sleep(500);
    const all = Map.groupBy(arrivals(), (a) => a.account);
    const counted = ACCOUNTS.map((account) => tally(box.handed, all.get(account) ?? [], new Map()));
    const isAlarm = (n: number) => !['panelTest', 'videoLoss'].includes(BURST[n]!);
    const alarmsAt = [...all.values()].map((list) =>
      Math.max(...list.filter((a) => a.what === 'event' && isAlarm(a.n)).map((a) => a.at)),
    );
    // One may be out already when the rest is queued.
    const behind = [...all.values()].map((list) => {
      const firstTest = list.filter((a) => BURST[a.n] === 'panelTest')[1]?.at ?? Number.POSITIVE_INFINITY;
      return list.filter((a) => a.what === 'event' && isAlarm(a.n) && a.at > firstTest).length;
    });
    const allS = (Math.max(...alarmsAt) - before) / 1_000;
    const late = behind.reduce((a, b) => a + b, 0);
    const clean = counted.filter(isClean).length;
    return [
      {
        id: 'C3',
        what: `${BURST.filter((_, n) => isAlarm(n)).length} alarms at once behind 20 tests and 20 faults, with 90 restores, at ${ACCOUNTS.length} accounts of a box, 50 ms round trip`,
        demanded:
          'all alarms ≤ 20 s; panic and fire overtake tests and statuses; order kept within a class; no restore before its alarm',
        measured: `all alarms after ${allS.toFixed(1)} s, ${late} alarms behind a test, ${clean} of ${ACCOUNTS.length} accounts without loss, repeat and inversion`,
        ok: all.size === ACCOUNTS.length && allS <= 20 && late === 0 && clean === ACCOUNTS.length,
      },
    ];
  } finally {
    await world.stop();
  }
}
