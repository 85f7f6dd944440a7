import { createRoute } from '@hono/zod-openapi';
import { HomeQuery, Home as HomeShape } from '../../protocol/wire/home.ts';
import type { Api } from '../api/app.ts';
import { json, problems } from '../api/problem.ts';
import type { Home } from './home.ts';

const Schema = HomeShape.meta({ id: 'Home' });

export function registerHomeRoutes(app: Api, { home }: { home: Home }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/home',
      operationId: 'readHome',
      tags: ['Home'],
      summary: 'What needs attention now, and the sites of which to begin',
      request: { query: HomeQuery },
      responses: { 200: json(Schema, 'The most urgent first'), ...problems('invalid-request') },
    }),
    async (c) => c.json(await home.of(c.get('scope'), c.req.valid('query').sites), 200),
  );
}
