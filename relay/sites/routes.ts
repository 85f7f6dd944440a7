import { createRoute, z } from '@hono/zod-openapi';
import { page, Site } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import { CreateSite, EditSite, SiteQuery } from '../../protocol/wire/sites.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { SiteList } from './site-list.ts';
import type { Sites } from './sites.ts';
import type { Views } from './views.ts';

const SiteSchema = Site.meta({ id: 'Site' });
const SitePage = page(SiteSchema).meta({ id: 'SitePage' });
export const SiteParams = z.object({ siteId: Uuid });
const tags = ['Sites and boxes'];

export function registerSiteRoutes(app: Api, deps: { views: Views; sites: Sites; list: SiteList }): void {
  const { views, sites, list } = deps;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites',
      operationId: 'listSites',
      tags,
      summary: 'Sites in reach, by name; searched and filtered',
      description:
        'Each word of `q` is the beginning of a word of the name, address, city, remark, customer or a device, or the beginning or end of a serial. A page may hold fewer sites than asked for: go on while there is a `nextCursor`.',
      request: { query: SiteQuery },
      responses: { 200: json(SitePage, 'By name'), ...problems() },
    }),
    async (c) => c.json(await list.page(c.get('scope'), c.req.valid('query')), 200),
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites',
      operationId: 'createSite',
      tags,
      summary: 'Make a site',
      description: 'Its name is unique in the company; its time zone cannot be changed later.',
      request: body(CreateSite),
      responses: {
        201: json(SiteSchema, 'The site'),
        ...problems('not-allowed', 'account-limited', 'not-found', 'conflict', 'limit-reached'),
      },
    }),
    async (c) => {
      const site = await sites.create(c.get('scope'), c.req.valid('json'));
      c.set('audit', { siteId: site.id, target: { kind: 'site', id: site.id, name: site.name } });
      return c.json((await views.sites(c.get('scope'), [site]))[0]!, 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}',
      operationId: 'getSite',
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
      method: 'patch',
      path: '/sites/{siteId}',
      operationId: 'editSite',
      tags,
      summary: 'Change a site',
      description: 'Everything but its time zone, which is answered `conflict`. Only what is sent is changed.',
      request: { params: SiteParams, ...body(EditSite) },
      responses: {
        200: json(SiteSchema, 'The site'),
        ...problems('not-allowed', 'account-limited', 'permission-needed', 'not-found', 'conflict', 'site-status'),
      },
    }),
    async (c) => {
      const wanted = c.req.valid('json');
      const site = await sites.edit(c.get('scope'), c.req.valid('param').siteId, wanted);
      const detail = Object.keys(wanted).join(', ');
      c.set('audit', { siteId: site.id, target: { kind: 'site', id: site.id, name: site.name }, detail });
      return c.json((await views.sites(c.get('scope'), [site]))[0]!, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'delete',
      path: '/sites/{siteId}',
      operationId: 'deleteSite',
      tags,
      summary: 'Delete a site',
      description:
        'Possible in every status. Its boxes can be claimed again; its events and clips are no longer reachable. A site that a customer owns stays with the customer: the company gives up what it holds of it.',
      request: { params: SiteParams },
      responses: { 204: { description: 'Gone' }, ...problems('not-allowed', 'account-limited', 'not-found') },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const site = await c.get('scope').site(siteId);
      c.set('audit', { siteId, target: { kind: 'site', id: siteId, name: site.name } });
      await sites.remove(c.get('scope'), siteId);
      return c.body(null, 204);
    },
  );
}
