import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DeviceRow } from '../db/schema.ts';
import { until } from '../testing/relay.ts';
import { type Person, Stage } from './testing/stage.ts';
import { Viewings } from './viewings.ts';

let stage: Stage;
let pia: Person;
let device: DeviceRow;
beforeEach(async () => {
  stage = await new Stage().start();
  pia = await stage.person(null);
  device = await stage.db.selectFrom('devices').selectAll().where('id', '=', stage.camera).executeTakeFirstOrThrow();
});
afterEach(() => stage.stop());

const who = () => ({ id: pia.sessionId, userId: pia.userId, companyId: pia.companyId });
const rows = () => stage.db.selectFrom('viewings').selectAll().orderBy('id').execute();

it('has four playback windows a session; one that makes room in time lets the next one in (LIVE-07)', async () => {
  const { viewings } = stage.watching;
  const open = () => viewings.open({ who: who(), device, channel: 1, kind: 'playback', path: 'relay' });
  const four = await Promise.all([open(), open(), open(), open()]);
  const fifth = open().then(
    () => 'open',
    (error) => error.code,
  );
  await stage.clock.advance(800);
  expect(await fifth).toBe('too-many-windows');
  // A player that seeks: the next stream asks before the last one has ended.
  const sixth = open();
  await four[0]!.end();
  await stage.clock.advance(100);
  await (await sixth).end();
  for (const one of four) await one.end();
  expect(viewings.count('playback')).toBe(0);
  expect((await rows()).every(({ endedMs }) => endedMs !== null)).toBe(true);
});

it('says how far recordings were sent, not how far they were asked for', async () => {
  const [from, to] = ['2026-04-01T11:00:00.000Z', '2026-04-01T12:00:00.000Z'];
  const seen = async (last?: string) => {
    const o = { who: who(), device, channel: 1, kind: 'playback', path: 'relay', from, to } as const;
    await (await stage.watching.viewings.open(o)).end(last);
    stage.clock.step(1);
  };
  await seen('2026-04-01T11:00:09.500Z');
  await seen('2031-01-01T00:00:00.000Z');
  await seen();
  expect((await rows()).map(({ toAt }) => toAt)).toEqual(['2026-04-01T11:00:09.500Z', to, to]);
});

it('counts what is fetched in pieces once in ten minutes, also by a shared link', async () => {
  const { viewings } = stage.watching;
  const from = '2026-04-01T11:00:00.000Z';
  const look = async (by: Parameters<Viewings['open']>[0]['who'], at = from) => {
    // Ids are in order of time.
    stage.clock.step(1);
    await (await viewings.open({ who: by, device, channel: 1, kind: 'clip', from: at })).end();
  };
  for (let i = 0; i < 3; i++) await look(who());
  await look(who(), '2026-04-01T11:30:00.000Z');
  await look({ link: 'For the police' });
  await look({ link: 'For the police' });
  expect((await rows()).map(({ fromAt, link, userId }) => [fromAt?.slice(11, 16), link, userId !== null])).toEqual([
    ['11:00', null, true],
    ['11:30', null, true],
    ['11:00', 'For the police', false],
  ]);
  await stage.clock.jump(11 * 60_000);
  await look(who());
  expect(await rows()).toHaveLength(4);
  const listed = await (await stage.call(pia, 'GET', `/sites/${stage.siteId}/viewings`)).json();
  expect(listed.items[1]).toMatchObject({ kind: 'clip', user: { id: null, name: 'For the police', company: '' } });
});

it('ends those of a relay that broke off when they were last seen, and forgets them after ninety days', async () => {
  const { clock, db } = stage;
  const { viewings } = stage.watching;
  await viewings.open({ who: who(), device, channel: 1, kind: 'live', path: 'relay' });
  await clock.advance(61_000);
  const seen = clock.now() - 1_000;
  await until('it was seen', async () => Number((await rows())[0]?.seenMs) === seen);
  const next = new Viewings({ db, clock, log: pino({ level: 'silent' }) });
  await clock.advance(30_000);
  await next.start();
  expect(await rows()).toMatchObject([{ endedMs: seen }]);
  await clock.jump(91 * 86_400_000);
  await next.stop();
  expect(await rows()).toEqual([]);
});

it('writes the way by which pictures come once a second at most, however often a box says another', async () => {
  let writes = 0;
  const db = new Proxy(stage.db, {
    get: (target, name) => {
      if (name === 'updateTable') writes++;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const viewings = new Viewings({ db, clock: stage.clock, log: pino({ level: 'silent' }) });
  const view = await viewings.open({ who: who(), device, channel: 1, kind: 'live', path: 'direct' });
  for (let i = 0; i < 1_001; i++) view.path(i % 2 ? 'direct' : 'relay');
  view.path('direct');
  await until('the first', async () => (await rows())[0]?.path === 'relay');
  await until('the last', async () => {
    await stage.clock.advance(500);
    return (await rows())[0]?.path === 'direct';
  });
  expect(writes).toBe(2);
  view.path('relay');
  await view.end();
  expect(await rows()).toMatchObject([{ path: 'relay', endedMs: stage.clock.now() }]);
  await viewings.stop();
});

it('lets no more windows in because they are asked for at once', async () => {
  const { viewings } = stage.watching;
  const open = (channel: number) =>
    viewings.open({ who: who(), device, channel, kind: 'playback', path: 'relay' }).then(
      () => 'open',
      (error) => error.code,
    );
  const asked = Promise.all(Array.from({ length: 10 }, (_, i) => open(i + 1)));
  await stage.clock.advance(800);
  expect((await asked).filter((said) => said === 'open')).toHaveLength(4);
});
