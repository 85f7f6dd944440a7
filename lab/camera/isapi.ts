import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AlertStreams } from './alert-stream.ts';
import type { DigestLogin, LoginCounter } from './digest.ts';
import * as documents from './documents.ts';
import type { Factory } from './factory.ts';
import type { CameraProfile } from './profile.ts';

export interface IsapiServerOptions {
  profile: CameraProfile;
  port: number;
  login: DigestLogin;
  factory: Factory;
  counter: LoginCounter;
  streams: AlertStreams;
  rtspPort: () => number;
  snapshot: () => Promise<Buffer>;
}

/** A camera's HTTP server: ISAPI behind digest authentication. Reads are answered; its first password can be set. */
export class IsapiServer {
  readonly #options: IsapiServerOptions;
  readonly #server: Server;
  requests = 0;

  constructor(options: IsapiServerOptions) {
    this.#options = options;
    this.#server = createServer({ keepAliveTimeout: 10_000 }, (request, response) => this.#serve(request, response));
  }

  async start(): Promise<void> {
    this.#server.listen(this.#options.port, this.#options.profile.address);
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.requests++;
    const { login, counter, factory } = this.#options;
    const url = request.url ?? '/';
    if (!factory.activated || /^\/SDK\/|\/challenge$|\/activate$/.test(url)) {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const open = factory.answer(request.method ?? 'GET', url, Buffer.concat(parts).toString('utf8', 0, 8192));
        if (open) this.#xml(response, open.status, open.xml);
        else this.#xml(response, 404, documents.responseStatus(url, 4, 'Invalid Operation', 'notSupport'));
      });
      return;
    }
    request.resume();
    const result = login.check(request.method ?? 'GET', url, request.headers.authorization);
    if (result !== 'ok') {
      response.setHeader('WWW-Authenticate', login.challenges(result === 'stale'));
      this.#xml(response, 401, documents.userCheckRefused(counter));
      return;
    }
    const answer = this.#routes[url.split('?')[0]!.replace(/\/$/, '')];
    if (!answer) this.#xml(response, 404, documents.responseStatus(url, 4, 'Invalid Operation', 'notSupport'));
    else if (request.method !== 'GET')
      this.#xml(response, 405, documents.responseStatus(url, 4, 'Invalid Operation', 'methodNotAllowed'));
    else answer(response, url);
  }

  readonly #routes: Record<string, (response: ServerResponse, url: string) => void> = {
    '/ISAPI/Security/userCheck': (r) => this.#xml(r, 200, documents.userCheck()),
    '/ISAPI/Security/adminAccesses': (r) => {
      const ports = { http: this.port, rtsp: this.#options.rtspPort() };
      this.#xml(r, 200, documents.adminAccesses(this.#options.profile, ports));
    },
    '/ISAPI/System/deviceInfo': (r) => this.#xml(r, 200, documents.deviceInfo(this.#options.profile)),
    '/ISAPI/System/capabilities': (r) => this.#xml(r, 200, documents.capabilities(this.#options.profile)),
    '/ISAPI/System/time': (r) => this.#xml(r, 200, documents.time(this.#options.profile, Date.now())),
    '/ISAPI/Streaming/channels': (r) => this.#xml(r, 200, documents.streamingChannels(this.#options.profile)),
    '/ISAPI/Streaming/channels/101': (r) => this.#xml(r, 200, documents.streamingChannel(this.#options.profile)),
    '/ISAPI/Event/triggers': (r) => this.#xml(r, 200, documents.triggers(this.#options.profile)),
    '/ISAPI/Event/notification/alertStream': (r, url) => {
      if (this.#options.streams.count < AlertStreams.max) this.#options.streams.add(r);
      else this.#xml(r, 503, documents.responseStatus(url, 2, 'Device Busy', 'maxSessionUserLink'));
    },
    '/ISAPI/Streaming/channels/101/picture': (r, url) => {
      this.#options.snapshot().then(
        (jpeg) => r.writeHead(200, { 'Content-Type': 'image/jpeg', 'Content-Length': jpeg.length }).end(jpeg),
        () => this.#xml(r, 500, documents.responseStatus(url, 3, 'Device Error', 'deviceError')),
      );
    },
  };

  #xml(response: ServerResponse, status: number, body: string): void {
    const length = Buffer.byteLength(body);
    response.writeHead(status, { 'Content-Type': this.#options.profile.odd.xmlContentType, 'Content-Length': length });
    response.end(body);
  }
}
