import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Received } from '../../../edge/arc/testing/strict-receiver.ts';
import { decodeDc09, openDc09 } from '../../../protocol/codec/dc09.ts';
import { Dc09Stream } from '../../../protocol/codec/dc09-stream.ts';

/**
 * In front of a receiver that tells nobody what it has: passes everything on as it comes and notes each message with what
 * the receiver itself answered.
 */
export class Tap {
  readonly received: Received[] = [];
  readonly #to: { host: string; port: number; key: Buffer | null };
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));

  constructor(to: { host: string; port: number; key: Buffer | null }) {
    this.#to = to;
  }

  async start(): Promise<{ host: string; port: number }> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const { host, port } = this.#to;
    const receiver = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const [asked, answered] = [new Dc09Stream(), new Dc09Stream()];
    let message: Received | null = null;
    for (const [from, to] of [
      [client, receiver],
      [receiver, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('end', () => to.end());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.end();
      });
    }
    client.on('data', (bytes) => {
      for (const frame of asked.push(bytes)) message = this.#note(frame);
      receiver.write(bytes);
    });
    receiver.on('data', (bytes) => {
      for (const frame of answered.push(bytes)) {
        const opened = openDc09(frame);
        if (!message || !opened.ok) continue;
        message.reply = opened.header.id;
        message.at = performance.timeOrigin + performance.now();
        message = null;
      }
      client.write(bytes);
    });
  }

  #note(frame: Buffer): Received | null {
    const decoded = decodeDc09(frame, this.#to.key);
    if (!decoded.ok) return null;
    const { id, sequence, account, data, xdata } = decoded.message;
    const note: Received = {
      token: id,
      sequence: String(sequence).padStart(4, '0'),
      account: account ?? '',
      data,
      extended: xdata,
      timestamp: '',
      reply: '-',
      transport: 'tcp',
      from: '',
      at: 0,
    };
    this.received.push(note);
    return note;
  }
}
