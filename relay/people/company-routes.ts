import { createRoute } from '@hono/zod-openapi';
import {
  ChangeCompany,
  Company,
  CompanyAuthentication,
  SetAdministrator,
  SubmitAuthentication,
} from '../../protocol/wire/people.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { Login } from '../auth/login.ts';
import { LoginResponseSchema, type SessionCookies } from '../auth/routes.ts';
import type { Companies } from './companies.ts';
import type { Employees } from './employees.ts';

const tags = ['Company and people'];
const CompanySchema = Company.meta({ id: 'Company' });
const AuthenticationSchema = CompanyAuthentication.meta({ id: 'CompanyAuthentication' });

export function registerCompanyRoutes(
  app: Api,
  deps: { companies: Companies; employees: Employees; login: Login; cookies: SessionCookies },
): void {
  const { companies, employees, login, cookies } = deps;
  app.openapi(
    createRoute({
      method: 'get',
      path: '/company',
      operationId: 'getCompany',
      tags,
      summary: 'My company',
      responses: { 200: json(CompanySchema, 'The company'), ...problems() },
    }),
    async (c) => c.json(await companies.get(c.get('scope').companyId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/company',
      operationId: 'changeCompany',
      tags,
      summary: 'Change name, address and phone of my company',
      request: body(ChangeCompany),
      responses: { 200: json(CompanySchema, 'The company'), ...problems('not-allowed', 'conflict') },
    }),
    async (c) => {
      const scope = c.get('scope');
      await companies.change(scope, c.req.valid('json'));
      return c.json(await companies.get(scope.companyId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/company/authentication',
      operationId: 'getCompanyAuthentication',
      tags,
      summary: 'Whether my company is authenticated, and what is asked for in its country',
      responses: { 200: json(AuthenticationSchema, 'The authentication'), ...problems('not-allowed') },
    }),
    async (c) => {
      const scope = c.get('scope');
      scope.must('manage-accounts');
      return c.json(await companies.authentication(scope.companyId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/company/authentication',
      operationId: 'submitCompanyAuthentication',
      tags,
      summary: 'Ask for the authentication of my company',
      description: 'Whoever runs the relay decides. Again after a rejection.',
      request: body(SubmitAuthentication),
      responses: { 201: json(AuthenticationSchema, 'Submitted'), ...problems('not-allowed', 'conflict') },
    }),
    async (c) => {
      const scope = c.get('scope');
      await companies.submit(scope, c.req.valid('json').fields);
      return c.json(await companies.authentication(scope.companyId), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/company/administrator',
      operationId: 'setAdministrator',
      tags,
      summary: 'Hand the administrator’s place over to an employee',
      request: body(SetAdministrator),
      responses: {
        200: json(LoginResponseSchema, 'My new session'),
        ...problems('not-allowed', 'not-found', 'conflict', 'wrong-password', 'too-many-tries'),
      },
    }),
    async (c) => {
      const scope = c.get('scope');
      const { userId, password } = c.req.valid('json');
      await login.confirm(scope.userId, password, cookies.from(c).remote);
      await employees.setAdministrator(scope, userId);
      c.set('audit', { target: { kind: 'person', id: userId } });
      const session = await login.rotate(scope.userId, cookies.from(c));
      cookies.set(c, session);
      return c.json(session, 200);
    },
  );
}
