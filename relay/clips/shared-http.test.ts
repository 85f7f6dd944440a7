import { pino } from 'pino';
import { expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Leases } from '../auth/leases.ts';
import { sharedRoutes } from './shared-http.ts';

const leave = async (asked: Response | Promise<Response>): Promise<Response> => {
  const answer = await asked;
  await answer.body?.cancel();
  return answer;
};

/** A link whose clip never ends; `write`: what becomes of writing down that somebody looks. */
function link(write: () => Promise<void>) {
  const clock = new ManualClock();
  const read = { now: 0, all: 0 };
  const file = {
    size: 1e9,
    etag: '"1"',
    async *read() {
      read.now++;
      read.all++;
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        read.now--;
      }
    },
  };
  const clip = { id: 'c', deviceId: 'd' };
  const db = {
    selectFrom: () => ({ selectAll: () => ({ where: () => ({ executeTakeFirst: () => write().then(() => null) }) }) }),
  };
  const app = sharedRoutes({
    db: db as never,
    clips: { open: async () => ({ clip, file }) } as never,
    shares: { open: async () => ({ clip, scope: {}, share: { id: 's', note: '' } }) } as never,
    leases: new Leases({ clock }),
    looks: { db: db as never, viewings: {} as never },
    clock,
    remote: () => '192.0.2.1',
    log: pino({ level: 'silent' }),
  });
  const ask = () => app.request('/s/token/video', {}, { incoming: {} });
  return { ask, read };
}

it('a link is played by so many at once and no more, also when all of them come at once; who goes makes room', async () => {
  const { ask, read } = link(async () => {});
  const all = await Promise.all(Array.from({ length: 30 }, ask));
  const played = all.filter(({ status }) => status === 200);
  expect([played.length, all.filter(({ status }) => status === 429).length]).toEqual([20, 10]);
  for (const { body } of played) await body!.cancel();
  await expect.poll(async () => (await leave(ask())).status).toBe(200);
  await expect.poll(() => read.now).toBe(0);
});

it('of a look that cannot be written down nothing is read on', async () => {
  const { ask, read } = link(() => Promise.reject(new Error('the database is away')));
  const all = await Promise.all(Array.from({ length: 25 }, ask));
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([500, 429]));
  await expect.poll(async () => (await ask()).status).toBe(500);
  await expect.poll(() => read.now).toBe(0);
});
