import { Hono } from 'hono';
import { type ArcMessageQueued, ArcMessageRequest } from '../../protocol/wire/arc-message.ts';
import { invalidRequest, problemResponse } from '../problem-response.ts';
import type { ArcService } from './service.ts';

/** The part of the box's API that is about accounts at receivers (protocol/wire/arc-message.ts), under `/v1/arc`. */
export function arcRoutes({ arc }: { arc: Pick<ArcService, 'say'> }): Hono {
  const app = new Hono();
  app.post('/:accountId/messages', async (c) => {
    const request = ArcMessageRequest.safeParse(await c.req.json().catch(() => null));
    if (!request.success) return invalidRequest(request.error);
    const queued = arc.say(c.req.param('accountId'), request.data.kind);
    if (!queued) return problemResponse('not-found', 'This box has no such account (yet).');
    return c.json(queued satisfies ArcMessageQueued, 202);
  });
  return app;
}
