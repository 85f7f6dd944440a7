import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../compare/collect.ts';
import { compareLists } from '../compare/lists.ts';
import { Demo, until } from './demo.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await new Demo({ GATEPOST_HOLD_DOWN: '5000' }).start();
});
afterAll(() => demo.remove());

/** Lab, journal, relay and receiver side by side, once nothing waits any more. */
async function compare() {
  await until('everything to have arrived', 90_000, async () => {
    const { health } = await demo.box();
    return health && health.queues.uplink === 0 && health.queues.arc === 0;
  });
  await sleep(1_000);
  const lists = await collect({
    ...{ lab: demo.ready.lab, portal: demo.ready.portal, ...demo.ready.login },
    journals: [join(demo.dir, 'var/edge/journal.db')],
  });
  return { lists, comparison: compareLists({ ...lists, downtimes: [] }) };
}

describe('faults on the alarm paths', () => {
  it('loses none of 200 events across both switches, keeps their order, doubles none (ARC-24)', async () => {
    const labIds: string[] = [];
    const modes: Record<number, string> = { 50: 'refuse', 100: 'none', 140: 'reset', 170: 'none' };
    for (let i = 0; i < 200; i++) {
      if (modes[i]) await demo.fault('arc-direct', modes[i] as string);
      // Types alternate, so that each is an event of its own and no repetition of one that lasts.
      const { id } = await demo.emit(
        i % 2 ? 'camera-2' : 'camera-1',
        ['motion', 'intrusion', 'lineCrossing', 'tamper'][Math.floor(i / 2) % 4] as string,
      );
      labIds.push(id);
      await sleep(100);
    }
    const { lists, comparison } = await compare();
    expect(comparison.steps.flatMap((s) => s.missing)).toEqual([]);
    expect(comparison.steps.flatMap((s) => s.double.filter((d) => !d.because))).toEqual([]);
    const fromLab = lists.journal.flatMap((r) => (r.kind === 'event' && r.body.sourceRef ? [r.body.sourceRef] : []));
    expect(fromLab).toEqual(labIds);

    // Order per account: as the journal has the alarms, so the receiver got them.
    const eventOrder = new Map(lists.journal.flatMap((r) => (r.kind === 'event' ? [[r.body.id, r.seq]] : [])));
    const bySequence = new Map(
      lists.journal.flatMap((r) =>
        r.kind === 'alarm' && r.body.kind === 'alarm' ? [[r.body.sequence, r.body.eventId]] : [],
      ),
    );
    const order = lists.received
      .filter((a) => /^(BA|TA)/.test(a.code))
      .map((a) => eventOrder.get(bySequence.get(a.sequence) as string) as number);
    expect(order.length).toBeGreaterThanOrEqual(200);
    expect(order).toEqual([...order].sort((a, b) => a - b));
    const paths = new Set(lists.received.map((a) => a.via));
    expect(paths).toEqual(new Set(['direct', 'relay']));
  });

  it('doubles only what arrived without its acknowledgement, and counts it at the proxy', async () => {
    await until('direct', 60_000, async () => (await demo.box()).health?.arc[0]?.path === 'direct');
    await demo.fault('arc-direct', 'swallowAck');
    for (let i = 0; i < 3; i++) {
      await demo.emit('camera-1', 'intrusion');
      await sleep(300);
    }
    await sleep(15_000);
    await demo.fault('arc-direct', 'none');
    const { comparison } = await compare();
    expect(comparison.steps.flatMap((s) => s.missing)).toEqual([]);
    const doubled = comparison.steps.flatMap((s) => s.double);
    expect(doubled.length).toBeGreaterThan(0);
    expect(doubled.filter((d) => d.because !== 'its acknowledgement was swallowed by a fault')).toEqual([]);
  });
});

describe('the relay out of reach', () => {
  const OUTAGE_MS = Number(process.env.GATEPOST_OUTAGE_MS ?? 30_000);

  it('keeps events, clips and alarms on disk, and delivers them in order with their real times (BOX-15, BOX-12)', async () => {
    const cut = Date.now();
    await demo.fault('box-relay', 'blackhole');
    const labIds: string[] = [];
    const emitted: number[] = [];
    const emit = async () => {
      const { id, emittedAt } = await demo.emit('camera-1', labIds.length % 2 ? 'motion' : 'intrusion');
      labIds.push(id);
      emitted.push(new Date(emittedAt).getTime());
    };
    await emit();
    await until('the box shown as gone', 30_000, async () => !(await demo.box()).online);
    expect(Date.now() - cut).toBeLessThanOrEqual(30_000);
    expect((await demo.devices()).every((d) => d.health === null)).toBe(true);
    while (Date.now() - cut < OUTAGE_MS) {
      await emit();
      await sleep(Math.max(2_000, OUTAGE_MS / 20));
    }
    // The direct path to the receiver was never cut.
    await until('the alarms at the receiver', 5_000, async () => (await demo.received()).length >= labIds.length);

    const restored = Date.now();
    await demo.fault('box-relay', 'none');
    await until('the box back', 15_000, async () => (await demo.box()).online);
    expect(Date.now() - restored).toBeLessThanOrEqual(15_000);
    const last = await demo.arrived(labIds.at(-1) as string, 15_000);
    const events = (await demo.allEvents()).filter((e) => e.sourceRef && labIds.includes(e.sourceRef)).reverse();
    expect(events.map((e) => e.sourceRef)).toEqual(labIds);
    for (const [i, e] of events.entries()) {
      expect(Math.abs(new Date(e.occurredAt).getTime() - (emitted[i] as number))).toBeLessThan(500);
      expect(new Date(e.receivedAt).getTime()).toBeGreaterThan(restored - 1_000);
    }
    const clip = await until('the clip of the outage', 60_000, async () => {
      const { clip } = await demo.event((await demo.event(last.id)).id);
      return clip?.state === 'complete' && clip;
    });
    expect((await demo.raw(`/clips/${clip.id}/video`)).status).toBe(200);
  });
});
