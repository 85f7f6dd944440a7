import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import { AccessToken, ApiKey, CreateApiKey, CreatedApiKey, ExchangeKey } from '../../protocol/wire/keys.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { ApiKeys } from './keys.ts';

const tags = ['API keys'];

export function registerKeyRoutes(app: Api, { keys }: { keys: ApiKeys }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/keys',
      operationId: 'listApiKeys',
      tags,
      summary: 'API keys of the company',
      responses: {
        200: json(z.object({ items: z.array(ApiKey.meta({ id: 'ApiKey' })) }), 'Newest first'),
        ...problems('not-allowed'),
      },
    }),
    async (c) => c.json({ items: await keys.list(c.get('scope')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/keys',
      operationId: 'createApiKey',
      tags,
      summary: 'Make an API key',
      description:
        'The token is in this answer and nowhere else. A key holds no more than its maker, as long as they hold it, and ends with their account; people, keys and sign-in are out of its reach.',
      request: body(CreateApiKey),
      responses: {
        201: json(CreatedApiKey.meta({ id: 'CreatedApiKey' }), 'The key with its token'),
        ...problems('not-allowed', 'not-found', 'limit-reached'),
      },
    }),
    async (c) => {
      c.set('secret', true);
      const key = await keys.create(c.get('scope'), c.req.valid('json'));
      c.set('audit', { target: { kind: 'key', id: key.id, name: key.name }, detail: key.permissions.join(', ') });
      return c.json(key, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/keys/{keyId}',
      operationId: 'revokeApiKey',
      tags,
      summary: 'End an API key at once',
      request: { params: z.object({ keyId: Uuid }) },
      responses: { 204: { description: 'It lets nobody in any more' }, ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      const { keyId } = c.req.valid('param');
      const name = await keys.revoke(c.get('scope'), keyId);
      c.set('audit', { target: { kind: 'key', id: keyId, name } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/token',
      operationId: 'exchangeApiKey',
      tags,
      summary: 'Exchange API key and secret for an access token',
      description:
        'The API key is the id of a key, the secret its token; of an alarm receiving centre they are its ARC ID and ARC key. The access token is sent as `Authorization: Bearer` and is good for seven days, or until the key ends. Asked for too often, the oldest of twenty ends.',
      security: [],
      request: body(ExchangeKey),
      responses: {
        200: json(AccessToken.meta({ id: 'AccessToken' }), 'The token'),
        ...problems('wrong-credentials'),
      },
    }),
    async (c) => c.json(await keys.tokens.exchange(c.req.valid('json')), 200),
  );
}
