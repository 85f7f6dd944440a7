import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { MoveCandidates, MoveDevices, MoveResult } from '../../protocol/wire/move.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Moves } from './moves.ts';

const SiteId = z.object({ siteId: Uuid });
const tags = ['Devices'];
const refusals = ['not-found', 'not-allowed', 'account-limited', 'permission-needed', 'site-status'] as const;

export function registerMoveRoutes(app: Api, { moves }: { moves: Moves }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/movable-devices',
      operationId: 'listMovableDevices',
      tags,
      summary: 'Devices of a site that may go to another, what they lose, and where they may go',
      request: { params: SiteId, query: z.object({ search: z.string().trim().max(64).default('') }) },
      responses: {
        200: json(MoveCandidates.meta({ id: 'MoveCandidates' }), 'At most 50 sites; search for others'),
        ...problems(...refusals),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      return c.json(await moves.candidates(c.get('scope'), siteId, c.req.valid('query').search), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/move-devices',
      operationId: 'moveDevices',
      tags,
      summary: 'Move devices to another site of the same owner',
      description:
        'What was set up for them (recording, ARC) is dropped. A device behind a box goes together with everything behind ' +
        'that box, or by way of a box at the new site that sees it. A site that is shared neither gives nor takes devices.',
      request: { params: SiteId, ...body(MoveDevices) },
      responses: {
        200: json(MoveResult.meta({ id: 'MoveResult' }), 'Device by device'),
        ...problems(...refusals, 'conflict'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const result = await moves.move(c.get('scope'), siteId, c.req.valid('json'));
      const moved = result.items.filter((item) => item.moved).length;
      c.set('audit', { siteId, detail: `${moved} moved`, target: { kind: 'site', id: result.siteId ?? siteId } });
      return c.json(result, 200);
    },
  );
}
