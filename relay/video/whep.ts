import type { IceServer } from '../../protocol/wire/video.ts';
import type { CorsOptions } from '../api/cors.ts';
import { ProblemError } from '../api/problem.ts';

/*
 * What of WHEP (draft-ietf-wish-whep) and of WHIP (RFC 9725), whose ways with HTTP it shares, is about HTTP alone: types,
 * entity-tags, links, and which addresses players of other origins may use.
 */
export const SDP = 'application/sdp';
/** RFC 8840 §9. */
export const FRAGMENT = 'application/trickle-ice-sdpfrag';

const OFFERS = /^\/api\/v1\/devices\/[^/]+\/channels\/[^/]+\/whep$/;
const VIEWS = /^\/api\/v1\/viewings\/[^/]+$/;

/** For players of other origins: the offer, and the view that came of it. */
export const WHEP_CORS: CorsOptions = {
  of: (path) => {
    if (OFFERS.test(path)) return { methods: 'POST', post: SDP };
    return VIEWS.test(path) ? { methods: 'PATCH, DELETE' } : null;
  },
  exposed: 'Location, ETag, Link, Accept-Patch, Retry-After',
};

/** @throws ProblemError `unsupported-media-type` */
export function requireType(given: string | undefined, type: string, method: 'post' | 'patch'): void {
  if ((given ?? '').split(';')[0]!.trim().toLowerCase() === type) return;
  throw new ProblemError('unsupported-media-type', `Send it as ${type}.`, { headers: { [`accept-${method}`]: type } });
}

/** One ICE session: its user name in the offer, and the entity-tag that its answer had. */
export interface IceSession {
  etag: string;
  ufrags: ReadonlySet<string>;
}

const MAX_UFRAGS = 8;

/** User names of ICE in an offer or a fragment: of each section, or of all (RFC 8839 §5.4). */
export const ufragsOf = (sdp: string): Set<string> =>
  new Set([...sdp.matchAll(/^a=ice-ufrag:([\w+/-]{4,256})\r?$/gm)].slice(0, MAX_UFRAGS).map(([, name]) => name!));

/**
 * Whether a fragment belongs to the ICE session that goes on (RFC 9725 §4.3.1). There is one in a view's life, because the
 * box's WebRTC library restarts none. So a player that sends no tag, or `*`, with the user name of its offer, as the common
 * ones do, can mean no other.
 * @throws ProblemError `precondition-failed`, `precondition-required`, `no-restart`; the view goes on
 */
export function requireSession(session: IceSession, fragment: string, ifMatch: string | undefined): void {
  const tags = ifMatch?.split(',').map((tag) => tag.trim().replace(/^"\*"$/, '*'));
  if (tags && !tags.includes('*') && !tags.includes(session.etag))
    throw new ProblemError('precondition-failed', 'If-Match is of another connection.', {
      headers: { etag: session.etag },
    });
  for (const name of ufragsOf(fragment)) {
    if (session.ufrags.has(name)) continue;
    if (!tags) throw new ProblemError('precondition-required', 'These are candidates of another connection.');
    throw new ProblemError('no-restart', 'The box restarts no connection: this one goes on, or begin a new view.');
  }
}

/** ICE servers as WHEP tells them (RFC 9725 §4.6). */
export const linksOf = (servers: readonly IceServer[]): string[] =>
  servers.flatMap(({ urls, username, credential }) =>
    urls.map((url) => {
      const secret = username && credential ? `; username="${username}"; credential="${credential}"` : '';
      return `<${url}>; rel="ice-server"${secret}${secret && '; credential-type="password"'}`;
    }),
  );
