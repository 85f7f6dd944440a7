import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { removeTempDirs, until } from '../../edge/arc/testing/harness.ts';
import { ArcWorld } from './world.ts';

let world: ArcWorld;
afterAll(removeTempDirs);
afterEach(() => world.stop());
const zones = () => world.receiver.alarms.map((a) => Number(a.data.slice(-3)));

describe('alarms from a box, with a real relay', () => {
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
