import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import type { Channel } from '../channel.ts';
import { type Framing, rawFraming } from '../framing.ts';
import type { TunnelMode } from '../handshake.ts';
import { encode, MessageDecoder, type MessageSink } from '../messages.ts';
import type { TransportArguments } from '../transport.ts';
import { WebSocketFraming } from '../websocket.ts';

/** What the contract needs of an implementation of the transport. */
export interface ContractTransport {
  start(head?: Buffer): void;
  open(trafficClass: 'urgent' | 'interactive' | 'bulk'): Channel;
  close(code: 'stopped' | 'taken-over' | 'restart', text: string): void;
  pingEvery(ms: number): void;
  announceRestart(afterMs: number, spreadMs: number): void;
  readonly inFlight: number;
  readonly capBytes: number;
}

export interface Implementation {
  name: string;
  mode: TunnelMode;
  make(args: TransportArguments): ContractTransport;
  /** Two ends of one connection. */
  connection(): Promise<{ box: Duplex; relay: Duplex }>;
}

export const framingOf = (mode: TunnelMode, role: 'box' | 'relay'): Framing =>
  mode === 'raw' ? rawFraming : new WebSocketFraming(role === 'box' ? 'client' : 'server');

/** A real TCP connection over loopback. */
export async function tcpConnection(): Promise<{ box: Duplex; relay: Duplex }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const box = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', noDelay: true });
  const [[relay]] = await Promise.all([once(server, 'connection'), once(box, 'connect')]);
  server.close();
  relay.setNoDelay(true);
  return { box, relay };
}

/** In memory. */
export async function memoryConnection(): Promise<{ box: Duplex; relay: Duplex }> {
  const [box, relay] = duplexPair();
  return { box, relay };
}

/** Speaks the protocol by hand: answers pings, but what it sends and when it acknowledges is up to the test. */
export class HandPeer {
  readonly socket: Duplex;
  /** Every message received: its name and arguments; DATA as `['data', channel, length]` and counted in `dataBytes`. */
  readonly log: unknown[][] = [];
  dataBytes = 0;
  closed = false;
  readonly #framing: Framing;

  constructor(
    socket: Duplex,
    framing: Framing,
    on: { data?: (channel: number, bytes: number) => void; answersPings?: boolean } = {},
  ) {
    this.socket = socket;
    this.#framing = framing;
    const note =
      (name: string) =>
      (...args: unknown[]) =>
        void this.log.push([name, ...args]);
    const decoder = new MessageDecoder({
      open: note('open'),
      end: note('end'),
      reset: note('reset'),
      credit: note('credit'),
      ack: note('ack'),
      ping: (id) => {
        this.log.push(['ping', id]);
        if (on.answersPings ?? true) this.send(encode.pong(id));
      },
      pong: note('pong'),
      restart: note('restart'),
      bye: note('bye'),
      data: (channel, bytes) => {
        this.dataBytes += bytes.length;
        this.log.push(['data', channel, bytes.length]);
        on.data?.(channel, bytes.length);
      },
    } as MessageSink);
    socket.on('data', (chunk: Buffer) =>
      framing.receive(chunk, { payload: (b) => decoder.push(b), reply: () => {}, closed: () => {} }),
    );
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('end', () => socket.end());
  }

  send(...messages: Buffer[]): void {
    const bytes = Buffer.concat(messages);
    const head = this.#framing.header(bytes.length);
    this.socket.write(head ? Buffer.concat([head, bytes]) : bytes);
  }
}

export async function until(what: () => boolean, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!what()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
