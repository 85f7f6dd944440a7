import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { Vault } from '../../../relay/auth/vault.ts';
import { nowMs } from './box.ts';
import { steady } from './outage.ts';
import { isClean, latencies, seconds, tally } from './tally.ts';
import { soon } from './wait.ts';
import { type Run, World } from './world.ts';

/** One rule of the acceptance list: what was measured against what is demanded. */
export interface RuleRow {
  id: string;
  what: string;
  demanded: string;
  measured: string;
  ok: boolean;
}

const HOUR_MS = 3_600_000;
const distinct = (messages: { sequence: number }[]): number => new Set(messages.map((m) => m.sequence)).size;

/** D8: the direct path comes and goes every 10 s for 10 min. */
export async function flapping(run: Run): Promise<RuleRow[]> {
  const world = await new World(run, { name: 'flapping', keyBytes: 32 }).start();
  try {
    const { box, centre } = world;
    const everyMs = 1_000 / run.rate;
    const perHalf = Math.round(10_000 / run.scale / everyMs);
    const halves = 60;
    let flappedAt = 0;
    await steady(box, {
      count: perHalf * halves,
      everyMs,
      at: async (n) => {
        if (n % perHalf !== 0) return;
        flappedAt ||= nowMs();
        await centre.proxies.direct.setMode((n / perHalf) % 2 ? 'none' : 'refuse');
      },
    });
    const changes = box.paths.filter((p) => p.at > flappedAt).length;
    await centre.proxies.direct.setMode('none');
    await world.arrived(60_000);
    const arrivals = centre.arrivals();
    const told = distinct(arrivals.filter((a) => a.what === 'path-fault' || a.what === 'path-restore'));
    const counted = tally(box.handed, arrivals, centre.swallowed());
    const firstAt = arrivals.find((a) => a.what === 'event')?.at ?? 0;
    const p95 = seconds(
      latencies(
        box.handed.filter((e) => e.rank === 0 && e.at > firstAt),
        arrivals,
      ),
      95,
    );
    return [
      {
        id: 'D8',
        what: `direct path 10 s down, 10 s up, for 10 min${run.scale > 1 ? ` (all times ÷ ${run.scale})` : ''}; ${counted.owed} events`,
        demanded: '≤ 2 switch events after the first, 0 lost, later alarms p95 ≤ 2 s',
        measured: `${Math.max(0, changes - 1)} changes of path after the first, ${told} messages of it to the ARC, ${counted.lost.length} lost, p95 ${p95} s`,
        ok: changes <= 3 && told <= 3 && isClean(counted) && p95 <= 2,
      },
    ];
  } finally {
    await world.stop();
  }
}

