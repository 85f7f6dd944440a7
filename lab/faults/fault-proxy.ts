import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Hole } from './hole.ts';

/*
 * mode        new connections               open connections
 * none        forwarded                     forwarded
 * refuse      refused (nobody listens)      reset
 * reset       accepted and reset            reset
 * blackhole   accepted, then silence        silence both ways, no end is passed on; reset when the mode ends
 * drop        no answer to the SYN          as blackhole
 * halfOpen    accepted and read, no answer  the receiver's side is closed, the client's never hears of it; reset when the mode ends
 * slow        forwarded                     every answer comes 30 s late; what waits is flushed when the mode ends
 * swallowAck  forwarded                     what is sent arrives, its answers are thrown away
 */
export const FAULT_MODES = ['none', 'refuse', 'reset', 'blackhole', 'drop', 'halfOpen', 'slow', 'swallowAck'] as const;
export type FaultMode = (typeof FAULT_MODES)[number];

/** A DC-09 answer that was made by the receiver and never reached who asked. */
export interface SwallowedAnswer {
  at: string;
  account: string;
  sequence: number;
}

interface Link {
  client: Socket;
  upstream: Socket;
  /** Answers on their way in `slow`, oldest first. */
  delayed: { bytes: Buffer; timer: NodeJS.Timeout }[];
  delayedBytes: number;
}

export interface FaultProxyOptions {
  host: string;
  port: number;
  upstream: { host: string; port: number };
  /** Reads the answers as DC-09 and counts those that never arrived. */
  dc09: boolean;
  onSwallowed?: (answer: SwallowedAnswer) => void;
  slowMs?: number;
}

/** No byte and no end gets through, and what they touch does not heal. */
const SILENT: readonly FaultMode[] = ['blackhole', 'drop', 'halfOpen'];
const MAX_DELAYED = 8 * 1024 * 1024;

