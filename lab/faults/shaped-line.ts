import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const PIECE_BYTES = 1_400;
const TICK_MS = 2;
/** Tokens for this long may gather: timers are late on a busy machine, and the line is not to be slower for it. */
const BURST_MS = 100;

interface Link {
  client: Socket;
  upstream: Socket;
  /** What the client has sent and the line has not carried yet. */
  waiting: number;
}

/**
 * A line in front of one TCP service whose upstream carries only so much: a token bucket behind one queue for all
 * connections, as a router has it. Answers come back at full speed.
 */
export class ShapedLine {
  readonly #target: { host: string; port: number };
  readonly #bufferMs: number;
  readonly #links = new Set<Link>();
  readonly #queue: { link: Link; bytes: Buffer | null }[] = [];
  #queued = 0;
  #kbps: number;
  #tokens = 0;
  #filledAt = 0;
  #server: Server | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(o: { target: { host: string; port: number }; kbps: number; bufferMs?: number }) {
    this.#target = o.target;
    this.#kbps = o.kbps;
    this.#bufferMs = o.bufferMs ?? 400;
  }

  /** 0: nothing passes, and nobody is told. */
  set kbps(kbps: number) {
    this.#kbps = kbps;
    this.#relieve();
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#filledAt = performance.now();
    this.#timer = setInterval(() => this.#carry(), TICK_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    for (const link of [...this.#links]) this.#cut(link);
    const server = this.#server;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Ends every connection, as a line does that goes down. */
  cut(): void {
    for (const link of [...this.#links]) this.#cut(link);
  }

  #accept(client: Socket): void {
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const link: Link = { client, upstream, waiting: 0 };
    this.#links.add(link);
    client.on('data', (bytes) => {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES)
        this.#queue.push({ link, bytes: bytes.subarray(at, at + PIECE_BYTES) });
      link.waiting += bytes.length;
      this.#queued += bytes.length;
      if (this.#full) client.pause();
    });
    client.on('end', () => this.#queue.push({ link, bytes: null }));
    upstream.on('data', (bytes) => client.writable && client.write(bytes));
    upstream.on('end', () => client.end());
    for (const end of [client, upstream]) {
      end.on('error', () => this.#cut(link));
      end.on('close', () => this.#cut(link));
    }
  }

  get #full(): boolean {
    return this.#queued > Math.max(16_384, (this.#kbps / 8) * this.#bufferMs);
  }

  #carry(): void {
    const now = performance.now();
    const rate = this.#kbps / 8;
    this.#tokens = Math.min(rate * BURST_MS, this.#tokens + rate * (now - this.#filledAt));
    this.#filledAt = now;
    while (this.#tokens > 0 && this.#queue.length > 0) {
      const { link, bytes } = this.#queue.shift()!;
      if (!this.#links.has(link)) continue;
      if (bytes === null) {
        link.upstream.end();
        continue;
      }
      this.#tokens -= bytes.length;
      this.#queued -= bytes.length;
      link.waiting -= bytes.length;
      link.upstream.write(bytes);
    }
    this.#relieve();
  }

  #relieve(): void {
    if (!this.#full) for (const { client } of this.#links) client.resume();
  }

  #cut(link: Link): void {
    if (!this.#links.delete(link)) return;
    this.#queued -= link.waiting;
    link.client.destroy();
    link.upstream.destroy();
  }
}
