import { createRoute, z } from '@hono/zod-openapi';
import { streamText } from 'hono/streaming';
import { type Clock, iso } from '../../protocol/clock.ts';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { LogEntry, LogFilter, LogOperator, LogVerdict } from '../../protocol/wire/audit.ts';
import type { Api } from '../api/app.ts';
import { json, problems } from '../api/problem.ts';
import { csvHead, csvLine } from './csv.ts';
import type { OperationLog } from './operation-log.ts';
import type { LogReader } from './reader.ts';

const tags = ['Operation log'];
/** Entries of one read of an export. */
const EXPORT_PAGE = 200;

export function registerLogRoutes(
  app: Api,
  { reader, operationLog, clock }: { reader: LogReader; operationLog: OperationLog; clock: Clock },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/log',
      operationId: 'listLog',
      tags,
      summary: 'Operations of the last 90 days, newest first',
      description:
        'Who does not manage accounts sees their own operations; who does not manage all sites, of the others’ those at sites assigned to them. Channel partners have no operation log.',
      request: { query: PageQuery.extend(LogFilter.shape) },
      responses: { 200: json(page(LogEntry.meta({ id: 'LogEntry' })), 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await reader.list(c.get('scope'), c.req.valid('query')), 200),
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/log/operators',
      operationId: 'listLogOperators',
      tags,
      summary: 'Employees whose operations can be asked for',
      responses: { 200: json(z.object({ items: z.array(LogOperator) }), 'By name'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await reader.operators(c.get('scope')) }, 200),
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/log/export',
      operationId: 'exportLog',
      tags,
      summary: 'The same as a file, all pages of it',
      request: {
        query: LogFilter.extend({ format: z.enum(['csv', 'jsonl']).default('csv') }),
      },
      responses: {
        200: {
          description: 'Newest first. CSV (RFC 4180), or one entry as JSON on each line',
          content: { 'text/csv': { schema: z.string() }, 'application/jsonl': { schema: z.string() } },
        },
        ...problems('not-found'),
      },
    }),
    async (c) => {
      const { format, ...filter } = c.req.valid('query');
      let next = await reader.list(c.get('scope'), { ...filter, limit: EXPORT_PAGE });
      c.set('audit', { always: true, detail: format });
      const name = `operations-${iso(clock.now()).slice(0, 10)}.${format}`;
      c.header('content-disposition', `attachment; filename="${name}"`);
      const type = format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/jsonl';
      const line = format === 'csv' ? csvLine : (entry: LogEntry) => `${JSON.stringify(entry)}\n`;
      const answer = streamText(c, async (stream) => {
        if (format === 'csv') await stream.write(csvHead());
        for (;;) {
          await stream.write(next.items.map(line).join(''));
          if (next.nextCursor === null || stream.aborted) return;
          // Each page is read with the rights of its moment: an export ends with the right to it.
          const scope = await c.get('scopeNow')();
          next = await reader.list(scope, { ...filter, limit: EXPORT_PAGE, cursor: next.nextCursor });
        }
      });
      answer.headers.set('content-type', type);
      return answer;
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/log/verify',
      operationId: 'verifyLog',
      tags,
      summary: 'Check that nobody has changed the log',
      description:
        'Follows the hash chain of the company’s log from the oldest entry that is kept to the newest. Keep `head` elsewhere to tell later that nothing before it was rewritten.',
      responses: { 200: json(LogVerdict, 'What was found'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      const scope = c.get('scope');
      await reader.mustHaveLog(scope);
      scope.must('manage-accounts');
      const { entries, erased, head, broken } = await operationLog.verify(scope.companyId);
      return c.json({ entries, erased, head, broken }, 200);
    },
  );
}
