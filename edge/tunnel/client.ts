import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';
import { TunnelError } from '../../protocol/tunnel/errors.ts';
import type { Framing } from '../../protocol/tunnel/framing.ts';
import { offer, type TunnelMode } from '../../protocol/tunnel/handshake.ts';
import { Transport } from '../../protocol/tunnel/transport.ts';
import { BoxServer, type FetchHandler } from './box-server.ts';
import type { ConnectPolicy } from './connect.ts';

/** The part of RelayAuth that is needed here. */
export interface TunnelAuth {
  readonly relayUrl: URL;
  header(purpose: '/tunnel', signal?: AbortSignal): Promise<string>;
}

export interface TunnelClientArguments {
  auth: TunnelAuth;
  handler: FetchHandler;
  /** CONNECT is refused unless this says yes. */
  connectPolicy: ConnectPolicy;
  clock: Clock;
  log: Logger;
  /** Time that bulk may wait in the uplink's buffer on top of the round trip, ms. */
  capMs?: number;
  /** `raw` saves the WebSocket framing where no proxy stands between. */
  mode?: TunnelMode;
  /** Trusted certificates (PEM) besides Node's own. */
  ca?: string;
  maxRequestBytes?: number;
}

export interface TunnelState {
  connected: boolean;
  /** Wall clock, ms. */
  since: number | null;
  lastError: string | null;
}

const DIAL_TIMEOUT_MS = 10_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_CAP_MS = 10_000;
/** A connection that lived this long was a good one: the next try is quick again. */
const SETTLED_MS = 5000;
const FAST_PING_MS = 200;
const MAX_REFUSAL_BYTES = 4096;

