import { connect, createServer, type Server, type Socket } from 'node:net';
import { Backoff } from '../../../protocol/backoff.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { ACK, NAK } from './mlr2-frames.ts';

const CONNECT_MS = 5_000;
/** Within this the software answers (SG Automation Output Protocol). */
export const ANSWER_MS = 4_000;

/** Software that was late once may be late again: so long after a frame its answer is still waited for before another goes. */
const SETTLE_MS = 2 * ANSWER_MS;

export type Answer = 'ack' | 'nak' | 'none';

/** Where the software is: it dials us on a port, or we dial it. */
export type Mlr2Way =
  | { mode: 'server'; host: string; port: number; allows(address: string): boolean }
  | { mode: 'client'; resolve(): Promise<{ address: string; port: number } | { text: string }> };

/**
 * One connection to automation software: one frame at a time, answered by ACK or NAK. As a server the newest connection is
 * the one: after a crash of the software the old one looks alive for minutes.
 */
export class Mlr2Link {
  readonly #way: Mlr2Way;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #backoff = new Backoff(1_000, 30_000);
  #server: Server | null = null;
  #socket: Socket | null = null;
  #answer: ((answer: Answer) => void) | null = null;
  /** What is waited for now. */
  #current: Buffer | null = null;
  /** Sent on this connection and not answered yet, oldest first: an answer that comes late must not count for the next. */
  #open: { frame: Buffer; at: number }[] = [];
  #settle: (() => void) | null = null;
  #stopping = false;
  #cancel: (() => void) | null = null;
  /** Why there is no connection. */
  reason: string | null = null;

  constructor({ way, clock, changed }: { way: Mlr2Way; clock: Clock; changed: () => void }) {
    this.#way = way;
    this.#clock = clock;
    this.#changed = changed;
  }

  get connected(): boolean {
    return this.#socket !== null;
  }

  get port(): number | null {
    const address = this.#server?.address();
    return address && typeof address === 'object' ? address.port : null;
  }

  async start(): Promise<void> {
    const way = this.#way;
    if (way.mode === 'client') {
      void this.#dial();
      return;
    }
    const server = createServer({ noDelay: true }, (socket) => {
      if (!way.allows(socket.remoteAddress ?? '')) {
        this.reason = `${socket.remoteAddress} may not connect here`;
        socket.destroy();
        return this.#changed();
      }
      this.#take(socket);
    });
    this.#server = server;
    // A port that is taken, or taken away, must not end the program: the state says it, and it is tried again.
    server.on('error', (error) => {
      this.reason = `port ${way.port}: ${(error as NodeJS.ErrnoException).code ?? error.message}`;
      this.#changed();
      if (!this.#stopping) this.#cancel = this.#clock.after(10_000, () => server.listen(way.port, way.host));
    });
    server.on('listening', () => {
      this.reason = 'waiting for the automation software to connect';
      this.#changed();
    });
    await new Promise<void>((resolve) => {
      server.once('listening', resolve);
      server.once('error', () => resolve());
      server.listen(way.port, way.host);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancel?.();
    this.#socket?.destroy();
    const server = this.#server;
    if (server?.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /**
   * Sends a frame and waits for its answer; `none`: silence, or the connection went. Never two at once. The answer to an
   * earlier try of the same buffer counts; one to another frame does not.
   */
  async exchange(frame: Buffer): Promise<Answer> {
    await this.#settled(frame);
    const socket = this.#socket;
    if (!socket) return 'none';
    return new Promise<Answer>((resolve) => {
      const done = (answer: Answer) => {
        cancel();
        this.#answer = null;
        this.#current = null;
        resolve(answer);
      };
      const cancel = this.#clock.after(ANSWER_MS, () => done('none'));
      this.#answer = done;
      this.#current = frame;
      this.#open.push({ frame, at: this.#clock.mono() });
      socket.write(frame);
    });
  }

  /** Answers to another frame that may still come are waited for: none of them must count for this one. */
  async #settled(frame: Buffer): Promise<void> {
    const last = this.#open.at(-1);
    if (!last || last.frame === frame) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(Math.max(0, last.at + SETTLE_MS - this.#clock.mono()), resolve);
      this.#settle = () => {
        cancel();
        resolve();
      };
    });
    this.#settle = null;
    this.#open = [];
  }

  /** The other side is not to be trusted any more: begins anew. */
  reset(reason: string): void {
    this.reason = reason;
    this.#socket?.destroy();
  }

  async #dial(): Promise<void> {
    if (this.#way.mode !== 'client' || this.#stopping) return;
    const target = await this.#way.resolve();
    if (this.#stopping) return;
    if ('text' in target) return this.#later(target.text);
    const socket = connect({ host: target.address, port: target.port, noDelay: true });
    const cancel = this.#clock.after(CONNECT_MS, () => socket.destroy(new Error('no connection in 5 s')));
    let opened = false;
    socket.once('connect', () => {
      cancel();
      opened = true;
      this.#take(socket);
    });
    socket.once('error', (error) => {
      if (!opened) this.reason = (error as NodeJS.ErrnoException).code ?? error.message;
    });
    socket.once('close', () => {
      cancel();
      this.#later(opened ? 'the automation software closed the connection' : (this.reason ?? 'no connection'));
    });
  }

  #later(reason: string): void {
    this.reason ??= reason;
    this.#changed();
    if (!this.#stopping) this.#cancel = this.#clock.after(this.#backoff.next(), () => void this.#dial());
  }

  #take(socket: Socket): void {
    const old = this.#socket;
    this.#socket = socket;
    old?.destroy();
    this.#answer?.('none');
    this.#open = [];
    this.#settle?.();
    this.reason = null;
    socket.on('data', (data) => {
      if (this.#socket !== socket) return;
      for (const byte of data) {
        // Anything else is of no meaning, as line ends behind an answer.
        if (byte !== ACK && byte !== NAK) continue;
        const answered = this.#open.shift();
        if (answered && answered.frame === this.#current) this.#answer?.(byte === ACK ? 'ack' : 'nak');
        if (this.#open.length === 0) this.#settle?.();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.reason ??= 'the automation software closed the connection';
      this.#answer?.('none');
      this.#open = [];
      this.#settle?.();
      this.#changed();
    });
    this.#changed();
  }

  /** An acknowledged heartbeat: the next dial begins with short waits again. */
  proven(): void {
    this.#backoff.reset();
    this.reason = null;
  }
}
