import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery } from '../../../protocol/wire/api.ts';
import {
  ArcLegs,
  ArcRequest,
  ArcRequestPage,
  AuthorizeSite,
  DecideArcRequest,
  EnableArcDevice,
  SiteArc,
} from '../../../protocol/wire/arc-service.ts';
import { Uuid } from '../../../protocol/wire/ids.ts';
import type { Api } from '../../api/app.ts';
import { body, json, problems } from '../../api/problem.ts';
import type { Scope } from '../../auth/scope.ts';
import { SiteParams } from '../../sites/routes.ts';
import type { ServiceRequests } from './requests.ts';
import type { SiteService } from './site-service.ts';

export const tags = ['ARC service'];
const SiteArcSchema = SiteArc.meta({ id: 'SiteArc' });
const DeviceParams = SiteParams.extend({ deviceId: Uuid });
const RequestParams = z.object({ requestId: Uuid });
const REFUSED = [
  ...(['not-found', 'not-allowed', 'account-limited', 'permission-needed'] as const),
  ...(['site-status', 'conflict'] as const),
] as const;

interface Deps {
  site: SiteService;
  requests: ServiceRequests;
  legs: (scope: Scope, siteId: string) => Promise<ArcLegs[]>;
}

/** The side of who manages a site, or owns it. */
export function registerSiteServiceRoutes(app: Api, { site, requests, legs }: Deps): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/arc-service',
      operationId: 'getSiteArc',
      tags,
      summary: 'The centre that a site is authorised to, and the ARC service of each of its devices',
      request: { params: SiteParams },
      responses: { 200: json(SiteArcSchema, 'The devices once the site is authorised'), ...problems(...REFUSED) },
    }),
    async (c) => c.json(await site.of(c.get('scope'), c.req.valid('param').siteId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/sites/{siteId}/arc-service',
      operationId: 'authorizeSiteToArc',
      tags,
      summary: 'Authorise a personal site to one centre of the list',
      request: { params: SiteParams, ...body(AuthorizeSite) },
      responses: { 200: json(SiteArcSchema, 'The devices that can be enabled'), ...problems(...REFUSED) },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const done = await site.authorize(c.get('scope'), siteId, c.req.valid('json').arcId);
      const { id, name } = done.authorization!.arc;
      c.set('audit', { siteId, target: { kind: 'company', id, name }, companies: [id] });
      return c.json(done, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/sites/{siteId}/arc-service',
      operationId: 'withdrawSiteFromArc',
      tags,
      summary: 'Withdraw a site from its centre; every service of it ends',
      request: { params: SiteParams },
      responses: { 204: { description: 'Withdrawn' }, ...problems(...REFUSED) },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const { id, name } = await site.withdraw(c.get('scope'), siteId);
      c.set('audit', { siteId, target: { kind: 'company', id, name }, companies: [id] });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/sites/{siteId}/arc-service/devices/{deviceId}',
      operationId: 'enableArcDevice',
      tags,
      summary: 'Enable the ARC service of a device; nothing reaches the centre before it accepts',
      description: 'Of a service that runs, only the offline delay, pictures and clips can be changed this way.',
      request: { params: DeviceParams, ...body(EnableArcDevice) },
      responses: { 200: json(SiteArcSchema, 'All devices of the site'), ...problems(...REFUSED) },
    }),
    async (c) => {
      const { siteId, deviceId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      const { id, name } = await site.enable(c.get('scope'), siteId, deviceId, wanted);
      c.set('audit', { siteId, target: { kind: 'device', id, name }, detail: wanted.account });
      return c.json(await site.of(c.get('scope'), siteId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/sites/{siteId}/arc-service/devices/{deviceId}',
      tags,
      operationId: 'disableArcDevice',
      summary: 'Turn the ARC service of a device off',
      request: { params: DeviceParams },
      responses: { 204: { description: 'Off' }, ...problems(...REFUSED) },
    }),
    async (c) => {
      const { siteId, deviceId } = c.req.valid('param');
      const { id, name } = await site.turnOff(c.get('scope'), siteId, deviceId);
      c.set('audit', { siteId, target: { kind: 'device', id, name } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/arc-paths',
      operationId: 'listArcLegs',
      tags,
      summary: 'How long the last alarms of each account took on each leg of their way',
      request: { params: SiteParams },
      responses: {
        200: json(z.object({ items: z.array(ArcLegs.meta({ id: 'ArcLegs' })) }), 'One an account'),
        ...problems('not-found', 'permission-needed'),
      },
    }),
    async (c) => c.json({ items: await legs(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-requests',
      operationId: 'listArcRequests',
      tags,
      summary: 'Changes of the ARC service that wait, or waited, for your approval',
      request: {
        query: PageQuery.extend({ pending: z.stringbool().default(false), siteId: Uuid.optional() }),
      },
      responses: { 200: json(ArcRequestPage, 'Newest first'), ...problems() },
    }),
    async (c) => c.json(await requests.list(c.get('scope'), c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-requests/{requestId}/decide',
      operationId: 'decideArcRequest',
      tags,
      summary: 'Approve or refuse; refused, everything stays as it is',
      request: { params: RequestParams, ...body(DecideArcRequest) },
      responses: { 200: json(ArcRequest.meta({ id: 'ArcRequest' }), 'The request'), ...problems(...REFUSED) },
    }),
    async (c) => {
      const { approve } = c.req.valid('json');
      const done = await requests.decide(c.get('scope'), c.req.valid('param').requestId, approve);
      const { siteId, deviceId: id, deviceName: name } = done;
      const detail = `${done.kind}: ${approve ? 'approved' : 'refused'}`;
      c.set('audit', { siteId, target: { kind: 'device', id, name }, detail, companies: [done.arc.id] });
      return c.json(done, 200);
    },
  );
}
