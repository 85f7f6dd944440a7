import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * `refuse`: nothing listens; open connections go on until they are used, then they are reset. `reset`: accepts and resets.
 * `blackhole`: what comes is dropped, nothing answers, open connections included. `slow`: every answer is late.
 * `swallow`: everything reaches the receiver, no answer comes back.
 */
export type Fault = 'none' | 'refuse' | 'reset' | 'blackhole' | 'slow' | 'swallow';

/** A TCP proxy that breaks the path on command and counts, for itself, which answers it kept back. */
export class FaultProxy {
  readonly #target: { host: string; port: number };
  readonly #slowMs: number;
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>();
  #server: Server | null = null;
  #port = 0;
  #mode: Fault = 'none';
  /** Whoever comes from this address finds no fault, except that nothing listens: another line to the same receiver. */
  spared = '';
  /** Frames that went to the receiver and whose answer never came back to the sender: each may cost one repeat. */
  readonly unanswered: string[] = [];

  constructor(target: { host: string; port: number }, slowMs = 30_000) {
    this.#target = target;
    this.#slowMs = slowMs;
  }

  async start(): Promise<{ host: string; port: number }> {
    await this.#listen();
    return { host: '127.0.0.1', port: this.#port };
  }

  async stop(): Promise<void> {
    await this.#close();
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
  }

  async set(mode: Fault): Promise<void> {
    this.#mode = mode;
    if (mode === 'refuse') await this.#close();
    else if (!this.#server) await this.#listen();
    if (mode === 'none') {
      // What a fault has touched does not heal: only new connections work.
      for (const { client, upstream } of this.#pairs) {
        client.resetAndDestroy();
        upstream.destroy();
      }
    }
  }

  async #listen(): Promise<void> {
    const server = createServer((client) => this.#accept(client));
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    // Open connections stay: closing waits for none of them.
    server?.close();
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    const mode = (): Fault => (client.remoteAddress === this.spared ? 'none' : this.#mode);
    if (mode() === 'reset') return void client.resetAndDestroy();
    const upstream = connect(this.#target);
    const pair = { client, upstream };
    const pending: string[] = [];
    this.#pairs.add(pair);
    upstream.on('error', () => client.destroy());
    client.on('data', (data) => {
      if (mode() === 'blackhole') return;
      if (mode() === 'refuse' || mode() === 'reset') return void client.resetAndDestroy();
      pending.push(data.toString('latin1'));
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      const give = (): void => {
        if (client.destroyed || mode() !== 'none') return;
        client.write(data);
        pending.shift();
      };
      if (mode() === 'slow') setTimeout(give, this.#slowMs).unref();
      else give();
    });
    client.on('close', () => {
      // Not destroyed: what is on its way to the receiver arrives there.
      upstream.end();
      this.#pairs.delete(pair);
      this.unanswered.push(...pending);
    });
    upstream.on('end', () => mode() === 'none' && client.end());
  }
}
