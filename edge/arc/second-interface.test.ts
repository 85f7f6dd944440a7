import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { addressOf } from './second-interface.ts';
import { FakeRelay } from './testing/fake-relay.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { ArcBox, account, QUICK, removeTempDirs, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const TIMINGS = { ...QUICK, idlePollMs: 100, relayPollMs: 200, directFaultAfterMs: 600, relayFaultAfterMs: 600 };
const SECOND = '127.0.0.2';

/** A line that can be broken for everything but the second interface, and a relay behind the same line. */
async function world(transport: 'tcp' | 'udp' = 'tcp') {
  const arc = new StrictReceiver({ accounts: { '00A1': null } });
  const target = await arc.start();
  const proxy = new FaultProxy(target, 2_000);
  proxy.spared = SECOND;
  const relay = new FakeRelay(target);
  await relay.start();
  let cable = true;
  const second = () => (cable ? SECOND : null);
  const box = new ArcBox({ auth: relay.auth, second, timings: TIMINGS });
  const config = account({ direct: transport === 'tcp' ? await proxy.start() : target, transport });
  box.start([config]);
  stops.push(
    () => arc.stop(),
    () => proxy.stop(),
    () => box.stop(),
  );
  const health = () => box.service.health()[0]!;
  await until(() => health().relay !== 'down' && health().direct === 'up' && health().second === 'up');
  const told = () => arc.alarms.map((a) => a.data.split('|')[1]).filter((data) => /Y[SK]/.test(data ?? ''));
  return {
    arc,
    proxy,
    relay,
    box,
    config,
    health,
    told,
    plug: (is: boolean) => {
      cable = is;
    },
  };
}

describe('a second interface', () => {
  it('carries alarms when neither the direct path nor the relay does, and gives back to them (ARC-24)', async () => {
    const { proxy, relay, box, health, told } = await world();
    expect(health()).toMatchObject({ path: 'direct', second: 'up' });
    await proxy.set('blackhole');
    await relay.stop();
    const before = Date.now();
    await box.event('motion', 1);
    await until(() => box.acknowledged().some((r) => r.zone === '001' && r.code === 'BA'));
    expect(Date.now() - before).toBeLessThan(2_500);
    expect(box.acknowledged().at(-1)).toMatchObject({ path: 'second' });
    expect(health()).toMatchObject({ path: 'second', direct: 'down', relay: 'down', second: 'up' });
    await until(() => told().length === 2);
    expect(told().sort()).toEqual(['Nri1/YS001', 'Nri1/YS002']);
    await proxy.set('none');
    await relay.start();
    stops.push(() => relay.stop());
    await until(() => health().path === 'direct' && told().length === 4, 10_000);
    await box.event('motion', 2);
    await until(() => box.acknowledged().some((r) => r.zone === '002' && r.code === 'BA'));
    expect(box.acknowledged().find((r) => r.code === 'BA' && r.zone === '002')).toMatchObject({ path: 'direct' });
  });

  it('that is lost is told over the others as path 003, with its return', async () => {
    const { relay, box, health, plug, told } = await world();
    stops.push(() => relay.stop());
    plug(false);
    await until(() => told().length === 1);
    expect(told()).toEqual(['Nri1/YS003']);
    expect(health()).toMatchObject({ path: 'direct', second: 'down' });
    expect(box.warnings()).toEqual(['arc-second-down']);
    plug(true);
    await until(() => told().length === 2);
    expect(told()).toEqual(['Nri1/YS003', 'Nri1/YK003']);
    expect(box.warnings()).toEqual([]);
  });

  it('sends from its own address, over UDP too', async () => {
    const { relay, arc, config, box } = await world('udp');
    stops.push(() => relay.stop());
    await until(() => arc.received.some((r) => r.from === SECOND && r.transport === 'udp' && r.reply === 'ACK'));
    // An account that is to go through the relay does not use it.
    box.service.apply([{ ...config, mode: 'relay' }]);
    await until(() => box.service.health()[0]!.second === 'absent');
  });

  it('has the address that its interface has now', () => {
    const v4 = (address: string) => ({ address, family: 'IPv4' }) as never;
    const names = { wwan0: [v4('fe80::1'), v4('2001:db8::1'), v4('10.1.2.3')], eth1: [v4('169.254.1.1')] };
    expect(addressOf('wwan0', () => names)).toBe('10.1.2.3');
    expect(addressOf('eth1', () => names)).toBeNull();
    expect(addressOf('none', () => names)).toBeNull();
    expect(addressOf('six', () => ({ six: [v4('2001:db8::1')] }))).toBe('2001:db8::1');
  });
});
