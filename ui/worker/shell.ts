import type { WorkerScope } from './scope.ts';

export interface Shell {
  /** Of this build. */
  version: string;
  /** What the first page needs. */
  first: readonly string[];
  /** The other pages' scripts. */
  later: readonly string[];
}

const PREFIX = 'gatepost-';
/** Message of a page: the new version may take over now. */
export const TAKE_OVER = 'take-over';

/** Pages of the portal have no dot in their address; the API, its documentation and the relay's own addresses are none. */
const isPage = (path: string): boolean =>
  !/^\/(api|box|docs|healthz|readyz|metrics|remote)(\/|$)/.test(path) && !/\.\w+$/.test(path);

/**
 * Keeps the portal's own files, one cache a version, so that it opens at once and without a network. Nothing that the API
 * answers is ever kept. A new version waits until a page says {@link TAKE_OVER}, or none is open.
 */
export function keepShell(scope: WorkerScope, shell: Shell): void {
  const name = PREFIX + shell.version;
  const kept = new Set([...shell.first, ...shell.later]);

  scope.addEventListener('install', (event) => {
    event.waitUntil(
      scope.caches.open(name).then(async (cache) => {
        // A server that is being replaced may still give the old page: never from the browser's own cache.
        await cache.addAll(
          shell.first.map((path) => new Request(path, { cache: path.startsWith('/assets/') ? 'default' : 'no-cache' })),
        );
        await cache.addAll([...shell.later]);
      }),
    );
  });

  scope.addEventListener('activate', (event) => {
    const drop = async () => {
      const names = await scope.caches.keys();
      await Promise.all(
        names.filter((other) => other.startsWith(PREFIX) && other !== name).map((other) => scope.caches.delete(other)),
      );
      await scope.clients.claim();
    };
    event.waitUntil(drop());
  });

  scope.addEventListener('message', (event) => {
    if (event.data === TAKE_OVER) event.waitUntil(scope.skipWaiting());
  });

  scope.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== 'GET' || url.origin !== scope.location.origin) return;
    const path = request.mode === 'navigate' && isPage(url.pathname) ? '/' : url.pathname;
    if (!kept.has(path)) return;
    event.respondWith(
      scope.caches
        .open(name)
        .then((cache) => cache.match(path))
        .then((found) => found ?? scope.fetch(request)),
    );
  });
}
