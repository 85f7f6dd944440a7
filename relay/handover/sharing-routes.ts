import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import {
  BatchShare,
  BatchShareResult,
  CancelShare,
  CreateSharing,
  EditShareCustomer,
  NewShareCustomer,
  Share,
  ShareCard,
  ShareLink,
  Sharing,
} from '../../protocol/wire/sharing.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Shares } from './shares.ts';
import type { Sharings } from './sharing.ts';

const SharingSchema = Sharing.meta({ id: 'Sharing' });
const ShareSchema = Share.meta({ id: 'Share' });
const OfSite = z.object({ sharing: Sharing.nullable() });
const SiteId = z.object({ siteId: Uuid });
const ShareId = z.object({ shareId: Uuid });
const tags = ['Sharing'];
/** The customer's side: people decide there, no keys. */
const customer = { tags: ['Customer'] };
const refusals = ['not-allowed', 'account-limited', 'permission-needed', 'not-found', 'site-status'] as const;

export function registerSharingRoutes(app: Api, { sharings, shares }: { sharings: Sharings; shares: Shares }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/sharing',
      operationId: 'getSharing',
      tags,
      summary: 'With whom a site is shared',
      request: { params: SiteId },
      responses: {
        200: json(OfSite, '`sharing` is null for a site that is not shared'),
        ...problems('not-found', 'permission-needed', 'account-limited'),
      },
    }),
    async (c) => {
      const sharing = await sharings.get(c.get('scope'), c.req.valid('param').siteId);
      return c.json({ sharing }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/sharing',
      operationId: 'shareSite',
      tags,
      summary: 'Hand a site over by sharing',
      description:
        'The devices stay with their company; customers use what is selected for them while their service period lasts. ' +
        'Mode A: the company keeps managing and asks the customer administrator for live view and playback. Mode B: it ' +
        'has all permissions. A device is shared with ten customers at most.',
      request: { params: SiteId, ...body(CreateSharing) },
      responses: {
        201: json(SharingSchema, 'The sharing'),
        ...problems(...refusals, 'conflict', 'limit-reached', 'outbox-full'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const { mode, customers } = c.req.valid('json');
      c.set('audit', { siteId, detail: `mode ${mode}, ${customers.length} customers` });
      c.set('secret', true);
      return c.json(await sharings.create(c.get('scope'), siteId, c.req.valid('json')), 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/sharing/customers',
      operationId: 'addShareCustomers',
      tags,
      summary: 'Share a shared site with more customers',
      request: { params: SiteId, ...body(z.object({ customers: z.array(NewShareCustomer).min(1).max(100) })) },
      responses: {
        201: json(SharingSchema, 'The sharing'),
        ...problems(...refusals, 'conflict', 'limit-reached', 'outbox-full'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const { customers } = c.req.valid('json');
      c.set('audit', { siteId, detail: `${customers.length} customers` });
      c.set('secret', true);
      return c.json(await sharings.addCustomers(c.get('scope'), siteId, customers), 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/sharing/batch',
      operationId: 'batchShareDevices',
      tags,
      summary: 'Share several devices with several customers',
      description: 'Nobody needs to accept again. Each pair has its own result.',
      request: { params: SiteId, ...body(BatchShare) },
      responses: {
        200: json(BatchShareResult.meta({ id: 'BatchShareResult' }), 'Device by device'),
        ...problems(...refusals, 'conflict'),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      c.set('audit', { siteId });
      return c.json(await sharings.batch(c.get('scope'), siteId, c.req.valid('json')), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'delete',
      path: '/sites/{siteId}/sharing',
      operationId: 'endSharing',
      tags,
      summary: 'Cancel the sharing with every customer',
      description: 'The site is Not Handed Over again.',
      request: { params: SiteId },
      responses: { 204: { description: 'Done' }, ...problems(...refusals) },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      c.set('audit', { siteId });
      await sharings.end(c.get('scope'), siteId);
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: 'put',
      path: '/share-customers/{shareId}/card',
      operationId: 'setShareCard',
      tags,
      summary: 'What one customer may use, and until when',
      request: { params: ShareId, ...body(ShareCard) },
      responses: {
        200: json(SharingSchema, 'The sharing'),
        ...problems(...refusals, 'conflict', 'limit-reached'),
      },
    }),
    async (c) => {
      const { shareId } = c.req.valid('param');
      const sharing = await sharings.setCard(c.get('scope'), shareId, c.req.valid('json'));
      c.set('audit', { siteId: sharing.siteId, target: { kind: 'share', id: shareId } });
      return c.json(sharing, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'put',
      path: '/share-customers/{shareId}',
      operationId: 'editShareCustomer',
      tags,
      summary: 'Change a customer who has not accepted yet (mode A)',
      description: 'A new invitation is sent; the one before is void.',
      request: { params: ShareId, ...body(EditShareCustomer) },
      responses: {
        200: json(SharingSchema, 'The sharing'),
        ...problems(...refusals, 'conflict', 'limit-reached', 'outbox-full'),
      },
    }),
    async (c) => {
      const { shareId } = c.req.valid('param');
      const sharing = await sharings.edit(c.get('scope'), shareId, c.req.valid('json'));
      c.set('audit', { siteId: sharing.siteId, target: { kind: 'share', id: shareId } });
      return c.json(sharing, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/share-customers/{shareId}/again',
      operationId: 'shareAgain',
      tags,
      summary: 'Share once more with who rejected or did not answer',
      request: { params: ShareId },
      responses: {
        200: json(SharingSchema, 'The sharing'),
        ...problems(...refusals, 'conflict', 'limit-reached', 'outbox-full'),
      },
    }),
    async (c) => {
      const { shareId } = c.req.valid('param');
      const sharing = await sharings.shareAgain(c.get('scope'), shareId);
      c.set('audit', { siteId: sharing.siteId, target: { kind: 'share', id: shareId } });
      return c.json(sharing, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/share-customers/{shareId}/administrator',
      tags,
      operationId: 'chooseShareAdministrator',
      summary: 'Make a customer the one who reviews requests (mode A)',
      request: { params: ShareId },
      responses: { 200: json(SharingSchema, 'The sharing'), ...problems(...refusals, 'conflict') },
    }),
    async (c) => {
      const { shareId } = c.req.valid('param');
      const sharing = await sharings.chooseAdministrator(c.get('scope'), shareId);
      c.set('audit', { siteId: sharing.siteId, target: { kind: 'share', id: shareId } });
      return c.json(sharing, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/share-customers/{shareId}/cancel',
      operationId: 'cancelShare',
      tags,
      summary: 'Cancel the sharing with one customer',
      description:
        'His access ends at once. With the last customer the site is Not Handed Over again and `sharing` is null: nobody ' +
        'else uses it, and in any other status it could neither be shared anew nor transferred.',
      request: { params: ShareId, ...body(CancelShare) },
      responses: { 200: json(OfSite, 'What is left'), ...problems(...refusals, 'conflict') },
    }),
    async (c) => {
      const { shareId } = c.req.valid('param');
      c.set('audit', { target: { kind: 'share', id: shareId } });
      const { administratorId } = c.req.valid('json');
      return c.json({ sharing: await sharings.cancel(c.get('scope'), shareId, administratorId) }, 200);
    },
  );

  // --- the customer's side
  app.openapi(
    createRoute({
      method: 'get',
      path: '/shares',
      operationId: 'listShares',
      ...customer,
      summary: 'What is shared with me',
      request: { query: PageQuery },
      responses: { 200: json(page(ShareSchema), 'Newest first'), ...problems() },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      return c.json(await shares.list(c.get('scope'), limit, cursor), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/shares/open-link',
      operationId: 'openShareLink',
      ...customer,
      summary: 'What the link of an invitation shares',
      request: body(ShareLink),
      responses: { 200: json(ShareSchema, 'What is shared'), ...problems('link-invalid') },
    }),
    async (c) => c.json(await shares.open(c.req.valid('json').token), 200),
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/shares/accept-link',
      operationId: 'acceptShareLink',
      ...customer,
      summary: 'Accept by the link of an invitation',
      request: body(ShareLink),
      responses: { 200: json(ShareSchema, 'What is shared'), ...problems('link-invalid', 'not-allowed', 'conflict') },
    }),
    async (c) => {
      const share = await shares.acceptByToken(c.get('scope'), c.req.valid('json').token);
      c.set('audit', { siteId: share.siteId, target: { kind: 'share', id: share.id } });
      return c.json(share, 200);
    },
  );

  for (const [word, yes] of [
    ['accept', true],
    ['reject', false],
  ] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/shares/{shareId}/${word}`,
        operationId: `${word}Share`,
        ...customer,
        summary: yes ? 'Accept what is shared' : 'Turn down what is shared, or give it back',
        request: { params: ShareId },
        responses: {
          200: json(ShareSchema, 'What is shared'),
          ...problems('not-found', 'link-invalid', 'not-allowed', 'conflict'),
        },
      }),
      async (c) => {
        const share = await shares.answer(c.get('scope'), c.req.valid('param').shareId, yes);
        c.set('audit', { siteId: share.siteId, target: { kind: 'share', id: share.id } });
        return c.json(share, 200);
      },
    );
  }
}
