import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';
import { type ArcAttempt, ArcOutcome } from '../../protocol/wire/arc-path.ts';
import type { RelayAuth } from '../uplink/relay-auth.ts';
import type { LinkFailure } from './types.ts';

const MAX_MESSAGE_BYTES = 16 * 1024;
const PING_MS = 5_000;
/** As many as the relay takes of a box at once; more wait here. */
const MAX_IN_FLIGHT = 32;
/** The relay's own work and the way there and back, on top of the receiver's time-out. */
const ROUND_TRIP_MS = 2_000;

export type RelayReply = { result: 'reply'; frame: Buffer; stored: boolean } | LinkFailure;

/**
 * The relay path: a WebSocket to /arc-path, kept open. Several attempts may be in flight; each is answered by its number.
 * A connection that does not answer pings is dropped, so that a half-open one costs seconds, not minutes.
 */
export class RelayPath {
  readonly #auth: Pick<RelayAuth, 'header' | 'relayUrl'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #backoff: Backoff;
  readonly #abort = new AbortController();
  readonly #inFlight = new Map<number, (reply: RelayReply) => void>();
  readonly #inLine: (() => void)[] = [];
  #socket: WebSocket | null = null;
  #nextId = 1;
  #running: Promise<void> | null = null;

  constructor(o: {
    auth: Pick<RelayAuth, 'header' | 'relayUrl'>;
    clock: Clock;
    log: Logger;
    onChange: () => void;
    backoffCapMs?: number;
  }) {
    this.#auth = o.auth;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#onChange = o.onChange;
    this.#backoff = new Backoff(500, o.backoffCapMs ?? 10_000);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#socket?.terminate();
    await this.#running;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** `host:port` of the relay, as it is dialled. */
  get authority(): string {
    const { hostname, port, protocol } = this.#auth.relayUrl;
    return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  }

  /** Gives the frame to the relay once. Never throws; without a connection it fails at once, unsent. */
  async send(attempt: Omit<ArcAttempt, 'type' | 'id' | 'frame'> & { frame: Buffer }): Promise<RelayReply> {
    while (this.connected && this.#inFlight.size >= MAX_IN_FLIGHT) {
      await new Promise<void>((resolve) => this.#inLine.push(resolve));
    }
    if (!this.connected) {
      return { result: 'failed', code: 'unreachable', sent: false, text: 'no connection to the relay' };
    }
    const id = this.#nextId++;
    const message: ArcAttempt = { ...attempt, type: 'attempt', id, frame: attempt.frame.toString('base64') };
    return new Promise((resolve) => {
      const done = (reply: RelayReply): void => {
        cancel();
        this.#inFlight.delete(id);
        this.#inLine.shift()?.();
        resolve(reply);
      };
      const wait = attempt.timeoutMs + ROUND_TRIP_MS;
      const cancel = this.#clock.after(wait, () =>
        done({ result: 'failed', code: 'timeout', sent: true, text: `the relay did not answer in ${wait} ms` }),
      );
      this.#inFlight.set(id, done);
      this.#socket!.send(JSON.stringify(message));
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#session(await this.#auth.header('/arc-path', signal));
      } catch (error) {
        this.#log.debug({ err: error }, 'no relay path');
      }
      await this.#clock.sleep(this.#backoff.next(), signal);
    }
  }

  /** One connection from opening to its end. */
  #session(authorization: string): Promise<void> {
    const url = new URL('/arc-path', this.#auth.relayUrl);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, {
      headers: { authorization },
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handshakeTimeout: 5_000,
    });
    let answered = true;
    const stopPings = this.#clock.every(PING_MS, () => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
    });
    return new Promise((resolve, reject) => {
      let failed: Error | null = null;
      if (this.#abort.signal.aborted) socket.terminate();
      this.#socket = socket;
      socket.on('open', () => {
        this.#backoff.reset();
        this.#log.info('relay path is open');
        this.#onChange();
      });
      socket.on('pong', () => {
        answered = true;
      });
      socket.on('message', (data) => this.#received(String(data)));
      socket.on('error', (error) => {
        failed = error;
      });
      socket.on('close', () => {
        stopPings();
        this.#socket = null;
        for (const done of [...this.#inFlight.values()]) {
          done({ result: 'failed', code: 'reset', sent: true, text: 'the connection to the relay was lost' });
        }
        for (const next of this.#inLine.splice(0)) next();
        this.#onChange();
        if (failed) reject(failed);
        else resolve();
      });
    });
  }

  #received(text: string): void {
    let outcome: ReturnType<typeof ArcOutcome.safeParse>;
    try {
      outcome = ArcOutcome.safeParse(JSON.parse(text));
    } catch {
      outcome = ArcOutcome.safeParse(null);
    }
    if (!outcome.success) {
      this.#log.warn('the relay sent what is no outcome');
      return;
    }
    const { data } = outcome;
    const reply: RelayReply =
      data.result === 'reply'
        ? { result: 'reply', frame: Buffer.from(data.frame, 'base64'), stored: data.stored }
        : { result: 'failed', code: data.code, sent: data.sent, text: data.text };
    this.#inFlight.get(data.id)?.(reply);
  }
}
