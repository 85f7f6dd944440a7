import { until } from '../edge/arc/testing/harness.ts';
import { ArcWorld } from './arc/world.ts';
import { percentile } from './percentile.ts';

/**
 * Alarm transmission alone, without camera and lab: from the journal's append to the receiver's acknowledgement, AES-256
 * SIA-DCS on loopback, one alarm after the other; and how fast a burst drains.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const alarms = quick ? 100 : 500;
  for (const path of ['direct', 'relay'] as const) {
    const world = await new ArcWorld({ timings: { ackTimeoutMs: 5_000, connectTimeoutMs: 3_000 } }).start(
      path === 'relay' ? 'relay' : 'direct-or-relay',
    );
    try {
      await until(() => world.health.relay !== 'down' && (path === 'relay' || world.health.direct === 'up'));
      const took: number[] = [];
      for (let i = 0; i < alarms; i++) {
        const before = performance.timeOrigin + performance.now();
        await world.box.event('motion', i % 1000);
        await until(() => world.receiver.alarms.length === i + 1);
        took.push(world.receiver.alarms[i]!.at - before);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const of = (p: number) => Math.round(percentile(took, p) * 10) / 10;
      emit({ bench: `journal to ARC acknowledgement, ${path}`, unit: 'ms', p50: of(50), p99: of(99), n: alarms });
      const before = performance.now();
      await Promise.all(Array.from({ length: alarms }, (_, i) => world.box.event('motion', i % 1000)));
      await until(() => world.receiver.alarms.length === 2 * alarms, 60_000);
      const seconds = (performance.now() - before) / 1000;
      emit({
        bench: `burst of alarms, ${path}`,
        unit: 'alarms/s',
        value: Math.round(alarms / seconds),
        target: '≥ 20',
      });
    } finally {
      await world.stop();
    }
  }
}

if (import.meta.main) {
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
}
