import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { EnrolRequest } from '../../protocol/wire/box-auth.ts';
import { bodyLimit } from '../api/body-limit.ts';
import { ProblemError, problemResponse } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { BoxAuthenticator } from './authenticate.ts';
import type { Enrolment } from './enrolment.ts';

/** What boxes ask for over plain HTTP before they can prove themselves (protocol/wire/box-auth.ts). */
export function boxRoutes(deps: {
  enrolment: Enrolment;
  authenticator: BoxAuthenticator;
  remote: RemoteAddress;
  log: Logger;
}): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(bodyLimit(4096));
  app.post('/enrol', async (c) => {
    const request = EnrolRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) throw new ProblemError('invalid-request', request.error.issues[0]?.message);
    const { created, state } = await deps.enrolment.enrol(request.data, deps.remote(c.env.incoming));
    return c.json({ state }, created ? 201 : 200);
  });
  app.post('/nonce', (c) => {
    c.header('cache-control', 'no-store');
    return c.json({ nonce: deps.authenticator.nonce(), expiresInMs: deps.authenticator.nonceLifetimeMs });
  });
  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    deps.log.error({ err: error, path: c.req.path }, 'request of a box failed');
    return problemResponse('internal-error');
  });
  return app;
}
