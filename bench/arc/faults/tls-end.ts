import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';

interface Pair {
  key: string;
  cert: string;
}

/** A certificate for 127.0.0.1 that is its own authority. */
function selfSigned(dir: string, name: string): Pair {
  const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert];
  const who = ['-subj', '/CN=relay', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...made, ...who], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

/** Ends TLS in front of the relay. `dir/ca.pem` is what boxes trust; broken, it shows a certificate that they do not. */
export class TlsEnd {
  readonly #to: { host: string; port: number };
  readonly #right: Pair;
  readonly #wrong: Pair;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  constructor(dir: string, to: { host: string; port: number }) {
    this.#to = to;
    this.#right = selfSigned(dir, 'ca');
    this.#wrong = selfSigned(dir, 'stranger');
    this.#server = createServer(this.#right, (socket) => this.#accept(socket));
  }

  async start(): Promise<{ host: string; port: number }> {
    this.#server.on('tlsClientError', () => {});
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  stop(): void {
    this.#cut();
    this.#server.close();
  }

  setBroken(broken: boolean): void {
    this.#server.setSecureContext(broken ? this.#wrong : this.#right);
    this.#cut();
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: TLSSocket): void {
    const relay = connect({ ...this.#to, noDelay: true });
    this.#sockets.add(socket);
    for (const [from, to] of [
      [socket, relay],
      [relay, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
