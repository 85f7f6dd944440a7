import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ApiEnv } from './app.ts';
import { ProblemError } from './problem.ts';

const MAX_MESSAGE_BYTES = 4 * 1024;
/** Whoever is refused and does not close its side is closed. */
const REFUSED_MS = 5_000;

/** How a route gets at the connection that its request came by. */
interface UpgradeBindings extends HttpBindings {
  webSocket?: { accept: ((socket: WebSocket) => void) | null };
}

/**
 * WebSockets of the portal's API. An upgrade is a request like any other: it goes through the API's own routes, so that
 * sign-in, rights, limits and the log are the same ones, and becomes a socket when its route says so.
 */
export class WebSockets {
  readonly #fetch: (request: Request, bindings: HttpBindings) => Response | Promise<Response>;
  readonly #log: Logger;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });

  constructor(o: { fetch: (request: Request, bindings: HttpBindings) => Response | Promise<Response>; log: Logger }) {
    this.#fetch = o.fetch;
    this.#log = o.log;
  }

  owns(request: IncomingMessage): boolean {
    return (request.url ?? '').startsWith('/api/');
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // An error that nobody listens to would end the relay.
    socket.on('error', () => socket.destroy());
    this.#serve(request, socket, head).catch((error) => {
      this.#log.error({ err: error }, 'an upgrade failed');
      socket.destroy();
    });
  }

  async #serve(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const host = /^[\w.:[\]-]+$/.test(incoming.headers.host ?? '') ? incoming.headers.host : 'localhost';
    const headers = new Headers();
    for (const [name, value] of Object.entries(incoming.headers))
      if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
    const url = new URL(incoming.url ?? '/', `http://${host}`);
    const webSocket: UpgradeBindings['webSocket'] = { accept: null };
    // There is no response to write to: whoever wants to end it early ends the connection.
    const outgoing = { destroy: () => socket.destroy() } as unknown as ServerResponse;
    const bindings = { incoming, outgoing, webSocket } as UpgradeBindings;
    const answer = await this.#fetch(new Request(url, { method: incoming.method ?? 'GET', headers }), bindings);
    const { accept } = webSocket;
    if (socket.destroyed) return;
    if (!answer.ok || accept === null) return refuse(socket, answer);
    this.#server.handleUpgrade(incoming, socket, head, (opened) => {
      opened.on('error', () => opened.terminate());
      accept(opened);
    });
  }
}

/**
 * The answer of a route that is a WebSocket: `opened` gets it. Browsers send the session's cookie with a WebSocket that any
 * page opens, and no same-origin rule holds them back: who comes by cookie must come from the portal's own origin.
 */
export function webSocket(c: Context<ApiEnv>, opened: (socket: WebSocket) => void): Response {
  const binding = (c.env as UpgradeBindings).webSocket;
  if (!binding) throw new ProblemError('invalid-request', 'This address is a WebSocket: ask for an upgrade.');
  if (!/^Bearer /.test(c.req.header('authorization') ?? '')) {
    const origin = c.req.header('origin');
    if (!origin || !URL.canParse(origin) || new URL(origin).host !== c.req.header('host'))
      throw new ProblemError('not-allowed', 'This request came from another site.');
  }
  binding.accept = opened;
  return c.body(null, 200);
}

async function refuse(socket: Duplex, answer: Response): Promise<void> {
  const body = answer.ok ? Buffer.alloc(0) : Buffer.from(await answer.arrayBuffer());
  // An address that is no WebSocket does not become one.
  const status = answer.ok ? 400 : answer.status;
  const type = answer.headers.get('content-type') ?? 'application/problem+json';
  if (socket instanceof Socket) socket.setTimeout(REFUSED_MS, () => socket.destroy());
  const head = `HTTP/1.1 ${status} Refused\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close`;
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]));
}
