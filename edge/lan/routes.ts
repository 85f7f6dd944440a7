import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import { BoxMac, BoxRecovery, BoxReset, BoxSetAddress, BoxUnbind } from '../../protocol/wire/lan.ts';
import type { ProblemCode } from '../../protocol/wire/problem.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { LanWork } from './lan-work.ts';

type Done<T> = { ok: true; value: T } | { ok: false; code: ProblemCode; detail: string };

/** The part of the box's API that is about devices of the LAN by their MAC (protocol/wire/lan.ts), under `/v1/lan`. */
export function lanRoutes(lan: Pick<LanWork, 'setAddress' | 'questions' | 'setRecovery' | 'reset' | 'unbind'>): Hono {
  const app = new Hono();
  const on = <T, R>(path: string, schema: z.ZodType<T>, fn: (wanted: T) => Promise<Done<R>>) =>
    app.post(path, async (c: Context) => {
      const wanted = schema.safeParse(await c.req.json().catch(() => null));
      if (!wanted.success) return invalidRequest(wanted.error);
      const done = await fn(wanted.data);
      return done.ok ? c.json(done.value) : problemResponse(done.code, done.detail);
    });
  on('/addresses', BoxSetAddress, (wanted) => lan.setAddress(wanted));
  on('/questions', BoxMac, ({ mac }) => lan.questions(mac));
  on('/recovery', BoxRecovery, (wanted) => lan.setRecovery(wanted));
  on('/reset', BoxReset, (wanted) => lan.reset(wanted));
  on('/unbind', BoxUnbind, (wanted) => lan.unbind(wanted));
  return app;
}
