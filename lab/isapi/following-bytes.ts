import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

interface Following {
  waiting: Buffer[];
  take: ((data: Buffer) => void) | null;
}

/**
 * Bytes that go on behind a request that says its length is 0: how two-way audio is sent. Node takes them for a further request
 * that is broken; here they are handed on instead.
 */
export class FollowingBytes {
  readonly #following = new WeakMap<object, Following>();

  attach(server: Server): void {
    server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
      const following = this.#following.get(socket);
      if (!following) return void socket.destroy();
      const packet = error.rawPacket;
      // The end of the connection, or the server's own timer.
      if (!packet) return;
      const head = packet.subarray(0, 4).toString('latin1') === 'PUT ' ? packet.indexOf('\r\n\r\n') + 4 : 0;
      this.#push(following, packet.subarray(head));
      socket.removeAllListeners('data');
      socket.on('data', (data: Buffer) => this.#push(following, data));
    });
  }

  /** Called at once, before anything of it is read. */
  expect({ method, url = '', headers, socket }: IncomingMessage): void {
    if (method === 'PUT' && headers['content-length'] === '0' && /\/audioData(\?|$)/.test(url))
      this.#following.set(socket, { waiting: [], take: null });
  }

  expects(socket: Socket): boolean {
    return this.#following.has(socket);
  }

  /** What came by now, and what comes. */
  give(socket: Socket, take: (data: Buffer) => void): void {
    const following = this.#following.get(socket)!;
    following.take = take;
    for (const data of following.waiting.splice(0)) take(data);
  }

  #push({ waiting, take }: Following, data: Buffer): void {
    if (take) take(Buffer.from(data));
    else if (waiting.length < 100) waiting.push(Buffer.from(data));
  }
}
