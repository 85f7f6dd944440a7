import { PROBLEMS } from '../../protocol/wire/problem.ts';
import { type Api, sessionCookie } from './app.ts';
import { withExamples } from './examples.ts';

const errors = Object.entries(PROBLEMS).map(([code, [status, title]]) => `| \`${code}\` | ${status} | ${title} |`);
const DESCRIPTION = `Portal API of a Gatepost relay. Times are UTC, ISO 8601. Lists come as \`{items, nextCursor}\` in the relay's own order. A POST with an \`Idempotency-Key\` is done once: sent again within a day it gets the same answer. Programs use an API key as \`Authorization: Bearer gp_live_…\`. How much a company may ask stands in \`RateLimit-*\` of every answer; beyond it the answer is \`too-many-requests\` with \`Retry-After\`.

Errors are problem details (RFC 9457) with a stable \`code\`:

| code | status | meaning |
|---|---|---|
${errors.join('\n')}
`;

/** Serves the OpenAPI 3.1 document of all routes there are when it is first asked for: writing it anew each time costs 7 ms. */
export function registerDocument(app: Api): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: sessionCookie(true),
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  let document: string | null = null;
  const config: Parameters<typeof app.getOpenAPI31Document>[0] = {
    openapi: '3.1.0',
    info: {
      title: 'Gatepost',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    security: [{ session: [] }, { token: [] }],
  };
  app.get('/openapi.json', (c) => {
    document ??= JSON.stringify(withExamples(app.getOpenAPI31Document(config) as Parameters<typeof withExamples>[0]));
    return c.body(document, 200, { 'content-type': 'application/json' });
  });
}
