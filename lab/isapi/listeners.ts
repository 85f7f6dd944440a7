import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type CertificateAge, type Pair, selfSigned } from '../devices/certificate.ts';

/** HTTP as always; HTTPS alone, at the announced port; or HTTPS at another port, to which HTTP redirects. */
export type Scheme = 'http' | 'https' | 'redirect';

interface Options {
  scheme: Scheme;
  age: CertificateAge;
  /** In its certificate. */
  name: string;
  /** Announced; 0: any, kept once it is taken. */
  port: number;
  serve: RequestListener;
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Each server before it listens. */
  opened: (server: Server) => void;
}

/** The sockets of a device's web server, and its certificate, made when it starts for the first time. */
export class Listeners {
  readonly #o: Options;
  #servers: Server[] = [];
  #port: number;
  #httpsPort: number;
  #pair: Pair | null = null;

  constructor(o: Options) {
    this.#o = o;
    this.#port = o.port;
    // Beside 80 is 443, beside 8000 is 8443.
    this.#httpsPort = o.port === 0 ? 0 : o.port === 80 ? 443 : o.port + 443;
  }

  get port(): number {
    return this.#port;
  }
  /** Where its API is, as it writes it. */
  get origin(): { scheme: 'http' | 'https'; port: number } {
    const { scheme } = this.#o;
    if (scheme === 'http') return { scheme, port: this.#port };
    return { scheme: 'https', port: scheme === 'https' ? this.#port : this.#httpsPort };
  }
  /** Null: it has none. */
  get fingerprint(): string | null {
    return this.#pair?.fingerprint ?? null;
  }
  get listening(): boolean {
    return this.#servers.length > 0;
  }

  async start(address: string): Promise<void> {
    const { scheme, age, name, serve } = this.#o;
    const timing = { keepAliveTimeout: 10_000 };
    if (scheme === 'http') {
      this.#port = await this.#listen(createServer(timing, serve), address, this.#port);
      return;
    }
    this.#pair ??= selfSigned(name, age);
    const { key, cert } = this.#pair;
    // Old firmware has TLS 1.2 without what came later, and would not start with such a certificate by OpenSSL's own rules.
    const old = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256:AES256-SHA:@SECLEVEL=0' } as const;
    const secure = createSecure({ ...timing, key, cert, ...(age === 'old' ? old : {}) }, serve);
    const at = await this.#listen(secure, address, scheme === 'https' ? this.#port : this.#httpsPort);
    if (scheme === 'https') {
      this.#port = at;
      return;
    }
    this.#httpsPort = at;
    const redirect = createServer((request, response) => {
      request.resume();
      response.writeHead(301, { Location: `https://${address}:${at}${request.url}`, 'Content-Length': 0 }).end();
    });
    this.#port = await this.#listen(redirect, address, this.#port);
  }

  async stop(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    }
  }

  /** Makes another certificate, as a reset to factory settings does; it is shown from the next start on. */
  renew(): void {
    this.#pair = null;
  }

  async #listen(server: Server, address: string, port: number): Promise<number> {
    server.on('upgrade', this.#o.upgrade);
    this.#o.opened(server);
    server.listen(port, address);
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }
}
