import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { MoveToGroup, SaveGroup, SiteGroup } from '../../protocol/wire/sites.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Groups } from './groups.ts';
import { BatchSchema } from './manager-routes.ts';

const GroupSchema = SiteGroup.meta({ id: 'SiteGroup' });
const GroupParams = z.object({ groupId: Uuid });
const tags = ['Site groups'];
const REFUSALS = ['not-allowed', 'account-limited', 'not-found', 'conflict'] as const;

export function registerGroupRoutes(app: Api, { groups }: { groups: Groups }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/site-groups',
      operationId: 'listSiteGroups',
      tags,
      summary: 'Groups of the company’s personal sites',
      responses: { 200: json(z.object({ items: z.array(GroupSchema) }), 'By name'), ...problems() },
    }),
    async (c) => c.json({ items: await groups.list(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/site-groups',
      operationId: 'createSiteGroup',
      tags,
      summary: 'Make a group',
      request: body(SaveGroup),
      responses: { 201: json(GroupSchema, 'The group'), ...problems(...REFUSALS, 'limit-reached') },
    }),
    async (c) => {
      const group = await groups.create(c.get('scope'), c.req.valid('json').name);
      c.set('audit', { target: { kind: 'site-group', id: group.id, name: group.name } });
      return c.json(group, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/site-groups/{groupId}',
      operationId: 'renameSiteGroup',
      tags,
      summary: 'Rename a group',
      request: { params: GroupParams, ...body(SaveGroup) },
      responses: { 200: json(GroupSchema, 'The group'), ...problems(...REFUSALS) },
    }),
    async (c) => {
      const { groupId } = c.req.valid('param');
      const { name } = c.req.valid('json');
      const group = await groups.rename(c.get('scope'), groupId, name);
      c.set('audit', { target: { kind: 'site-group', id: groupId, name } });
      return c.json(group, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/site-groups/{groupId}',
      operationId: 'deleteSiteGroup',
      tags,
      summary: 'Delete a group; its sites stay, in no group',
      request: { params: GroupParams },
      responses: { 204: { description: 'Gone' }, ...problems(...REFUSALS) },
    }),
    async (c) => {
      const { groupId } = c.req.valid('param');
      await groups.remove(c.get('scope'), groupId);
      c.set('audit', { target: { kind: 'site-group', id: groupId } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/site-groups/moves',
      operationId: 'moveSitesToGroup',
      tags,
      summary: 'Move personal sites to a group, a new group, or out of theirs',
      request: body(MoveToGroup),
      responses: { 201: json(BatchSchema, 'What was done'), ...problems(...REFUSALS, 'site-status', 'limit-reached') },
    }),
    async (c) => {
      const result = await groups.move(c.get('scope'), c.req.valid('json'));
      c.set('audit', { detail: `${result.done.length} sites` });
      return c.json(result, 201);
    },
  );
}
