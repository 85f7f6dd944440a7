import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { HttpBindings } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import { problemResponse } from '../api/problem.ts';

const DOCS = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatepost API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const DOCS_START = `SwaggerUIBundle({ url: '/api/v1/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n`;

/** The portal's pages and the API's documentation, all from this host. `portalDir` holds the built portal. */
export function webPages({ portalDir }: { portalDir: string }): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();

  const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  app.use(async (c, next) => {
    await next();
    if (c.res.ok || c.res.status === 304) c.res.headers.set('cache-control', caching(c.req.path));
  });
  // A page asked for again is not sent again; what never changes is not even asked for.
  const tag = etag();
  app.use((c, next) => (c.req.method === 'GET' && caching(c.req.path) === 'no-cache' ? tag(c, next) : next()));
  app.get('/docs', (c) => c.html(DOCS));
  app.get('/docs/start.js', (c) => c.body(DOCS_START, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
    app.get(`/docs/${file}`, serveStatic({ path: join(swagger, file) }));
  }

  const forPages = serveStatic({ rewriteRequestPath: (path) => join(portalDir, path), precompressed: true });
  const page = serveStatic({ path: join(portalDir, 'index.html'), precompressed: true });
  app.get('*', forPages, async (c, next) => {
    // Addresses of the portal's own pages have no dot; anything else that is missing is missing.
    if (/\.\w+$/.test(c.req.path)) return problemResponse('not-found');
    if (existsSync(join(portalDir, 'index.html'))) return page(c, next);
    return c.text('The portal is not built: run `npm run build`.\n', 503);
  });
  app.all('*', () => problemResponse('not-found'));
  return app;
}

/** Vite puts a hash of the content into the names of assets; pages are asked for again each time. */
function caching(path: string): string {
  if (/^\/assets\/[^/]+-[\w-]{8,}\.\w+$/.test(path)) return 'public, max-age=31536000, immutable';
  return path.startsWith('/docs/swagger') ? 'public, max-age=86400' : 'no-cache';
}
