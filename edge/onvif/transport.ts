import { type Agent, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { DeviceAgents, type DialOptions } from '../https/agents.ts';
import { failure, type Result, unanswered } from '../isapi/answer.ts';
import { hostHeader } from '../isapi/client.ts';

export interface Exchange {
  port: number;
  /** Query included. */
  path: string;
  method: 'GET' | 'POST';
  body?: Buffer;
  headers?: Record<string, string>;
  maxBytes?: number;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Beside the others: what waits long keeps a connection of its own; last words are not broken off by `close`. */
  alone?: 'long' | 'last';
}
export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  body: Buffer;
}

const MAX_BODY_BYTES = 2 * 1024 * 1024;

/**
 * HTTP (with `tls`: HTTPS) to one device. It connects to that host and to nobody else: whatever addresses the device writes, only their port,
 * path and query count, and redirects are not followed.
 */
export class Transport {
  readonly host: string;
  readonly #clock: Clock;
  readonly #tls: DeviceTls | undefined;
  readonly #agents: DeviceAgents;
  readonly #agent: Agent;
  readonly #waiting: Agent;
  readonly #closed = new AbortController();

  constructor(o: { host: string; tls?: DeviceTls; clock: Clock }) {
    this.host = o.host;
    this.#clock = o.clock;
    this.#tls = o.tls;
    this.#agents = new DeviceAgents(o);
    this.#agent = this.#agents.keeping({ maxSockets: 2, maxFreeSockets: 1 });
    this.#waiting = this.#agents.keeping({ maxSockets: 1 });
  }

  get closed(): boolean {
    return this.#closed.signal.aborted;
  }

  close(): void {
    this.#closed.abort();
    this.#agents.destroy();
  }

  /** One whole exchange. A kept-alive connection that had died is replaced once. */
  async exchange(o: Exchange): Promise<Result<HttpAnswer>> {
    const once = await this.#once(o);
    if (once.ok || !once.stale || this.closed || o.signal?.aborted) return once;
    return this.#once(o);
  }

  #once(o: Exchange): Promise<Result<HttpAnswer> & { stale?: boolean }> {
    return new Promise((resolve) => {
      const signals = [...(o.signal ? [o.signal] : []), ...(o.alone === 'last' ? [] : [this.#closed.signal])];
      const signal = signals.length > 0 ? AbortSignal.any(signals) : undefined;
      const options: RequestOptions & DialOptions = {
        host: this.host,
        port: o.port,
        method: o.method,
        path: o.path,
        headers: {
          Host: hostHeader(this.host, o.port, this.#tls),
          Accept: '*/*',
          ...o.headers,
          ...(o.body ? { 'Content-Length': o.body.length } : {}),
        },
        agent: o.alone === 'last' ? this.#agents.alone() : o.alone === 'long' ? this.#waiting : this.#agent,
        // Old devices write headers that a strict reader refuses.
        insecureHTTPParser: true,
        maxHeaderSize: 32 * 1024,
        signal,
        dialSignal: signal,
      };
      const req = request(options);
      const cancel = this.#clock.after(o.timeoutMs ?? 8_000, () => req.destroy(new Error('it took too long')));
      let answered = false;
      req.on('error', (error: Error & { code?: string }) => {
        cancel();
        const stale = req.reusedSocket && !answered && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        resolve({ ...unanswered(error), stale });
      });
      req.on('response', (res) => {
        answered = true;
        void read(res, o.maxBytes ?? MAX_BODY_BYTES).then((body) => {
          cancel();
          res.destroy();
          const { headers, rawHeaders } = res;
          resolve(
            body.ok ? { ok: true, value: { status: res.statusCode!, headers, rawHeaders, body: body.value } } : body,
          );
        });
      });
      req.end(o.body);
    });
  }
}

async function read(res: IncomingMessage, maxBytes: number): Promise<Result<Buffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of res as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) return failure('device-error', `Its answer is larger than ${maxBytes} bytes.`);
      chunks.push(chunk);
    }
    return { ok: true, value: Buffer.concat(chunks) };
  } catch (error) {
    return failure('device-unreachable', `Its answer broke off (${(error as Error).message}).`);
  }
}
