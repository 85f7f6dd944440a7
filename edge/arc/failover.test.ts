import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { FakeRelay } from './testing/fake-relay.ts';
import { type Fault, FaultProxy } from './testing/fault-proxy.ts';
import { ArcBox, account, QUICK, removeTempDirs, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';
import type { ArcAccountConfig } from './types.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A receiver behind a faulty direct path and a relay, and a box. */
async function world(given: Partial<ArcAccountConfig> = {}, receiverOptions: { closes?: boolean } = {}) {
  const key = given.key ?? null;
  const arc = new StrictReceiver({ accounts: { '00A1': key }, ...receiverOptions });
  const target = await arc.start();
  const proxy = new FaultProxy(target, 2_000);
  const relay = new FakeRelay(target);
  await relay.start();
  const box = new ArcBox({ auth: relay.auth });
  const config = account({ direct: await proxy.start(), ...given });
  box.start([config]);
  stops.push(
    () => arc.stop(),
    () => proxy.stop(),
    () => relay.stop(),
    () => box.stop(),
  );
  const settled = () => box.service.health()[0]!;
  // The relay path is open and the direct one known.
  await until(() => settled().relay !== 'down' && (config.mode === 'relay' || settled().direct === 'up'));
  return { arc, proxy, relay, box, config, health: settled };
}

const unanswered = (proxy: FaultProxy): number => proxy.unanswered.filter((frame) => !frame.includes('NULL')).length;
const zones = (arc: StrictReceiver) => arc.alarms.map((a) => Number(a.data.slice(-3)));

describe('alarm paths', () => {
  for (const fault of ['refuse', 'reset', 'blackhole', 'slow', 'swallow'] as Fault[]) {
    it(`goes through the relay when the direct path does ${fault}, and back to direct by itself (ARC-24)`, async () => {
      const { arc, proxy, box, health } = await world();
      await box.event('motion', 1);
      await until(() => box.acknowledged().length === 1);
      await proxy.set(fault);
      await box.event('motion', 2);
      await box.event('motion', 3);
      await until(() => box.acknowledged().length === 3);
      expect(box.acknowledged().map((r) => r.path)).toEqual(['direct', 'relay', 'relay']);
      expect(health()).toMatchObject({ path: 'relay', direct: 'down', relay: 'up' });
      expect(box.warnings()).toEqual(['arc-direct-down']);
      const before = Date.now();
      await proxy.set('none');
      await until(() => health().path === 'direct');
      expect(Date.now() - before).toBeGreaterThan(QUICK.holdDownMs * 0.9);
      expect(box.warnings()).toEqual([]);
      await box.event('motion', 4);
      await until(() => box.acknowledged().length === 4);
      expect(box.acknowledged()[3]).toMatchObject({ path: 'direct', tries: 1 });
      const repeated = zones(arc).filter((zone, i, all) => all.indexOf(zone) !== i);
      // Each repeat stands for an acknowledgement that the proxy kept back.
      expect(repeated.length).toBeLessThanOrEqual(unanswered(proxy));
      expect([...new Set(zones(arc))]).toEqual([1, 2, 3, 4]);
    });
  }

  it('tells an alarm that may be there twice: same number, same content, marked as possible repeat', async () => {
    const { arc, proxy, box } = await world();
    await proxy.set('swallow');
    await box.event('motion', 5);
    await until(() => box.acknowledged().length === 1);
    // Twice on the direct path, then once by the relay.
    expect(arc.alarms.map((a) => [a.sequence, a.data])).toEqual(
      Array.from({ length: 3 }, () => [arc.alarms[0]!.sequence, '#00A1|Nri1/BA005']),
    );
    expect(box.acknowledged()[0]).toMatchObject({ tries: 3, possibleRepeat: true, path: 'relay' });
    await box.event('motion', 6);
    await until(() => box.acknowledged().length === 2);
    expect(box.acknowledged()[1]).toMatchObject({ tries: 1, possibleRepeat: false, path: 'relay' });
  });

  it('reports once that a message waits, then its end with tries and times', async () => {
    const { proxy, relay, box } = await world();
    await proxy.set('refuse');
    await relay.stop();
    const id = await box.event('motion', 1);
    await until(() => box.service.health()[0]!.path === 'none' && box.warnings().includes('arc-no-path'));
    await relay.start();
    await until(() => box.acknowledged().length === 1);
    expect(box.reports().map((r) => r.state)).toEqual(['waiting', 'acknowledged']);
    const [waiting, end] = box.reports();
    expect(waiting).toMatchObject({ eventId: id, path: null, acknowledgedAt: null, reason: expect.any(String) });
    expect(end).toMatchObject({ id: waiting!.id, path: 'relay', queuedAt: waiting!.queuedAt });
    expect(end!.tries).toBeGreaterThan(waiting!.tries - 1);
    expect(Date.parse(end!.acknowledgedAt!)).toBeGreaterThanOrEqual(Date.parse(end!.queuedAt));
    expect(box.warnings()).not.toContain('arc-no-path');
  });

  it('uses a direct path that is not trusted yet when the relay is gone', async () => {
    const { proxy, relay, box, health } = await world();
    await proxy.set('refuse');
    await box.event('motion', 1);
    await until(() => box.acknowledged().length === 1);
    await relay.stop();
    await proxy.set('none');
    await box.event('motion', 2);
    await until(() => box.acknowledged().length === 2);
    expect(box.acknowledged()[1]!.path).toBe('direct');
    await relay.start();
    await until(() => health().relay !== 'down');
  });

  it('always uses the relay where it is told so, also with direct possible (ARC-25)', async () => {
    const { arc, relay, box, health } = await world({ mode: 'relay' });
    for (let i = 0; i < 3; i++) await box.event('motion', i);
    await until(() => box.acknowledged().length === 3);
    expect(box.acknowledged().map((r) => r.path)).toEqual(['relay', 'relay', 'relay']);
    expect(relay.attempts.map((a) => a.attempt)).toEqual([1, 1, 1]);
    expect(zones(arc)).toEqual([0, 1, 2]);
    expect(health()).toMatchObject({ path: 'relay', direct: 'unknown' });
    expect(relay.authorizations).toEqual(['Gatepost test /arc-path']);
  });

  it('with more accounts than the relay takes attempts at once stays in line, and loses no path over it', async () => {
    const arc = new StrictReceiver({ accounts: {} });
    const target = await arc.start();
    const relay = new FakeRelay(target);
    await relay.start();
    const box = new ArcBox({ auth: relay.auth });
    stops.push(
      () => arc.stop(),
      () => relay.stop(),
      () => box.stop(),
    );
    const numbers = Array.from({ length: 40 }, (_, i) => `0${100 + i}`);
    for (const number of numbers) arc.options.accounts[number] = null;
    box.start(numbers.map((number) => account({ direct: target, mode: 'relay', account: number })));
    await until(() => box.service.health().every((health) => health.relay !== 'down'));
    for (let i = 0; i < 3; i++) await box.event('motion', i);
    await until(() => box.acknowledged().length === 120);
    expect(relay.mostAtOnce).toBeLessThanOrEqual(32);
    expect(box.acknowledged().every((r) => r.path === 'relay' && r.tries === 1)).toBe(true);
  });

  it('does not change the path because the receiver refuses', async () => {
    const { arc, relay, box, health } = await world();
    arc.options.poison = /BA001/;
    await box.event('motion', 1);
    await until(() => arc.received.filter((r) => r.reply === 'NAK').length >= 8);
    expect(health()).toMatchObject({ path: 'direct', direct: 'up' });
    expect(relay.attempts).toEqual([]);
    // Four transmissions each time, no more.
    const first = arc.received.filter((r) => r.sequence === arc.received.at(-1)!.sequence);
    expect(first.length).toBeGreaterThanOrEqual(4);
  });

  it('does not double what the relay has delivered, though its answer was lost', async () => {
    const { arc, relay, box } = await world({ mode: 'relay' });
    await box.event('motion', 1);
    await until(() => box.acknowledged().length === 1);
    // The box forgets that it was acknowledged, as a kill at the wrong moment makes it.
    relay.answers = false;
    await box.event('motion', 2);
    await until(() => relay.attempts.length > 1);
    relay.answers = true;
    await until(() => box.acknowledged().length === 2, 10_000);
    expect(zones(arc)).toEqual([1, 2]);
    expect(new Set(relay.attempts.slice(1).map((a) => a.messageId)).size).toBe(1);
    expect(relay.attempts.at(-1)!.attempt).toBeGreaterThan(1);
  });

  it.each([
    ['refuse', false],
    ['blackhole', false],
    ['slow', true],
    ['swallow', false],
  ] as [Fault, boolean][])(
    'loses none of 200 events across both switches, in order (%s, receiver closes: %s)',
    async (fault, closes) => {
      const { arc, proxy, box, health } = await world({ key: Buffer.alloc(32, 'k') }, { closes });
      for (let i = 0; i < 200; i++) {
        if (i === 60) await proxy.set(fault);
        if (i === 120) {
          await until(() => box.acknowledged().some((r) => r.path === 'relay'));
          await proxy.set('none');
        }
        if (i === 160) await until(() => health().path === 'direct');
        await box.event('motion', i);
        await new Promise((r) => setTimeout(r, 5));
      }
      await until(() => box.acknowledged().length === 200, 20_000);
      const seen = zones(arc);
      const firsts = seen.filter((zone, i) => seen.indexOf(zone) === i);
      expect(firsts).toEqual(Array.from({ length: 200 }, (_, i) => i));
      // Doubled is only what the proxy kept the acknowledgement of.
      expect(seen.length - firsts.length).toBeLessThanOrEqual(unanswered(proxy));
      const paths = box.acknowledged().map((r) => r.path);
      expect(paths[0]).toBe('direct');
      expect(paths.at(-1)).toBe('direct');
    },
    40_000,
  );
});
