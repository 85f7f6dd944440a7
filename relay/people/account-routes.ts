import { createRoute, z } from '@hono/zod-openapi';
import { Uuid } from '../../protocol/wire/ids.ts';
import {
  ChangeEmail,
  ChangePassword,
  ChangePhone,
  ChangeProfile,
  Confirm,
  ConfirmWithCode,
  Profile,
  RecoveryCodes,
  Sent,
  Session,
  TotpCode,
  TotpSetup,
  VerifyCode,
} from '../../protocol/wire/people.ts';
import type { Api } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import { LoginResponseSchema, type SessionCookies } from '../auth/routes.ts';
import type { Account } from './account.ts';
import type { OwnData } from './own-data.ts';

const tags = ['My account'];
const ProfileSchema = Profile.meta({ id: 'Profile' });
const SentSchema = Sent.meta({ id: 'Sent' });
/** What entering the password again can be answered with. */
const CONFIRM = ['wrong-password', 'too-many-tries'] as const;

export function registerAccountRoutes(
  app: Api,
  { account, ownData, cookies }: { account: Account; ownData: OwnData; cookies: SessionCookies },
): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/me/profile',
      operationId: 'getProfile',
      tags,
      summary: 'My account',
      responses: { 200: json(ProfileSchema, 'The account'), ...problems() },
    }),
    async (c) => c.json(await account.profile(c.get('principal').userId), 200),
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/me/profile',
      operationId: 'changeProfile',
      tags,
      summary: 'Change my name and language',
      request: body(ChangeProfile),
      responses: { 200: json(ProfileSchema, 'The account'), ...problems('not-allowed') },
    }),
    async (c) => {
      const { userId } = c.get('principal');
      await account.change(userId, c.req.valid('json'));
      return c.json(await account.profile(userId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'put',
      path: '/me/password',
      operationId: 'changePassword',
      tags,
      summary: 'Change my password',
      description: 'Ends all other sessions; this one goes on with a new token.',
      request: body(ChangePassword),
      responses: { 200: json(LoginResponseSchema, 'The new session'), ...problems(...CONFIRM, 'weak-password') },
    }),
    async (c) => {
      const { password, newPassword } = c.req.valid('json');
      const session = await account.changePassword(c.get('principal'), password, newPassword, cookies.from(c));
      cookies.set(c, session);
      return c.json(session, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/email',
      operationId: 'changeEmail',
      tags,
      summary: 'Change my e-mail address: a link is sent to the new one',
      request: body(ChangeEmail),
      responses: { 202: json(SentSchema, 'Sent'), ...problems(...CONFIRM, 'outbox-full') },
    }),
    async (c) => {
      const { email, password } = c.req.valid('json');
      return c.json(await account.changeContact(c.get('principal'), { email }, password, cookies.from(c)), 202);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/phone',
      operationId: 'changePhone',
      tags,
      summary: 'Enter my phone number: a code is sent to it',
      request: body(ChangePhone),
      responses: { 202: json(SentSchema, 'Sent'), ...problems(...CONFIRM, 'outbox-full') },
    }),
    async (c) => {
      const { phone, password } = c.req.valid('json');
      return c.json(await account.changeContact(c.get('principal'), { phone }, password, cookies.from(c)), 202);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/phone/confirm',
      operationId: 'confirmPhone',
      tags,
      summary: 'Confirm my phone number with the code',
      request: body(VerifyCode),
      responses: { 200: json(ProfileSchema, 'The account'), ...problems('code-wrong', 'link-invalid') },
    }),
    async (c) => {
      const { id, code } = c.req.valid('json');
      const who = c.get('principal');
      await account.confirmPhone(who, id, code);
      return c.json(await account.profile(who.userId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/me/phone',
      operationId: 'removePhone',
      tags,
      summary: 'Take my phone number away',
      responses: { 204: { description: 'Taken away' }, ...problems('conflict') },
    }),
    async (c) => {
      await account.removePhone(c.get('principal').userId);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/totp',
      operationId: 'beginTwoFactor',
      tags,
      summary: 'Begin to set up two-factor sign-in',
      description: 'The secret is for an authenticator app (RFC 6238). It counts from its first code on.',
      request: body(Confirm),
      responses: { 200: json(TotpSetup, 'The secret'), ...problems(...CONFIRM, 'conflict') },
    }),
    async (c) =>
      c.json(await account.beginTotp(c.get('principal'), c.req.valid('json').password, cookies.from(c)), 200),
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/totp/confirm',
      operationId: 'confirmTwoFactor',
      tags,
      summary: 'Switch two-factor sign-in on with the first code',
      description: 'Ends all other sessions. The recovery codes are shown this once; each can be used once.',
      request: body(TotpCode),
      responses: {
        200: json(LoginResponseSchema.extend(RecoveryCodes.shape), 'The new session, and the recovery codes'),
        ...problems('code-wrong', 'conflict'),
      },
    }),
    async (c) => {
      const who = c.get('principal');
      const { codes, signedIn } = await account.confirmTotp(who, c.req.valid('json').code, cookies.from(c));
      cookies.set(c, signedIn);
      return c.json({ ...signedIn, codes }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/totp/remove',
      operationId: 'removeTwoFactor',
      tags,
      summary: 'Switch two-factor sign-in off',
      description: 'With the password, and a code of the app or a recovery code.',
      request: body(ConfirmWithCode),
      responses: {
        200: json(LoginResponseSchema, 'The new session'),
        ...problems(...CONFIRM, 'code-wrong', 'conflict'),
      },
    }),
    async (c) => {
      const session = await account.removeTotp(c.get('principal'), c.req.valid('json'), cookies.from(c));
      cookies.set(c, session);
      return c.json(session, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/recovery-codes',
      operationId: 'newRecoveryCodes',
      tags,
      summary: 'New recovery codes in the place of the old ones',
      description: 'With the password, and a code of the app or a recovery code.',
      request: body(ConfirmWithCode),
      responses: {
        200: json(RecoveryCodes, 'The codes, shown this once'),
        ...problems(...CONFIRM, 'code-wrong', 'conflict'),
      },
    }),
    async (c) => {
      const proof = c.req.valid('json');
      return c.json({ codes: await account.newRecoveryCodes(c.get('principal'), proof, cookies.from(c)) }, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/me/sessions',
      operationId: 'listSessions',
      tags,
      summary: 'Where I am signed in',
      responses: { 200: json(z.object({ items: z.array(Session) }), 'Last used first'), ...problems() },
    }),
    async (c) => c.json({ items: await account.sessions(c.get('principal')) }, 200),
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/me/sessions/{sessionId}',
      operationId: 'endSession',
      tags,
      summary: 'End one of my sessions, and what it has open',
      request: { params: z.object({ sessionId: Uuid }) },
      responses: { 204: { description: 'Ended' }, ...problems('not-found') },
    }),
    async (c) => {
      await account.endSession(c.get('principal'), c.req.valid('param').sessionId);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'delete',
      path: '/me/sessions',
      operationId: 'endOtherSessions',
      tags,
      summary: 'End all my sessions but this one',
      responses: { 204: { description: 'Ended' }, ...problems() },
    }),
    async (c) => {
      await account.endOtherSessions(c.get('principal'));
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/me/export',
      operationId: 'exportOwnData',
      tags,
      summary: 'Everything that is stored of me',
      responses: { 200: json(z.record(z.string(), z.unknown()), 'My data'), ...problems() },
    }),
    async (c) => {
      c.set('audit', { always: true });
      c.header('content-disposition', 'attachment; filename="gatepost-my-data.json"');
      return c.json(await ownData.export(c.get('principal').userId), 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/me/delete',
      operationId: 'deleteOwnAccount',
      tags,
      summary: 'Delete my account',
      description:
        'Personal data are removed; entries in operation logs keep a pseudonym. Not while others depend on it: an administrator with employees, or who owns sites.',
      request: body(Confirm),
      responses: { 204: { description: 'Deleted' }, ...problems(...CONFIRM, 'conflict') },
    }),
    async (c) => {
      await ownData.deleteOwn(c.get('principal'), c.req.valid('json').password, cookies.from(c));
      cookies.clear(c);
      return c.body(null, 204);
    },
  );
}
