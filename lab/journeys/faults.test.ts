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
    lab: demo.ready.lab,
    portal: demo.ready.portal,
    ...demo.ready.login,
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
    // As each camera sent them; between two cameras the network decides.
    for (const camera of [0, 1]) {
      const own = labIds.filter((_, i) => i % 2 === camera);
      expect(fromLab.filter((id) => own.includes(id))).toEqual(own);
    }
    expect(fromLab).toHaveLength(labIds.length);

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
    const before = (await demo.received()).filter((a) => a.via === 'relay').length;
    for (let i = 0; i < 3; i++) {
      await demo.emit('camera-1', 'intrusion');
      await sleep(300);
    }
    // Given up directly after its time, and sent again through the relay.
    await until('them by the relay', 30_000, async () => {
      return (await demo.received()).filter((a) => a.via === 'relay').length >= before + 3;
    });
    await demo.fault('arc-direct', 'none');
    const { comparison } = await compare();
    expect(comparison.steps.flatMap((s) => s.missing)).toEqual([]);
    const doubled = comparison.steps.flatMap((s) => s.double);
    expect(doubled.length).toBeGreaterThan(0);
    expect(doubled.filter((d) => d.because !== 'its acknowledgement was swallowed by a fault')).toEqual([]);
  });
});
