import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Factory } from '../devices/factory.ts';
import { type DeviceProfile, isIsapi } from '../devices/profile.ts';
import { type Reply, refusal, statusJson, statusXml } from './answer.ts';
import type { DigestLogin, LoginCounter } from './digest.ts';
import type { Documents } from './documents.ts';
import { FollowingBytes } from './following-bytes.ts';
import { Listeners } from './listeners.ts';
import { userCheckRefused } from './parts/security.ts';
import type { SessionLogin } from './session-login.ts';

/** One request behind the login. `path` is without the prefix (`/ISAPI`), the query and a trailing slash. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Empty for what is read by the handler itself. */
  body: Buffer;
  url: string;
  user: string;
  raw: IncomingMessage;
}

export interface Handlers {
  /** Takes the response over (streams, uploads, pages), before the body is read. */
  take?(asked: Asked, response: ServerResponse): boolean;
  /** Takes what follows a request without a body on its connection, and the answering; null: it is a request like others. */
  raw?(asked: Asked, socket: Socket): ((data: Buffer) => void) | null;
  answer?(asked: Asked): Reply | null | Promise<Reply | null>;
  /** Without a login. */
  open?(asked: Asked, response: ServerResponse): boolean | Promise<boolean>;
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

export interface ServerOptions {
  profile: DeviceProfile;
  port: number;
  digest: DigestLogin | null;
  session: SessionLogin | null;
  factory: Factory;
  counter: LoginCounter;
  documents: Documents;
  handlers: Handlers[];
}

const MAX_BODY = 64_000_000;

/** A device's HTTP server: its documents and functions behind digest or session login. */
export class IsapiServer {
  readonly #options: ServerOptions;
  readonly listeners: Listeners;
  readonly #following = new FollowingBytes();
  requests = 0;
  /** ms before anything is answered. */
  delayMs = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    const { model, scheme, certificateAge: age } = options.profile;
    this.listeners = new Listeners({
      scheme,
      age,
      name: model,
      port: options.port,
      serve: (request, response) => {
        this.requests++;
        this.#following.expect(request);
        setTimeout(() => void this.#serve(request, response), this.delayMs);
      },
      opened: (server) => this.#following.attach(server),
      upgrade: (request, socket, head) => {
        socket.on('error', () => socket.destroy());
        const taken = this.#options.handlers.some((h) => h.upgrade?.(request, socket, head));
        if (!taken) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      },
    });
  }

  send(response: ServerResponse, url: string, reply: Reply): void {
    if (response.destroyed) return;
    const { profile } = this.#options;
    const type = reply.type ?? (url.includes('format=json') ? 'application/json' : profile.odd.xmlContentType);
    const length = Buffer.byteLength(reply.body);
    response.writeHead(reply.status, { 'Content-Type': type, 'Content-Length': length, ...reply.headers });
    response.end(reply.body);
  }

  refuse(response: ServerResponse, url: string, sub: string): void {
    const said = refusal(sub);
    const { odd } = this.#options.profile;
    const body = url.includes('format=json') ? statusJson(url, said) : statusXml(url, said, '', odd.errorCodes);
    this.send(response, url, { status: odd.errorsWith200 && said.http !== 404 ? 200 : said.http, body });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      // Who asked has gone in the middle of it: nobody is left to be told.
      if (response.destroyed || request.socket.destroyed) return;
      if (!response.headersSent) this.refuse(response, request.url ?? '/', 'deviceError');
      if (!(error instanceof TooLarge)) throw error;
    }
  }

  async #answer(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const { factory, profile, handlers, session, documents } = this.#options;
    const url = raw.url ?? '/';
    const method = raw.method ?? 'GET';
    const whole = (url.split('?')[0] ?? '').replace(/(?<=.)\/$/, '');
    const query = new URLSearchParams(url.split('?')[1] ?? '');
    const { prefix } = profile.odd;
    const asked = { method, query, url, user: '', raw, body: Buffer.alloc(0) };
    const inside = whole.startsWith(`${prefix}/`);
    const path = inside ? whole.slice(prefix.length) : '';
    for (const h of handlers) if (await h.open?.({ ...asked, path: whole }, response)) return;

    if (!isIsapi(profile.kind)) {
      raw.resume();
      this.send(response, url, { status: 404, type: 'text/html', body: '<html><body>404 Not Found</body></html>' });
      return;
    }
    if (!factory.activated || /^\/SDK\/|\/challenge$|\/activate$/.test(whole)) {
      const open = factory.answer(method, whole, (await read(raw)).toString('utf8', 0, 8192));
      if (open) this.send(response, url, { status: open.status, body: open.xml });
      else this.refuse(response, url, 'notSupport');
      return;
    }
    if (session && path.startsWith('/Security/session')) {
      const body = (await read(raw)).toString('utf8', 0, 8192);
      const reply = session.answer(method, path, query, body, raw.headers.cookie);
      if (reply) return this.send(response, url, reply);
    }
    // Some terminals look at an empty write before they look at who sends it.
    if (
      profile.odd.emptyWriteFirst &&
      method === 'PUT' &&
      raw.headers['content-length'] === '0' &&
      !raw.headers.authorization
    ) {
      this.refuse(response, url, 'badXmlContent');
      return;
    }
    const user = this.#user(raw, response, method, url);
    if (user === null) {
      raw.resume();
      return;
    }
    if (!inside) {
      raw.resume();
      this.refuse(response, url, 'notSupport');
      return;
    }
    const behind: Asked = { ...asked, path, user };
    if (handlers.some((h) => h.take?.(behind, response))) return;
    if (this.#following.expects(raw.socket))
      for (const h of handlers) {
        const take = h.raw?.(behind, raw.socket);
        if (take) return this.#following.give(raw.socket, take);
      }
    behind.body = await read(raw);
    for (const h of handlers) {
      const reply = await h.answer?.(behind);
      if (reply) return this.send(response, url, reply);
    }
    const document = documents.read(path);
    if (document === null) return this.refuse(response, url, 'notSupport');
    if (method === 'GET') return this.send(response, url, { status: 200, body: document });
    const said = method === 'PUT' ? documents.write(path, behind.body.toString('utf8')) : refusal('methodNotAllowed');
    const status = profile.odd.errorsWith200 ? 200 : said!.http;
    this.send(response, url, { status, body: statusXml(url, said!, '', profile.odd.errorCodes) });
  }

  /** Who asks; null: it was refused and answered. */
  #user(raw: IncomingMessage, response: ServerResponse, method: string, url: string): string | null {
    const { digest, session, profile, counter } = this.#options;
    const bySession = session?.user(raw.headers.cookie) ?? null;
    if (bySession !== null) {
      response.setHeader('X-Userlevel', bySession === 'installer' ? '0' : '1');
      return bySession;
    }
    if (digest) {
      const result = digest.check(method, url, raw.headers.authorization);
      if (result === 'ok') return /username="([^"]*)"/i.exec(raw.headers.authorization ?? '')?.[1] ?? '';
      const silent = profile.odd.noChallengeForOldNonce && result === 'stale';
      if (!silent) response.setHeader('WWW-Authenticate', digest.challenges(result === 'stale'));
    }
    this.send(response, url, { status: 401, body: userCheckRefused(counter) });
    return null;
  }
}

class TooLarge extends Error {}

export async function read(raw: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of raw) {
    size += (part as Buffer).length;
    if (size > MAX_BODY) throw new TooLarge();
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}
