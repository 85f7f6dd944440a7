import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Clock } from '../../protocol/clock.ts';
import {
  AcceptInvitation,
  ConfirmByCode,
  ConfirmByLink,
  ForgottenPassword,
  InvitationShown,
  Join,
  Joined,
  LinkSecret,
  LinkShown,
  Register,
  Resend,
  Sent,
} from '../../protocol/wire/people.ts';
import { type Api, type ApiEnv, requireSameOrigin } from '../api/app.ts';
import { body, json, ProblemError, problems } from '../api/problem.ts';
import { networkOf } from '../api/remote.ts';
import { Limiter, retryAfter } from '../auth/limiter.ts';
import type { Login } from '../auth/login.ts';
import { LoginResponseSchema, type SessionCookies } from '../auth/routes.ts';
import type { Db } from '../db/database.ts';
import type { Account } from './account.ts';
import type { Invitations } from './invitations.ts';
import type { Registrations } from './registration.ts';
import type { Verifications } from './verifications.ts';

const tags = ['Registration'];
const security: never[] = [];
const SentSchema = Sent.meta({ id: 'Sent' });
const HOUR_MS = 3_600_000;

/** What people do before they can sign in. Every one of these is reached by anybody: nothing in their answers tells who has an account. */
export function registerRegistrationRoutes(
  app: Api,
  deps: {
    db: Db;
    clock: Clock;
    registrations: Registrations;
    invitations: Invitations;
    account: Account;
    verifications: Verifications;
    login: Login;
    cookies: SessionCookies;
  },
): void {
  const { registrations, invitations, account, verifications, login, cookies } = deps;
  const sends = new Limiter({ clock: deps.clock, limit: 30, windowMs: HOUR_MS });
  const tries = new Limiter({ clock: deps.clock, limit: 100, windowMs: HOUR_MS });
  const admit = (c: Context<ApiEnv>, limiter: Limiter) => {
    requireSameOrigin(c.req.raw);
    const wait = limiter.take(networkOf(cookies.from(c).remote));
    if (wait > 0) throw new ProblemError('too-many-tries', undefined, { headers: retryAfter(wait) });
  };
  const signIn = async (c: Context<ApiEnv>, userId: string) => {
    const session = await login.open(userId, cookies.from(c));
    c.set('audit', { actor: { userId } });
    cookies.set(c, session);
    return session;
  };

  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/register',
      operationId: 'register',
      tags,
      security,
      summary: 'Register a company, as an employee, or as a customer',
      description:
        'Sends a link by e-mail, or a code to a phone. The answer is the same when the address has an account already: then that is what is sent.',
      request: body(Register),
      responses: { 202: json(SentSchema, 'Sent'), ...problems('too-many-tries', 'not-allowed', 'outbox-full') },
    }),
    async (c) => {
      admit(c, sends);
      return c.json(await registrations.begin(c.req.valid('json')), 202);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/register/resend',
      operationId: 'resendRegistration',
      tags,
      security,
      summary: 'Send the link or code again',
      description: 'Once a minute, five times a day. The one sent before is no longer valid.',
      request: body(Resend),
      responses: {
        202: json(SentSchema, 'Sent'),
        ...problems('link-invalid', 'too-many-tries', 'not-allowed', 'outbox-full'),
      },
    }),
    async (c) => {
      admit(c, sends);
      return c.json(await registrations.resend(c.req.valid('json').id), 202);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/register/link',
      operationId: 'confirmRegistration',
      tags,
      security,
      summary: 'Finish a registration with the link from the e-mail, and sign in',
      request: body(ConfirmByLink),
      responses: {
        201: json(LoginResponseSchema, 'Registered'),
        ...problems('link-invalid', 'weak-password', 'conflict', 'too-many-tries', 'not-allowed'),
      },
    }),
    async (c) => {
      admit(c, tries);
      const { token, password } = c.req.valid('json');
      return c.json(await signIn(c, await registrations.byLink(token, password)), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/register/code',
      operationId: 'confirmRegistrationByCode',
      tags,
      security,
      summary: 'Finish a registration with the code from the phone, and sign in',
      description: 'Five tries for a code, which is valid for ten minutes.',
      request: body(ConfirmByCode),
      responses: {
        201: json(LoginResponseSchema, 'Registered'),
        ...problems('code-wrong', 'link-invalid', 'weak-password', 'conflict', 'too-many-tries', 'not-allowed'),
      },
    }),
    async (c) => {
      admit(c, tries);
      const { id, code, password } = c.req.valid('json');
      return c.json(await signIn(c, await registrations.byCode(id, code, password)), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/register/join',
      operationId: 'askToJoin',
      tags,
      security,
      summary: 'Ask a company to be let in as an employee',
      description: 'With the link of an employee’s registration, and one of the companies that it lists.',
      request: body(Join),
      responses: {
        201: json(Joined, 'Asked: the company decides'),
        ...problems('link-invalid', 'not-found', 'weak-password', 'conflict', 'limit-reached', 'too-many-tries'),
        ...problems('not-allowed'),
      },
    }),
    async (c) => {
      admit(c, tries);
      const { token, companyId, password, message } = c.req.valid('json');
      return c.json(await registrations.join(token, companyId, password, message), 201);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/link',
      operationId: 'showLink',
      tags,
      security,
      summary: 'What a link from an e-mail is for',
      request: body(LinkSecret),
      responses: { 200: json(LinkShown, 'The link'), ...problems('link-invalid', 'too-many-tries', 'not-allowed') },
    }),
    async (c) => {
      admit(c, tries);
      const row = await verifications.byLink(deps.db, c.req.valid('json').token, 'register', 'email', 'reset');
      return c.json(await (row.kind === 'register' ? registrations.show(row) : account.show(row)), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/email',
      operationId: 'confirmEmail',
      tags,
      security,
      summary: 'Confirm the new e-mail address of an account',
      request: body(LinkSecret),
      responses: {
        204: { description: 'Changed' },
        ...problems('link-invalid', 'too-many-tries', 'not-allowed'),
      },
    }),
    async (c) => {
      admit(c, tries);
      c.set('audit', { actor: { userId: await account.confirmEmail(c.req.valid('json').token) } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/forgotten',
      operationId: 'forgotPassword',
      tags,
      security,
      summary: 'Send a link to who forgot the password',
      description:
        'The answer is the same whether there is such an account or not. Asked again within a minute, the link sent before stays valid.',
      request: body(ForgottenPassword),
      responses: {
        204: { description: 'Sent if there is such an account' },
        ...problems('too-many-tries', 'not-allowed'),
      },
    }),
    async (c) => {
      admit(c, sends);
      await account.forgotten(c.req.valid('json').account, cookies.from(c));
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/reset',
      operationId: 'resetPassword',
      tags,
      security,
      summary: 'Choose a new password with the link, which ends all sessions',
      request: body(ConfirmByLink),
      responses: {
        204: { description: 'Set' },
        ...problems('link-invalid', 'weak-password', 'too-many-tries', 'not-allowed'),
      },
    }),
    async (c) => {
      admit(c, tries);
      const { token, password } = c.req.valid('json');
      c.set('audit', { actor: { userId: await account.reset(token, password) } });
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/invitation',
      operationId: 'showInvitation',
      tags,
      security,
      summary: 'What an invitation is for',
      request: body(LinkSecret),
      responses: {
        200: json(InvitationShown, 'The invitation'),
        ...problems('link-invalid', 'too-many-tries', 'not-allowed'),
      },
    }),
    async (c) => {
      admit(c, tries);
      return c.json(await invitations.show(c.req.valid('json').token), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/invitation/accept',
      operationId: 'acceptInvitation',
      tags,
      security,
      summary: 'Register as the employee that was invited, and sign in',
      request: body(AcceptInvitation),
      responses: {
        201: json(LoginResponseSchema, 'Registered'),
        ...problems('link-invalid', 'weak-password', 'conflict', 'too-many-tries', 'not-allowed'),
      },
    }),
    async (c) => {
      admit(c, tries);
      return c.json(await signIn(c, await invitations.accept(c.req.valid('json'))), 201);
    },
  );
}
