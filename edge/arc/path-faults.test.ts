import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { FakeRelay } from './testing/fake-relay.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { ArcBox, account, QUICK, removeTempDirs, tempDir, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';
import type { ArcTimings } from './types.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const TIMINGS = { ...QUICK, idlePollMs: 100, relayPollMs: 200, directFaultAfterMs: 600, relayFaultAfterMs: 600 };

async function world(given: Parameters<typeof account>[0] = {}, timings: Partial<ArcTimings> = TIMINGS) {
  const arc = new StrictReceiver({ accounts: { '00A1': given.key ?? null } });
  const target = await arc.start();
  const proxy = new FaultProxy(target, 2_000);
  const relay = new FakeRelay(target);
  await relay.start();
  const config = account({ direct: await proxy.start(), ...given });
  const dir = tempDir();
  const box = () => new ArcBox({ auth: relay.auth, dir, timings }).start([config]);
  const first = box();
  stops.push(
    () => arc.stop(),
    () => proxy.stop(),
    () => relay.stop(),
  );
  await until(() => first.service.health()[0]?.relay !== 'down' && first.service.health()[0]?.direct === 'up');
  /** What the receiver was told of paths, as the operator reads it. */
  const told = () => arc.alarms.map((a) => a.data.split('|')[1]).filter((data) => /Y[SK]|350/.test(data ?? ''));
  return { arc, proxy, relay, first, box, told };
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a path that stays lost', () => {
  it('is told over the other one, once, with its return; no alarm is needed to notice it (ARC-24)', async () => {
    const { proxy, first, told } = await world();
    stops.push(() => first.stop());
    await proxy.set('refuse');
    await until(() => told().length === 1);
    await pause(800);
    expect(told()).toEqual(['Nri1/YS001']);
    expect(first.acknowledged().at(-1)).toMatchObject({ path: 'relay', kind: 'alarm', zone: '001' });
    await proxy.set('none');
    await until(() => told().length === 2);
    await pause(800);
    expect(told()).toEqual(['Nri1/YS001', 'Nri1/YK001']);
    const health = first.service.health()[0];
    expect(health).toMatchObject({ path: 'direct', direct: 'up' });
    // What reports count: down at the first failure, up at the first answer, not only when it is trusted again.
    const changes = health?.changes?.filter((change) => change.path === 'direct') ?? [];
    expect(changes.map((change) => change.up)).toEqual([true, false, true]);
    const fault = first.acknowledged().find((report) => report.zone === '001' && report.kind === 'alarm');
    expect(Math.abs(Date.parse(changes[1]?.at ?? '') - Date.parse(fault?.occurredAt ?? ''))).toBeLessThan(500);
  });

  it('through the relay is told over the direct one, in Contact ID too', async () => {
    const { relay, first, told } = await world({ protocol: 'ADM-CID' });
    stops.push(() => first.stop());
    await relay.stop();
    await until(() => told().length === 1);
    expect(told()).toEqual(['1350 01 002']);
    await relay.start();
    await until(() => told().length === 2, 10_000);
    expect(told()).toEqual(['1350 01 002', '3350 01 002']);
    expect(first.acknowledged().map((r) => r.path)).not.toContain(null);
  });

  it('that flaps is told at most once in each direction, and a short gap not at all', async () => {
    const { proxy, first, told } = await world();
    stops.push(() => first.stop());
    await proxy.set('refuse');
    await pause(300);
    await proxy.set('none');
    await until(() => first.service.health()[0]?.direct === 'up');
    await pause(800);
    expect(told()).toEqual([]);
    for (let i = 0; i < 6; i++) {
      await proxy.set(i % 2 ? 'none' : 'refuse');
      await pause(250);
    }
    await until(() => first.service.health()[0]?.direct === 'up');
    await pause(800);
    expect(['', 'Nri1/YS001,Nri1/YK001']).toContain(told().join());
  });

  it('is told once over a restart, and its return after it', async () => {
    const { proxy, first, box, told } = await world();
    await proxy.set('reset');
    await until(() => told().length === 1);
    await first.stop();
    const second = box();
    stops.push(() => second.stop());
    await pause(1_200);
    expect(told()).toEqual(['Nri1/YS001']);
    await proxy.set('none');
    await until(() => told().length === 2);
    expect(told()).toEqual(['Nri1/YS001', 'Nri1/YK001']);
  });

  it('with the other one lost too waits on disk, in its order before the return', async () => {
    const { proxy, relay, first, told } = await world();
    stops.push(() => first.stop());
    await proxy.set('refuse');
    await relay.stop();
    await pause(1_200);
    expect(told()).toEqual([]);
    await proxy.set('none');
    await until(() => told().length >= 2);
    await relay.start();
    await until(() => told().length === 4, 10_000);
    for (const zone of ['001', '002'])
      expect(told().filter((data) => data?.endsWith(zone))).toEqual([`Nri1/YS${zone}`, `Nri1/YK${zone}`]);
  });
});

it('a receiver that refuses polls is a path that works', async () => {
  const { arc, first, told } = await world({ protocol: 'SIA-DCS' });
  stops.push(() => first.stop());
  arc.options.takesNull = false;
  await until(() => arc.received.filter((r) => r.token === 'NULL' && r.reply === 'NAK').length >= 8);
  expect(told()).toEqual([]);
  expect(first.service.health()[0]).toMatchObject({ direct: 'up' });
});
