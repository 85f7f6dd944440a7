import type { IncomingMessage } from 'node:http';
import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { TunnelError, type TunnelErrorCode } from '../../protocol/tunnel/errors.ts';
import { answer } from '../../protocol/tunnel/handshake.ts';
import { CLASSES, type TrafficClass } from '../../protocol/tunnel/messages.ts';
import { Transport } from '../../protocol/tunnel/transport.ts';
import { type ProblemCode, problem } from '../../protocol/wire/problem.ts';
import { REFUSAL_HEADER } from '../../protocol/wire/remote-config.ts';
import { BoxStream } from './box-stream.ts';
import { ClassSession } from './session.ts';

export interface TunnelBox {
  serial: string;
  boot: string;
  epoch: number;
}

export interface TunnelRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: Buffer | Readable;
  class?: TrafficClass;
  /** Until the response's headers are there; 30 s. The body ends with the caller, the box or the tunnel. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface TunnelResponse {
  status: number;
  /** Several values of one name are joined by ", ", Set-Cookie by a line feed. */
  headers: Record<string, string>;
  /** Must be read or destroyed. Emits `error` when it ends incomplete. */
  body: Readable;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: BoxStream;
}

interface Tunnel {
  box: TunnelBox;
  transport: Transport;
  sessions: Partial<Record<TrafficClass, ClassSession>>;
}

const TIMEOUT_MS = 30_000;
const CONNECT_REFUSALS: Record<number, [TunnelErrorCode, string]> = {
  400: ['refused', 'this is no host and port'],
  403: ['refused', 'the box does not allow it'],
  495: ['refused', 'it showed another certificate than before'],
  502: ['target-unreachable', 'the device does not answer'],
  504: ['target-unreachable', 'the device did not answer in time'],
};

/** The relay's end of all tunnels: holds one a box and sends requests through it. */
export class TunnelHub {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tunnels = new Map<string, Tunnel>();
  readonly #listeners = new Set<(serial: string, connected: boolean) => void>();
  #restarting = false;

  constructor({ clock, log }: { clock: Clock; log: Logger }) {
    this.#clock = clock;
    this.#log = log.child({ module: 'tunnel' });
  }

