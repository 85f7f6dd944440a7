import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect } from '../compare/collect.ts';
import { compareLists, type Downtime } from '../compare/lists.ts';
import { table } from '../compare/table.ts';
import { Demo, until } from './demo.ts';

/** 50 in the long run; fewer in CI, where they take their time. */
const KILLS = Number(process.env.GATEPOST_KILLS ?? 5);

let demo: Demo;
beforeAll(async () => {
  demo = await new Demo().start();
});
afterAll(() => demo.remove());

const healthy = (url: string) =>
  fetch(`${url}/healthz`).then(
    (r) => r.ok,
    () => false,
  );

it(`keeps every event through kill -9 of box, relay or both at ${KILLS} random moments under 5 events a second`, {
  timeout: 60_000 + KILLS * 15_000,
}, async () => {
  const downtimes: Downtime[] = [];
  let emitting = true;
  let count = 0;
  const emitter = (async () => {
    while (emitting) {
      const type = ['motion', 'intrusion', 'lineCrossing', 'tamper'][Math.floor(count / 2) % 4] as string;
      await demo.emit(count++ % 2 ? 'camera-2' : 'camera-1', type);
      await sleep(200);
    }
  })();
  emitter.catch(() => {}); // awaited below; until then it must not end the run
  for (let i = 0; i < KILLS; i++) {
    await sleep(1_000 + Math.random() * 3_000);
    const victims = [['box'], ['relay'], ['box', 'relay']][i % 3] as ('box' | 'relay')[];
    const pids = demo.pids();
    const from = Date.now();
    for (const victim of victims) process.kill(pids[victim], 'SIGKILL');
    for (const victim of victims) {
      await until(
        `${victim} again`,
        20_000,
        async () =>
          demo.pids()[victim] !== pids[victim] &&
          (await healthy(victim === 'box' ? demo.ready.setup : demo.ready.portal)),
      );
    }
    if (victims.includes('box')) {
      // Down until it listens to its cameras again.
      await until('the box at its cameras', 20_000, async () => {
        const cameras = await Promise.all(
          ['camera-1', 'camera-2'].map((c) => demo.lab<{ alertStreams: number }>('GET', `/devices/${c}`)),
        );
        return cameras.every((c) => c.alertStreams > 0);
      });
      downtimes.push({ from, to: Date.now() });
    }
  }
  emitting = false;
  await emitter;
  await until('everything to have arrived', 120_000, async () => {
    const { health, online } = await demo.box();
    return online && health && health.queues.uplink === 0 && health.queues.arc === 0;
  });
  await sleep(2_000);
  const lists = await collect({
    lab: demo.ready.lab,
    portal: demo.ready.portal,
    ...demo.ready.login,
    journals: [join(demo.dir, 'var/edge/journal.db')],
  });
  const comparison = compareLists({ ...lists, downtimes });
  console.log(table(comparison));
  for (const { id, text } of comparison.steps.flatMap((s) => s.missing)) {
    const at = Date.parse(lists.emitted.find((e) => e.id === id)?.emittedAt ?? '');
    const distances = downtimes.map((d) => `${d.from - at} ms before a kill, ${at - d.to} ms after it was over`);
    console.log(`missing: ${text}`, distances);
  }
  expect(comparison.steps.flatMap((s) => s.missing)).toEqual([]);
  expect(comparison.steps.flatMap((s) => s.double.filter((d) => !d.because))).toEqual([]);
});
