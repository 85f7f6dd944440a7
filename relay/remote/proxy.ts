import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from '../api/problem.ts';
import { hashToken } from '../auth/sessions.ts';
import { forward, headerBlock, namesOf, type Outcome, pageOf, upgradeHeaders } from './forward.ts';
import { ENTER_PATH, faultOf, isPage, keysOf } from './guard.ts';
import { cookieNames, HARDENING, toBrowser, toDevice } from './headers.ts';
import type { DeviceOrigins } from './origin.ts';
import { errorPage, type PageName } from './pages.ts';
import type { RemoteSession, RemoteSessions } from './sessions.ts';
import { asSocket } from './upstream.ts';

const MAX_REQUESTS = 64;
const MAX_WEBSOCKETS = 8;
const UPGRADE_MS = 30_000;
const STATUS: Partial<Record<PageName, number>> = {
  elsewhere: 401,
  'sign-in': 401,
  'not-allowed': 403,
  'not-yours': 403,
  cookies: 403,
  'other-site': 403,
  opening: 200,
  'bad-request': 400,
  'box-away': 503,
  busy: 503,
  'switched-off': 403,
  refused: 403,
};

/** Serves the origins of devices: whoever may, and what of it goes to the device. */
export class RemoteProxy {
  readonly #origins: DeviceOrigins;
  readonly #sessions: RemoteSessions;
  readonly #portal: URL | null;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(o: {
    origins: DeviceOrigins;
    sessions: RemoteSessions;
    portal: URL | null;
    clock: Clock;
    log: Logger;
  }) {
    this.#origins = o.origins;
    this.#sessions = o.sessions;
    this.#portal = o.portal;
    this.#clock = o.clock;
    this.#log = o.log;
  }

  owns(request: IncomingMessage): boolean {
    return this.#origins.owns(request.headers.host);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => response.destroy());
    this.#serve(request, response).catch((error) => {
      this.#log.error({ err: error }, 'a request to a device failed');
      if (response.headersSent) response.destroy();
      else this.#page(request, response, 'device-away', null);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const label = this.#origins.label(request.headers.host);
    if (label === null) return this.#page(request, response, 'bad-request', null);
    const fault = faultOf(request, this.#origins.of(label));
    if (fault === 'to-start') return this.#start(request, response);
    if (fault) return this.#page(request, response, fault, null);
    const session = this.#sessions.byLabel(label);
    if (!session) return this.#closed(request, response, label);
    if ((request.url ?? '').startsWith('/.gatepost/')) return this.#enter(session, request, response);
    if (!this.#opens(session, request)) {
      if (isPage(request)) return this.#askPortal(session, response);
      return this.#page(request, response, 'elsewhere', session);
    }
    if (!(await this.#mayStill(session))) return this.#closed(request, response, label);
    if (session.open >= MAX_REQUESTS) return this.#page(request, response, 'busy', session);
    session.touch(this.#clock.now());
    session.counts.requests++;
    const release = session.hold(() => response.destroy());
    response.once('close', release);
    const p = { session, request, response, origin: this.#origins.of(label), secure: this.#origins.secure };
    const outcome = await forward({ ...p, clock: this.#clock });
    await this.#finish(session, request, response, outcome);
  }

  async #finish(session: RemoteSession, request: IncomingMessage, response: ServerResponse, outcome: Outcome) {
    if ('page' in outcome) return this.#page(request, response, outcome.page, session, outcome.link);
    if (!('turn' in outcome)) return;
    outcome.answer.destroy();
    try {
      await session.upstream.turnTo(outcome.turn);
    } catch (error) {
      const page = pageOf(error);
      return this.#page(request, response, page === 'refused' ? 'redirect' : page, session);
    }
    this.#redirect(response, outcome.to);
  }

  /** Every request asks anew: a right is over when it is over. */
  async #mayStill(session: RemoteSession): Promise<boolean> {
    try {
      await session.check();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.#sessions.end(session, error.code === 'not-signed-in' ? 'signed-out' : 'not-allowed');
    }
    return !session.ended;
  }

  #opens(session: RemoteSession, request: IncomingMessage): boolean {
    return keysOf(request, this.#origins.secure, 'session').some((key) => session.opens(key));
  }

  /**
   * A browser without the key is sent to the portal, which knows who sits there, with the hash of a secret that it alone has:
   * a code that comes back opens the page in this browser and in no other.
   */
  #askPortal(session: RemoteSession, response: ServerResponse): void {
    const state = randomBytes(24).toString('base64url');
    const to = `${session.portal}/remote/enter/${session.id}?state=${hashToken(state)}`;
    this.#redirect(response, to, [this.#cookie('state', state, 120)]);
  }

  #enter(session: RemoteSession, request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://device');
    if (url.pathname !== ENTER_PATH || request.method !== 'GET') {
      this.#page(request, response, 'bad-request', session);
      return;
    }
    const code = url.searchParams.get('code') ?? '';
    const [state = ''] = keysOf(request, this.#origins.secure, 'state');
    const key = session.redeem(code, state, this.#clock.now());
    if (key === null) this.#page(request, response, 'cookies', session);
    else this.#start(request, response, [this.#cookie('session', key), this.#cookie('state', '', 0)]);
  }

  /** The device's first page, as a page of its own origin asks for it. */
  #start(request: IncomingMessage, response: ServerResponse, cookies: string[] = []): void {
    const more = cookies.map((cookie): [string, string] => ['Set-Cookie', cookie]);
    this.#page(request, response, 'opening', null, undefined, [['Refresh', '0; url=/'], ...more]);
  }

  #cookie(which: 'session' | 'state', value: string, maxAge?: number): string {
    const secure = this.#origins.secure ? '; Secure' : '';
    const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`;
    return `${cookieNames(this.#origins.secure)[which]}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}${age}`;
  }

  #redirect(response: ServerResponse, to: string, cookies: string[] = []): void {
    const headers: [string, string][] = [...HARDENING, ['Cache-Control', 'no-store'], ['Location', to]];
    for (const cookie of cookies) headers.push(['Set-Cookie', cookie]);
    response.writeHead(303, headers.flat()).end();
  }

  /** Of an origin whose session is over; what the device's page left in the browser goes. */
  #closed(request: IncomingMessage, response: ServerResponse, label: string): void {
    const why = this.#sessions.whyEnded(label);
    const page: PageName = why ? `closed-${why}` : 'closed';
    this.#page(request, response, page, null, undefined, [['Clear-Site-Data', '"cache", "cookies", "storage"']]);
  }

  #page(
    request: IncomingMessage,
    response: ServerResponse,
    name: PageName,
    session: RemoteSession | null,
    link?: string,
    more: [string, string][] = [],
  ): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const portal = session?.portal ?? this.#portal?.origin;
    const acceptLanguage = request.headers['accept-language'];
    const { html, headers } = errorPage(name, { acceptLanguage, portal, link });
    const status = name.startsWith('closed') ? 410 : (STATUS[name] ?? 502);
    // What is left of a body is not waited for.
    const close: [string, string][] = request.complete ? [] : [['Connection', 'close']];
    response.writeHead(status, [...headers, ...more, ...close].flat());
    response.end(request.method === 'HEAD' ? undefined : html);
    request.resume();
  }

  /** WebSockets: a browser says who opened them, so that no page of another origin can. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    this.#upgrade(request, socket, head).catch((error) => {
      this.#log.error({ err: error }, 'a WebSocket to a device failed');
      refuse(socket, 502, 'Bad Gateway');
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const label = this.#origins.label(request.headers.host);
    const origin = label === null ? '' : this.#origins.of(label);
    if (label === null || faultOf(request, origin)) return refuse(socket, 403, 'Forbidden');
    if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket')
      return refuse(socket, 400, 'Bad Request');
    if (request.headers.origin !== origin) return refuse(socket, 403, 'Forbidden');
    const session = this.#sessions.byLabel(label);
    if (!session) return refuse(socket, 410, 'Gone');
    if (!this.#opens(session, request)) return refuse(socket, 401, 'Unauthorized');
    if (!(await this.#mayStill(session))) return refuse(socket, 410, 'Gone');
    if (session.webSockets >= MAX_WEBSOCKETS) return refuse(socket, 503, 'Busy');
    session.touch(this.#clock.now());
    session.counts.webSockets++;
    session.webSockets++;
    const release = session.hold(() => socket.destroy());
    socket.once('close', () => {
      session.webSockets--;
      release();
    });
    let stream: Duplex;
    try {
      stream = await session.upstream.dial('interactive');
    } catch {
      return refuse(socket, 502, 'Bad Gateway');
    }
    if (socket.destroyed) stream.destroy();
    else this.#shake(session, request, { socket, head, stream, origin });
  }

  #shake(
    session: RemoteSession,
    request: IncomingMessage,
    { socket, head, stream, origin }: { socket: Duplex; head: Buffer; stream: Duplex; origin: string },
  ): void {
    const names = namesOf({ session, origin });
    const agreed: [string, string][] = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ];
    const out = httpRequest({
      createConnection: () => asSocket(stream) as unknown as Socket,
      path: request.url,
      headers: [...toDevice(request.rawHeaders, names), ...agreed].flat(),
      setHost: false,
      insecureHTTPParser: true,
    });
    const fail = () => {
      cancel();
      stream.destroy();
      refuse(socket, 502, 'Bad Gateway');
    };
    const cancel = this.#clock.after(UPGRADE_MS, fail);
    out.on('error', fail);
    socket.once('close', () => stream.destroy());
    out.once('response', (answer) => {
      cancel();
      answer.resume();
      // The device wants a login first, or has no WebSocket there.
      const status = answer.statusCode ?? 502;
      const headers = toBrowser(answer.rawHeaders, names, this.#origins.secure).filter(
        ([name]) => !/^content-length$/i.test(name),
      );
      socket.end(headerBlock(status, 'No', [...headers, ['Connection', 'close'], ['Content-Length', '0']]));
      stream.destroy();
    });
    out.once('upgrade', (answer, _, first) => {
      cancel();
      socket.write(headerBlock(101, 'Switching Protocols', [...agreed, ...upgradeHeaders(answer.rawHeaders)]));
      if (socket instanceof Socket) socket.setNoDelay(true).setTimeout(0);
      const used = (which: 'bytesUp' | 'bytesDown') => (chunk: Buffer) => {
        session.counts[which] += chunk.length;
        session.touch(this.#clock.now());
      };
      if (first.length > 0) socket.write(first);
      if (head.length > 0) stream.write(head);
      socket.on('data', used('bytesUp'));
      stream.on('data', used('bytesDown'));
      socket.pipe(stream).pipe(socket);
      stream.once('close', () => socket.destroy());
    });
    out.end();
  }
}

function refuse(socket: Duplex, status: number, text: string): void {
  if (socket.destroyed) return;
  if (socket instanceof Socket) socket.setTimeout(5_000, () => socket.destroy());
  socket.end(headerBlock(status, text, [...HARDENING, ['Connection', 'close'], ['Content-Length', '0']]));
}
