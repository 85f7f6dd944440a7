import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { AssignSites, BatchResult, SetValidity, SiteManager } from '../../protocol/wire/sites.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Managers } from './managers.ts';
import { SiteParams } from './routes.ts';

const ManagerSchema = SiteManager.meta({ id: 'SiteManager' });
const ManagerList = z.object({ items: z.array(ManagerSchema) });
const ManagerParams = SiteParams.extend({ userId: Uuid });
export const BatchSchema = BatchResult.meta({ id: 'BatchResult' });
const tags = ['Site managers'];
const REFUSALS = ['not-allowed', 'account-limited', 'not-found', 'conflict', 'limit-reached', 'site-status'] as const;

export function registerManagerRoutes(app: Api, { managers }: { managers: Managers }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/managers',
      operationId: 'listSiteManagers',
      tags,
      summary: 'Employees whom a site is assigned to',
      request: { params: SiteParams },
      responses: { 200: json(ManagerList, 'By name'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await managers.list(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/sites/{siteId}/managers/{userId}',
      operationId: 'setManagerValidity',
      tags,
      summary: 'Change until when somebody manages a site; `until` null is Lifetime',
      request: { params: ManagerParams, ...body(SetValidity) },
      responses: { 200: json(ManagerList, 'By name'), ...problems(...REFUSALS) },
    }),
    async (c) => {
      const { siteId, userId } = c.req.valid('param');
      const { until } = c.req.valid('json');
      const items = await managers.setValidity(c.get('scope'), siteId, { userId, until });
      const name = items.find((manager) => manager.userId === userId)?.name;
      c.set('audit', { siteId, target: { kind: 'employee', id: userId, name }, detail: until ?? 'Lifetime' });
      return c.json({ items }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/sites/{siteId}/managers/{userId}',
      operationId: 'removeSiteManager',
      tags,
      summary: 'End an assignment',
      description: 'Without Manage All Sites only one’s own. One manager with Lifetime stays.',
      request: { params: ManagerParams },
      responses: { 204: { description: 'Gone' }, ...problems(...REFUSALS) },
    }),
    async (c) => {
      const { siteId, userId } = c.req.valid('param');
      await managers.remove(c.get('scope'), siteId, userId);
      c.set('audit', { siteId, target: { kind: 'employee', id: userId } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/assignable-employees',
      operationId: 'listAssignableEmployees',
      tags,
      summary: 'Employees to whom sites can be assigned',
      responses: {
        200: json(z.object({ items: z.array(ManagerSchema.omit({ until: true })) }), 'By name'),
        ...problems('not-allowed'),
      },
    }),
    async (c) => c.json({ items: await managers.candidates(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/site-assignments',
      operationId: 'assignSites',
      tags,
      summary: 'Assign sites to employees',
      description:
        'Each of the sites to each of the people, until the time given or for Lifetime (null). A site that refuses is named with the reason and holds up no other.',
      request: body(AssignSites),
      responses: { 201: json(BatchSchema, 'What was done'), ...problems(...REFUSALS) },
    }),
    async (c) => {
      const wanted = c.req.valid('json');
      const result = await managers.assign(c.get('scope'), wanted);
      const detail = `${result.done.length} sites to ${wanted.managers.length} people`;
      const [only] = wanted.siteIds.length === 1 ? result.done : [];
      c.set('audit', { ...(only ? { siteId: only } : {}), detail });
      return c.json(result, 201);
    },
  );
}