/** The box's end of the tunnel: dials, keeps dialling, and serves HTTP/2 on what the relay opens. */
export class TunnelClient {
  readonly #a: TunnelClientArguments;
  readonly #log: Logger;
  readonly #server: BoxServer;
  readonly #backoff = new Backoff(BACKOFF_FIRST_MS, BACKOFF_CAP_MS);
  readonly #rttListeners = new Set<(ms: number, minRttMs: number) => void>();
  readonly #listeners = new Set<() => void>();
  #state: TunnelState = { connected: false, since: null, lastError: null };
  #rtt: number | null = null;
  #transport: Transport | null = null;
  #abort: AbortController | null = null;
  #wake = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(args: TunnelClientArguments) {
    this.#a = args;
    this.#log = args.log.child({ module: 'tunnel' });
    this.#server = new BoxServer({ ...args, log: this.#log });
  }

  start(signal?: AbortSignal): void {
    this.#abort = new AbortController();
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    this.#running = this.#run(this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort?.abort();
    this.#wake.abort();
    this.#transport?.close('stopped', 'The box stops');
    await this.#running;
  }

  state(): TunnelState {
    return this.#state;
  }

  /** The last round trip, ms; null while not connected. */
  rttMs(): number | null {
    return this.#rtt;
  }

  /** Every round trip with the least of the last ten minutes; at least 5 a second while anyone listens. */
  onRtt(fn: (ms: number, minRttMs: number) => void): () => void {
    this.#rttListeners.add(fn);
    this.#setPingRate();
    return () => {
      this.#rttListeners.delete(fn);
      this.#setPingRate();
    };
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** The network changed: forget the back-off and try now. */
  kick(): void {
    this.#backoff.reset();
    this.#wake.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const restart = { afterMs: 0, spreadMs: 0 };
      const began = this.#a.clock.mono();
      const error = await this.#connection(signal, restart);
      if (signal.aborted) break;
      if (this.#a.clock.mono() - began >= SETTLED_MS) this.#backoff.reset();
      this.#log.warn({ code: error.code, err: error.message }, 'no tunnel');
      let wait = this.#backoff.next();
      if (restart.afterMs + restart.spreadMs > 0) wait = restart.afterMs + Math.random() * restart.spreadMs;
      // Whoever took over is newer: two that evict each other would never end.
      if (error.code === 'taken-over') wait = BACKOFF_CAP_MS;
      this.#wake = new AbortController();
      await this.#a.clock.sleep(wait, this.#wake.signal);
    }
    this.#set({ connected: false, since: null, lastError: null });
  }

  /** One connection from dialling to its end. */
  async #connection(signal: AbortSignal, restart: { afterMs: number; spreadMs: number }): Promise<TunnelError> {
    let error: TunnelError;
    try {
      const { socket, head, framing } = await this.#dial(signal);
      error = await new Promise<TunnelError>((onClose) => {
        const transport = new Transport({
          socket,
          framing,
          role: 'box',
          clock: this.#a.clock,
          cap: this.#a.capMs === undefined ? {} : { slackMs: this.#a.capMs },
          onChannel: (channel) => this.#server.accept(channel),
          onClose,
          onRtt: (ms, minMs) => this.#sampled(ms, minMs),
          onRestart: (afterMs, spreadMs) => Object.assign(restart, { afterMs, spreadMs }),
        });
        this.#transport = transport;
        this.#setPingRate();
        transport.start(head);
        if (signal.aborted) transport.close('stopped', 'The box stops');
      });
    } catch (err) {
      error =
        err instanceof TunnelError
          ? err
          : new TunnelError('connection-lost', err instanceof Error ? err.message : String(err), { cause: err });
    }
    this.#transport = null;
    this.#rtt = null;
    this.#set({ connected: false, since: null, lastError: error.message });
    return error;
  }

  async #dial(signal: AbortSignal): Promise<{ socket: Socket; head: Buffer; framing: Framing }> {
    const authorization = await this.#a.auth.header('/tunnel', signal);
    const url = new URL(this.#a.auth.relayUrl);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/tunnel`;
    const { headers, accepted } = offer(this.#a.mode ?? 'websocket');
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      headers: { ...headers, Authorization: authorization },
      agent: false,
      signal,
      ...(this.#a.ca === undefined ? {} : { ca: this.#a.ca }),
    });
    const cancelTimer = this.#a.clock.after(DIAL_TIMEOUT_MS, () =>
      request.destroy(new TunnelError('timeout', `The relay did not answer within ${DIAL_TIMEOUT_MS / 1000} s`)),
    );
    try {
      return await new Promise((resolve, reject) => {
        request.on('error', reject);
        request.on('response', (response) => void refusal(response).then(reject, reject));
        request.on('upgrade', (response: IncomingMessage, socket: Socket, head: Buffer) => {
          const framing = accepted(response.headers);
          if (framing) {
            socket.setNoDelay(true);
            resolve({ socket, head, framing });
          } else {
            socket.destroy();
            reject(new TunnelError('refused', 'What answers at the relay’s address does not speak this tunnel'));
          }
        });
        request.end();
      });
    } finally {
      cancelTimer();
    }
  }

  #sampled(ms: number, minMs: number): void {
    this.#rtt = ms;
    // Only an answer proves that the way is open in both directions.
    if (!this.#state.connected) {
      this.#log.info({ rttMs: ms }, 'tunnel connected');
      this.#set({ connected: true, since: this.#a.clock.now(), lastError: null });
    }
    for (const fn of this.#rttListeners) fn(ms, minMs);
  }

  #setPingRate(): void {
    this.#transport?.pingEvery(this.#rttListeners.size > 0 ? FAST_PING_MS : Number.POSITIVE_INFINITY);
  }

  #set(state: TunnelState): void {
    this.#state = state;
    for (const fn of this.#listeners) fn();
  }
}

/** The relay said no: its status and, when it is a problem document, its words. */
async function refusal(response: IncomingMessage): Promise<TunnelError> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_REFUSAL_BYTES) break;
  }
  let detail = '';
  try {
    const { code, title, detail: more } = JSON.parse(text) as Record<string, unknown>;
    detail = [code, more ?? title].filter((s) => typeof s === 'string').join(': ');
  } catch {
    // Not from the relay itself.
  }
  return new TunnelError('refused', `The relay answered ${response.statusCode} ${detail}`.trim());
}
