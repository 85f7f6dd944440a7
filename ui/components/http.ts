import type { Problem } from '../../protocol/wire/problem.ts';

/** What went wrong with a request; `code` is the problem's stable code, or `network` when nobody answered. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string | undefined;
  readonly fields: NonNullable<Problem['errors']>;
  readonly retryAfterS: number | null;

  constructor(code: string, status: number, problem?: Partial<Problem>, retryAfterS: number | null = null) {
    super(code);
    this.code = code;
    this.status = status;
    this.detail = problem?.detail;
    this.fields = problem?.errors ?? [];
    this.retryAfterS = retryAfterS;
  }
}

/** The problem that a failed response carries, whoever wrote it. */
export async function errorOf(response: Response): Promise<ApiError> {
  const retry = Number(response.headers.get('retry-after'));
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
  const code = typeof problem?.code === 'string' ? problem.code : `http-${response.status}`;
  return new ApiError(code, response.status, problem, retry > 0 ? retry : null);
}

export interface Call {
  body?: unknown;
  signal?: AbortSignal;
  /** Goes on after the page is left. */
  keepalive?: boolean;
}

const ACCEPT = { accept: 'application/json, application/problem+json' };
/** An answer asked for early is no older than this when it is used. */
const EARLY_MS = 10_000;
const early = new Map<string, Promise<Response>>();

/** Asks for what a page will ask for as soon as its script is there: the first GET of this address takes the answer. */
export function askEarly(address: string): void {
  if (early.has(address)) return;
  const answer = fetch(address, { headers: ACCEPT });
  early.set(address, answer);
  const forget = () => early.delete(address);
  // What nobody was signed in for is asked again by whoever signs in meanwhile.
  answer.then((response) => response.ok || forget(), forget);
  setTimeout(forget, EARLY_MS);
}

/** What was answered to somebody else, or to nobody, is not for who signs in now. */
export const forgetEarly = (): void => early.clear();

function takeEarly(address: string): Promise<Response> | undefined {
  const answer = early.get(address);
  early.delete(address);
  return answer;
}

/** A client for one API: JSON in and out, problems as {@link ApiError}; `onSignedOut` hears of every 401 of a session. */
export function client(base: string, onSignedOut: () => void) {
  async function call<T>(method: string, path: string, { body, ...init }: Call = {}): Promise<T> {
    const headers: Record<string, string> = { ...ACCEPT };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    // What was asked for before a change, like signing in, may be otherwise after it.
    if (method !== 'GET') early.clear();
    let response: Response;
    try {
      const asked = method === 'GET' ? takeEarly(base + path) : undefined;
      response = await (asked ??
        fetch(base + path, {
          ...init,
          method,
          headers,
          body: body === undefined ? null : JSON.stringify(body),
        }));
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw new ApiError('network', 0);
    }
    if (!response.ok) {
      const error = await errorOf(response);
      if (error.code === 'not-signed-in') onSignedOut();
      throw error;
    }
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }
  return {
    get: <T>(path: string, init?: Call) => call<T>('GET', path, init),
    post: <T>(path: string, body: unknown = {}, init?: Call) => call<T>('POST', path, { ...init, body }),
    put: <T>(path: string, body: unknown, init?: Call) => call<T>('PUT', path, { ...init, body }),
    patch: <T>(path: string, body: unknown, init?: Call) => call<T>('PATCH', path, { ...init, body }),
    delete: (path: string, init?: Call) => call<void>('DELETE', path, init),
  };
}
