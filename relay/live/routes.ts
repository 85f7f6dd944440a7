import { createRoute, z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { StreamMessage } from '../../protocol/wire/api.ts';
import type { Api } from '../api/app.ts';
import { ProblemError, problems } from '../api/problem.ts';
import type { Leases } from '../auth/leases.ts';
import type { Sessions } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Live } from './live.ts';
import { reachOf, within } from './reach.ts';

const HEARTBEAT_MS = 15_000;
/** A page that does not keep up is disconnected; it reconnects by itself and reloads its lists. */
const MAX_QUEUED = 256;
const MAX_STREAMS_PER_USER = 32;

export function registerLiveRoutes(
  app: Api,
  {
    db,
    live,
    sessions,
    leases,
    clock,
    log,
  }: { db: Db; live: Live; sessions: Sessions; leases: Leases; clock: Clock; log: Logger },
): void {
  const open = new Map<string, number>();

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/stream',
      tags: ['Events'],
      summary: 'What changes at a site, as server-sent events',
      description:
        '`hello` comes first and after every reconnect: reload the lists then. Then `event`, `alarm`, `clip`, `box` and `device`, each with the item as the lists give it. Ends with the session.',
      request: { params: SiteParams },
      responses: {
        200: { description: 'A stream', content: { 'text/event-stream': { schema: z.string() } } },
        ...problems('not-found', 'too-many-tries'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      const { id: sessionId, expiresMs, userId } = c.get('principal');
      const site = await scope.site(c.req.valid('param').siteId);
      let reach = await reachOf(db, scope, site.id);
      const count = open.get(userId) ?? 0;
      if (count >= MAX_STREAMS_PER_USER) throw new ProblemError('too-many-tries', 'Close other pages first.');
      open.set(userId, count + 1);

      c.header('cache-control', 'no-store');
      c.header('x-accel-buffering', 'no');
      return streamSSE(c, async (stream) => {
        const queue: (StreamMessage | null)[] = [{ event: 'hello', data: {} }];
        let ended = false;
        let wake = () => {};
        const end = () => {
          ended = true;
          wake();
          // A reader that does not read would hold up the loop below for ever.
          c.env.outgoing.destroy();
        };
        const push = (message: StreamMessage | null) => {
          if (queue.length >= MAX_QUEUED) {
            log.info({ userId, siteId: site.id }, 'live stream too slow: closed');
            return end();
          }
          queue.push(message);
          wake();
        };
        const owned = [
          live.subscribe(site.id, (message) => within(reach, message) && push(message)),
          sessions.onEnd((id) => id === sessionId && end()),
          clock.after(Math.max(0, expiresMs - clock.now()), end),
          clock.every(HEARTBEAT_MS, () => push(null)),
          // A grant that ran out, or was taken away, ends what it opened.
          leases.hold(async () => {
            const now = await c.get('scopeNow')();
            await now.site(site.id);
            reach = await reachOf(db, now, site.id);
          }, end),
        ];
        stream.onAbort(end);
        try {
          while (!ended && !stream.aborted) {
            const message = queue.shift();
            if (message === undefined) {
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
            } else if (message === null) await stream.write(':\n\n');
            else await stream.writeSSE({ event: message.event, data: JSON.stringify(message.data) });
          }
        } finally {
          for (const release of owned) release();
          const left = (open.get(userId) ?? 1) - 1;
          if (left > 0) open.set(userId, left);
          else open.delete(userId);
        }
      });
    },
  );
}
