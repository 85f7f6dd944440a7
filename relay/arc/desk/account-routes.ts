import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery, page } from '../../../protocol/wire/api.ts';
import {
  BeginTest,
  ChangeTest,
  DeskAccount,
  DeskReport,
  DeskTest,
  Month,
  TestSent,
} from '../../../protocol/wire/arc-desk.ts';
import { Uuid } from '../../../protocol/wire/ids.ts';
import type { Api } from '../../api/app.ts';
import { body, json, problems } from '../../api/problem.ts';
import type { Accounts } from './account-list.ts';
import { reportCsv, reportPdf } from './report-files.ts';
import type { Reports } from './reports.ts';
import { tags } from './routes.ts';
import type { TestModes } from './test-modes.ts';

const AccountSchema = DeskAccount.meta({ id: 'DeskAccount' });
const TestSchema = DeskTest.meta({ id: 'DeskTest' });
const params = z.object({ accountId: Uuid });
const monthly = { params, query: z.object({ month: Month.optional() }) };
const file = (type: string, description: string) => ({
  description,
  content: { [type]: { schema: z.string().openapi({ format: 'binary' }) } },
});

/** Accounts of a centre: their paths now, test mode, and reports. */
export function registerDeskAccountRoutes(
  app: Api,
  { accounts, tests, reports }: { accounts: Accounts; tests: TestModes; reports: Reports },
): void {
  const about = (account: Pick<DeskAccount, 'id' | 'account' | 'site'>) => ({
    siteId: account.site.id,
    target: { kind: 'account', id: account.id, name: account.account },
  });
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-desk/accounts',
      operationId: 'listDeskAccounts',
      tags,
      summary: 'Accounts at the company’s receivers, by number, with the path each uses now',
      request: {
        query: PageQuery.extend({
          q: z
            .string()
            .max(64)
            .optional()
            .openapi({ description: 'Beginning of the number, or part of the site’s name' }),
        }),
      },
      responses: { 200: json(page(AccountSchema), 'A page'), ...problems() },
    }),
    async (c) => c.json(await accounts.list(c.get('scope'), c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-desk/accounts/{accountId}',
      operationId: 'getDeskAccount',
      tags,
      summary: 'An account',
      request: { params },
      responses: { 200: json(AccountSchema, 'The account'), ...problems('not-found') },
    }),
    async (c) => c.json(await accounts.get(c.get('scope'), c.req.valid('param').accountId), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-desk/accounts/{accountId}/test-modes',
      operationId: 'listTestModes',
      tags,
      summary: 'Test modes of an account, newest first',
      request: { params },
      responses: { 200: json(z.object({ items: z.array(TestSchema) }), 'The last 100'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await tests.list(c.get('scope'), c.req.valid('param').accountId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-desk/accounts/{accountId}/test-mode',
      operationId: 'beginTestMode',
      tags,
      summary: 'Begin test mode: alarms are marked as tests until it ends, by itself at the latest',
      description: 'The receiver is told of its begin and end (TS, TE; Contact ID 607) through the box.',
      request: { params, ...body(BeginTest) },
      responses: {
        201: json(TestSchema, 'Test mode is on'),
        ...problems('not-allowed', 'not-found', 'conflict'),
      },
    }),
    async (c) => {
      const { accountId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      c.set('audit', {
        ...about(await accounts.get(c.get('scope'), accountId)),
        detail: `${wanted.minutes} min`,
      });
      return c.json(await tests.begin(c.get('scope'), accountId, wanted), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'patch',
      path: '/arc-desk/accounts/{accountId}/test-mode',
      operationId: 'changeTestMode',
      tags,
      summary: 'Let test mode last so many minutes from now',
      request: { params, ...body(ChangeTest) },
      responses: { 200: json(TestSchema, 'Test mode'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { accountId } = c.req.valid('param');
      const { minutes } = c.req.valid('json');
      c.set('audit', { ...about(await accounts.get(c.get('scope'), accountId)), detail: `${minutes} min` });
      return c.json(await tests.change(c.get('scope'), accountId, minutes), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/arc-desk/accounts/{accountId}/test-mode',
      operationId: 'endTestMode',
      tags,
      summary: 'End test mode',
      request: { params },
      responses: { 204: { description: 'It is over' }, ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const { accountId } = c.req.valid('param');
      c.set('audit', about(await accounts.get(c.get('scope'), accountId)));
      await tests.end(c.get('scope'), accountId);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-desk/accounts/{accountId}/test',
      operationId: 'sendTestNow',
      tags,
      summary: 'Send a test message to the receiver now',
      description: 'What becomes of it is in the alarms, under the id that comes back.',
      request: { params },
      responses: {
        201: json(TestSent.meta({ id: 'TestSent' }), 'The box has queued it'),
        ...problems('not-allowed', 'not-found', 'conflict', 'box-unreachable', 'device-error'),
      },
    }),
    async (c) => {
      const { accountId } = c.req.valid('param');
      c.set('audit', about(await accounts.get(c.get('scope'), accountId)));
      return c.json(await tests.send(c.get('scope'), accountId), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-desk/accounts/{accountId}/report',
      operationId: 'getArcReport',
      tags,
      summary: 'Availability and reporting times of an account in a month (UTC)',
      description: 'Designed to DP4 timings (EN 50136-1); no certificate. Without a month: this one, so far.',
      request: monthly,
      responses: { 200: json(DeskReport.meta({ id: 'DeskReport' }), 'The report'), ...problems('not-found') },
    }),
    async (c) => {
      const { accountId } = c.req.valid('param');
      return c.json(await reports.make(c.get('scope'), accountId, c.req.valid('query').month), 200);
    },
  );
  const files = [
    ['csv', 'text/csv', 'text/csv; charset=utf-8', 'getArcReportCsv', reportCsv],
    ['pdf', 'application/pdf', 'application/pdf', 'getArcReportPdf', reportPdf],
  ] as const;
  for (const [ending, type, full, operationId, write] of files) {
    app.openapi(
      createRoute({
        method: 'get',
        path: `/arc-desk/accounts/{accountId}/report.${ending}`,
        operationId,
        tags,
        summary: `The same as ${ending.toUpperCase()}`,
        request: monthly,
        responses: { 200: file(type, 'A file'), ...problems('not-found') },
      }),
      async (c) => {
        const { accountId } = c.req.valid('param');
        const report = await reports.make(c.get('scope'), accountId, c.req.valid('query').month);
        const name = `alarm-report-${report.account.account}-${report.month}.${ending}`;
        const written = write(report);
        return c.body(typeof written === 'string' ? written : new Uint8Array(written), 200, {
          'content-type': full,
          'content-disposition': `attachment; filename="${name}"`,
        });
      },
    );
  }
}
