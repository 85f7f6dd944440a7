import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import {
  ApplyAuthorization,
  ApplyPermissions,
  CreateTransfer,
  PermissionApplication,
  ReleasePermissions,
  SentTransfer,
  SitePermissions,
  TransferStatus,
} from '../../protocol/wire/handover.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api, ApiEnv } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { SiteParams } from '../sites/routes.ts';
import type { Applications } from './applications.ts';
import type { Permissions } from './permissions.ts';
import type { Transfers } from './transfers.ts';

const StatusSchema = TransferStatus.meta({ id: 'TransferStatus' });
const SentSchema = SentTransfer.meta({ id: 'SentTransfer' });
const PermissionsSchema = SitePermissions.meta({ id: 'SitePermissions' });
export const ApplicationSchema = PermissionApplication.meta({ id: 'PermissionApplication' });
export const ApplicationQuery = PageQuery.extend({
  cursor: Uuid.optional(),
  siteId: Uuid.optional(),
  open: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .openapi({ description: 'Only those that wait for a decision, or only those that do not.' }),
});
const ApplicationParams = z.object({ applicationId: Uuid });
const tags = ['Handover'];
/** What the operation log says of it. Only after the site was found in reach: an entry names its site. */
async function note(c: Context<ApiEnv>, siteId: string, detail?: string): Promise<void> {
  await c.get('scope').site(siteId);
  c.set('audit', { siteId, ...(detail === undefined ? {} : { detail }) });
}
const REFUSALS = ['not-allowed', 'account-limited', 'permission-needed', 'not-found', 'site-status'] as const;

/** The installer's side: transfers, and permissions that are asked for and given back. */
export function registerHandoverRoutes(
  app: Api,
  deps: { transfers: Transfers; permissions: Permissions; applications: Applications; publicUrl: () => URL | null },
): void {
  const { transfers, permissions, applications } = deps;
  const origin = (url: string) => (deps.publicUrl() ?? new URL(url)).origin;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/transfer',
      operationId: 'getTransfer',
      tags,
      summary: 'How the handover of a site stands, and what is in its way',
      request: { params: SiteParams },
      responses: { 200: json(StatusSchema, 'The state'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => c.json(await transfers.status(c.get('scope'), c.req.valid('param').siteId), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/transfer',
      operationId: 'transferSite',
      tags,
      summary: 'Hand a site over to its customer',
      description:
        'By e-mail, SMS or QR code. The requested permissions are granted when the customer accepts. The answer to a QR code carries its link, this once.',
      request: { params: SiteParams, ...body(CreateTransfer) },
      responses: {
        201: json(SentSchema, 'Sent'),
        ...problems(...REFUSALS, 'handover-blocked', 'limit-reached', 'outbox-full'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const input = c.req.valid('json');
      await note(c, siteId, input.method);
      c.set('secret', true);
      return c.json(await transfers.send(c.get('scope'), siteId, input, origin(c.req.url)), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/transfer/resend',
      operationId: 'resendTransfer',
      tags,
      summary: 'Send a handover again; the former message no longer works',
      description: 'Five times a day, in the site’s time zone.',
      request: { params: SiteParams },
      responses: {
        201: json(SentSchema, 'Sent'),
        ...problems(...REFUSALS, 'link-invalid', 'handover-blocked', 'limit-reached', 'outbox-full'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      await note(c, siteId);
      c.set('secret', true);
      return c.json(await transfers.resend(c.get('scope'), siteId, origin(c.req.url)), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/transfer/cancel',
      operationId: 'cancelTransfer',
      tags,
      summary: 'Take a handover back that was not accepted yet',
      request: { params: SiteParams },
      responses: { 200: json(StatusSchema, 'The state'), ...problems(...REFUSALS, 'link-invalid') },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      await note(c, siteId);
      return c.json(await transfers.cancel(c.get('scope'), siteId), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/permissions',
      operationId: 'getSitePermissions',
      tags,
      summary: 'What the own company may do at a site, until when, and what it can ask for',
      request: { params: SiteParams },
      responses: { 200: json(PermissionsSchema, 'Permissions'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => c.json(await permissions.held(c.get('scope'), c.req.valid('param').siteId), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/permissions/release',
      operationId: 'releasePermissions',
      tags,
      summary: 'Give permissions back: they are gone at once',
      request: { params: SiteParams, ...body(ReleasePermissions) },
      responses: {
        200: json(PermissionsSchema, 'What is left'),
        ...problems('not-allowed', 'account-limited', 'not-found', 'conflict'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const { items } = c.req.valid('json');
      await note(c, siteId, items.map((item) => item.permission).join(', '));
      return c.json(await permissions.release(c.get('scope'), siteId, items), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/authorization-applications',
      operationId: 'applyForSiteAuthorization',
      tags,
      summary: 'Ask the owner for the site authorisation',
      description: 'Only while the site is Handed Over, Not Authorized.',
      request: { params: SiteParams, ...body(ApplyAuthorization) },
      responses: { 201: json(ApplicationSchema, 'The application'), ...problems(...REFUSALS, 'conflict') },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      await note(c, siteId);
      return c.json(await applications.applyAuthorization(c.get('scope'), siteId, c.req.valid('json')), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/permission-applications',
      operationId: 'applyForPermissions',
      tags,
      summary: 'Ask for permissions of one or several devices, each with its validity',
      description: 'Team sites: `services` and `system`, without a device.',
      request: { params: SiteParams, ...body(ApplyPermissions) },
      responses: { 201: json(ApplicationSchema, 'The application'), ...problems(...REFUSALS, 'conflict') },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const input = c.req.valid('json');
      await note(c, siteId, input.items.map((item) => `${item.permission} ${item.validity}`).join(', '));
      return c.json(await applications.apply(c.get('scope'), siteId, input), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/permission-applications',
      operationId: 'listPermissionApplications',
      tags,
      summary: 'What the own company has asked for, newest first',
      request: { query: ApplicationQuery },
      responses: { 200: json(page(ApplicationSchema), 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await applications.sent(c.get('scope'), c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/permission-applications/{applicationId}',
      operationId: 'getPermissionApplication',
      tags,
      summary: 'One application',
      request: { params: ApplicationParams },
      responses: { 200: json(ApplicationSchema, 'The application'), ...problems('not-found') },
    }),
    async (c) => c.json(await applications.get(c.get('scope'), c.req.valid('param').applicationId, 'companyId'), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/permission-applications/{applicationId}/cancel',
      operationId: 'cancelPermissionApplication',
      tags,
      summary: 'Take back what is not decided yet',
      request: { params: ApplicationParams },
      responses: {
        200: json(ApplicationSchema, 'The application'),
        ...problems('not-allowed', 'account-limited', 'not-found', 'conflict'),
      },
    }),
    async (c) => {
      const application = await applications.cancel(c.get('scope'), c.req.valid('param').applicationId);
      c.set('audit', { siteId: application.siteId, target: { kind: 'permission-application', id: application.id } });
      return c.json(application, 200);
    },
  );
}
