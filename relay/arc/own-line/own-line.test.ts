import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArcPathHealth } from '../../../protocol/wire/uplink.ts';
import { until } from '../../testing/relay.ts';
import { ACCOUNT, LineWorld } from '../testing/line-world.ts';

let world: LineWorld;
beforeEach(async () => {
  world = await new LineWorld().start();
});
afterEach(async () => {
  world.box.disconnect();
  await world.stop();
});
const told = (n: number) => until(`${n} own messages`, () => world.receiver.got.length >= n);
const back = async () => {
  await world.box.connect();
  await world.pass(40_000, world.box);
};

describe('the relay’s own line to a receiver', () => {
  it('raises a silent box once within 90 s, encrypted, on a line and numbers of its own, and restores it once (ARC-24)', async () => {
    await world.box.connect();
    await world.pass(90_000, world.box);
    const silentAt = world.clock.now();
    await world.pass(50_000);
    expect(world.receiver.told).toEqual([]);
    await world.pass(25_000);
    await told(1);
    expect(world.clock.now() - silentAt).toBeLessThan(90_000);
    await world.pass(300_000);
    await back();
    await told(2);
    await world.pass(120_000, world.box);
    expect(world.receiver.told).toEqual(['YC000', 'YK000']);
    const [loss, restore] = world.receiver.got.map(({ message }) => message);
    expect(loss).toMatchObject({ encrypted: true, line: '7', account: '00A1', receiver: '0' });
    expect(restore!.sequence).toBe((loss!.sequence % 9999) + 1);
    const listed = await world.listed();
    const both = { origin: 'relay', state: 'acknowledged', path: 'relay', account: '00A1', tries: 1, zone: '000' };
    expect(listed).toMatchObject([
      { ...both, kind: 'alarm', code: 'YC' },
      { ...both, kind: 'restore', code: 'YK' },
    ]);
    expect(listed[0]!.eventId).toBe(listed[1]!.eventId);
    expect(Math.abs(Date.parse(String(listed[0]!.occurredAt)) - silentAt)).toBeLessThan(3_000);
    expect(listed[0]!.log).toMatchObject([{ outcome: 'acknowledged', path: 'relay' }]);
    expect(JSON.stringify(listed)).not.toContain('000102030405');
  });

  it('says nothing of a short gap, of a restart of the relay, or of a box that said that it stops', async () => {
    await world.box.connect();
    await world.pass(90_000, world.box);
    world.box.disconnect();
    await world.pass(45_000);
    await world.box.connect();
    await world.pass(30_000, world.box);
    await world.relay.halt();
    await world.relay.start();
    await world.pass(50_000);
    await world.box.connect();
    await world.pass(90_000, world.box);
    await world.box.publish(world.box.topics.status, { online: false, backMs: 600_000 });
    world.box.disconnect();
    await world.pass(160_000);
    expect(world.receiver.told).toEqual([]);
    // A short while is three minutes at most, whatever the box says.
    await world.pass(40_000);
    await told(1);
  });

  it('raises a box that did not come back after a restart of the relay, and knows after a restart what it had raised', async () => {
    await world.pass(95_000);
    await told(1);
    await world.relay.halt();
    await world.relay.start();
    await world.pass(120_000);
    expect(world.receiver.told).toEqual(['YC000']);
    await back();
    await told(2);
    expect(world.receiver.told).toEqual(['YC000', 'YK000']);
  });

  it('raises a box that was cut off because two use its identity', async () => {
    await world.box.connect();
    await world.pass(80_000, world.box);
    const { boot } = world.box;
    world.box.boot = randomUUID();
    expect((await world.box.upgrade('/arc-path')).code).toBe('duplicate-identity');
    world.box.boot = boot;
    await world.pass(75_000);
    await told(1);
    expect(world.receiver.told).toEqual(['YC000']);
  });

  it('raises a box that is there and says that neither way works', async () => {
    await world.box.connect();
    await world.pass(80_000, world.box);
    const arc: ArcPathHealth[] = [
      {
        accountId: world.accountId,
        path: 'none',
        since: new Date(world.clock.now()).toISOString(),
        direct: 'down',
        relay: 'down',
        second: 'absent',
        waiting: 1,
      } as ArcPathHealth,
    ];
    const health = world.box.health.bind(world.box);
    world.box.health = (change) => health({ arc, ...change });
    await world.pass(70_000, world.box);
    await told(1);
    world.box.health = (change) => health(change);
    await world.pass(40_000, world.box);
    await told(2);
    expect(world.receiver.told).toEqual(['YC000', 'YK000']);
  });

  it('does not flood the receiver with a box that comes and goes', async () => {
    await world.box.connect();
    await world.pass(80_000, world.box);
    for (let i = 0; i < 3; i++) {
      world.box.disconnect();
      await world.pass(70_000);
      await back();
    }
    await world.pass(60_000, world.box);
    expect(world.receiver.told).toEqual(['YC000', 'YK000', 'YC000', 'YK000', 'YC000']);
    await world.pass(600_000, world.box);
    expect(world.receiver.told.at(-1)).toBe('YK000');
  });

  it('learns the receiver’s clock from its NAK, tries the other protocol after DUH, and writes every try down', async () => {
    world.receiver.offsetMs = 600_000;
    world.receiver.answer = ({ message }) => (message.id === 'SIA-DCS' ? 'duh' : 'ack');
    await world.pass(95_000);
    await told(2);
    await until('recorded', async () => (await world.listed())[0]?.state === 'acknowledged');
    expect(world.receiver.told).toEqual(['YC000', '1350 01 000']);
    const [loss] = await world.listed();
    expect(loss!.log.map((entry) => entry.outcome)).toEqual(['nak', 'duh', 'acknowledged']);
    expect(loss).toMatchObject({ protocol: 'ADM-CID', code: '1350', tries: 3, possibleRepeat: false });
  });

  it('tries until the receiver is there, marks what may have come twice, and tells when it was', async () => {
    let silent = true;
    world.receiver.answer = () => (silent ? 'none' : 'ack');
    await world.pass(120_000);
    expect((await world.listed())[0]).toMatchObject({ state: 'waiting' });
    const tries = world.receiver.got.length;
    expect(tries).toBeGreaterThan(2);
    silent = false;
    await world.pass(140_000);
    const [loss] = await world.listed();
    expect(loss).toMatchObject({ state: 'acknowledged', possibleRepeat: true });
    const last = world.receiver.got.at(-1)!.message;
    expect(new Set(world.receiver.got.map(({ message }) => message.sequence)).size).toBe(1);
    expect(last.xdata.join()).toMatch(/^H/);
  });
});

