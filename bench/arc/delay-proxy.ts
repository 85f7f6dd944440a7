import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy that is as far away as a receiver in another city: every byte, and the connection itself, takes its time. */
export class DelayProxy {
  readonly #target: { host: string; port: number };
  readonly #oneWayMs: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(target: { host: string; port: number }, rttMs: number) {
    this.#target = target;
    this.#oneWayMs = rttMs / 2;
  }

  async start(): Promise<{ host: string; port: number }> {
    this.#server = createServer((client) => {
      const upstream = connect({ ...this.#target, noDelay: true });
      // The handshake of the sender was with us and took no time: its first byte pays for it.
      this.#pipe(client, upstream, 3 * this.#oneWayMs);
      this.#pipe(upstream, client, this.#oneWayMs);
    }).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.close();
  }

  #pipe(from: Socket, to: Socket, firstMs: number): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    let due = performance.now() + firstMs;
    const later = (fn: () => void): void => {
      due = Math.max(due, performance.now() + this.#oneWayMs);
      setTimeout(fn, due - performance.now());
    };
    from.on('data', (data) => later(() => to.destroyed || to.write(data)));
    from.on('end', () => later(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      later(() => to.destroy());
    });
  }
}
