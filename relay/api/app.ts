import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import { getCookie } from 'hono/cookie';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { auditing } from '../audit/middleware.ts';
import type { OperationLog } from '../audit/operation-log.ts';
import { createScope, type Scope } from '../auth/scope.ts';
import type { Principal, Sessions } from '../auth/sessions.ts';
import type { Db } from '../db/database.ts';
import { forKeys } from '../keys/for-keys.ts';
import type { ApiKeys } from '../keys/keys.ts';
import { WHEP_CORS } from '../video/whep.ts';
import type { Metrics } from '../web/metrics.ts';
import { bodyLimit } from './body-limit.ts';
import { cors } from './cors.ts';
import { idempotency } from './idempotency.ts';
import { ProblemError, problemResponse } from './problem.ts';
import { RATE_LIMITS, type RateLimits, rateLimit } from './rate-limit.ts';
import type { RemoteAddress } from './remote.ts';

/**
 * The name of the session's cookie. Over https it has the prefix by which browsers take it from this host alone: no
 * neighbouring host can plant one.
 */
export const sessionCookie = (https: boolean) => (https ? '__Host-gp_session' : 'gp_session');

export type ApiEnv = {
  Bindings: HttpBindings;
  Variables: {
    scope: Scope;
    principal: Principal;
    /** The scope as it is now: what stays open asks it again. Rejects when whoever asked is no longer let in. */
    scopeNow: () => Promise<Scope>;
    audit?: AuditNote;
    /** The answer holds a secret that is shown this once: it is kept for repeats only where nobody else can read it. */
    secret?: boolean;
  };
};
/** What a route adds to its entry in the operation log. */
export interface AuditNote {
  siteId?: string;
  target?: { kind: string; id?: string; name?: string };
  detail?: string;
  /** Who did it, where nobody is signed in (yet). */
  actor?: { userId: string };
  /** Other tenants whom it concerns: they see it in their log too. */
  companies?: string[];
  /** Log it although it changes nothing. `looking`: looking at the same again within ten minutes is one operation. */
  always?: boolean | 'looking';
}
/** What `register…Routes(app, deps)` takes. Paths are relative to /api/v1. */
export type Api = OpenAPIHono<ApiEnv>;

/** Largest JSON body; uploads have a limit of their own. */
const MAX_BODY_BYTES = 256 * 1024;
/** Reached without signing in, and therefore without `security` in the document. */
const OPEN = new Set(
  `openapi.json token auth/login auth/register auth/register/resend auth/register/link auth/register/code auth/register/join auth/link
auth/email auth/forgotten auth/reset auth/invitation auth/invitation/accept`
    .split(/\s+/)
    .map((path) => `/api/v1/${path}`),
);

/**
 * The portal API under /api/v1: every route but the sign-in itself and the document has a scope (`c.get('scope')`)
 * before it runs. Failures are thrown as {@link ProblemError}; anything else thrown is a bug and answered 500.
 */
export function createApi(deps: {
  db: Db;
  clock: Clock;
  log: Logger;
  sessions: Sessions;
  keys: ApiKeys;
  operationLog: OperationLog;
  remote: RemoteAddress;
  limits?: RateLimits;
  metrics?: Metrics;
  /** Browsers come by https. */
  https?: boolean;
}): Api {
  const { db, clock, log, sessions, keys, operationLog, remote, limits = RATE_LIMITS, metrics, https = false } = deps;
  const app: Api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const errors = result.error.issues.map((i) => ({ path: i.path.join('.'), message: i.message }));
      throw new ProblemError(
        'invalid-request',
        errors
          .map((e) => `${e.path}: ${e.message}`)
          .join('; ')
          .slice(0, 512),
        {
          errors: errors.slice(0, 50),
        },
      );
    },
  }).basePath('/api/v1');

  app.use('*', async (c, next) => {
    const started = clock.mono();
    await next();
    metrics?.requests.observe({ method: c.req.method, status: c.res.status }, (clock.mono() - started) / 1000);
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
    // Nobody reads the body of an answer to HEAD, and what makes it would wait for ever to be read.
    if (c.req.method === 'HEAD') await c.res.body?.cancel().catch(() => {});
  });
  app.use('*', cors(WHEP_CORS));
  app.use('*', bodyLimit(MAX_BODY_BYTES));
  app.use('*', async (c, next) => {
    if (OPEN.has(c.req.path)) return next();
    const bearer = /^Bearer ([\w-]{20,128})$/.exec(c.req.header('authorization') ?? '')?.[1];
    const token = bearer ?? getCookie(c, sessionCookie(https));
    const authenticate = async () =>
      token ? ((bearer && (await keys.find(bearer))) ?? (await sessions.find(token))) : null;
    const principal = await authenticate();
    if (!principal) return next();
    // A browser sends the cookie along with requests that other sites make it send; a bearer token it does not.
    if (!bearer) requireSameOrigin(c.req.raw);
    c.set('principal', principal);
    c.set('scope', createScope(db, clock, principal));
    c.set('scopeNow', async () => {
      const now = await authenticate();
      if (!now) throw new ProblemError('not-signed-in');
      return createScope(db, clock, now);
    });
    await next();
  });
  app.use('*', rateLimit({ clock, limits, remote }));
  app.use('*', async (c, next) => {
    if (!c.get('principal') && !OPEN.has(c.req.path)) throw new ProblemError('not-signed-in');
    await next();
  });
  app.use('*', forKeys(app));
  app.use('*', idempotency(db, clock));
  app.use('*', auditing({ app, db, clock, log, operationLog, remote }));

  app.notFound(() => problemResponse('not-found'));
  app.onError((error, c) => {
    if (error instanceof ProblemError) return problemResponse(error.code, error.detail, error);
    if (error instanceof HTTPException && error.status === 415)
      return problemResponse('invalid-request', 'Send the body as application/json.');
    if (error instanceof HTTPException && error.status === 400)
      return problemResponse('invalid-request', error.message);
    // Whoever hung up in the middle of the request is no fault here, and reads no answer.
    if (c.env?.incoming?.complete === false) return problemResponse('invalid-request');
    log.error({ err: error, method: c.req.method, path: c.req.path }, 'request failed');
    return problemResponse('internal-error');
  });
  return app;
}

/** Refuses a state-changing request that another site made the browser send. */
export function requireSameOrigin(request: Request): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers.get('sec-fetch-site');
  if (site) {
    if (site === 'same-origin' || site === 'none') return;
    throw new ProblemError('not-allowed', 'This request came from another site.');
  }
  const origin = request.headers.get('origin');
  // Programs send neither; they cannot be made to send a victim's cookie.
  if (!origin) return;
  if (!URL.canParse(origin) || new URL(origin).host !== request.headers.get('host')) {
    throw new ProblemError('not-allowed', 'This request came from another site.');
  }
}
