import { createRoute, z } from '@hono/zod-openapi';
import { PageQuery, page } from '../../protocol/wire/api.ts';
import { Uuid } from '../../protocol/wire/ids.ts';
import { EditRole, Person, Role, SetEnabled, SetLimited, SetRoles } from '../../protocol/wire/people.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Employees } from './employees.ts';
import { type OwnData, pseudonymOf } from './own-data.ts';
import { mustManageAccounts, type Roles } from './roles.ts';

const tags = ['Company and people'];
export const PersonSchema = Person.meta({ id: 'Person' });
const RoleSchema = Role.meta({ id: 'Role' });
const PersonParams = z.object({ userId: Uuid });
const RoleParams = z.object({ roleId: Uuid });

export function registerPeopleRoutes(app: Api, deps: { employees: Employees; roles: Roles; ownData: OwnData }): void {
  const { employees, roles, ownData } = deps;

  app.openapi(
    createRoute({
      method: 'get',
      path: '/people',
      operationId: 'listPeople',
      tags,
      summary: 'People of my company',
      description: 'For who manages accounts, and for who assigns sites (manage-all-sites).',
      request: { query: PageQuery.extend({ search: z.string().trim().max(64).optional() }) },
      responses: { 200: json(page(PersonSchema), 'In the order in which they came'), ...problems('not-allowed') },
    }),
    async (c) => {
      const scope = c.get('scope');
      scope.must('manage-accounts', 'manage-all-sites');
      return c.json(await employees.list(scope.companyId, c.req.valid('query')), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/people/{userId}',
      operationId: 'getPerson',
      tags,
      summary: 'One of my company’s people',
      request: { params: PersonParams },
      responses: { 200: json(PersonSchema, 'The person'), ...problems('not-allowed', 'not-found') },
    }),
    async (c) => {
      const scope = c.get('scope');
      scope.must('manage-accounts', 'manage-all-sites');
      return c.json(await employees.get(scope.companyId, c.req.valid('param').userId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/people/{userId}/roles',
      operationId: 'setPersonRoles',
      tags,
      summary: 'Give a person these roles',
      description: 'What is added must be held by who gives it.',
      request: { params: PersonParams, ...body(SetRoles) },
      responses: { 200: json(PersonSchema, 'The person'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { userId } = c.req.valid('param');
      await employees.setRoles(scope, userId, c.req.valid('json').roles);
      const person = await employees.get(scope.companyId, userId);
      c.set('audit', { detail: person.roles.map((role) => role.name).join(', ') || '–' });
      return c.json(person, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/people/{userId}/enabled',
      operationId: 'setPersonEnabled',
      tags,
      summary: 'Enable or disable an employee’s account',
      description: 'Whether they may sign in; their sessions end at once. Needs no add-on slot.',
      request: { params: PersonParams, ...body(SetEnabled) },
      responses: { 200: json(PersonSchema, 'The person'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { userId } = c.req.valid('param');
      const { enabled } = c.req.valid('json');
      await employees.setEnabled(scope, userId, enabled);
      c.set('audit', { detail: enabled ? 'enabled' : 'disabled' });
      return c.json(await employees.get(scope.companyId, userId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/people/{userId}/limited',
      operationId: 'setPersonLimited',
      tags,
      summary: 'Remove an employee’s account limit, or set it again',
      description: 'Without limit they may manage sites and devices; that uses an add-on slot of the company.',
      request: { params: PersonParams, ...body(SetLimited) },
      responses: {
        200: json(PersonSchema, 'The person'),
        ...problems('not-allowed', 'not-found', 'conflict', 'limit-reached'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { userId } = c.req.valid('param');
      const { limited } = c.req.valid('json');
      await employees.setLimited(scope, userId, limited);
      c.set('audit', { detail: limited ? 'limited' : 'limit removed' });
      return c.json(await employees.get(scope.companyId, userId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/people/{userId}',
      operationId: 'removePerson',
      tags,
      summary: 'Remove an employee: the account and its personal data are deleted',
      request: { params: PersonParams },
      responses: { 204: { description: 'Removed' }, ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      mustManageAccounts(c.get('scope'));
      const { userId } = c.req.valid('param');
      await ownData.deletePerson(c.get('principal'), userId);
      c.set('audit', { target: { kind: 'person', id: userId, name: pseudonymOf(userId) } });
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/roles',
      operationId: 'listRoles',
      tags,
      summary: 'Roles of my company',
      responses: { 200: json(z.object({ items: z.array(RoleSchema) }), 'By name'), ...problems('not-allowed') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      return c.json({ items: await roles.list(scope.companyId) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/roles',
      operationId: 'createRole',
      tags,
      summary: 'Add a role',
      request: body(EditRole),
      responses: { 201: json(RoleSchema, 'The role'), ...problems('not-allowed', 'conflict', 'limit-reached') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const wanted = c.req.valid('json');
      const id = await roles.create(scope, wanted);
      c.set('audit', { target: { kind: 'role', id, name: wanted.name }, detail: wanted.permissions.join(', ') });
      return c.json(await roles.get(scope.companyId, id), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/roles/{roleId}',
      operationId: 'changeRole',
      tags,
      summary: 'Change a role, for everybody who has it, at once',
      request: { params: RoleParams, ...body(EditRole) },
      responses: { 200: json(RoleSchema, 'The role'), ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { roleId } = c.req.valid('param');
      const wanted = c.req.valid('json');
      await roles.change(scope, roleId, wanted);
      c.set('audit', {
        target: { kind: 'role', id: roleId, name: wanted.name },
        detail: wanted.permissions.join(', '),
      });
      return c.json(await roles.get(scope.companyId, roleId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/roles/{roleId}',
      operationId: 'deleteRole',
      tags,
      summary: 'Delete a role that nobody has',
      request: { params: RoleParams },
      responses: { 204: { description: 'Deleted' }, ...problems('not-allowed', 'not-found', 'conflict') },
    }),
    async (c) => {
      const scope = c.get('scope');
      mustManageAccounts(scope);
      const { roleId } = c.req.valid('param');
      const name = await roles.remove(scope, roleId);
      c.set('audit', { target: { kind: 'role', id: roleId, name } });
      return c.body(null, 204);
    },
  );
}
