import { createRoute } from '@hono/zod-openapi';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { Redeemed, RedeemedKey, RedeemKeys } from '../../protocol/wire/operator.ts';
import type { Api } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import type { ServiceKeys } from './service-keys.ts';

const tags = ['Company'];

/** What a company does with the service keys that it was given. */
export function registerRedeemRoutes(app: Api, { keys }: { keys: ServiceKeys }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/company/service-keys',
      operationId: 'listRedeemedKeys',
      tags,
      summary: 'Service keys that the company redeemed, newest first',
      request: { query: PageQuery },
      responses: { 200: json(page(RedeemedKey.meta({ id: 'RedeemedKey' })), 'A page'), ...problems('not-allowed') },
    }),
    async (c) => {
      const scope = c.get('scope');
      if (!scope.admin) throw new ProblemError('not-allowed', 'Only the administrator sees the service keys.');
      return c.json(await keys.redeemedBy(scope.companyId, c.req.valid('query')), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/company/service-keys/redeem',
      operationId: 'redeemServiceKeys',
      tags,
      summary: 'Redeem service keys: all of them, or none when one is wrong',
      description:
        'Several are separated by commas or blanks. After ten wrong tries in an hour the company has to wait.',
      request: body(RedeemKeys),
      responses: {
        200: json(Redeemed.meta({ id: 'Redeemed' }), 'What was added'),
        ...problems('not-allowed', 'service-key-invalid', 'too-many-tries'),
      },
    }),
    async (c) => {
      const redeemed = await keys.redeem(c.get('scope'), c.req.valid('json').keys);
      const detail = redeemed.added.map(({ content, quantity }) => `${quantity} ${content}`).join(', ');
      c.set('audit', { target: { kind: 'service-key' }, detail });
      return c.json(redeemed, 200);
    },
  );
}
