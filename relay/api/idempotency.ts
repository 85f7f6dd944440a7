import { createHash } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Clock } from '../../protocol/clock.ts';
import type { Principal } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { ProblemError } from './problem.ts';

const KEEP_MS = 24 * 3_600_000;

/**
 * A POST with an `Idempotency-Key` is done once: who did not get the answer asks again with the same key and gets the
 * answer of the first time. Failures are not kept: after one the request may succeed.
 */
export function idempotency(db: Db, clock: Clock): MiddlewareHandler<{ Variables: { principal: Principal } }> {
  const running = new Set<string>();
  return async (c, next) => {
    const key = c.req.method === 'POST' ? c.req.header('idempotency-key') : undefined;
    const userId = c.get('principal')?.userId;
    if (key === undefined || userId === undefined) return next();
    if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
      throw new ProblemError('invalid-request', 'Idempotency-Key: 1 to 128 visible characters');
    }
    const requestHash = createHash('sha256')
      .update(`${c.req.path}\n${await c.req.text()}`)
      .digest('hex');
    const id = `${userId} ${key}`;
    if (running.has(id)) throw new ProblemError('conflict', 'The first request with this Idempotency-Key still runs.');
    running.add(id);
    try {
      const known = await db
        .selectFrom('idempotency_keys')
        .selectAll()
        .where('userId', '=', userId)
        .where('key', '=', key)
        .where('createdMs', '>', clock.now() - KEEP_MS)
        .executeTakeFirst();
      if (known && known.requestHash !== requestHash) {
        throw new ProblemError('conflict', 'This Idempotency-Key was used for another request.');
      }
      if (known) {
        const headers = { 'content-type': 'application/json', 'idempotency-replayed': 'true' };
        return new Response(known.body, { status: known.status, headers });
      }
      await next();
      if (c.res.status !== 201) return;
      const body = await c.res.clone().text();
      const values = { requestHash, status: c.res.status, body, createdMs: clock.now() };
      await db
        .deleteFrom('idempotency_keys')
        .where('createdMs', '<=', clock.now() - KEEP_MS)
        .execute();
      await db
        .insertInto('idempotency_keys')
        .values({ userId, key, ...values })
        .execute();
    } finally {
      running.delete(id);
    }
  };
}
