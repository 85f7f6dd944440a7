import { createRoute } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { LoginRequest, LoginResponse, Me } from '../../protocol/wire/api.ts';
import { type Api, type ApiEnv, requireSameOrigin, sessionCookie } from '../api/app.ts';
import { body, json, problems } from '../api/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { From, Login, SignedIn } from './login.ts';
import type { Sessions } from './sessions.ts';

const tags = ['Sign-in'];
export const LoginResponseSchema = LoginResponse.meta({ id: 'SignedIn' });

/** How a request says where it comes from, and how a browser is given its session. */
export class SessionCookies {
  readonly #remote: RemoteAddress;
  readonly #options: { path: string; httpOnly: boolean; sameSite: 'Lax'; secure: boolean };

  constructor({ remote, secure }: { remote: RemoteAddress; secure: boolean }) {
    this.#remote = remote;
    this.#options = { path: '/', httpOnly: true, sameSite: 'Lax', secure };
  }

  from(c: Context<ApiEnv>): From {
    return { remote: this.#remote(c.env.incoming), userAgent: c.req.header('user-agent') ?? '' };
  }

  set(c: Context<ApiEnv>, session: SignedIn): void {
    setCookie(c, sessionCookie(this.#options.secure), session.token, {
      ...this.#options,
      expires: new Date(session.expiresAt),
    });
  }

  clear(c: Context<ApiEnv>): void {
    deleteCookie(c, sessionCookie(this.#options.secure), this.#options);
  }
}

export function registerAuthRoutes(
  app: Api,
  deps: { login: Login; sessions: Sessions; cookies: SessionCookies },
): void {
  const { login, sessions, cookies } = deps;
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/login',
      operationId: 'signIn',
      tags,
      summary: 'Sign in',
      description:
        'Sets the session cookie for browsers; programs send the token as `Authorization: Bearer`. Where two-factor sign-in is on, the same is sent again with `code`.',
      security: [],
      request: body(LoginRequest),
      responses: {
        200: json(LoginResponseSchema, 'Signed in'),
        ...problems('wrong-credentials', 'second-factor-needed', 'code-wrong', 'not-allowed', 'too-many-tries'),
      },
    }),
    async (c) => {
      requireSameOrigin(c.req.raw);
      const { email, password, code } = c.req.valid('json');
      const session = await login.login(email, password, code, cookies.from(c));
      c.set('audit', { actor: { userId: session.me.userId } });
      cookies.set(c, session);
      return c.json(session, 200);
    },
  );
  app.openapi(
    createRoute({
      method: 'post',
      path: '/auth/logout',
      operationId: 'signOut',
      tags,
      summary: 'Sign out: the session ends, and what it had open',
      responses: { 204: { description: 'Signed out' }, ...problems('not-allowed') },
    }),
    async (c) => {
      await sessions.end(c.get('principal').id);
      cookies.clear(c);
      return c.body(null, 204);
    },
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/auth/me',
      operationId: 'getMe',
      tags,
      summary: 'Who is signed in',
      responses: { 200: json(Me, 'The user'), ...problems() },
    }),
    async (c) => c.json(await login.me(c.get('scope')), 200),
  );
}
