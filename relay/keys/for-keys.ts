import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Api, ApiEnv } from '../api/app.ts';
import { ProblemError } from '../api/problem.ts';

/**
 * What programs may use: a capability is named here or it is for people only, as sign-in, one's own account, people and keys
 * always are; and what people of different tenants agree on with one another: partners, device invitations, what a customer
 * accepts. These follow from who somebody is, which a key's permissions and sites do not narrow. Names are the tags of the
 * API document.
 */
export const TAGS_FOR_KEYS: ReadonlySet<string> = new Set([
  'Home',
  'Sites and boxes',
  'Site groups',
  'Site managers',
  'Devices',
  'Events',
  'Clips',
  'Cloud storage',
  'Alarm receiving centre',
  'ARC service',
  'Alarms at the ARC',
  'Alarm receiving centres',
  'Handover',
  'Sharing',
  'Live view',
  'Operation log',
  'Operations',
  'Panels and radars',
  'Playback',
  'Receiver',
  'Uplink',
  'Compatibility',
]);

/** Looking at pictures by WHEP is reading, though it is asked for by POST. */
const READS: ReadonlySet<string> = new Set(['startLiveView', 'trickleLiveView', 'endLiveView']);

/** Speaking is heard, though its socket is asked for by GET. */
const ACTS: ReadonlySet<string> = new Set(['talkToChannel']);

/** Holds a key to what keys may use, and one that may only read to that. */
export function forKeys(app: Api): MiddlewareHandler<ApiEnv> {
  let allowed: Set<string> | null = null;
  let reads: Set<string> | null = null;
  let acts: Set<string> | null = null;
  const routesThat = (are: (route: { tags?: string[]; operationId?: string }) => boolean | undefined) => {
    const routes = app.openAPIRegistry.definitions.flatMap((d) => (d.type === 'route' ? [d.route] : []));
    const found = routes.filter(are);
    return new Set(found.map((r) => `${r.method.toUpperCase()} /api/v1${r.path.replaceAll(/\{(\w+)\}/g, ':$1')}`));
  };
  return async (c, next) => {
    const principal = c.get('principal');
    if (principal?.kind !== 'key') return next();
    allowed ??= routesThat(({ tags }) => tags?.some((tag) => TAGS_FOR_KEYS.has(tag)));
    reads ??= routesThat(({ operationId }) => operationId !== undefined && READS.has(operationId));
    acts ??= routesThat(({ operationId }) => operationId !== undefined && ACTS.has(operationId));
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method;
    // An address that is not there stays what it is for everybody.
    const routes = matchedRoutes(c).filter((route) => route.path !== '/api/v1/*');
    if (routes.length > 0 && !routes.some(({ path }) => allowed?.has(`${method} ${path}`)))
      throw new ProblemError('not-allowed', 'This is for people: sign in to do it.');
    const among = (those: Set<string>) => routes.some(({ path }) => those.has(`${method} ${path}`));
    if (principal.readOnly && (method === 'GET' ? among(acts) : !among(reads)))
      throw new ProblemError('not-allowed', 'This key may only read.');
    await next();
  };
}
