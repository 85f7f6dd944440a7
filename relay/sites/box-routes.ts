import { createRoute, z } from '@hono/zod-openapi';
import { Box, ClaimRequest } from '../../protocol/wire/api.ts';
import { Serial } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Claims } from '../boxes/claims.ts';
import type { Db } from '../db/database.ts';
import type { BoxRow } from '../db/schema.ts';
import { SiteParams } from './routes.ts';
import type { Views } from './views.ts';

const BoxSchema = Box.meta({ id: 'Box' });
const BoxParams = z.object({ serial: Serial });
const tags = ['Sites and boxes'];

export function registerBoxRoutes(
  app: Api,
  deps: { db: Db; views: Views; claims: Claims; remote: RemoteAddress },
): void {
  const { db, views, claims } = deps;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/boxes',
      operationId: 'listBoxes',
      tags,
      summary: 'Boxes of a site',
      request: { params: SiteParams },
      responses: { 200: json(z.object({ items: z.array(BoxSchema) }), 'By serial'), ...problems('not-found') },
    }),
    async (c) => {
      const site = await c.get('scope').site(c.req.valid('param').siteId);
      if (!(await c.get('scope').holds(site.id, null, 'view'))) return c.json({ items: [] }, 200);
      const rows = await db.selectFrom('boxes').selectAll().where('siteId', '=', site.id).orderBy('serial').execute();
      return c.json({ items: rows.map((row) => views.box(row)) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/boxes',
      operationId: 'claimBox',
      tags,
      summary: 'Claim a box for a site',
      description:
        'Serial and code stand on the set-up page of the box. Five wrong tries an hour for a box and an address.',
      request: { params: SiteParams, ...body(ClaimRequest) },
      responses: {
        201: json(BoxSchema, 'The box'),
        ...problems('not-allowed', 'not-found', 'claim-refused', 'already-claimed', 'box-revoked', 'too-many-tries'),
      },
    }),
    async (c) => {
      const { serial, code } = c.req.valid('json');
      const { siteId } = c.req.valid('param');
      await claims.claim(c.get('scope'), siteId, serial, code, deps.remote(c.env.incoming));
      return c.json(views.box(await boxRow(serial)), 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/boxes/{serial}/revoke',
      operationId: 'revokeBox',
      tags,
      summary: 'Revoke a box for good',
      description: 'Its connections are cut at once and its key is never let in again.',
      request: { params: BoxParams },
      responses: { 200: json(BoxSchema, 'The box'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      const { serial } = c.req.valid('param');
      await claims.revoke(c.get('scope'), serial);
      return c.json(views.box(await boxRow(serial)), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/boxes/{serial}/clear-duplicate',
      operationId: 'clearDuplicateBox',
      tags,
      summary: 'Let a box in again whose identity was used twice',
      request: { params: BoxParams },
      responses: { 200: json(BoxSchema, 'The box'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { serial } = c.req.valid('param');
      await claims.clearDuplicate(c.get('scope'), serial);
      return c.json(views.box(await boxRow(serial)), 200);
    },
  );

  /** Only after the scope has let the caller reach it. */
  const boxRow = (serial: string): Promise<BoxRow> =>
    db.selectFrom('boxes').selectAll().where('serial', '=', serial).executeTakeFirstOrThrow();
}
