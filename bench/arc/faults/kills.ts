import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { type BoxUnderTest, nowMs } from './box.ts';
import { RelayProcess } from './relay-process.ts';
import { isClean, type Tally, tally } from './tally.ts';
import { soon } from './wait.ts';
import { type Run, World } from './world.ts';

/** How `kill -9` again and again went (acceptance E1, E2, E4). */
export interface KillRow {
  victim: 'box' | 'relay';
  kills: number;
  /** Of these while it was still starting. */
  starting: number;
  /** Events handed over without the box having said that they are on its disk. */
  unconfirmed: number;
  tally: Tally;
  /** Sent to the receiver once more though the relay had the acknowledgement on disk; null: no relay on the way. */
  resent: number | null;
  seconds: number;
  failures: string[];
}

/** Every fourth kill strikes a program that is still starting. */
const STARTING = 4;
const STARTS_MS = 600;
const RUNS_MS = 1_200;
/** A queue that gets shorter is waited for. */
const STUCK_MS = 60_000;
/** Kills are many: they make room for whatever is measured beside them. */
const NICE = 5;
/** 20 events a second. */
const EVERY_MS = 50;

/** The box is killed; the receiver gets its alarms direct. */
export async function killBox(run: Run): Promise<KillRow> {
  const world = await new World(run, { name: 'kill-box', keyBytes: 32, nice: NICE }).start();
  const { box } = world;
  const strike = async (wait: number): Promise<void> => {
    await sleep(wait);
    await box.kill();
    box.spawn();
  };
  return kills(run, world, 'box', { strike, isUp: () => box.up });
}

/** The relay is killed; every alarm goes through it. */
export async function killRelay(run: Run): Promise<KillRow> {
  const relay = new RelayProcess(join(run.dir, 'kill-relay-relay'), { nice: NICE });
  await relay.start();
  try {
    const world = await new World(run, { name: 'kill-relay', keyBytes: 32, mode: 'relay', relay, nice: NICE }).start();
    const strike = async (wait: number): Promise<void> => {
      await sleep(wait);
      await relay.kill();
      relay.spawn();
    };
    const isUp = () => world.box.health[0]?.relay === 'up';
    const result = await kills(run, world, 'relay', { strike, isUp });
    result.resent = resent(relay.dir);
    if (result.resent > 0) result.failures.push(`${result.resent} sent again that the relay had recorded`);
    return result;
  } finally {
    await relay.stop();
  }
}

async function kills(
  run: Run,
  world: World,
  victim: KillRow['victim'],
  o: { strike: (waitMs: number) => Promise<void>; isUp: () => boolean },
): Promise<KillRow> {
  const { box, centre } = world;
  const started = performance.now();
  const source = startSource(box);
  let starting = 0;
  try {
    for (let i = 0; i < run.kills; i++) {
      if (i % STARTING === STARTING - 1) starting++;
      else await soon(o.isUp, 30_000);
      await o.strike(Math.random() * (i % STARTING === STARTING - 1 ? STARTS_MS : RUNS_MS));
      if ((i + 1) % 50 === 0) run.log(`${victim}: ${i + 1} kills`);
    }
    await soon(o.isUp, 30_000);
    await sleep(500);
    await source.stop();
    const counted = () => tally(box.handed, centre.arrivals(), centre.swallowed());
    for (let left = Number.POSITIVE_INFINITY; left > 0; ) {
      const before = left;
      if (!(await soon(() => counted().lost.length < before, STUCK_MS))) break;
      left = counted().lost.length;
      await sleep(500);
    }
    const result = counted();
    // The frame that was out at a kill may come again: what became of it is not known to who died. All else is known.
    const inFlight = result.unexcused.length;
    const excused: Tally = { ...result, unexcused: result.doubled <= run.kills ? [] : result.unexcused };
    const failures = isClean(excused) ? [] : ['lost, doubled without a reason, or out of order'];
    if (inFlight > run.kills) failures.push(`${inFlight} doubled by ${run.kills} kills`);
    return {
      victim,
      kills: run.kills,
      starting,
      tally: result,
      resent: null,
      failures,
      unconfirmed: box.handed.filter((e) => e.journalledAt === null).length,
      seconds: Math.round((performance.now() - started) / 1_000),
    };
  } finally {
    await source.stop();
    await world.stop();
  }
}

/** 20 events a second for as long as the box takes them; each its own, none handed over twice. */
function startSource(box: BoxUnderTest): { stop: () => Promise<void> } {
  let stopped = false;
  const running = (async () => {
    for (let n = 0; !stopped; ) {
      const before = nowMs();
      if (box.up) {
        box.hand(n, n % 10 === 9 ? 'videoLoss' : 'motion');
        n++;
      }
      await sleep(Math.max(0, EVERY_MS - (nowMs() - before)));
    }
  })();
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
}

/** Attempts that began after the same message's acknowledgement had been recorded. */
function resent(dir: string): number {
  const db = new Database(join(dir, 'relay.db'), { readonly: true });
  try {
    return db
      .prepare<[], { count: number }>(
        `SELECT count(*) AS count FROM arc_attempts a JOIN arc_attempts b
         ON a.boxSerial = b.boxSerial AND a.messageId = b.messageId AND a.rowId < b.rowId AND a.state = 'acknowledged'`,
      )
      .get()!.count;
  } finally {
    db.close();
  }
}
