import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { type ProblemCode, problem } from '../../protocol/wire/problem.ts';
import { type ConnectPolicy, serveConnect } from './connect.ts';

export type FetchHandler = (request: Request) => Response | Promise<Response>;

/** Of one HTTP/2 session; there is one a class in use. */
const MAX_STREAMS = 128;
/** Unread bytes of one request body. Bodies are read as the handler asks for them. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const SESSION_WINDOW_BYTES = 32 * 1024 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;
export const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

/** Headers of one hop, which HTTP/2 forbids (RFC 9113 §8.2.2). */
const HOP_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);

/**
 * The box's HTTP/2 server: runs on the channels that the relay opens, hands requests to a fetch handler with bodies streamed
 * both ways, and CONNECT to the devices that the policy allows. `request.signal` aborts when the relay gives up.
 */
export class BoxServer {
  readonly #handler: FetchHandler;
  readonly #log: Logger;
  readonly #maxRequestBytes: number;
  readonly #server: Http2Server;

  constructor(a: {
    handler: FetchHandler;
    connectPolicy: ConnectPolicy;
    clock: Clock;
    log: Logger;
    maxRequestBytes?: number;
  }) {
    this.#handler = a.handler;
    this.#log = a.log;
    this.#maxRequestBytes = a.maxRequestBytes ?? MAX_REQUEST_BYTES;
    this.#server = createServer({
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: MAX_HEADER_BYTES,
      },
      // MB that streams may hold before new ones are refused; the default 10 would be less than one busy session.
      maxSessionMemory: 64,
      // The relay is the only client and cancels freely: the guard against rapid resets would end its session after 1,000.
      streamResetBurst: 1e6,
      streamResetRate: 1e6,
    });
    this.#server.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(SESSION_WINDOW_BYTES));
    this.#server.on('sessionError', (err) => this.#log.debug({ err }, 'tunnel session ended with an error'));
    this.#server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', (err) => this.#log.debug({ err }, 'tunnel stream ended with an error'));
      if (headers[':method'] !== 'CONNECT') void this.#serve(stream, headers);
      else
        serveConnect(stream, headers, a.connectPolicy, a.clock).catch((err) => {
          this.#log.error({ err }, 'a CONNECT through the tunnel failed');
          stream.destroy(err);
        });
    });
  }

  accept(channel: Duplex): void {
    // The end of a channel is no error of ours: the session sees it too and ends its streams.
    channel.on('error', () => {});
    this.#server.emit('connection', channel);
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const abort = new AbortController();
    stream.once('close', () => abort.abort());
    const body = new LimitedBody(stream, this.#maxRequestBytes);
    let response: Response;
    try {
      response = body.declaredTooLarge(headers)
        ? problemResponse('payload-too-large')
        : await this.#answer(stream, headers, body, abort.signal);
    } catch (err) {
      // The relay went away while the handler worked for it.
      if (abort.signal.aborted) return;
      if (!body.exceeded) this.#log.error({ err, path: headers[':path'] }, 'a request through the tunnel failed');
      response = problemResponse('internal-error');
    }
    if (body.exceeded) response = problemResponse('payload-too-large');
    try {
      await send(stream, response, headers[':method'] === 'HEAD');
    } catch (err) {
      // Only destroy(error) resets the stream; anything milder would make half an answer look whole.
      stream.destroy(err instanceof Error ? err : new Error(String(err)));
    }
  }

  #answer(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    body: LimitedBody,
    signal: AbortSignal,
  ): Response | Promise<Response> {
    const method = headers[':method'] ?? 'GET';
    const bodyless = stream.endAfterHeaders || method === 'GET' || method === 'HEAD';
    let request: Request;
    try {
      const fields = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        name.startsWith(':') || value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
      );
      request = new Request(new URL(headers[':path'] ?? '/', 'http://box'), {
        method,
        headers: fields,
        signal,
        body: bodyless ? null : body.stream(),
        duplex: 'half',
      } as RequestInit);
    } catch {
      return problemResponse('invalid-request');
    }
    return this.#handler(request);
  }
}

/** A request body that is read as the handler asks for it, up to a limit. */
class LimitedBody {
  exceeded = false;
  readonly #source: ServerHttp2Stream;
  readonly #limit: number;

  constructor(source: ServerHttp2Stream, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  declaredTooLarge(headers: IncomingHttpHeaders): boolean {
    return Number(headers['content-length'] ?? 0) > this.#limit;
  }

  stream(): ReadableStream<Uint8Array> {
    const source = this.#source;
    let total = 0;
    let over = false;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const end = (error?: Error) => {
            if (over) return;
            over = true;
            if (error) controller.error(error);
            else controller.close();
          };
          source.on('data', (chunk: Buffer) => {
            total += chunk.length;
            if (total > this.#limit) {
              this.exceeded = true;
              end(new Error(`request body over ${this.#limit} bytes`));
            }
            if (!over) controller.enqueue(chunk);
            if (over || controller.desiredSize! <= 0) source.pause();
          });
          source.pause();
          // A stream that was cut emits `end` as well, with a code.
          source.on('end', () => end(source.rstCode === 0 ? undefined : new Error('the request was cut')));
          source.on('close', () => end(new Error('the request was cut')));
        },
        pull: () => {
          source.resume();
        },
        cancel: () => {
          over = true;
          source.pause();
        },
      },
      { highWaterMark: 64 * 1024, size: (chunk) => chunk?.length ?? 0 },
    );
  }
}

async function send(stream: ServerHttp2Stream, response: Response, head: boolean): Promise<void> {
  if (stream.destroyed) {
    await response.body?.cancel();
    return;
  }
  const headers: OutgoingHttpHeaders = { ':status': response.status };
  for (const [name, value] of response.headers) if (!HOP_HEADERS.has(name)) headers[name] = value;
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  const body = head ? null : response.body;
  stream.respond(headers, { endStream: body === null });
  if (body !== null) {
    const reader = body.getReader();
    stream.once('close', () => void reader.cancel().catch(() => {}));
    for (;;) {
      const { done, value } = await reader.read();
      if (stream.destroyed) return;
      if (done) break;
      if (!stream.write(value)) await writable(stream);
    }
    stream.end();
  }
  // Answered before the whole request was read: the rest is not wanted (RFC 9113 §8.1).
  if (!stream.endAfterHeaders && !stream.readableEnded) stream.close();
}

/** Resolves when the stream takes more, or is gone. */
function writable(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
    if (stream.destroyed) done();
  });
}

function problemResponse(code: ProblemCode): Response {
  const body = problem(code);
  return Response.json(body, { status: body.status, headers: { 'content-type': 'application/problem+json' } });
}
