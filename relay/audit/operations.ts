import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { Api, ApiEnv } from '../api/app.ts';

export interface Matched {
  operationId: string;
  /** Path parameters by name, in the order of the path. */
  params: [name: string, value: string][];
  /** The last word of the path that is no parameter. */
  last: string;
}

/** Tells which operation of the API's document a request is; null for what the document does not know. */
export function operations(app: Api): (c: Context<ApiEnv>) => Matched | null {
  let ids: Map<string, string> | null = null;
  const all = () => {
    const found = new Map<string, string>();
    for (const definition of app.openAPIRegistry.definitions) {
      if (definition.type !== 'route') continue;
      const { method, path, operationId } = definition.route;
      if (operationId) found.set(`${method.toUpperCase()} /api/v1${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, operationId);
    }
    return found;
  };
  return (c) => {
    ids ??= all();
    for (const { path } of matchedRoutes(c)) {
      const operationId = ids.get(`${c.req.method} ${path}`);
      if (operationId === undefined) continue;
      const values = c.req.path.split('/');
      const words = path.split('/');
      const params = words.flatMap((word, i): [string, string][] =>
        word.startsWith(':') ? [[word.slice(1).replace(/\{.*$/, ''), decode(values[i] ?? '')]] : [],
      );
      return { operationId, params, last: words.findLast((word) => !word.startsWith(':')) ?? '' };
    }
    return null;
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text).slice(0, 128);
  } catch {
    return text.slice(0, 128);
  }
}
