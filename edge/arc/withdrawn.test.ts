import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { EventType } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { sinceOf, takingOf } from './taking.ts';
import { ArcBox, account, removeTempDirs, until } from './testing/harness.ts';
import { StrictReceiver } from './testing/strict-receiver.ts';
import type { ArcAccountConfig } from './types.ts';

const stops: (() => Promise<void>)[] = [];
afterAll(removeTempDirs);
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const FIRST = '01890000-0000-7000-8000-0000000000d1';
const OTHER = uuidv7();
const device = (deviceId: string, events: EventType[] = ['motion', 'tamper']) => ({
  deviceId,
  events,
  offlineDelayMs: 0,
});

async function world(given: Partial<ArcAccountConfig> = {}, limits?: { account: number; all: number }) {
  const arc = new StrictReceiver({ accounts: { '00A1': null }, mute: true });
  const config = account({ direct: await arc.start(), devices: [device(FIRST), device(OTHER)], ...given });
  const box = new ArcBox({ limits }).start([config]);
  stops.push(
    () => arc.stop(),
    () => box.stop(),
  );
  const taken = () => arc.alarms.filter((a) => a.reply === 'ACK').map((a) => a.data.split('/')[1]!);
  const sent = () => arc.received.filter((r) => r.token === 'SIA-DCS');
  const failed = () => box.reports().filter((r) => r.state === 'failed');
  return { arc, config, box, taken, sent, failed };
}

describe('what waits', () => {
  it('of a device whose service is suspended or ended does not arrive, and is told as failed (ARC-20)', async () => {
    const { arc, config, box, taken, failed } = await world();
    for (let i = 1; i < 4; i++) await box.event('motion', i);
    await box.event('motion', 4, { deviceId: OTHER });
    await until(() => box.service.waiting() === 4 && arc.received.some((r) => r.token === 'SIA-DCS'));
    box.service.apply([{ ...config, devices: [device(OTHER)] }]);
    expect(box.service.waiting()).toBe(1);
    // Not even what was out when it was suspended goes once more.
    await pause(700);
    arc.options.mute = false;
    await until(() => box.acknowledged().length === 1);
    await pause(300);
    expect(taken()).toEqual(['BA004']);
    expect(failed().map((r) => [r.zone, r.reason])).toEqual(
      ['001', '002', '003'].map((zone) => [zone, 'The service of this device was suspended or ended.']),
    );
    // Nor after it is resumed, or after a restart.
    box.service.apply([config]);
    await box.event('motion', 5);
    await until(() => box.acknowledged().length === 2);
    expect(taken()).toEqual(['BA004', 'BA005']);
    expect(box.reports().findLastIndex((r) => r.state === 'waiting' && r.zone === '001')).toBeLessThan(
      box.reports().findIndex((r) => r.state === 'failed' && r.zone === '001'),
    );
  });

  it('of a type that is no longer chosen does not arrive, nor does the end of what was told before', async () => {
    const { arc, config, box, taken, sent, failed } = await world();
    arc.options.mute = false;
    const [motion, tamper] = [await box.event('motion', 1), await box.event('tamper', 2)];
    await until(() => box.acknowledged().length === 2);
    arc.options.mute = true;
    await box.end(motion);
    // What has reached the receiver before is not called back.
    await until(() => sent().length === 3);
    box.service.apply([{ ...config, devices: [device(FIRST, ['tamper'])] }]);
    expect(box.service.waiting()).toBe(0);
    arc.options.mute = false;
    await box.event('motion', 3);
    await box.end(tamper);
    await until(() => box.acknowledged().length === 3);
    expect(taken().sort()).toEqual(['BA001', 'TA002', 'TR002']);
    await until(() => failed().length === 1);
    expect(failed()[0]).toMatchObject({ kind: 'restore', reason: expect.stringMatching(/no longer/) });
    box.service.apply([{ ...config, devices: [device(OTHER)] }]);
    await box.end(await box.event('motion', 4, { deviceId: OTHER }));
    await until(() => box.acknowledged().length === 5);
  });

  it('of an account that is removed does not arrive; of one whose key cannot be opened it waits', async () => {
    const { arc, config, box, taken, sent, failed } = await world();
    await box.event('motion', 1);
    await until(() => box.service.waiting() === 1);
    box.service.apply([], [config.id]);
    await pause(100);
    expect(failed()).toEqual([]);
    arc.options.mute = false;
    box.service.apply([config], []);
    await until(() => box.acknowledged().length === 1);
    arc.options.mute = true;
    const before = sent().length;
    await box.event('motion', 2);
    await until(() => sent().length > before);
    box.service.apply([]);
    expect(box.service.waiting()).toBe(0);
    await until(() => failed().length === 1);
    arc.options.mute = false;
    box.service.apply([config]);
    await box.event('motion', 3);
    await until(() => box.acknowledged().length === 2);
    expect(taken()).toEqual(['BA001', 'BA003']);
  });

  it('is told in one go, however much it is', async () => {
    const { config, box, failed } = await world();
    const events = Array.from({ length: 1_200 }, () => box.event('motion', 1));
    await Promise.all(events);
    await until(() => box.service.waiting() === 1_200);
    box.service.apply([{ ...config, devices: [device(OTHER)] }]);
    expect(box.service.waiting()).toBe(0);
    await until(() => failed().length === 1_200);
    await until(() => {
      const queue = new Database(join(box.dir, 'arc', 'queue.db'), { readonly: true });
      const { count } = queue.prepare('SELECT count(*) AS count FROM messages WHERE report IS NOT NULL').get() as {
        count: number;
      };
      queue.close();
      return count === 0;
    });
  });
});

