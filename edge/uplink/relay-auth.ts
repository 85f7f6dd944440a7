import type { Logger } from 'pino';
import { EnrolResponse, formatBoxAuth, NonceResponse } from '../../protocol/wire/box-auth.ts';
import { PROBLEMS, Problem, type ProblemCode } from '../../protocol/wire/problem.ts';
import type { Identity } from '../identity/identity.ts';

export type Purpose =
  | '/mqtt'
  | '/tunnel'
  | '/arc-path'
  | '/box/v1/uploads'
  | '/box/v1/cloud'
  | '/box/v1/firmware'
  | '/box/v1/arc-links';

/** Why the box could not get a proof: the relay's own code, or `unreachable`. */
export class RelayAuthError extends Error {
  readonly code: ProblemCode | 'unreachable';
  constructor(code: ProblemCode | 'unreachable', message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024;

/** How the box proves itself to its relay: one fresh nonce a request, signed (protocol/wire/box-auth.ts). */
export class RelayAuth {
  readonly relayUrl: URL;
  readonly #identity: Identity;
  readonly #version: string;
  readonly #log: Logger;
  #enrolled = false;

  constructor(o: { relayUrl: string; identity: Identity; version?: string; log: Logger }) {
    this.relayUrl = new URL(o.relayUrl);
    this.#identity = o.identity;
    this.#version = o.version ?? '0.0.0';
    this.#log = o.log.child({ module: 'relay-auth' });
  }

  /** Value of the `Authorization` header for one request to `purpose`. Throws {@link RelayAuthError}. */
  async header(purpose: Purpose, signal?: AbortSignal): Promise<string> {
    if (!this.#enrolled) {
      const { state } = await this.#post(
        '/box/v1/enrol',
        this.#identity.enrolment(this.#version),
        EnrolResponse,
        signal,
      );
      this.#log.info({ state }, 'enrolled at the relay');
      this.#enrolled = true;
    }
    const { nonce } = await this.#post('/box/v1/nonce', {}, NonceResponse, signal);
    return formatBoxAuth(this.#identity.prove(nonce, purpose));
  }

  /** The relay no longer knows this key (a new database): enrol again before the next proof. */
  forget(): void {
    this.#enrolled = false;
  }

  async #post<T>(path: string, body: unknown, answer: { parse(value: unknown): T }, signal?: AbortSignal): Promise<T> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let status: number;
    let text: string;
    try {
      const response = await fetch(new URL(path, this.relayUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      status = response.status;
      text = await readLimited(response);
    } catch (error) {
      throw new RelayAuthError('unreachable', `${this.relayUrl.host} does not answer: ${reason(error)}`, error);
    }
    const value = parseJson(text);
    if (status >= 200 && status < 300) {
      try {
        return answer.parse(value);
      } catch (error) {
        throw new RelayAuthError('unreachable', `${this.relayUrl.host} is no Gatepost relay`, error);
      }
    }
    const problem = Problem.safeParse(value);
    const code = problem.success ? problem.data.code : '';
    if (!(code in PROBLEMS)) throw new RelayAuthError('unreachable', `${this.relayUrl.host} answered ${status}`);
    throw new RelayAuthError(code as ProblemCode, problem.data?.detail ?? problem.data?.title ?? code);
  }
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** fetch() hides the system's error code in `cause`. */
export function reason(error: unknown): string {
  const e = error as Error & { cause?: Error & { code?: string }; code?: string };
  return e.cause?.code ?? e.cause?.message ?? e.code ?? e.message;
}