  /** Answers the upgrade of a box that the caller has authenticated. A newer connection of the same box replaces the older. */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, box: TunnelBox): void {
    const old = this.#tunnels.get(box.serial);
    const agreed = answer(req.headers);
    if (!agreed) {
      refuse(socket, 'invalid-request', 'This address speaks only the tunnel of a box');
      return;
    }
    // An older start of the same box must not push out a newer one.
    if (old && box.epoch < old.box.epoch) {
      refuse(socket, 'duplicate-identity', 'A newer start of this box is connected');
      return;
    }
    if (socket instanceof Socket) {
      socket.setNoDelay(true);
      socket.setTimeout(0);
    }
    socket.write(agreed.head);
    const tunnel: Tunnel = {
      box,
      sessions: {},
      transport: new Transport({
        socket,
        framing: agreed.framing,
        role: 'relay',
        clock: this.#clock,
        onClose: (error) => this.#closed(tunnel, error),
      }),
    };
    this.#tunnels.set(box.serial, tunnel);
    old?.transport.close('taken-over', 'A newer connection of this box has taken over');
    this.#log.info({ serial: box.serial, mode: agreed.framing.mode, tookOver: old !== undefined }, 'tunnel open');
    tunnel.transport.start(head);
    if (!old) this.#changed(box.serial, true);
  }

  isConnected(serial: string): boolean {
    return this.#tunnels.has(serial);
  }

  disconnect(serial: string, reason: string): void {
    this.#tunnels.get(serial)?.transport.close('disconnected', reason);
  }

  onChange(fn: (serial: string, connected: boolean) => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** An HTTP request to the box. @throws TunnelError box-unreachable, timeout, busy, aborted, channel-reset */
  async request(serial: string, r: TunnelRequest): Promise<TunnelResponse> {
    const headers: OutgoingHttpHeaders = { ...r.headers, ':method': r.method, ':path': r.path };
    if (Buffer.isBuffer(r.body)) headers['content-length'] ??= String(r.body.length);
    const stream = this.#stream(serial, r.class ?? 'interactive', headers, r.body === undefined);
    if (Buffer.isBuffer(r.body)) stream.end(r.body);
    else if (r.body) feed(r.body, stream);
    const answered = await this.#response(stream, false, r.timeoutMs ?? TIMEOUT_MS, r.signal);
    return { status: answered.status, headers: flat(answered.headers), body: answered.body };
  }

  /** A TCP connection to a device on the box's LAN. @throws TunnelError as request; refused, target-unreachable */
  async connect(
    serial: string,
    host: string,
    port: number,
    o: { class?: TrafficClass; timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Duplex> {
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return (await this.dial(serial, authority, o)).stream;
  }

  /**
   * CONNECT to what the box makes of an authority, with the headers of its answer.
   * @throws TunnelError as request; refused and target-unreachable with the `reason` that the box gives
   */
  async dial(
    serial: string,
    authority: string,
    o: { class?: TrafficClass; timeoutMs?: number; signal?: AbortSignal; headers?: Record<string, string> } = {},
  ): Promise<{ stream: Duplex; headers: Record<string, string> }> {
    const headers = { ...o.headers, ':method': 'CONNECT', ':authority': authority };
    const stream = this.#stream(serial, o.class ?? 'interactive', headers, false);
    const answer = await this.#response(stream, true, o.timeoutMs ?? TIMEOUT_MS, o.signal);
    const { status, body } = answer;
    if (status === 200) return { stream: body, headers: flat(answer.headers) };
    body.destroy();
    const [code, text] = CONNECT_REFUSALS[status] ?? ['target-unreachable', `the box answered ${status}`];
    const reason = answer.headers[REFUSAL_HEADER];
    throw new TunnelError(code, `No connection to ${authority}: ${text}`, {
      reason: typeof reason === 'string' ? reason : undefined,
    });
  }

  /** Tells every box that the relay goes away soon and when to come back. */
  announceRestart(afterMs: number, spreadMs: number): void {
    this.#restarting = true;
    for (const { transport } of this.#tunnels.values()) transport.announceRestart(afterMs, spreadMs);
  }

  async stop(): Promise<void> {
    const [code, text]: [TunnelErrorCode, string] = this.#restarting
      ? ['restart', 'The relay restarts']
      : ['stopped', 'The relay stops'];
    for (const { transport } of [...this.#tunnels.values()]) transport.close(code, text);
  }

  stats(): { tunnels: number; sessions: number; streams: number; bytesSent: number; bytesReceived: number } {
    const sum = { tunnels: this.#tunnels.size, sessions: 0, streams: 0, bytesSent: 0, bytesReceived: 0 };
    for (const { transport, sessions } of this.#tunnels.values()) {
      sum.bytesSent += transport.bytesSent;
      sum.bytesReceived += transport.bytesReceived;
      for (const session of Object.values(sessions)) {
        sum.sessions += session.open ? 1 : 0;
        sum.streams += session.streams;
      }
    }
    return sum;
  }

  #stream(serial: string, c: TrafficClass, headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    const tunnel = this.#tunnels.get(serial);
    if (!tunnel) throw new TunnelError('box-unreachable', `Box ${serial} is not connected`);
    tunnel.sessions[c] ??= new ClassSession(tunnel.transport, c, this.#clock);
    return tunnel.sessions[c].request(headers, endStream);
  }

  #response(stream: ClientHttp2Stream, writable: boolean, timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const give = (code: TunnelErrorCode, text: string, cause?: unknown) => {
        finish();
        const error = cause instanceof TunnelError ? cause : new TunnelError(code, text, { cause });
        reject(error);
        // Never close(code): it ends the request first, and the box would take it for a whole one.
        stream.destroy(error);
      };
      const cancelTimer = this.#clock.after(timeoutMs, () =>
        give('timeout', `The box did not answer in ${timeoutMs} ms`),
      );
      const onAbort = () => give('aborted', 'The caller gave up');
      const onError = (cause: Error) => give('channel-reset', `The box cut the request: ${cause.message}`, cause);
      const onClose = () => give('channel-reset', 'The box closed the request without an answer');
      const finish = () => {
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
        stream.off('error', onError);
        stream.off('close', onClose);
      };
      stream.on('error', onError);
      stream.on('close', onClose);
      stream.once('response', (headers) => {
        finish();
        // At once, so that nothing of it is missed.
        const body = new BoxStream(stream, writable);
        const onLateAbort = () => body.destroy(new TunnelError('aborted', 'The caller gave up'));
        signal?.addEventListener('abort', onLateAbort, { once: true });
        body.once('close', () => signal?.removeEventListener('abort', onLateAbort));
        resolve({ status: Number(headers[':status']), headers, body });
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();
    });
  }

  #closed(tunnel: Tunnel, cause: TunnelError): void {
    const { serial } = tunnel.box;
    const error = new TunnelError('box-unreachable', `The tunnel to box ${serial} ended: ${cause.message}`, { cause });
    for (const c of CLASSES) tunnel.sessions[c]?.fail(error);
    this.#log.info({ serial, code: cause.code, why: cause.message }, 'tunnel closed');
    if (this.#tunnels.get(serial) !== tunnel) return;
    this.#tunnels.delete(serial);
    this.#changed(serial, false);
  }

  #changed(serial: string, connected: boolean): void {
    for (const fn of this.#listeners) fn(serial, connected);
  }
}

/**
 * Sends a request's body. One that breaks resets the stream; a box that has answered before the end of it (413) stops it, which
 * `pipeline` would take for a failure of the answer.
 */
function feed(body: Readable, stream: ClientHttp2Stream): void {
  const stop = () => {
    body.unpipe(stream);
    body.destroy();
  };
  stream.once('aborted', stop);
  stream.once('close', stop);
  body.on('error', (error) => stream.destroy(error));
  body.once('close', () => {
    if (!body.readableEnded && !stream.aborted) stream.destroy(new Error('the body ended early'));
  });
  body.pipe(stream);
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    out[name] = Array.isArray(value) ? value.join(name === 'set-cookie' ? '\n' : ', ') : value;
  }
  return out;
}

function refuse(socket: Duplex, code: ProblemCode, detail: string): void {
  const body = problem(code, detail);
  const json = JSON.stringify(body);
  const head = `HTTP/1.1 ${body.status} ${body.title}\r\nConnection: close\r\nContent-Type: application/problem+json`;
  socket.on('error', () => {});
  socket.end(`${head}\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`);
}
