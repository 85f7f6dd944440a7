import { createRoute, z } from '@hono/zod-openapi';
import { page } from '../../protocol/wire/api.ts';
import { Serial, Uuid } from '../../protocol/wire/ids.ts';
import {
  Decision,
  IssuedKeys,
  IssueKeys,
  OperatorBox,
  OperatorBoxQuery,
  OperatorCompany,
  OperatorCompanyDetail,
  OperatorCompanyQuery,
  ServiceKey,
  ServiceKeyQuery,
  SetSuspended,
  SystemState,
} from '../../protocol/wire/operator.ts';
import type { Api } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import type { Claims } from '../boxes/claims.ts';
import type { Companies } from '../people/companies.ts';
import type { OperatorBoxes } from './boxes.ts';
import type { OperatorCompanies } from './companies.ts';
import type { ServiceKeys } from './service-keys.ts';
import type { SystemView } from './system.ts';

const tags = ['Operator'];
const CompanyParams = z.object({ companyId: Uuid });
const KeyParams = z.object({ serviceKeyId: Uuid });
const BoxParams = z.object({ serial: Serial });
const CompanyItem = OperatorCompany.meta({ id: 'OperatorCompany' });
const Company = OperatorCompanyDetail.meta({ id: 'OperatorCompanyDetail' });
const Box = OperatorBox.meta({ id: 'OperatorBox' });
const Key = ServiceKey.meta({ id: 'ServiceKey' });

/** The console of whoever runs the relay. For everybody else none of it is there. */
export function registerOperatorRoutes(
  app: Api,
  deps: {
    companies: OperatorCompanies;
    people: Companies;
    keys: ServiceKeys;
    boxes: OperatorBoxes;
    claims: Claims;
    system: SystemView;
  },
): void {
  const { companies, people, keys, boxes, claims, system } = deps;

  app.use('/operator/*', async (c, next) => {
    const { companyType, admin, limited } = c.get('scope');
    if (companyType !== 'operator' || !admin || limited) throw new ProblemError('not-found');
    await next();
  });

  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/system',
      operationId: 'showSystem',
      tags,
      summary: 'How the relay itself is doing',
      responses: { 200: json(SystemState.meta({ id: 'SystemState' }), 'Now'), ...problems('not-found') },
    }),
    async (c) => c.json(await system.get(), 200),
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/companies',
      operationId: 'listCompanies',
      tags,
      summary: 'Companies, newest first; customers only when asked for',
      request: { query: OperatorCompanyQuery },
      responses: { 200: json(page(CompanyItem), 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await companies.list(c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/companies/{companyId}',
      operationId: 'showCompany',
      tags,
      summary: 'One company, with what it sent for its authentication',
      request: { params: CompanyParams },
      responses: { 200: json(Company, 'The company'), ...problems('not-found') },
    }),
    async (c) => c.json(await companies.get(c.req.valid('param').companyId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/operator/companies/{companyId}/decision',
      operationId: 'decideAuthentication',
      tags,
      summary: 'Approve or reject the authentication that a company asked for',
      request: { params: CompanyParams, ...body(Decision) },
      responses: { 200: json(Company, 'The company'), ...problems('not-found', 'conflict') },
    }),
    async (c) => {
      const { companyId } = c.req.valid('param');
      await companies.get(companyId);
      const decision = c.req.valid('json');
      await people.decide(c.get('scope'), companyId, decision);
      const company = await companies.get(companyId);
      const detail = decision.approved ? 'approved' : `rejected: ${decision.reason}`;
      c.set('audit', {
        target: { kind: 'company', id: companyId, name: company.name },
        detail,
        companies: [companyId],
      });
      return c.json(company, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/operator/companies/{companyId}/suspended',
      operationId: 'suspendCompany',
      tags,
      summary: 'Suspend a company, or let it go on',
      description: 'Its people are signed out at once. Its boxes and their alarms go on.',
      request: { params: CompanyParams, ...body(SetSuspended) },
      responses: { 200: json(Company, 'The company'), ...problems('not-found', 'conflict') },
    }),
    async (c) => {
      const { companyId } = c.req.valid('param');
      const { suspended } = c.req.valid('json');
      const company = await companies.setSuspended(companyId, suspended);
      const detail = suspended ? 'suspended' : 'resumed';
      c.set('audit', {
        target: { kind: 'company', id: companyId, name: company.name },
        detail,
        companies: [companyId],
      });
      return c.json(company, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/service-keys',
      operationId: 'listServiceKeys',
      tags,
      summary: 'Service keys, newest first',
      request: { query: ServiceKeyQuery },
      responses: { 200: json(page(Key), 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await keys.list(c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/operator/service-keys',
      operationId: 'issueServiceKeys',
      tags,
      summary: 'Issue service keys',
      description: 'The keys are in this answer and nowhere else: only their hashes are kept.',
      request: body(IssueKeys),
      responses: { 201: json(IssuedKeys, 'The keys'), ...problems('not-found') },
    }),
    async (c) => {
      const wanted = c.req.valid('json');
      const issued = await keys.issue(wanted);
      const detail = `${issued.length} × ${wanted.quantity} ${wanted.content}`;
      c.set('audit', { target: { kind: 'service-key', name: wanted.note }, detail });
      c.set('secret', true);
      return c.json({ keys: issued }, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/operator/service-keys/{serviceKeyId}/withdraw',
      operationId: 'withdrawServiceKey',
      tags,
      summary: 'Withdraw a key that nobody redeemed yet',
      request: { params: KeyParams },
      responses: { 200: json(Key, 'The key'), ...problems('not-found', 'conflict') },
    }),
    async (c) => {
      const { serviceKeyId } = c.req.valid('param');
      const key = await keys.withdraw(serviceKeyId);
      c.set('audit', { target: { kind: 'service-key', id: serviceKeyId, name: `…${key.ending}` } });
      return c.json(key, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/boxes',
      operationId: 'listAllBoxes',
      tags,
      summary: 'Every box, by serial',
      description: 'Filtered by `online`, a page may be short of its limit although more follow: ask with its cursor.',
      request: { query: OperatorBoxQuery },
      responses: { 200: json(page(Box), 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await boxes.list(c.req.valid('query')), 200),
  );
  for (const [path, operationId, summary, act] of [
    ['revoke', 'revokeAnyBox', 'Revoke a box for good: cut at once, and never let in again', 'revokeAny'],
    ['clear-duplicate', 'clearAnyDuplicate', 'Let a box in again whose identity was used twice', 'clearAnyDuplicate'],
  ] as const) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/operator/boxes/{serial}/${path}` as const,
        operationId,
        tags,
        summary,
        request: { params: BoxParams },
        responses: { 200: json(Box, 'The box'), ...problems('not-found', 'conflict') },
      }),
      async (c) => {
        const { serial } = c.req.valid('param');
        const box = await boxes.get(serial);
        await claims[act](serial, c.get('scope').userId);
        const concerned = box.company ? { companies: [box.company.id] } : {};
        const at = box.site ? { siteId: box.site.id } : {};
        c.set('audit', { target: { kind: 'box', id: serial }, ...at, ...concerned });
        return c.json(await boxes.get(serial), 200);
      },
    );
  }
}
