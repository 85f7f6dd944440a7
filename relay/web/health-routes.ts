import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { sql } from 'kysely';
import { problemResponse } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Db } from '../db/database.ts';
import type { Metrics } from './metrics.ts';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** `/healthz`: the program runs. `/readyz`: it can serve. `/metrics`: for loopback, or with the token. */
export function healthRoutes(deps: {
  db: Db;
  metrics: Metrics;
  metricsToken?: string;
  remote: RemoteAddress;
  stopping: () => boolean;
}): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    if (deps.stopping()) return c.json({ status: 'stopping' }, 503);
    try {
      await sql`select 1`.execute(deps.db);
      return c.json({ status: 'ok' });
    } catch {
      return c.json({ status: 'database' }, 503);
    }
  });
  app.get('/metrics', async (c) => {
    const allowed = deps.metricsToken
      ? c.req.header('authorization') === `Bearer ${deps.metricsToken}`
      : LOOPBACK.test(deps.remote(c.env.incoming));
    if (!allowed) return problemResponse('not-allowed', 'Metrics are for loopback, or for who has the metrics token.');
    return c.body(await deps.metrics.registry.metrics(), 200, { 'content-type': deps.metrics.registry.contentType });
  });
  return app;
}
