import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { DOCUMENTS } from './documents.ts';

/** How this device behaves; the defaults are those of a current camera. */
export interface Script {
  username: string;
  password: string;
  /** What it takes as a login; `open`: it never asks. */
  auth: 'token' | 'digest' | 'either' | 'open';
  /** Faults a Security header, as servers built without WS-Security do. */
  refusesHeader: boolean;
  /** Its clock against ours, and what it shows in the UTC field on top of that. */
  clockAheadMs: number;
  shownAheadMs: number;
  zone: string;
  toleranceMs: number;
  /** Wrong logins until it locks itself. */
  tries: number;
  /** Advertised in its addresses. */
  advertised: string;
  /** An empty answer to a pull comes after so long. */
  holdMs: number;
  lifetimeMs: number;
  /** A pull prolongs the subscription. */
  pullProlongs: boolean;
}
export interface Seen {
  operation: string;
  path: string;
  method: string;
  login: 'none' | 'good' | 'wrong';
  body: string;
}
export interface Asked {
  body: string;
  path: string;
  /** Text of the first element of that local name in the request. */
  text: (name: string) => string;
}
type Handler = (asked: Asked, camera: SoapCamera) => string | Fault | null;
export interface Fault {
  status: number;
  code: string;
  reason: string;
}

const OPEN = ['GetSystemDateAndTime', 'GetServices', 'GetCapabilities', 'GetHostname', 'GetServiceCapabilities'];

/** A small ONVIF device on a real socket, for tests: hand-written answers of the shapes that devices send. */
export class SoapCamera {
  readonly script: Script = {
    username: 'admin',
    password: 'Correct-1',
    auth: 'token',
    refusesHeader: false,
    clockAheadMs: 0,
    shownAheadMs: 0,
    zone: 'UTC0',
    toleranceMs: 10_000,
    tries: 5,
    advertised: '',
    holdMs: 50,
    lifetimeMs: 600_000,
    pullProlongs: false,
  };
  readonly seen: Seen[] = [];
  readonly handlers = new Map<string, Handler>(Object.entries(DOCUMENTS));
  /** Whole answers to GETs by path. */
  readonly files = new Map<string, { status: number; type: string; body: Buffer; login: boolean }>();
  /** Operations that need no login. */
  readonly open = new Set(OPEN);
  readonly subscriptions = new Set<string>();
  port = 0;
  /** When the last subscription ends, by our clock. */
  expires = 0;
  maxInFlight = 0;
  now: () => number = Date.now;
  #queue: string[] = [];
  #answerPull: (() => void) | null = null;
  #inFlight = 0;
  #server: Server | null = null;
  readonly #nonces = new Set<string>();
  readonly #sockets = new Set<Socket>();

  constructor(script: Partial<Script> = {}) {
    Object.assign(this.script, script);
  }

