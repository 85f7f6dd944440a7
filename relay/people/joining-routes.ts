import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import { AcceptJoinRequest, CreateInvitation, Invitation, JoinRequest } from '../../protocol/wire/people.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Employees } from './employees.ts';
import type { Invitations } from './invitations.ts';
import type { JoinRequests } from './join-requests.ts';
import { PersonSchema } from './people-routes.ts';
import { mustManageAccounts } from './roles.ts';

const tags = ['Company and people'];
const InvitationSchema = Invitation.meta({ id: 'EmployeeInvitation' });
const InvitationParams = z.object({ employeeInvitationId: Uuid });
const JoinParams = z.object({ joinRequestId: Uuid });

/** How people come to a company: invited, or asking to join. */
export function registerJoiningRoutes(
  app: Api,
  deps: { employees: Employees; invitations: Invitations; joins: JoinRequests },
): void {
  const { employees, invitations, joins } = deps;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/employee-invitations',
      operationId: 'listEmployeeInvitations',
      tags,
      summary: 'Invitations of employees',
      request: { query: PageQuery },
      responses: { 200: json(page(InvitationSchema), 'The newest first'), ...problems('not-allowed') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { cursor, limit } = c.req.valid('query');
      return c.json(await invitations.list(scope.companyId, cursor, limit), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/employee-invitations',
      operationId: 'inviteEmployee',
      tags,
      summary: 'Invite an employee by e-mail',
      description: 'The link in the e-mail is valid for seven days, once.',
      request: body(CreateInvitation),
      responses: {
        201: json(InvitationSchema, 'The invitation'),
        ...problems('not-allowed', 'not-found', 'conflict', 'limit-reached', 'too-many-tries', 'outbox-full'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const wanted = c.req.valid('json');
      const id = await invitations.create(c.get('principal'), wanted);
      c.set('audit', { target: { kind: 'employee-invitation', id, name: wanted.email } });
      return c.json(await invitations.get(scope.companyId, id), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/employee-invitations/{employeeInvitationId}/resend',
      operationId: 'resendEmployeeInvitation',
      tags,
      summary: 'Send an invitation again, with a new link',
      description: 'Once a minute, five times a day for an address. The link sent before is no longer valid.',
      request: { params: InvitationParams },
      responses: {
        200: json(InvitationSchema, 'The invitation'),
        ...problems('not-allowed', 'not-found', 'conflict', 'too-many-tries', 'outbox-full'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { employeeInvitationId: id } = c.req.valid('param');
      await invitations.resend(c.get('principal'), id);
      const invitation = await invitations.get(scope.companyId, id);
      c.set('audit', { target: { kind: 'employee-invitation', id, name: invitation.email } });
      return c.json(invitation, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/employee-invitations/{employeeInvitationId}',
      operationId: 'withdrawEmployeeInvitation',
      tags,
      summary: 'Withdraw an invitation: its link is no longer valid',
      request: { params: InvitationParams },
      responses: { 204: { description: 'Withdrawn' }, ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { employeeInvitationId: id } = c.req.valid('param');
      const name = await invitations.withdraw(scope, id);
      c.set('audit', { target: { kind: 'employee-invitation', id, name } });
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/join-requests',
      operationId: 'listJoinRequests',
      tags,
      summary: 'People who ask to join my company',
      responses: {
        200: json(z.object({ items: z.array(JoinRequest) }), 'The oldest first'),
        ...problems('not-allowed'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      return c.json({ items: await joins.list(scope.companyId) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/join-requests/{joinRequestId}/accept',
      operationId: 'acceptJoinRequest',
      tags,
      summary: 'Let a person in, with these roles',
      request: { params: JoinParams, ...body(AcceptJoinRequest) },
      responses: {
        201: json(PersonSchema, 'The person'),
        ...problems('not-allowed', 'not-found', 'conflict', 'outbox-full'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const userId = await joins.accept(scope, c.req.valid('param').joinRequestId, c.req.valid('json').roles);
      const person = await employees.get(scope.companyId, userId);
      c.set('audit', { target: { kind: 'person', id: userId, name: person.name } });
      return c.json(person, 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/join-requests/{joinRequestId}/refuse',
      operationId: 'refuseJoinRequest',
      tags,
      summary: 'Refuse a person: what they entered is deleted',
      request: { params: JoinParams },
      responses: { 204: { description: 'Refused' }, ...problems('not-allowed', 'not-found', 'outbox-full') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { joinRequestId: id } = c.req.valid('param');
      await joins.refuse(scope, id);
      c.set('audit', { target: { kind: 'join-request', id } });
      return c.body(null, 204);
    },
  );
}
