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

/** A client for one API: JSON in and out, problems as {@link ApiError}; `onSignedOut` hears of every 401 of a session. */
export function client(base: string, onSignedOut: () => void) {
  async function call<T>(method: string, path: string, { body, ...init }: Call = {}): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (method === 'POST') headers['idempotency-key'] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    let response: Response;
    try {
      response = await fetch(base + path, {
        ...init,
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
      });
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
