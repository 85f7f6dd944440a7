import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';

/** Whoever stands in between: takes every TLS handshake with a certificate of its own, and keeps each byte that it is then sent. */
export class RecordingServer {
  connections = 0;
  /** In clear. */
  received = '';
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  async start(pair: TLSSocketOptions, port = 0, host = '127.0.0.1'): Promise<number> {
    this.#server = createServer((socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      const tls = new TLSSocket(socket, { ...pair, isServer: true });
      tls.on('error', () => {});
      tls.on('data', (bytes) => {
        this.received += bytes.toString('latin1');
      });
    });
    await new Promise<void>((resolve) => this.#server!.listen(port, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(null)));
  }
}