describe('what happened while it was not served', () => {
  it.each([
    ['an account', (): ArcAccountConfig['devices'] => null],
    ['a device', () => [device(OTHER)]],
    ['a type', () => [device(FIRST, ['tamper']), device(OTHER)]],
  ])('%s: does not arrive once it is served again, nor after a restart', async (what, without) => {
    const { arc, config, box, taken } = await world();
    arc.options.mute = false;
    const open = await box.event('motion', 1);
    await until(() => box.acknowledged().length === 1);
    const rest = without();
    box.service.apply(rest === null ? [] : [{ ...config, devices: rest }]);
    await box.event('motion', 2);
    await box.end(open);
    await pause(50);
    box.service.apply([config]);
    await box.event('motion', 3);
    await until(() => box.acknowledged().length === 2);
    // As after a crash: the place in the journal is an older one.
    box.journal.consumer('arc', 'end').commit(0);
    await box.stop();
    const again = new ArcBox({ dir: box.dir }).start([config]);
    stops.push(() => again.stop());
    await again.event('motion', 4);
    await until(() => again.acknowledged().length === 3);
    expect(taken(), what).toEqual(['BA001', 'BA003', 'BA004']);
  });

  it('and what happened before is not passed over', async () => {
    const { arc, config, box, taken } = await world({ devices: [device(FIRST)] });
    arc.options.mute = false;
    // In the journal, and nobody has looked yet when the accounts change.
    await box.event('motion', 1);
    box.service.apply([{ ...config, devices: [device(FIRST), device(OTHER)] }]);
    await until(() => box.acknowledged().length === 1);
    expect(taken()).toEqual(['BA001']);
  });

  it('is known by device and type, also when all devices are chosen and then some', () => {
    const some = { events: [], devices: [device(FIRST, ['motion'])] };
    const all = { events: ['motion', 'tamper'] as EventType[], devices: null };
    const first = takingOf(some, null, 5);
    expect([sinceOf(first, 'motion', FIRST), sinceOf(first, 'tamper', FIRST)]).toEqual([5, Number.POSITIVE_INFINITY]);
    const wider = takingOf(all, first, 9);
    expect(['motion', 'tamper'].map((type) => sinceOf(wider, type, FIRST))).toEqual([5, 9]);
    expect([sinceOf(wider, 'motion', OTHER), sinceOf(wider, 'motion', null)]).toEqual([9, 9]);
    const narrow = takingOf(some, wider, 20);
    expect(sinceOf(narrow, 'motion', FIRST)).toBe(5);
    expect(sinceOf(narrow, 'motion', OTHER)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('an account that is removed', () => {
  it('and was held does not keep the journal', async () => {
    const { config, box } = await world({}, { account: 1_000, all: 1_000 });
    await Promise.all(Array.from({ length: 1_005 }, () => box.event('motion', 1)));
    const cursors = () => {
      const journal = new Database(join(box.dir, 'journal.db'), { readonly: true });
      const names = journal.prepare('SELECT name FROM cursors').pluck().all();
      journal.close();
      return names;
    };
    await until(() => cursors().includes('arc-held'));
    box.service.apply([{ ...config, id: uuidv7() }]);
    expect(cursors()).toEqual(['arc']);
    expect(box.warnings()).not.toContain('arc-queue-full');
  });

  it('and comes back has no second frame out beside the first', async () => {
    const { arc, config, box } = await world({ attempts: 1 });
    await box.event('motion', 1);
    const frames = () => arc.received.filter((r) => r.token === 'SIA-DCS').map((r) => r.sequence);
    await until(() => frames().length === 1);
    box.service.apply([]);
    box.service.apply([config]);
    box.service.apply([{ ...config, partition: 2 }]);
    box.service.apply([config]);
    await box.event('motion', 2);
    // Its time-out is 500 ms.
    await pause(250);
    expect(frames()).toHaveLength(1);
    await until(() => frames().length > 1);
    expect(new Set(frames()).size).toBe(2);
  });
});
