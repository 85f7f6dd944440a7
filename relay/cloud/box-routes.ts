import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import { CloudSettle, type CloudSettled } from '../../protocol/wire/cloud.ts';
import { ProblemError, problemResponse } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { BoxAuthenticator } from '../boxes/authenticate.ts';
import type { CloudSetups } from './setups.ts';

const MAX_REQUEST_BYTES = 4096;

/** Where a box says what became of a channel's set-up (protocol/wire/cloud.ts); mounted at /box/v1/cloud. */
export function cloudBoxRoutes(deps: {
  setups: CloudSetups;
  authenticator: BoxAuthenticator;
  remote: RemoteAddress;
  log: Logger;
}): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.post('/', async (c) => {
    if (!(Number(c.req.header('content-length')) <= MAX_REQUEST_BYTES)) throw new ProblemError('payload-too-large');
    const header = c.req.header('authorization');
    const auth = await deps.authenticator.authenticate(header, '/box/v1/cloud', deps.remote(c.env.incoming));
    if (!auth.ok) throw new ProblemError(auth.code);
    const said = CloudSettle.safeParse(await c.req.json().catch(() => null));
    if (!said.success) throw new ProblemError('invalid-request', said.error.issues[0]?.message);
    return c.json((await deps.setups.settle(auth.box.serial, said.data)) satisfies CloudSettled);
  });
  app.onError((error) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    deps.log.error({ err: error }, 'the end of a set-up could not be noted');
    return problemResponse('internal-error');
  });
  return app;
}
