import { createRoute } from '@hono/zod-openapi';
import { deleteCookie, setCookie } from 'hono/cookie';
import { LoginRequest, LoginResponse, Me } from '../../protocol/wire/api.ts';
import { type Api, requireSameOrigin, SESSION_COOKIE } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { Login } from './login.ts';
import type { Sessions } from './sessions.ts';

const tags = ['Sign-in'];

export function registerAuthRoutes(
  app: Api,
  deps: { login: Login; sessions: Sessions; remote: RemoteAddress; secureCookies: boolean },
): void {
  const cookie = { path: '/', httpOnly: true, sameSite: 'Lax', secure: deps.secureCookies } as const;
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/login',
      tags,
      summary: 'Sign in',
      description: 'Sets the session cookie for browsers; programs send the token as `Authorization: Bearer`.',
      security: [],
      request: body(LoginRequest),
      responses: {
        200: json(LoginResponse, 'Signed in'),
        ...problems('wrong-credentials', 'not-allowed', 'too-many-tries'),
      },
    }),
    async (c) => {
      requireSameOrigin(c.req.raw);
      const { email, password } = c.req.valid('json');
      const session = await deps.login.login(email, password, {
        remote: deps.remote(c.env.incoming),
        userAgent: c.req.header('user-agent') ?? '',
      });
      setCookie(c, SESSION_COOKIE, session.token, { ...cookie, expires: new Date(session.expiresAt) });
      return c.json(session, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/logout',
      tags,
      summary: 'Sign out: the session ends, and what it had open',
      responses: { 204: { description: 'Signed out' }, ...problems('not-allowed') },
    }),
    async (c) => {
      await deps.sessions.end(c.get('principal').id);
      deleteCookie(c, SESSION_COOKIE, cookie);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/auth/me',
      tags,
      summary: 'Who is signed in',
      responses: { 200: json(Me, 'The user'), ...problems() },
    }),
    async (c) => c.json(await deps.login.me(c.get('scope')), 200),
  );
}
