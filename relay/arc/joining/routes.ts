import { createRoute, z } from '@hono/zod-openapi';
import {
  ApplyAsArc,
  Arc,
  ArcApplication,
  ArcApplicationPage,
  ArcApplicationQuery,
  ArcJoining as ArcJoiningView,
  ArcQuery,
  ChangeArcInformation,
} from '../../../protocol/wire/arc-joining.ts';
import { Uuid } from '../../../protocol/wire/ids.ts';
import { Decision } from '../../../protocol/wire/operator.ts';
import type { Api } from '../../api/app.ts';
import { body, json, problems } from '../../api/problem.ts';
import type { ArcJoining } from './joining.ts';
import type { ArcList } from './list.ts';

const JoiningSchema = ArcJoiningView.meta({ id: 'ArcJoining' });
const ArcSchema = Arc.meta({ id: 'Arc' });
const ApplicationSchema = ArcApplication.meta({ id: 'ArcApplication' });
const CompanyParams = z.object({ companyId: Uuid });

export function registerJoiningRoutes(app: Api, { joining, list }: { joining: ArcJoining; list: ArcList }): void {
  const tags = ['ARC application'];
  const state = { 200: json(JoiningSchema, 'How the company stands'), ...problems('not-allowed', 'conflict') };
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arc-joining',
      operationId: 'showArcJoining',
      tags,
      summary: 'How the company stands as an alarm receiving centre',
      responses: { 200: json(JoiningSchema, 'Now'), ...problems() },
    }),
    async (c) => c.json(await joining.get(c.get('scope')), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/arc-joining',
      operationId: 'applyAsArc',
      tags,
      summary: 'Apply to join the ARC list, the first time or again',
      request: body(ApplyAsArc),
      responses: state,
    }),
    async (c) => {
      const { information, agreement } = c.req.valid('json');
      await joining.apply(c.get('scope'), information);
      c.set('audit', { target: { kind: 'arc' }, detail: `agreement ${agreement}` });
      return c.json(await joining.get(c.get('scope')), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/arc-joining',
      operationId: 'changeArcInformation',
      tags,
      summary: 'Change what installers read about the centre, and where it serves',
      request: body(ChangeArcInformation),
      responses: state,
    }),
    async (c) => {
      const { information } = c.req.valid('json');
      await joining.change(c.get('scope'), information);
      c.set('audit', { target: { kind: 'arc' }, detail: information.countries.join(', ') });
      return c.json(await joining.get(c.get('scope')), 200);
    },
  );
  const step = (
    name: 'completed' | 'key' | 'withdraw',
    operationId: string,
    summary: string,
    run: (...of: Parameters<ArcJoining['completed']>) => Promise<void>,
  ) =>
    app.openapi(
      createRoute({ method: 'post', path: `/arc-joining/${name}`, operationId, tags, summary, responses: state }),
      async (c) => {
        await run(c.get('scope'));
        c.set('audit', { target: { kind: 'arc' } });
        return c.json(await joining.get(c.get('scope')), 200);
      },
    );
  step('completed', 'completeArcConfiguration', 'ARC ID and key are entered: the centre is listed from now on', (who) =>
    joining.completed(who),
  );
  step('key', 'renewArcKey', 'Another ARC key by e-mail; the old one ends at once', (who) => joining.renewKey(who));
  step('withdraw', 'withdrawAsArc', 'Take the application back, or leave the ARC list; the ARC key ends', (who) =>
    joining.withdraw(who),
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/arcs',
      operationId: 'listArcs',
      tags: ['Alarm receiving centres'],
      summary:
        'Listed alarm receiving centres that serve a country of the company or its sites; with a site, that site',
      request: { query: ArcQuery },
      responses: {
        200: json(z.object({ items: z.array(ArcSchema) }), 'By name'),
        ...problems('not-found', 'conflict'),
      },
    }),
    async (c) => c.json({ items: await list.list(c.get('scope'), c.req.valid('query').siteId) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/arcs/{arcId}',
      operationId: 'showArc',
      tags: ['Alarm receiving centres'],
      summary: 'Information about one centre',
      request: { params: z.object({ arcId: Uuid }) },
      responses: { 200: json(ArcSchema, 'The centre'), ...problems('not-found') },
    }),
    async (c) => c.json(await list.get(c.get('scope'), c.req.valid('param').arcId), 200),
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/arcs',
      operationId: 'listArcApplications',
      tags: ['Operator'],
      summary: 'Applications of alarm receiving centres, newest first',
      request: { query: ArcApplicationQuery },
      responses: { 200: json(ArcApplicationPage, 'A page'), ...problems('not-found') },
    }),
    async (c) => c.json(await joining.applications(c.req.valid('query')), 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/operator/arcs/{companyId}',
      operationId: 'showArcApplication',
      tags: ['Operator'],
      summary: 'One application',
      request: { params: CompanyParams },
      responses: { 200: json(ApplicationSchema, 'The application'), ...problems('not-found') },
    }),
    async (c) => c.json(await joining.application(c.req.valid('param').companyId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/operator/arcs/{companyId}/decision',
      operationId: 'decideArcApplication',
      tags: ['Operator'],
      summary: 'Approve a centre, reject it, or take it off the list',
      description:
        'Approved, ARC ID and ARC key go to its administrator by e-mail. Rejected, its key ends; services that run go on.',
      request: { params: CompanyParams, ...body(Decision) },
      responses: { 200: json(ApplicationSchema, 'The application'), ...problems('not-found', 'conflict') },
    }),
    async (c) => {
      const { companyId } = c.req.valid('param');
      const decision = c.req.valid('json');
      await joining.decide(c.get('scope'), companyId, decision);
      const application = await joining.application(companyId);
      c.set('audit', {
        target: { kind: 'company', id: companyId, name: application.name },
        detail: decision.approved ? 'approved' : `rejected: ${decision.reason}`,
        companies: [companyId],
      });
      return c.json(application, 200);
    },
  );
}
