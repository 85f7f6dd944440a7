import { createRoute, z } from '@hono/zod-openapi';
import { page } from '../../protocol/wire/api.ts';
import {
  DecideApplication,
  DecideHandover,
  Handover,
  OpenHandover,
  Provider,
  SiteAccess,
  WithdrawPermissions,
} from '../../protocol/wire/handover.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Db } from '../db/database.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Applications } from './applications.ts';
import type { Handovers } from './handovers.ts';
import { providerOf } from './lookups.ts';
import type { Permissions } from './permissions.ts';
import { ApplicationQuery, ApplicationSchema } from './routes.ts';

const HandoverSchema = Handover.meta({ id: 'Handover' });
const AccessSchema = SiteAccess.meta({ id: 'SiteAccess' });
const HandoverParams = z.object({ handoverId: Uuid });
const RequestParams = z.object({ requestId: Uuid });
const tags = ['Customer'];

/** The customer's side: what is handed to him, what he is asked for, and who may do what at his sites. */
export function registerCustomerRoutes(
  app: Api,
  deps: { db: Db; handovers: Handovers; permissions: Permissions; applications: Applications; changed: () => void },
): void {
  const { db, handovers, permissions, applications, changed } = deps;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/handovers',
      operationId: 'listHandovers',
      tags,
      summary: 'Sites that wait to be accepted, sent to one’s verified address or number',
      responses: { 200: json(z.object({ items: z.array(HandoverSchema) }), 'Newest first'), ...problems() },
    }),
    async (c) => c.json({ items: await handovers.waiting(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/handovers/open',
      operationId: 'openHandover',
      tags,
      summary: 'What a handover’s link or QR code leads to',
      request: body(OpenHandover),
      responses: { 200: json(HandoverSchema, 'The handover'), ...problems('not-allowed', 'link-invalid') },
    }),
    async (c) => c.json(await handovers.open(c.get('scope'), c.req.valid('json').token), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/handovers/{handoverId}',
      operationId: 'getHandover',
      tags,
      summary: 'One handover',
      request: { params: HandoverParams },
      responses: { 200: json(HandoverSchema, 'The handover'), ...problems('not-found', 'link-invalid') },
    }),
    async (c) => c.json(await handovers.get(c.get('scope'), c.req.valid('param').handoverId), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/handovers/{handoverId}/accept',
      operationId: 'acceptHandover',
      tags,
      summary: 'Become the owner of a site, and grant what was asked for',
      request: { params: HandoverParams, ...body(DecideHandover) },
      responses: {
        200: json(HandoverSchema, 'Accepted'),
        ...problems('not-found', 'link-invalid', 'handover-blocked'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      const handover = await handovers.accept(scope, c.req.valid('param').handoverId, c.req.valid('json').token);
      changed();
      c.set('audit', { siteId: handover.siteId, companies: [handover.provider.id] });
      return c.json(handover, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/handovers/{handoverId}/reject',
      operationId: 'rejectHandover',
      tags,
      summary: 'Do not take a site over',
      request: { params: HandoverParams, ...body(DecideHandover) },
      responses: { 200: json(HandoverSchema, 'Rejected'), ...problems('not-found', 'link-invalid') },
    }),
    async (c) => {
      const scope = c.get('scope');
      const handover = await handovers.reject(scope, c.req.valid('param').handoverId, c.req.valid('json').token);
      c.set('audit', { siteId: handover.siteId, companies: [handover.provider.id] });
      return c.json(handover, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/requests',
      operationId: 'listRequests',
      tags,
      summary: 'Permissions that one is asked for, newest first',
      request: { query: ApplicationQuery },
      responses: { 200: json(page(ApplicationSchema), 'A page'), ...problems() },
    }),
    async (c) => c.json(await applications.received(c.get('scope'), c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/requests/{requestId}',
      operationId: 'getRequest',
      tags,
      summary: 'One request',
      request: { params: RequestParams },
      responses: { 200: json(ApplicationSchema, 'The request'), ...problems('not-found') },
    }),
    async (c) => c.json(await applications.get(c.get('scope'), c.req.valid('param').requestId, 'deciderId'), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/requests/{requestId}/decide',
      operationId: 'decideRequest',
      tags,
      summary: 'Approve or refuse, permission by permission',
      description: 'What is approved holds from now on for its validity; another one than was asked for can be given.',
      request: { params: RequestParams, ...body(DecideApplication) },
      responses: { 200: json(ApplicationSchema, 'The request'), ...problems('not-found', 'conflict') },
    }),
    async (c) => {
      const request = await applications.decide(c.get('scope'), c.req.valid('param').requestId, c.req.valid('json'));
      changed();
      c.set('audit', {
        siteId: request.siteId,
        target: { kind: 'permission-application', id: request.id },
        companies: [request.applicant.companyId],
      });
      return c.json(request, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/provider',
      operationId: 'getProvider',
      tags,
      summary: 'The company that serves a site',
      request: { params: SiteParams },
      responses: { 200: json(Provider.meta({ id: 'Provider' }), 'Name and contact'), ...problems('not-found') },
    }),
    async (c) => {
      const site = await c.get('scope').site(c.req.valid('param').siteId);
      return c.json(await providerOf(db, site.companyId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/access',
      operationId: 'getSiteAccess',
      tags,
      summary: 'Who may do what at one’s site now',
      request: { params: SiteParams },
      responses: { 200: json(AccessSchema, 'By company'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => c.json(await permissions.access(c.get('scope'), c.req.valid('param').siteId), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/access/withdraw',
      operationId: 'withdrawPermissions',
      tags,
      summary: 'Take permissions back: they are gone at once',
      request: { params: SiteParams, ...body(WithdrawPermissions) },
      responses: { 200: json(AccessSchema, 'What is left'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const { companyId, items } = c.req.valid('json');
      const left = await permissions.withdraw(c.get('scope'), siteId, companyId, items);
      c.set('audit', { siteId, detail: items.map((item) => item.permission).join(', '), companies: [companyId] });
      return c.json(left, 200);
    },
  );
}
