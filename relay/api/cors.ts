import type { MiddlewareHandler } from 'hono';

/** What a page elsewhere may send, and what of the answer it may read. */
export interface CorsOptions {
  /** Of the address: which of its methods, and the type of a POST's body; null: other origins have nothing to do with it. */
  of: (path: string) => { methods: string; post?: string } | null;
  exposed: string;
}

const MAX_AGE_S = '7200';

/**
 * Lets pages of every origin use a few addresses (Fetch standard, CORS), with a bearer token that they bring themselves. An
 * origin of `*` is one for which a browser neither sends nor takes cookies, and what comes with a session's cookie from
 * elsewhere is refused by {@link requireSameOrigin} besides. Whether a thing is there is not told: preflights are all answered alike.
 */
export function cors({ of, exposed }: CorsOptions): MiddlewareHandler {
  return async (c, next) => {
    const open = of(c.req.path);
    if (!open) return next();
    const headers: Record<string, string> = { 'access-control-allow-origin': '*' };
    if (c.req.method === 'OPTIONS') {
      const asked = {
        'access-control-allow-methods': `${open.methods}, OPTIONS`,
        'access-control-allow-headers': 'Authorization, Content-Type, If-Match',
        'access-control-max-age': MAX_AGE_S,
        allow: `${open.methods}, OPTIONS`,
        ...(open.post && { 'accept-post': open.post }),
      };
      return c.body(null, 204, { ...headers, ...asked });
    }
    await next();
    c.res.headers.set('access-control-allow-origin', '*');
    c.res.headers.set('access-control-expose-headers', exposed);
  };
}
