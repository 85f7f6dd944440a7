import { createRoute, z } from '@hono/zod-openapi';
import { EventDetail, EventItem, EventQuery, page } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { json, ProblemError, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { EventQueries } from './queries.ts';

const tags = ['Events'];

export function registerEventRoutes(app: Api, { events }: { events: EventQueries }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/events',
      operationId: 'listEvents',
      tags,
      summary: 'Events of a site, newest first in the order the relay stored them',
      description:
        'With `from` and `to`: what happened in that time, earliest first, of the site or of a device and one of its channels.',
      request: { params: SiteParams, query: EventQuery },
      responses: {
        200: json(page(EventItem.meta({ id: 'EventItem' })), 'A page'),
        ...problems('not-found', 'invalid-request'),
      },
    }),
    async (c) => {
      const query = c.req.valid('query');
      const narrowed = query.deviceId !== undefined || query.channel !== undefined;
      if ((query.from === undefined) !== (query.to === undefined) || (narrowed && query.from === undefined))
        throw new ProblemError('invalid-request', 'from and to belong together, and to deviceId and channel.');
      return c.json(await events.list(c.get('scope'), c.req.valid('param').siteId, query), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/events/{eventId}',
      operationId: 'getEvent',
      tags,
      summary: 'One event with its clip and what became of its alarms',
      request: { params: z.object({ eventId: Uuid }) },
      responses: { 200: json(EventDetail.meta({ id: 'EventDetail' }), 'The event'), ...problems('not-found') },
    }),
    async (c) => c.json(await events.detail(c.get('scope'), c.req.valid('param').eventId), 200),
  );
}