  async start(port = 0, host = '127.0.0.1'): Promise<number> {
    this.#server = createServer((req, res) => void this.#serve(req, res));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.#server!.listen(port, host, resolve));
    this.port = (this.#server.address() as AddressInfo).port;
    return this.port;
  }

  async stop(): Promise<void> {
    this.#answerPull?.();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(null)));
    this.#server = null;
  }

  /** Where it says that its services are. */
  get origin(): string {
    return this.script.advertised || `http://127.0.0.1:${this.port}`;
  }

  get wrongLogins(): number {
    return this.seen.filter((s) => s.login === 'wrong').length;
  }

  count(operation: string): number {
    return this.seen.filter((s) => s.operation === operation).length;
  }

  /** Messages (or anything else) for the next PullMessages answer. */
  say(...messages: string[]): void {
    this.#queue.push(...messages);
    this.#answerPull?.();
  }

  forgetNonces(): void {
    this.#nonces.clear();
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.maxInFlight = Math.max(this.maxInFlight, ++this.#inFlight);
    res.on('close', () => this.#inFlight--);
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const operation = /<s:Body>\s*<\w+:(\w+)/.exec(body)?.[1] ?? '';
    const path = req.url!;
    const login = this.#judge(req, body);
    this.seen.push({ operation, path, method: req.method!, login, body });
    if (login === 'wrong') this.script.tries--;
    const file = this.files.get(path);
    if (req.method === 'GET') {
      if (!file) return void res.writeHead(404).end();
      if (file.login && login !== 'good') return this.#challenge(res, '');
      return void res.writeHead(file.status, { 'Content-Type': file.type }).end(file.body);
    }
    if (!path.startsWith('/onvif/'))
      return void res.writeHead(404, { 'Content-Type': 'text/html' }).end('<html></html>');
    if (this.script.refusesHeader && body.includes('mustUnderstand')) {
      const reason = 'The data in element &apos;Security&apos; must be understood but cannot be processed';
      return this.#fault(res, { status: 500, code: 's:MustUnderstand', reason });
    }
    const locked = this.script.tries <= 0;
    if (this.script.auth !== 'open' && !this.open.has(operation) && (login !== 'good' || locked)) {
      const reason = locked ? 'The user is locked' : 'Sender not Authorized';
      if (this.script.auth === 'digest' || this.script.auth === 'either') return this.#challenge(res, reason);
      return this.#fault(res, { status: 400, code: 'ter:NotAuthorized', reason });
    }
    const text = (name: string) => new RegExp(`<(?:\\w+:)?${name}\\b[^>]*>([^<]*)<`).exec(body)?.[1] ?? '';
    const answer = this.handlers.get(operation)?.({ body, path, text }, this);
    if (answer === undefined) {
      return this.#fault(res, {
        status: 400,
        code: 'ter:ActionNotSupported',
        reason: 'Optional Action Not Implemented',
      });
    }
    if (answer === null) return void res.destroy();
    if (typeof answer !== 'string') return this.#fault(res, answer);
    const answers = operation === 'PullMessages' ? await this.#pulled(res) : answer;
    this.send(res, 200, answers);
  }

  async #pulled(res: ServerResponse): Promise<string> {
    if (this.#queue.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.script.holdMs);
        res.on('close', resolve);
        this.#answerPull = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#answerPull = null;
    }
    const messages = this.#queue.splice(0).join('');
    if (this.script.pullProlongs) this.expires = this.now() + this.script.lifetimeMs;
    return `<tev:PullMessagesResponse><tev:CurrentTime>${this.time(this.now())}</tev:CurrentTime><tev:TerminationTime>${this.time(this.expires)}</tev:TerminationTime>${messages}</tev:PullMessagesResponse>`;
  }

  /** As the device's clock shows it. */
  time(ms: number): string {
    return new Date(ms + this.script.clockAheadMs).toISOString();
  }

  send(res: ServerResponse, status: number, inside: string): void {
    const body = inside.startsWith('<?xml')
      ? inside
      : `<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wsa5="http://www.w3.org/2005/08/addressing" xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:ter="http://www.onvif.org/ver10/error"><env:Body>${inside}</env:Body></env:Envelope>\r\n`;
    res.writeHead(status, { 'Content-Type': 'application/soap+xml; charset=utf-8' }).end(body);
  }

  #fault(res: ServerResponse, { status, code, reason }: Fault): void {
    this.send(
      res,
      status,
      `<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>${code}</env:Value></env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">${reason}</env:Text></env:Reason></env:Fault>`,
    );
  }

  #challenge(res: ServerResponse, reason: string): void {
    const nonce = randomBytes(12).toString('hex');
    this.#nonces.add(nonce);
    res.writeHead(401, {
      'WWW-Authenticate': `Digest realm="IPC", qop="auth", nonce="${nonce}", stale="FALSE"`,
      'Content-Type': 'text/html',
    });
    res.end(`<html><body>401 Unauthorized ${reason}</body></html>`);
  }

  #judge(req: IncomingMessage, body: string): Seen['login'] {
    const { auth, username, password, toleranceMs, clockAheadMs } = this.script;
    const field = (name: string, pattern = '[^<]*') =>
      new RegExp(`<(?:\\w+:)?${name}\\b[^>]*>(${pattern})<`).exec(body)?.[1] ?? '';
    if (body.includes('UsernameToken')) {
      const created = field('Created');
      const digest = createHash('sha1')
        .update(Buffer.concat([Buffer.from(field('Nonce'), 'base64'), Buffer.from(created + password)]))
        .digest('base64');
      const near = Math.abs(Date.parse(created) - (this.now() + clockAheadMs)) <= toleranceMs;
      const good = auth !== 'digest' && field('Username') === username && field('Password') === digest && near;
      return good ? 'good' : 'wrong';
    }
    const header = req.headers.authorization;
    if (!header) return 'none';
    const part = (name: string) => new RegExp(`[ ,]${name}="?([^",]*)`).exec(header)?.[1] ?? '';
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const ha1 = md5(`${username}:IPC:${password}`);
    const ha2 = md5(`${req.method}:${req.url}`);
    const response = md5(`${ha1}:${part('nonce')}:${part('nc')}:${part('cnonce')}:auth:${ha2}`);
    if (auth === 'token' && req.method !== 'GET') return 'wrong';
    if (part('response') !== response) return 'wrong';
    // A nonce that is no longer known is no wrong login.
    return this.#nonces.has(part('nonce')) ? 'good' : 'none';
  }
}
