import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../edge/arc/testing/harness.ts';
import { percentile } from '../percentile.ts';
import { ArcWorld } from './world.ts';

/** On every leg: box to relay, relay to receiver, box to receiver. */
const RTT_MS = 50;
const TARGETS = { direct: 'p50 ≤ 500, p95 ≤ 2000, max ≤ 5000', relay: 'p50 ≤ 1000, p95 ≤ 3000' };

/** One alarm a second over long lines, from the journal to the receiver's acknowledgement (acceptance C1, C2). */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const alarms = quick ? 20 : 300;
  for (const path of ['direct', 'relay'] as const) {
    const timings = { ackTimeoutMs: 5_000, connectTimeoutMs: 3_000, repeatTimeoutMs: 3_000 };
    const world = await new ArcWorld({ timings, rttMs: RTT_MS }).start(path === 'relay' ? 'relay' : 'direct-or-relay');
    try {
      await until(() => world.health.relay !== 'down' && (path === 'relay' || world.health.direct === 'up'));
      const began: number[] = [];
      for (let i = 0; i < alarms; i++) {
        began.push(performance.timeOrigin + performance.now());
        await world.box.event('motion', i);
        await sleep(quick ? 300 : 1_000);
      }
      await until(() => world.box.acknowledged().length === alarms);
      // The box has it acknowledged half a round trip after the receiver sent that, twice where the relay is in between.
      const back = ((path === 'relay' ? 2 : 1) * RTT_MS) / 2;
      const took = world.receiver.alarms.map((alarm, i) => alarm.at - began[i]! + back);
      const of = (p: number) => Math.round(percentile(took, p));
      const figures = { p50: of(50), p95: of(95), max: of(100), alarms, doubled: took.length - alarms };
      const bench = `alarm over lines of ${RTT_MS} ms, ${path} (${path === 'relay' ? 'C2' : 'C1'})`;
      emit({ bench, unit: 'ms', ...figures, target: TARGETS[path] });
    } finally {
      await world.stop();
    }
  }
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
  process.exit(0);
}
