import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../edge/arc/testing/fault-proxy.ts';
import { removeTempDirs, until } from '../../edge/arc/testing/harness.ts';
import { ArcWorld } from './world.ts';

let world: ArcWorld;
afterAll(removeTempDirs);
afterEach(() => world.stop());
const zones = () => world.receiver.alarms.map((a) => Number(a.data.slice(-3)));
const unanswered = () =>
  [...world.direct.unanswered, ...world.toRelayed.unanswered].filter((frame) => !frame.includes('NULL')).length;

describe('alarms from a box, with a real relay', () => {
  it.each([
    'refuse',
    'blackhole',
    'swallow',
  ] as Fault[])('come direct, by the relay while direct does %s, and direct again; 200 events, none lost, in order (ARC-24)', async (fault) => {
    world = await new ArcWorld().start();
    await until(() => world.health.relay !== 'down' && world.health.direct === 'up');
    for (let i = 0; i < 200; i++) {
      if (i === 60) await world.direct.set(fault);
      if (i === 120) {
        await until(() => world.box.acknowledged().some((r) => r.path === 'relay'));
        await world.direct.set('none');
      }
      if (i === 160) await until(() => world.health.path === 'direct');
      await world.box.event('motion', i);
    }
    await until(() => world.box.acknowledged().length === 200);
    const seen = zones();
    expect([...new Set(seen)]).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(seen.length - 200).toBeLessThanOrEqual(unanswered());
    const paths = world.box.acknowledged().map((r) => r.path);
    expect([paths[0], paths.at(-1)]).toEqual(['direct', 'direct']);
  }, 40_000);

  it('are not doubled by the relay when it dies after the receiver has acknowledged', async () => {
    world = await new ArcWorld().start('relay');
    await until(() => world.health.relay !== 'down');
    for (let i = 0; i < 60; i++) {
      void world.box.event('motion', i);
      if (i % 20 === 10) {
        await world.relay.halt();
        await world.relay.start();
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await until(() => world.box.acknowledged().length === 60, 30_000);
    expect(zones()).toEqual(Array.from({ length: 60 }, (_, i) => i));
  }, 40_000);

  it('wait while both paths are down and then go out in order, alarms before faults', async () => {
    world = await new ArcWorld().start();
    await until(() => world.health.relay !== 'down' && world.health.direct === 'up');
    await world.direct.set('refuse');
    await world.relay.halt();
    for (let i = 0; i < 20; i++) await world.box.event(i % 2 ? 'intrusion' : 'videoLoss', i);
    await until(() => world.health.path === 'none' && world.box.warnings().includes('arc-no-path'));
    await until(() => world.box.service.waiting() === 20);
    const { dir } = world.box;
    await world.box.stop();
    await world.relay.start();
    await world.startBox(dir);
    await until(() => world.box.acknowledged().length === 20, 30_000);
    const odd = Array.from({ length: 10 }, (_, i) => 2 * i + 1);
    expect(zones()).toEqual([...odd, ...odd.map((n) => n - 1)]);
    expect(world.box.acknowledged().every((r) => r.path === 'relay')).toBe(true);
  }, 40_000);
});