it('says nothing of a box that was back before the receiver could be reached', async () => {
  const end = { host: '127.0.0.1', port: 1 };
  await world.relay.withDb((db) =>
    db
      .updateTable('arc_receivers')
      .set({ relayHost: end.host, relayPort: end.port })
      .where('id', '=', world.receiverId)
      .execute(),
  );
  await world.pass(120_000);
  await back();
  await world.pass(60_000, world.box);
  const listed = await world.listed();
  expect(listed).toMatchObject([{ state: 'failed', kind: 'alarm', reason: expect.stringContaining('back') }]);
});

it('sends what waits under the account number that holds now (ARC-21)', async () => {
  world.receiver.answer = ({ message }) => (message.account === ACCOUNT ? 'none' : 'ack');
  await world.pass(95_000);
  await told(1);
  await world.relay.withDb((db) => db.updateTable('arc_accounts').set({ account: '00A2' }).execute());
  await world.pass(60_000);
  await until('it is taken', async () => (await world.listed())[0]?.state === 'acknowledged');
  expect(world.receiver.got.at(-1)!.message).toMatchObject({ account: '00A2', data: '#00A2|Nri1/YC000' });
  expect(await world.listed()).toMatchObject([{ account: '00A2', possibleRepeat: true }]);
});

it('speaks UDP as well, and ends with the account', async () => {
  await world.relay.withDb((db) => db.updateTable('arc_receivers').set({ transport: 'udp' }).execute());
  const settings = JSON.stringify({ ownLine: { enabled: true, line: 'B2' }, transport: 'udp', protocol: 'ADM-CID' });
  await world.relay.withDb((db) => db.updateTable('arc_receivers').set({ settings }).execute());
  await world.pass(95_000);
  await told(1);
  expect(world.receiver.got[0]).toMatchObject({ peer: { transport: 'udp' }, message: { line: 'B2', id: 'ADM-CID' } });
  expect((await world.company.api('DELETE', `/arc/${world.accountId}`)).status).toBe(204);
  await world.pass(60_000);
  await back();
  expect(world.receiver.told).toEqual(['1350 01 000']);
});
