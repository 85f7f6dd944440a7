import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/*
 * Automation software as an alarm receiving centre runs it, written from the published forms alone: the other end of Sur-Gard
 * MLR2, and a consumer of Standard Webhooks. What it is told to do wrong, it does wrong.
 */

/** A line of MLR2 as the operator sees it. */
export interface Mlr2Line {
  kind: 'cid' | 'sia' | 'heartbeat' | 'unreadable';
  text: string;
  receiver: string;
  line: string;
  account: string;
  /** `E130`, `BA`. */
  code: string;
  area: string;
  zone: string;
}

export function readMlr2(text: string): Mlr2Line {
  const cid = /^5([0-9A-F]{2})([0-9A-F]) 18([0-9A-F]{4})([ERP][0-9A-F]{3})([0-9]{2})([0-9A-F]{3})$/.exec(text);
  const line = (kind: Mlr2Line['kind'], m: string[] | null, account = '', code = '', area = '', zone = '') => ({
    kind,
    text,
    receiver: m?.[1] ?? '',
    line: m?.[2] ?? '',
    account,
    code,
    area,
    zone,
  });
  if (cid) return line('cid', cid, cid[3], cid[4], cid[5], cid[6]);
  const sia = /^3([0-9A-F]{2})([0-9A-F]) {4}([ 0-9A-F]{6})([A-Z]{2})([0-9A-F]{4})$/.exec(text);
  if (sia) return line('sia', sia, sia[3]!.trimStart(), sia[4], '', sia[5]);
  const beat = /^1([0-9A-F]{2})([0-9A-F]) {11}@ {4}$/.exec(text);
  return beat ? line('heartbeat', beat) : line('unreadable', null);
}

/** What to answer: nothing, ACK, NAK, or to end the connection before or after an acknowledgement. */
export type Mlr2Answer = 'ack' | 'nak' | 'silent' | 'close' | 'ack-and-close';

/** Dials (as most automation software does), or waits to be dialled. */
export class Mlr2Software {
  /** Acknowledged lines, heartbeats left out: what the operator has. */
  readonly kept: Mlr2Line[] = [];
  /** Everything that came. */
  readonly seen: Mlr2Line[] = [];
  answer: (line: Mlr2Line) => Mlr2Answer = () => 'ack';
  #server: Server | null = null;
  #sockets = new Set<Socket>();
  #target: { host: string; port: number } | null = null;
  #stopping = false;

  async listen(port = 0): Promise<number> {
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Keeps a connection, and makes another when it is lost. */
  dial(port: number, host = '127.0.0.1'): void {
    this.#target = { host, port };
    this.#stopping = false;
    this.#connect();
  }

  /** As when the program dies; `dial` or `listen` begins anew. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    this.#server = null;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Connections end; they come back by themselves. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(): void {
    if (this.#stopping || !this.#target) return;
    const socket = connect(this.#target);
    socket.once('close', () => setTimeout(() => this.#connect(), 50));
    this.#serve(socket);
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\x14'); end >= 0; end = text.indexOf('\x14')) {
        this.#take(socket, text.slice(0, end));
        text = text.slice(end + 1);
      }
    });
  }

  #take(socket: Socket, text: string): void {
    const line = readMlr2(text);
    this.seen.push(line);
    const answer = line.kind === 'unreadable' ? 'nak' : this.answer(line);
    if (answer === 'close') return void socket.destroy();
    if (answer === 'silent') return;
    if (answer === 'nak') return void socket.write('\x15');
    if (line.kind !== 'heartbeat') this.kept.push(line);
    socket.write('\x06', () => {
      if (answer === 'ack-and-close') socket.destroy();
    });
  }
}

/** A delivery of a webhook that was verified. */
export interface Hook {
  id: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came, whatever it is
  body: any;
  path: string;
}

/** A status, or: never answers; ends the connection. */
export type HookAnswer = number | 'silent' | 'close' | { status: number; headers: Record<string, string> };

/** A consumer of Standard Webhooks: verifies each delivery, and answers as told. */
export class HookConsumer {
  /** Answered with 2xx, in order of arrival. */
  readonly kept: Hook[] = [];
  /** Everything that came with a good signature. */
  readonly seen: Hook[] = [];
  /** Came without a good signature, or too old. */
  bad = 0;
  answer: (hook: Hook) => HookAnswer = () => 204;
  secret = '';
  now = () => Date.now();
  #server: HttpServer | null = null;

  async start(port = 0): Promise<number> {
    this.#server = createHttp((request, response) => {
      void bodyOf(request).then((body) => {
        const hook = this.#verified(request, body);
        if (!hook) {
          this.bad++;
          return response.writeHead(401).end();
        }
        this.seen.push(hook);
        const answer = this.answer(hook);
        if (answer === 'silent') return;
        if (answer === 'close') return request.socket.destroy();
        const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
        if (status < 300) this.kept.push(hook);
        response.writeHead(status, headers).end();
      });
    });
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #verified({ headers, url }: IncomingMessage, body: Buffer): Hook | null {
    const id = String(headers['webhook-id'] ?? '');
    const timestamp = String(headers['webhook-timestamp'] ?? '');
    const key = Buffer.from(this.secret.replace(/^whsec_/, ''), 'base64');
    const expected = createHmac('sha256', key)
      .update(`${id}.${timestamp}.${body.toString('utf8')}`)
      .digest();
    const good = String(headers['webhook-signature'] ?? '')
      .split(' ')
      .filter((part) => part.startsWith('v1,'))
      .map((part) => Buffer.from(part.slice(3), 'base64'))
      .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
    const fresh = Math.abs(this.now() - Number(timestamp) * 1000) < 300_000;
    return id && good && fresh ? { id, body: JSON.parse(body.toString('utf8')), path: url ?? '' } : null;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
