import { beforeEach, describe, expect, it } from 'vitest';
import type { WorkerEvents, WorkerScope } from './scope.ts';
import { keepShell, TAKE_OVER } from './shell.ts';

const ORIGIN = 'https://relay.example';
const stores = new Map<string, Map<string, Response>>();
let tookOver: boolean;
let asked: string[];

/** A service worker's surroundings; `fetch` answers with what it was asked for. */
function worker(version: string) {
  const listeners = new Map<string, (event: never) => void>();
  const open = async (name: string) => {
    const store = stores.get(name) ?? new Map<string, Response>();
    stores.set(name, store);
    const path = (request: string | { url: string }) =>
      typeof request === 'string' ? request : new URL(request.url).pathname;
    return {
      addAll: async (requests: (string | Request)[]) => {
        for (const request of requests) store.set(path(request), new Response(`${version} ${path(request)}`));
      },
      match: async (request: string) => store.get(request)?.clone(),
    };
  };
  const caches = { open, keys: async () => [...stores.keys()], delete: async (name: string) => stores.delete(name) };
  const scope = {
    location: { origin: ORIGIN },
    caches,
    clients: { claim: async () => {} },
    skipWaiting: async () => {
      tookOver = true;
    },
    fetch: async (request: { url: string }) => {
      asked.push(request.url);
      return new Response('network');
    },
    addEventListener: (type: string, listener: (event: never) => void) => listeners.set(type, listener),
  } as unknown as WorkerScope;
  keepShell(scope, { version, first: ['/', '/assets/index-1.js'], later: ['/assets/page-1.js'] });
  const fire = async <K extends keyof WorkerEvents>(type: K, more: object = {}) => {
    const work: Promise<unknown>[] = [];
    let answer: Promise<Response> | null = null;
    const event = {
      waitUntil: (promise: Promise<unknown>) => work.push(promise),
      respondWith: (response: Promise<Response>) => {
        answer = response;
      },
      ...more,
    };
    listeners.get(type)!(event as never);
    await Promise.all(work);
    return answer === null ? null : (await (answer as Promise<Response>)).text();
  };
  const get = (path: string, more: { mode?: string; method?: string } = {}) =>
    fire('fetch', {
      request: { url: path.startsWith('http') ? path : ORIGIN + path, method: 'GET', mode: 'cors', ...more },
    });
  return { fire, get };
}

beforeEach(() => {
  stores.clear();
  asked = [];
  tookOver = false;
  // `Request` of Node takes no address without a host.
  globalThis.Request = class {
    url: string;
    constructor(path: string) {
      this.url = ORIGIN + path;
    }
  } as never;
});

describe('the portal that is kept', () => {
  it.each([
    ['/assets/index-1.js', {}, 'v1 /assets/index-1.js'],
    ['/assets/page-1.js', {}, 'v1 /assets/page-1.js'],
    ['/', { mode: 'navigate' }, 'v1 /'],
    ['/sites/abc/events?type=motion', { mode: 'navigate' }, 'v1 /'],
    // Left to the network: the API, its documentation, the relay's own addresses, other hosts, everything but reading.
    ['/api/v1/auth/me', {}, null],
    ['/api/v1/clips/a/download', { mode: 'navigate' }, null],
    ['/docs', { mode: 'navigate' }, null],
    ['/remote/enter/x?state=y', { mode: 'navigate' }, null],
    ['/healthz', { mode: 'navigate' }, null],
    ['/box/v1/enrol', {}, null],
    ['/assets/unknown-2.js', {}, null],
    ['/worker.js', {}, null],
    ['/export.csv', { mode: 'navigate' }, null],
    ['https://elsewhere.example/assets/index-1.js', {}, null],
    ['/', { method: 'POST', mode: 'navigate' }, null],
  ] as const)('answers %s %j with %s', async (path, more, answer) => {
    const one = worker('v1');
    await one.fire('install');
    expect(await one.get(path, more)).toBe(answer);
    expect(asked).toEqual([]);
  });

  it('asks the network for what the browser has thrown away', async () => {
    const one = worker('v1');
    await one.fire('install');
    stores.clear();
    expect(await one.get('/assets/index-1.js')).toBe('network');
  });

  it('keeps the old version until the new one takes over, then drops it and nothing else', async () => {
    const one = worker('v1');
    await one.fire('install');
    stores.set('of another part', new Map());
    const two = worker('v2');
    await two.fire('install');
    expect(await one.get('/assets/index-1.js')).toBe('v1 /assets/index-1.js');
    await two.fire('message', { data: 'something else' });
    expect(tookOver).toBe(false);
    await two.fire('message', { data: TAKE_OVER });
    expect(tookOver).toBe(true);
    await two.fire('activate');
    expect([...stores.keys()].sort()).toEqual(['gatepost-v2', 'of another part']);
    expect(await two.get('/', { mode: 'navigate' })).toBe('v2 /');
  });
});
