import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { securityHeaders } from './headers.ts';

const headersOf = async (https: boolean) => {
  const app = new Hono().use(securityHeaders({ https })).get('/', (c) => c.text('a page'));
  return (await app.request('/')).headers;
};

describe('security headers', () => {
  it('let a page load scripts, styles, its service worker and its manifest from this host, and run nothing written into it', async () => {
    const policy = String((await headersOf(true)).get('content-security-policy'));
    const directives = new Map(
      policy.split('; ').map((text) => [text.split(' ')[0]!, text.split(' ').slice(1).join(' ')]),
    );
    // What has no directive of its own falls back to default-src: scripts, styles, workers, the manifest, connections.
    expect(Object.fromEntries(directives)).toEqual({
      'default-src': "'self'",
      'img-src': "'self' data: blob:",
      'media-src': "'self' blob:",
      'object-src': "'none'",
      'base-uri': "'none'",
      'form-action': "'self'",
      'frame-ancestors': "'none'",
    });
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
  });

  it.each([
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ['referrer-policy', 'no-referrer'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['x-robots-tag', 'noindex, nofollow'],
    ['permissions-policy', 'camera=(), microphone=(self), geolocation=()'],
  ])('set %s to %s', async (name, value) => {
    expect((await headersOf(false)).get(name)).toBe(value);
  });

  it('keep browsers on https only where it is served', async () => {
    expect((await headersOf(true)).get('strict-transport-security')).toMatch(/^max-age=31536000/);
    expect((await headersOf(false)).get('strict-transport-security')).toBeNull();
  });
});
