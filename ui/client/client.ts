import type { Page } from '../../protocol/wire/api.ts';
import { type Call, client } from '../components/http.ts';
import type { Routes } from './api.gen.ts';

/*
 * The portal API with the types of the relay's own document: a path, parameter, body or answer that the relay does not
 * know is an error of the type check.
 *
 *   api.get('/sites/{siteId}', { params: { siteId }, signal })
 *   api.post('/sites/{siteId}/boxes', { serial, code }, { params: { siteId } })
 */

type Method = keyof Routes;
type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;
type Route<M extends Method, P> = P extends keyof Routes[M] ? Routes[M][P] : never;
type Answer<R> = R extends { answer: infer A } ? A : never;
type Place<R> = (R extends { params: infer P } ? { params: P } : { params?: never }) &
  (R extends { query: infer Q } ? { query: Q } : R extends { query?: infer Q } ? { query?: Q } : { query?: never });
type Options<R> = Place<R> & Omit<Call, 'body'>;
/** May be left out when nothing in it must be given. */
type Rest<T> = Record<string, never> extends T ? [options?: T] : [options: T];
type Given<R> = R extends { body: infer B } ? [body: B, ...Rest<Options<R>>] : OptionalBody<R>;
type OptionalBody<R> = R extends { body?: infer B }
  ? Record<string, never> extends Options<R>
    ? [body?: B, options?: Options<R>]
    : [body: B | undefined, options: Options<R>]
  : Record<string, never> extends Options<R>
    ? [body?: Record<string, never>, options?: Options<R>]
    : [body: Record<string, never> | undefined, options: Options<R>];

/** Routes that answer page by page. */
type PagedPath = {
  [P in keyof Routes['get']]: Routes['get'][P] extends { answer: Page<unknown> } ? P : never;
}[keyof Routes['get']];
type ItemOf<P extends PagedPath> = Routes['get'][P] extends { answer: Page<infer T> } ? T : never;
/** The query of a route; what stands in the page's address is put into this form, and checked by the relay. */
export type QueryOf<P extends keyof Routes['get']> = Routes['get'][P] extends { query?: infer Q } ? Q : never;

/** A list, page by page. */
export interface Paged<T> {
  /** Of its first page: what it depends on. */
  address: string;
  page(cursor?: string | null, signal?: AbortSignal): Promise<Page<T>>;
}

export interface ApiClient {
  paged<P extends PagedPath>(path: P, ...rest: Rest<Place<Route<'get', P>>>): Paged<ItemOf<P>>;
  get<P extends keyof Routes['get']>(
    path: P,
    ...rest: Rest<Options<Route<'get', P>>>
  ): Promise<Answer<Route<'get', P>>>;
  post<P extends keyof Routes['post']>(path: P, ...rest: Given<Route<'post', P>>): Promise<Answer<Route<'post', P>>>;
  put<P extends keyof Routes['put']>(path: P, ...rest: Given<Route<'put', P>>): Promise<Answer<Route<'put', P>>>;
  patch<P extends keyof Routes['patch']>(
    path: P,
    ...rest: Given<Route<'patch', P>>
  ): Promise<Answer<Route<'patch', P>>>;
  delete<P extends keyof Routes['delete']>(
    path: P,
    ...rest: Rest<Options<Route<'delete', P>>>
  ): Promise<Answer<Route<'delete', P>>>;
}

type Loose = Call & { params?: Record<string, string>; query?: Query };

/** `/sites/{siteId}` with its parameters and query filled in. */
export function fill(
  path: string,
  { params = {}, query = {} }: { params?: Record<string, string>; query?: Query } = {},
) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (!value) throw new Error(`${path}: ${name} is missing`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  return search.size > 0 ? `${filled}?${search}` : filled;
}

/** The address of something that a browser fetches by itself: a download, a picture, a stream. */
export function address<P extends keyof Routes['get']>(path: P, ...[options]: Rest<Place<Route<'get', P>>>): string {
  return `/api/v1${fill(path, options as Loose)}`;
}

export function createClient(onSignedOut: () => void): ApiClient {
  const plain = client('/api/v1', onSignedOut);
  const call = ({ params: _params, query: _query, ...init }: Loose = {}): Call => init;
  const untyped = {
    paged: (path: string, options: Loose = {}): Paged<unknown> => ({
      address: fill(path, options),
      page: (cursor, signal) => plain.get(fill(path, { ...options, query: { ...options.query, cursor } }), { signal }),
    }),
    get: (path: string, options?: Loose) => plain.get(fill(path, options), call(options)),
    post: (path: string, body?: unknown, options?: Loose) => plain.post(fill(path, options), body, call(options)),
    put: (path: string, body: unknown, options?: Loose) => plain.put(fill(path, options), body, call(options)),
    patch: (path: string, body: unknown, options?: Loose) => plain.patch(fill(path, options), body, call(options)),
    delete: (path: string, options?: Loose) => plain.delete(fill(path, options), call(options)),
  };
  return untyped as unknown as ApiClient;
}
