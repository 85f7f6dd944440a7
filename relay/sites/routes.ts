import { createRoute, z } from '@hono/zod-openapi';
import { type Clock, iso } from '../../protocol/clock.ts';
import { Box, ClaimRequest, CreateSite, Site } from '../../protocol/wire/api.ts';
import { Serial, Uuid, uuidv7 } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Claims } from '../boxes/claims.ts';
import type { Db } from '../db/database.ts';
import { type BoxRow, sortName } from '../db/schema.ts';
import { isTimeZone } from './time-zone.ts';
import type { Views } from './views.ts';

const SiteSchema = Site.meta({ id: 'Site' });
const BoxSchema = Box.meta({ id: 'Box' });
export const SiteParams = z.object({ siteId: Uuid });
const BoxParams = z.object({ serial: Serial });
const tags = ['Sites and boxes'];

export function registerSiteRoutes(
  app: Api,
  deps: { db: Db; clock: Clock; views: Views; claims: Claims; remote: RemoteAddress },
): void {
  const { db, clock, views, claims } = deps;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites',
      tags,
      summary: 'Sites in reach',
      responses: { 200: json(z.object({ items: z.array(SiteSchema) }), 'By name'), ...problems() },
    }),
    async (c) => {
      const rows = await db
        .selectFrom('sites')
        .selectAll()
        .where('deletedAt', 'is', null)
        .where('id', 'in', c.get('scope').siteIds())
        .orderBy('sortName')
        .limit(1000)
        .execute();
      return c.json({ items: await views.sites(c.get('scope'), rows) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites',
      tags,
      summary: 'Make a site',
      request: body(CreateSite),
      responses: { 201: json(SiteSchema, 'The site'), ...problems('not-allowed', 'conflict') },
    }),
    async (c) => {
      const { name, timeZone } = c.req.valid('json');
      if (!isTimeZone(timeZone)) {
        throw new ProblemError('invalid-request', `timeZone: ${timeZone} is no time zone like Europe/Berlin`);
      }
      const scope = c.get('scope');
      scope.must('manage-all-sites', 'manage-assigned-sites');
      if (scope.limited) throw new ProblemError('account-limited');
      const now = clock.now();
      const id = uuidv7(now);
      const { companyId } = scope;
      const values = { id, companyId, name, timeZone, createdAt: iso(now), sortName: sortName(name) };
      const site = await db.transaction().execute(async (trx) => {
        const made = await trx
          .insertInto('sites')
          .values(values)
          .onConflict((o) => o.columns(['companyId', 'name']).where('deletedAt', 'is', null).doNothing())
          .returningAll()
          .executeTakeFirst();
        if (!made) throw new ProblemError('conflict', `There is a site “${name}” already.`);
        await trx
          .insertInto('grants')
          .values({ id: uuidv7(now), companyId, siteId: id, permission: 'all', source: 'site' })
          .execute();
        // Who may not reach every site reaches the one they made.
        if (!scope.may('manage-all-sites'))
          await trx.insertInto('site_managers').values({ siteId: id, userId: scope.userId, untilMs: null }).execute();
        return made;
      });
      return c.json((await views.sites(c.get('scope'), [site]))[0]!, 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}',
      tags,
      summary: 'One site',
      request: { params: SiteParams },
      responses: { 200: json(SiteSchema, 'The site'), ...problems('not-found') },
    }),
    async (c) => {
      const site = await c.get('scope').site(c.req.valid('param').siteId);
      return c.json((await views.sites(c.get('scope'), [site]))[0]!, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/boxes',
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