/** D10: neither path for a day, by a clock that runs fast; then everything in order. */
export async function dayWithout(run: Run, count = 10_000): Promise<RuleRow[]> {
  const DAY_MS = 24 * HOUR_MS;
  const REAL_MS = 60_000;
  const world = await new World(run, { name: 'day-without', keyBytes: 32, clockMs: -DAY_MS }).start();
  try {
    const { box, centre } = world;
    await centre.proxies.direct.setMode('refuse');
    await world.toRelay.setMode('refuse');
    await soon(() => box.health[0]!.relay === 'down', 10_000);
    box.say({ do: 'speed', factor: DAY_MS / REAL_MS });
    const started = performance.now();
    for (let n = 0; n < count; n++) {
      // Tests first and last, so that alarms have something to overtake.
      box.hand(n, n < 200 || n % 20 === 19 ? 'panelTest' : n % 20 === 9 ? 'videoLoss' : 'motion');
      if (n % 50 === 49) await sleep(Math.max(0, started + ((n + 1) / count) * REAL_MS - performance.now()));
    }
    await soon(() => box.handed.every((e) => e.journalledAt !== null), 60_000);
    box.aheadMs = null;
    box.say({ do: 'speed', factor: 1 });
    await soon(() => box.aheadMs !== null, 10_000);
    const hours = ((box.aheadMs! + DAY_MS) / HOUR_MS).toFixed(1);
    centre.setClock(box.aheadMs!);
    const waiting = box.health[0]!.waiting;
    await centre.proxies.direct.setMode('none');
    await world.toRelay.setMode('none');
    const healedAt = nowMs();
    await world.arrived(600_000);
    const arrivals = centre.arrivals().filter((a) => a.at > healedAt);
    const events = arrivals.filter((a) => a.what === 'event');
    const counted = tally(box.handed, arrivals, centre.swallowed());
    const drainS = (events.at(-1)!.at - events[0]!.at) / 1_000;
    const rank = new Map(box.handed.map((e) => [e.n, e.rank]));
    const firstTest = events.findIndex((a) => rank.get(a.n) === 2);
    const late = events.slice(firstTest).filter((a) => rank.get(a.n) === 0).length;
    const perSecond = Math.round(events.length / drainS);
    return [
      {
        id: 'D10',
        what: `both paths down for ${hours} h (a clock that runs ${Math.round(DAY_MS / REAL_MS)} times as fast), ${count} events, ${waiting} waiting`,
        demanded: 'all delivered, oldest first within their class, alarms ahead of tests, ≥ 20 a second, none dropped',
        measured: `${counted.lost.length} lost, ${counted.doubled} doubled, ${counted.inversions.length} out of order, ${late} alarms behind a test, ${perSecond} a second, first after ${((events[0]!.at - healedAt) / 1_000).toFixed(1)} s`,
        ok: isClean(counted) && late === 0 && perSecond >= 20,
      },
    ];
  } finally {
    await world.stop();
  }
}

/** The relay gives every box this long after its own start. */
const GRACE_MS = 80_000;

/** D11: the box stands still as after a pulled cable; the relay says so on its own line of the account. */
export async function silentBox(run: Run, relayStartedMs: number): Promise<RuleRow[]> {
  const world = await new World(run, { name: 'silent-box', keyBytes: 32 }).start();
  try {
    const { box, centre } = world;
    ownLine(world);
    await sleep(Math.max(20_000, relayStartedMs + GRACE_MS - nowMs()));
    await steady(box, { count: 20, everyMs: 200 });
    const said = (what: 'path-fault' | 'path-restore') => centre.arrivals().filter((a) => a.what === what && a.n === 0);
    const stoppedAt = nowMs();
    box.signal('SIGSTOP');
    await soon(() => said('path-fault').length > 0, 120_000);
    await sleep(20_000);
    box.signal('SIGCONT');
    const backAt = nowMs();
    await soon(() => said('path-restore').length > 0, 120_000);
    await sleep(10_000);
    const [faults, restores] = [said('path-fault'), said('path-restore')];
    const told = faults[0] ? (faults[0].at - stoppedAt) / 1_000 : null;
    const restored = restores[0] ? (restores[0].at - backAt) / 1_000 : null;
    return [
      {
        id: 'D11',
        what: 'box stopped (SIGSTOP), later going on',
        demanded: 'the relay tells "both paths lost" ≤ 90 s; one restore on return',
        measured: `told after ${told?.toFixed(1) ?? '–'} s, ${distinct(faults)} time(s); restored ${restored?.toFixed(1) ?? '–'} s after the return, ${distinct(restores)} time(s)`,
        ok: told !== null && told <= 90 && distinct(faults) === 1 && distinct(restores) === 1,
      },
    ];
  } finally {
    await world.stop();
  }
}

/** Gives the relay a line of its own at the receiver, as a centre on the platform enters it. */
function ownLine({ relay, receiverId, centre }: World): void {
  const vault = new Vault({ dir: relay.dir });
  vault.start();
  const key = centre.key && vault.seal(`arc-receiver:${receiverId}`, centre.key.toString('hex'));
  const db = new Database(join(relay.dir, 'relay.db'));
  try {
    db.prepare("UPDATE arc_receivers SET settings = ?, key = ?, keyFormat = 'hex' WHERE id = ?").run(
      JSON.stringify({ ownLine: { enabled: true, line: '7' } }),
      key,
      receiverId,
    );
  } finally {
    db.close();
  }
}
