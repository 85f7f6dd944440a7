import type { MiddlewareHandler } from 'hono';

const CSP = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Everything comes from this host, nothing may frame it, nothing is guessed. `https`: browsers are to stay on it. */
export function securityHeaders({ https }: { https: boolean }): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const set = (name: string, value: string) => c.res.headers.set(name, value);
    set('content-security-policy', CSP);
    set('x-content-type-options', 'nosniff');
    set('x-frame-options', 'DENY');
    set('referrer-policy', 'no-referrer');
    set('cross-origin-opener-policy', 'same-origin');
    set('cross-origin-resource-policy', 'same-origin');
    // Nothing here is for search engines, shared links least of all.
    set('x-robots-tag', 'noindex, nofollow');
    // The portal's own pages speak to devices; nothing that they might frame does.
    set('permissions-policy', 'camera=(), microphone=(self), geolocation=()');
    if (https) set('strict-transport-security', 'max-age=31536000; includeSubDomains');
  };
}