/** Stands in front of one TCP service and breaks it on demand. */
export class FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #slowMs: number;
  readonly #links = new Set<Link>();
  /** Connections accepted in silence. */
  readonly #held = new Set<Socket>();
  #server: Server | null = null;
  #hole: Hole | null = null;
  #port: number;
  #mode: FaultMode = 'none';
  connections = 0;
  readonly swallowed: SwallowedAnswer[] = [];

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#slowMs = options.slowMs ?? 30_000;
    this.#port = options.port;
  }

  get host(): string {
    return this.#options.host;
  }
  get port(): number {
    return this.#port;
  }
  get mode(): FaultMode {
    return this.#mode;
  }
  get #silent(): boolean {
    return SILENT.includes(this.#mode);
  }

  async start(): Promise<void> {
    // Half-open connections are passed on as such: a proxy that ends both ways would lose answers.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server.listen(this.#port, this.#options.host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const link of [...this.#links]) this.#cut(link);
    for (const socket of this.#held) socket.destroy();
    await this.#unlisten();
    await this.#hole?.close();
  }

  async setMode(mode: FaultMode): Promise<void> {
    const before = this.#mode;
    if (mode === before) return;
    this.#mode = mode;
    for (const link of [...this.#links]) {
      if (SILENT.includes(before) || mode === 'refuse' || mode === 'reset') this.#cut(link);
      else if (this.#silent) this.#silence(link);
      else if (before === 'slow') for (const { bytes } of this.#undelay(link)) this.#answer(link, bytes);
    }
    for (const socket of this.#held) socket.resetAndDestroy();
    this.#held.clear();
    if (mode === 'refuse' || mode === 'drop') await this.#unlisten();
    await this.#hole?.close();
    this.#hole = null;
    if (mode === 'drop') this.#hole = await Hole.open({ host: this.host, port: this.port });
    else if (mode !== 'refuse' && !this.#server) await this.start();
  }

  state() {
    return {
      mode: this.#mode,
      connections: this.connections,
      open: this.#links.size + this.#held.size,
      ackSwallowed: this.swallowed.length,
      swallowed: this.swallowed,
    };
  }

  async #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.close();
  }

  #accept(client: Socket): void {
    this.connections++;
    client.on('error', () => {});
    if (this.#mode === 'reset') {
      client.resetAndDestroy();
      return;
    }
    if (this.#silent) {
      if (this.#mode === 'halfOpen') client.resume();
      else client.pause();
      this.#held.add(client);
      client.on('close', () => this.#held.delete(client));
      return;
    }
    const upstream = connect({ ...this.#options.upstream, allowHalfOpen: true, noDelay: true });
    const link: Link = { client, upstream, delayed: [], delayedBytes: 0 };
    this.#links.add(link);
    client.on('data', (bytes) => {
      if (!this.#silent && !upstream.write(bytes)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.on('data', (bytes) => this.#answer(link, bytes));
    client.on('drain', () => upstream.resume());
    client.on('end', () => {
      // Who closes before a late answer will never read it.
      for (const { bytes } of this.#undelay(link)) this.#swallow(bytes);
      upstream.end();
    });
    upstream.on('end', () => {
      if (!this.#silent && link.delayed.length === 0) client.end();
    });
    upstream.on('error', () => !this.#silent && client.resetAndDestroy());
    client.on('close', () => {
      for (const { bytes } of this.#undelay(link)) this.#swallow(bytes);
      if (!this.#silent) upstream.end();
      this.#forget(link);
    });
    upstream.on('close', () => this.#forget(link));
  }

  #forget(link: Link): void {
    if (link.client.destroyed && link.upstream.destroyed) this.#links.delete(link);
  }

  #answer(link: Link, bytes: Buffer): void {
    if (this.#silent || this.#mode === 'swallowAck' || link.client.destroyed) {
      this.#swallow(bytes);
    } else if (this.#mode === 'slow') {
      const timer = setTimeout(() => {
        link.delayed.shift();
        link.delayedBytes -= bytes.length;
        this.#deliver(link, bytes);
        if (link.upstream.readableEnded && link.delayed.length === 0) link.client.end();
        else if (link.delayedBytes < MAX_DELAYED) link.upstream.resume();
      }, this.#slowMs);
      link.delayed.push({ bytes, timer });
      link.delayedBytes += bytes.length;
      if (link.delayedBytes >= MAX_DELAYED) link.upstream.pause();
    } else {
      this.#deliver(link, bytes);
    }
  }

  #deliver(link: Link, bytes: Buffer): void {
    if (!link.client.writable) this.#swallow(bytes);
    else if (!link.client.write(bytes)) link.upstream.pause();
  }

  #undelay(link: Link): Link['delayed'] {
    for (const { timer } of link.delayed) clearTimeout(timer);
    link.delayedBytes = 0;
    return link.delayed.splice(0);
  }

  /** Silence: the client's bytes stay in the kernel, as on a dead line; answers are read to be counted. */
  #silence(link: Link): void {
    for (const { bytes } of this.#undelay(link)) this.#swallow(bytes);
    if (this.#mode === 'halfOpen') {
      link.upstream.end();
      return;
    }
    link.client.pause();
    if (!this.#options.dc09) link.upstream.pause();
  }

  /** Resets the client. A receiver still answers what it has got, so that lost answers can be counted. */
  #cut(link: Link): void {
    for (const { bytes } of this.#undelay(link)) this.#swallow(bytes);
    link.client.resetAndDestroy();
    if (this.#options.dc09) link.upstream.end();
    else link.upstream.resetAndDestroy();
  }

  #swallow(bytes: Buffer): void {
    if (!this.#options.dc09) return;
    const at = new Date().toISOString();
    for (const [, sequence, account] of bytes.toString('latin1').matchAll(/"\*?ACK"(\d{4})[^#"]*#(\w+)\[/g)) {
      const answer = { at, account: account!, sequence: Number(sequence) };
      this.swallowed.push(answer);
      this.#options.onSwallowed?.(answer);
    }
  }
}
