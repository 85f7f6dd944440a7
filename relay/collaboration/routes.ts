import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { Collaboration, CreateCollaboration } from '../../protocol/wire/collaboration.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { Collaborations } from './collaborations.ts';

const Schema = Collaboration.meta({ id: 'Collaboration' });
const SiteId = z.object({ siteId: Uuid });
const Id = z.object({ collaborationId: Uuid });
const tags = ['Partners'];

export function registerCollaborationRoutes(app: Api, { collaborations }: { collaborations: Collaborations }): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sites/{siteId}/partners',
      operationId: 'listPartners',
      tags,
      summary: 'Companies that help at a site, or were asked to',
      request: { params: SiteId },
      responses: { 200: json(z.object({ items: z.array(Schema) }), 'Newest first'), ...problems('not-found') },
    }),
    async (c) => c.json({ items: await collaborations.ofSite(c.get('scope'), c.req.valid('param').siteId) }, 200),
  );

  app.openapi(
    createRoute({
      method: 'post',
      path: '/sites/{siteId}/partners',
      operationId: 'invitePartner',
      tags,
      summary: 'Invite another company to help at a site',
      description:
        'ISP: before the handover, with all permissions for the devices until then; an account that manages all or ' +
        'assigned sites. MSP: after a transfer, with the permissions named once the owner approves them; an Installer ' +
        'Admin. Both of another company in the same country.',
      request: { params: SiteId, ...body(CreateCollaboration) },
      responses: {
        201: json(Schema, 'The invitation'),
        ...problems(
          ...(['not-found', 'not-allowed', 'account-limited', 'permission-needed', 'site-status'] as const),
          ...(['cannot-be-invited', 'conflict'] as const),
        ),
      },
    }),
    async (c) => {
      const { siteId } = c.req.valid('param');
      const made = await collaborations.invite(c.get('scope'), siteId, c.req.valid('json'));
      const { id, name } = made.partner;
      c.set('audit', { siteId, target: { kind: 'company', id, name }, detail: made.stage, companies: [id] });
      return c.json(made, 201);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/collaborations',
      operationId: 'listCollaborations',
      tags,
      summary: 'What I was invited to as a partner, or asked about as an owner',
      request: { query: PageQuery },
      responses: { 200: json(page(Schema), 'Newest first'), ...problems() },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      return c.json(await collaborations.mine(c.get('scope'), limit, cursor), 200);
    },
  );

  const steps: Record<string, [string, (scope: Scope, id: string) => Promise<Collaboration>]> = {
    accept: ['Say yes, as the partner or as the owner', (scope, id) => collaborations.answer(scope, id, true)],
    decline: ['Say no, as the partner or as the owner', (scope, id) => collaborations.answer(scope, id, false)],
    end: ['End it', (scope, id) => collaborations.end(scope, id)],
  };
  for (const [word, [summary, run]] of Object.entries(steps)) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `/collaborations/{collaborationId}/${word}`,
        tags,
        operationId: `${word}Collaboration`,
        summary,
        request: { params: Id },
        responses: {
          200: json(Schema, 'The collaboration'),
          ...problems('not-found', 'not-allowed', 'account-limited', 'permission-needed', 'site-status', 'conflict'),
        },
      }),
      async (c) => {
        const done = await run(c.get('scope'), c.req.valid('param').collaborationId);
        const { company, partner, siteId } = done;
        c.set('audit', { siteId, target: { kind: 'company', ...partner }, companies: [company.id, partner.id] });
        return c.json(done, 200);
      },
    );
  }
}
