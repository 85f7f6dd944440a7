import { createRoute, z } from '@hono/zod-openapi';
import { streamText } from 'hono/streaming';
import { type Clock, iso } from '../../protocol/clock.ts';
import { page } from '../../protocol/wire/api.ts';
import {
  CompatFilter,
  CompatQuery,
  CompatRow,
  CompatSummary,
  ImportCompat,
  ImportedCompat,
} from '../../protocol/wire/compat.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Compatibility } from './compat.ts';
import { compatHead, compatLine } from './csv.ts';

const tags = ['Compatibility'];
/** Rows of one read of a download. */
const EXPORT_PAGE = 200;

/** What is known of models of devices; told to everybody who is signed in. */
export function registerCompatRoutes(
  app: Api,
  { compatibility, clock }: { compatibility: Compatibility; clock: Clock },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/compatibility',
      operationId: 'listCompatibility',
      tags,
      summary: 'The compatibility list, by model',
      description:
        'A device whose model does not stand in it can be added all the same; some functions may be missing.',
      request: { query: CompatQuery },
      responses: { 200: json(page(CompatRow.meta({ id: 'CompatRow' })), 'A page'), ...problems() },
    }),
    async (c) => c.json(await compatibility.page(c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/compatibility/summary',
      operationId: 'getCompatibilitySummary',
      tags,
      summary: 'How many rows each part of the list has, and the kinds of devices in it',
      responses: { 200: json(CompatSummary.meta({ id: 'CompatSummary' }), 'Now'), ...problems() },
    }),
    async (c) => c.json(await compatibility.summary(), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/compatibility/export',
      operationId: 'exportCompatibility',
      tags,
      summary: 'The same as a file, all pages of it',
      request: { query: CompatFilter },
      responses: {
        200: { description: 'CSV (RFC 4180), by model', content: { 'text/csv': { schema: z.string() } } },
        ...problems(),
      },
    }),
    async (c) => {
      const filter = c.req.valid('query');
      let next = await compatibility.page({ ...filter, limit: EXPORT_PAGE });
      c.header('content-disposition', `attachment; filename="compatibility-${iso(clock.now()).slice(0, 10)}.csv"`);
      const answer = streamText(c, async (stream) => {
        await stream.write(compatHead());
        for (;;) {
          await stream.write(next.items.map(compatLine).join(''));
          if (next.nextCursor === null || stream.aborted) return;
          next = await compatibility.page({ ...filter, limit: EXPORT_PAGE, cursor: next.nextCursor });
        }
      });
      answer.headers.set('content-type', 'text/csv; charset=utf-8; header=present');
      return answer;
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/operator/compatibility',
      operationId: 'importCompatibility',
      tags: ['Operator'],
      summary: 'Put a file in the place of the whole compatibility list',
      description: 'With the columns of the download. One wrong line and nothing is changed; `errors` says which.',
      request: body(ImportCompat),
      responses: {
        200: json(ImportedCompat.meta({ id: 'ImportedCompat' }), 'What came of it'),
        ...problems('not-found', 'invalid-request', 'limit-reached', 'payload-too-large'),
      },
    }),
    async (c) => {
      const imported = await compatibility.import(c.req.valid('json').csv);
      c.set('audit', { detail: `${imported.rows} rows, ${imported.added} new, ${imported.removed} gone` });
      return c.json(imported, 200);
    },
  );
}
