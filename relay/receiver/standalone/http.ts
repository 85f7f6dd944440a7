import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { sql } from 'kysely';
import type { ProblemCode } from '../../../protocol/wire/problem.ts';
import { problemResponse } from '../../api/problem.ts';
import type { Db } from '../../db/database.ts';
import { Metrics } from '../../web/metrics.ts';
import type { ReceivingCentre } from '../centre.ts';
import type { ReceiverLine } from '../line.ts';
import { MAX_WAIT_S } from '../pull.ts';

/** Health, metrics, state and the pull API of a receiver alone. */
export function standaloneApp(o: {
  db: Db;
  owner: string;
  token: string | null;
  centre: ReceivingCentre;
  line: ReceiverLine;
  stopping: () => boolean;
}): Hono<{ Bindings: HttpBindings }> {
  const { db, centre, line } = o;
  const metrics = new Metrics();
  let waiting = 0;
  metrics.gauge('gatepost_receiver_taken', 'Messages taken since the start', () => centre.inbox.taken);
  metrics.gauge('gatepost_receiver_repeats', 'Of these the ones that were taken before', () => centre.inbox.repeats);
  metrics.gauge('gatepost_receiver_refused', 'Frames that were not taken', () => line.refused);
  metrics.gauge('gatepost_receiver_silent', 'Accounts that nothing comes from', () => centre.supervision.silent);
  metrics.gauge('gatepost_receiver_waiting', 'Messages that outputs have not handed on yet', () => waiting);

  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    if (o.stopping()) return c.json({ status: 'stopping' }, 503);
    try {
      await sql`select 1`.execute(db);
      return c.json({ status: 'ok' });
    } catch {
      return c.json({ status: 'database' }, 503);
    }
  });
  app.get('/metrics', async (c) => {
    waiting = await centre.outputs.waiting();
    return c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType });
  });

  const fail = (code: ProblemCode, text: string) => problemResponse(code, text);
  const digest = (text: string) => createHash('sha256').update(text).digest();
  app.use('/v1/*', async (c, next) => {
    if (o.token === null) return fail('not-found', 'http.token is not set in the configuration: there is no pull API.');
    const given = c.req.header('authorization')?.replace(/^Bearer /, '') ?? '';
    if (!timingSafeEqual(digest(given), digest(o.token))) return fail('not-signed-in', 'Authorization: Bearer …');
    await next();
  });
  app.get('/v1/outputs', async (c) => c.json({ items: await centre.outputs.list(o.owner) }));
  app.post('/v1/outputs/:name/test', async (c) => {
    const row = await output(c);
    if (!row) return fail('not-found', 'There is no such output.');
    return c.json({ messageId: await centre.test(row, '0000') }, 202);
  });
  app.get('/v1/outputs/:name/messages', async (c) => {
    const row = await output(c);
    if (row?.kind !== 'pull') return fail('not-found', 'There is no such output of kind pull.');
    const number = (name: string, max: number, fallback: number) => {
      const value = Number(c.req.query(name) ?? fallback);
      return Number.isInteger(value) && value >= 0 && value <= max ? value : null;
    };
    const limit = number('limit', 500, 100);
    const waitS = number('wait', MAX_WAIT_S, 0);
    const after = c.req.query('after') === undefined ? null : number('after', Number.MAX_SAFE_INTEGER, 0);
    if (!limit || waitS === null || (after === null && c.req.query('after') !== undefined))
      return fail('invalid-request', `limit 1 to 500, wait 0 to ${MAX_WAIT_S}, after: a cursor`);
    const found = await centre.pull.read(row, { limit, waitMs: waitS * 1000, after, signal: c.req.raw.signal });
    return found ? c.json(found) : fail('too-many-requests', 'Too many requests wait already.');
  });
  app.post('/v1/outputs/:name/commit', async (c) => {
    const row = await output(c);
    if (row?.kind !== 'pull') return fail('not-found', 'There is no such output of kind pull.');
    const { cursor } = await c.req.json().catch(() => ({}));
    if (typeof cursor !== 'string' || !/^\d{1,15}$/.test(cursor)) return fail('invalid-request', '{"cursor": "…"}');
    if (!(await centre.pull.commit(row, Number(cursor)))) return fail('conflict', 'No message has this cursor.');
    return c.body(null, 204);
  });
  app.notFound(() => fail('not-found', 'There is no such thing here.'));
  return app;

  function output(c: Context) {
    return db
      .selectFrom('receiver_outputs')
      .selectAll()
      .where('owner', '=', o.owner)
      .where('enabled', '=', 1)
      .where('name', '=', c.req.param('name') ?? '')
      .executeTakeFirst();
  }
}
