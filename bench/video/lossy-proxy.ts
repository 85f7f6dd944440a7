import { connect, createServer, type Server, type Socket } from 'node:net';
import { RtspReader } from '../../edge/video/rtsp-message.ts';

/** In front of a camera's RTSP: one address over all its restarts, and a part of its interleaved packets never arrives. */
export class LossyProxy {
  readonly #loss: number;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #upstream = 0;
  /** Packets that came, and those that went on. */
  came = 0;
  passed = 0;

  constructor(loss: number) {
    this.#loss = loss;
    this.#server = createServer((client) => this.#serve(client));
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** Where the camera is now. */
  set upstream(port: number) {
    this.#upstream = port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const camera = connect(this.#upstream, '127.0.0.1');
    const reader = new RtspReader({
      frame: (channel, payload) => {
        this.came++;
        if (channel % 2 === 0 && Math.random() < this.#loss) return;
        this.passed++;
        const head = Buffer.from([0x24, channel, payload.length >> 8, payload.length & 255]);
        client.write(Buffer.concat([head, payload]));
      },
      message: (message) => {
        const headers = [...message.headers].flatMap(([name, values]) => values.map((v) => `${name}: ${v}\r\n`));
        // Names in lower case: every client of RTSP takes them but for this one.
        const lines = headers.join('').replace(/^cseq:/m, 'CSeq:');
        client.write(`RTSP/1.0 ${message.status} ${message.reason}\r\n${lines}\r\n`);
        client.write(message.body);
      },
    });
    for (const channel of [0, 1, 2, 3]) reader.channels.add(channel);
    camera.on('data', (chunk) => reader.push(chunk));
    client.on('data', (chunk) => camera.write(chunk));
    for (const [socket, other] of [
      [client, camera],
      [camera, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
