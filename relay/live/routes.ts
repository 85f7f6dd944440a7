import { createRoute, z } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { StreamMessage } from '../../protocol/wire/api.ts';
import type { Api } from '../api/app.ts';
import type { EventStreams } from '../api/event-stream.ts';
import { problems } from '../api/problem.ts';
import type { Db } from '../db/database.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Live } from './live.ts';
import { reachOf, within } from './reach.ts';

export function registerLiveRoutes(
  app: Api,
  { db, live, streams, log }: { db: Db; live: Live; streams: EventStreams; log: Logger },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/stream',
      operationId: 'streamSite',
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
      const site = await scope.site(c.req.valid('param').siteId);
      let reach = await reachOf(db, scope, site.id);
      return streams.answer<StreamMessage>(c, {
        hello: { event: 'hello', data: {} },
        subscribe: (push) => live.subscribe(site.id, (message) => within(reach, message) && push(message)),
        // A grant that ran out, or was taken away, ends what it opened.
        check: async (now) => {
          await now.site(site.id);
          reach = await reachOf(db, now, site.id);
        },
        log: log.child({ siteId: site.id }),
      });
    },
  );
}
