import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { PROBLEMS, Problem, type ProblemCode } from '../../protocol/wire/problem.ts';
import { ProblemError } from '../api/problem.ts';

/** What is needed of the tunnel hub. */
export interface BoxTunnel {
  isConnected(serial: string): boolean;
  request(
    serial: string,
    request: {
      method: string;
      path: string;
      headers?: Record<string, string>;
      body?: Buffer;
      timeoutMs?: number;
      signal?: AbortSignal;
    },
  ): Promise<{ status: number; headers: Record<string, string>; body: Readable }>;
}

const MAX_JSON_BYTES = 4 * 1024 * 1024;
const MAX_PROBLEM_BYTES = 64 * 1024;

/** Asks boxes through their tunnels (protocol/wire/box-api.ts). Whatever a box answers is checked like any input. */
export class BoxClient {
  readonly #tunnel: BoxTunnel;

  constructor({ tunnel }: { tunnel: BoxTunnel }) {
    this.#tunnel = tunnel;
  }

  isConnected(serial: string): boolean {
    return this.#tunnel.isConnected(serial);
  }

  /** Throws ProblemError: the box's own problem, or `box-unreachable`. */
  async json<T>(
    serial: string,
    schema: z.ZodType<T>,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options: { body?: unknown; timeoutMs: number; signal?: AbortSignal },
  ): Promise<T> {
    const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const headers: Record<string, string> = body ? { 'content-type': 'application/json' } : {};
    const { timeoutMs, signal } = options;
    const bytes = await this.bytes(serial, { method, path, headers, body, timeoutMs, signal }, 'json', MAX_JSON_BYTES);
    const parsed = schema.safeParse(parseJson(bytes));
    if (!parsed.success)
      throw new ProblemError('device-error', 'The box answered something the relay does not understand.');
    return parsed.data;
  }

  /** The body of an answer whose content type contains `type`. */
  async bytes(
    serial: string,
    request: Parameters<BoxTunnel['request']>[1],
    type: string,
    maxBytes: number,
  ): Promise<Buffer> {
    if (!this.#tunnel.isConnected(serial)) throw unreachable(serial);
    let status: number;
    let contentType: string;
    let bytes: Buffer;
    try {
      const { method, path, headers, body, timeoutMs, signal } = request;
      const answer = await this.#tunnel.request(serial, { method, path, headers, body, timeoutMs, signal });
      status = answer.status;
      contentType = answer.headers['content-type'] ?? '';
      bytes = await readAll(answer.body, maxBytes);
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      throw unreachable(serial);
    }
    if (status < 200 || status > 202 || !contentType.includes(type)) throw refusal(status, bytes);
    return bytes;
  }

  /** The body of an answer whose content type contains `type`, as it comes: the caller reads it or destroys it. */
  async open(
    serial: string,
    path: string,
    type: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<Readable> {
    if (!this.#tunnel.isConnected(serial)) throw unreachable(serial);
    const answer = await this.#tunnel.request(serial, { method: 'GET', path, timeoutMs, signal }).catch(() => {
      throw unreachable(serial);
    });
    if (answer.status === 200 && (answer.headers['content-type'] ?? '').includes(type)) return answer.body;
    throw refusal(answer.status, await readAll(answer.body, MAX_PROBLEM_BYTES));
  }
}

/** What a box answered instead of what was asked for: its own problem where it is one of ours. */
function refusal(status: number, bytes: Buffer): ProblemError {
  const problem = status >= 400 ? Problem.safeParse(parseJson(bytes)).data : undefined;
  const known = problem && problem.code in PROBLEMS && problem.code !== 'internal-error';
  if (known) return new ProblemError(problem.code as ProblemCode, problem.detail?.slice(0, 512));
  return new ProblemError('device-error', `The box answered ${status}.`);
}

const unreachable = (serial: string) =>
  new ProblemError('box-unreachable', `Box ${serial} is not connected. Check its power and its internet connection.`);

async function readAll(stream: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) {
      stream.destroy();
      throw new ProblemError('device-error', 'The answer of the box is too large.');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}
