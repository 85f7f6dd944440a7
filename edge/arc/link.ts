import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import type { Clock } from '../../protocol/clock.ts';
import { Dc09Stream } from '../../protocol/codec/dc09-stream.ts';
import type { ArcTimings, LinkFailure } from './types.ts';

export type Exchange<T> = { result: 'reply'; value: T } | LinkFailure;

/**
 * One way to one receiver, one frame outstanding: a whole frame in one write, then its reply, then the next. Pipelined
 * or split frames are refused by receivers in the field.
 */
export interface Link {
  /** `judge` says what a frame that came back means; null: nothing to us, wait on. */
  exchange<T>(frame: Buffer, judge: (reply: Buffer) => T | null, timeoutMs: number): Promise<Exchange<T>>;
  close(): void;
}

interface LinkOptions {
  host: string;
  port: number;
  transport: 'tcp' | 'udp';
  clock: Clock;
  timings: Pick<ArcTimings, 'connectTimeoutMs' | 'maxConnectionMs'>;
  /** Of another interface than the routes say; its address now, null: it has none. */
  from?: () => string | null;
  /** Where the receiver was reached last; shared by the links to it. */
  last?: LastAddress;
}

/** The address behind a receiver's name as it was last connected to: names may not be answered when the line is down. */
export interface LastAddress {
  address: string | null;
}

export const openLink = (o: LinkOptions): Link => (o.transport === 'udp' ? new UdpLink(o) : new TcpLink(o));

function failure(error: NodeJS.ErrnoException, sent: boolean): LinkFailure {
  const codes: Record<string, LinkFailure['code']> = {
    ECONNREFUSED: 'refused',
    ECONNRESET: 'reset',
    EPIPE: 'reset',
    ETIMEDOUT: 'timeout',
  };
  return { result: 'failed', code: codes[error.code ?? ''] ?? 'unreachable', sent, text: error.code ?? error.message };
}

/** A link of the second interface dials what was reached last: the name may not be answered just then. */
function hostFrom(from: string | undefined, { host, last }: LinkOptions): string {
  return from && last?.address && isIPv6(last.address) === isIPv6(from) ? last.address : host;
}

/** A receiver that leaves a connection open for this long after its reply takes further messages on it. */
const KEEPS_OPEN_MS = 1_000;
const NO_ADDRESS: LinkFailure = {
  result: 'failed',
  code: 'unreachable',
  sent: false,
  text: 'the second interface has no address',
};
const MAX_IDLE_MS = 5_000;

/**
 * Many receivers close the connection after their reply. A frame sent into the closing one is read and never answered, and
 * its repetition is a double alarm. So a connection is used again only where the receiver was seen to keep it open.
 */
class TcpLink implements Link {
  readonly #o: LinkOptions;
  #socket: Socket | null = null;
  #openedAt = 0;
  #repliedAt = 0;
  #keepsOpen: boolean | null = null;
  #onFrame: ((frame: Buffer) => void) | null = null;
  #onGone: ((error: NodeJS.ErrnoException) => void) | null = null;

  constructor(options: LinkOptions) {
    this.#o = options;
  }

  async exchange<T>(frame: Buffer, judge: (reply: Buffer) => T | null, timeoutMs: number): Promise<Exchange<T>> {
    const { clock } = this.#o;
    if (this.#socket && !this.#reusable()) this.close();
    if (!this.#socket) {
      const failed = await this.#connect();
      if (failed) return failed;
    }
    const socket = this.#socket;
    if (!socket) return { result: 'failed', code: 'reset', sent: false, text: 'the receiver closed the connection' };
    return new Promise((resolve) => {
      const done = (result: Exchange<T>): void => {
        cancel();
        this.#onFrame = null;
        this.#onGone = null;
        // A reply that comes too late would be taken for the next one's.
        if (result.result === 'failed') this.close();
        this.#repliedAt = clock.mono();
        resolve(result);
      };
      const cancel = clock.after(timeoutMs, () =>
        done({ result: 'failed', code: 'timeout', sent: true, text: `no reply in ${timeoutMs} ms` }),
      );
      this.#onFrame = (reply) => {
        const value = judge(reply);
        if (value !== null) done({ result: 'reply', value });
      };
      this.#onGone = (error) => done(failure(error, true));
      socket.write(frame);
    });
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.#onGone?.(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
  }

  #reusable(): boolean {
    const { clock, timings } = this.#o;
    const idleMs = clock.mono() - this.#repliedAt;
    this.#keepsOpen ??= idleMs >= KEEPS_OPEN_MS ? true : null;
    return this.#keepsOpen === true && idleMs < MAX_IDLE_MS && clock.mono() - this.#openedAt < timings.maxConnectionMs;
  }

  /** Resolves to what went wrong; null: connected. */
  #connect(): Promise<LinkFailure | null> {
    const { port, clock, timings, last } = this.#o;
    const from = this.#o.from?.();
    if (from === null) return Promise.resolve(NO_ADDRESS);
    const host = hostFrom(from, this.#o);
    const bound = from ? { localAddress: from, family: isIPv6(from) ? 6 : 4 } : { autoSelectFamily: true };
    return new Promise((resolve) => {
      const socket = connect({ host, port, noDelay: true, ...bound });
      const stream = new Dc09Stream();
      this.#socket = socket;
      let connected = false;
      const gone = (error: NodeJS.ErrnoException): void => {
        cancel();
        const current = this.#socket === socket;
        if (current) this.#socket = null;
        socket.destroy();
        // The receiver may have moved: its name is asked next time.
        if (!connected && from && last) last.address = null;
        if (!connected) resolve(failure(error, false));
        else if (current) this.#onGone?.(error);
      };
      const timeout = Object.assign(new Error(), { code: 'ETIMEDOUT' });
      const cancel = clock.after(timings.connectTimeoutMs, () => gone(timeout));
      socket.on('connect', () => {
        cancel();
        connected = true;
        this.#openedAt = clock.mono();
        if (last) last.address = socket.remoteAddress ?? null;
        resolve(null);
      });
      socket.on('data', (chunk) => {
        for (const frame of stream.push(chunk)) this.#onFrame?.(frame);
      });
      socket.on('error', gone);
      const closed = Object.assign(new Error('the receiver closed the connection'), { code: 'ECONNRESET' });
      // A reply and the end may come together: what came first is read first.
      socket.on('end', () => {
        if (clock.mono() - this.#repliedAt < KEEPS_OPEN_MS || this.#onGone) this.#keepsOpen = false;
        gone(closed);
      });
      socket.on('close', () => {
        if (!connected) gone(closed);
      });
    });
  }
}

class UdpLink implements Link {
  readonly #o: LinkOptions;
  #socket: UdpSocket | null = null;
  #cancelled: (() => void) | null = null;

  constructor(options: LinkOptions) {
    this.#o = options;
  }

  exchange<T>(frame: Buffer, judge: (reply: Buffer) => T | null, timeoutMs: number): Promise<Exchange<T>> {
    const { port, clock, last } = this.#o;
    const from = this.#o.from?.();
    if (from === null) return Promise.resolve(NO_ADDRESS);
    const host = hostFrom(from, this.#o);
    return new Promise((resolve) => {
      const socket = this.#socket ?? createSocket(isIPv6(from ?? host) ? 'udp6' : 'udp4');
      const fresh = !this.#socket;
      this.#socket = socket;
      const done = (result: Exchange<T>): void => {
        cancel();
        this.#cancelled = null;
        socket
          .removeAllListeners('message')
          .removeAllListeners('error')
          .on('error', () => {});
        // Another source port: a late reply then finds nobody.
        if (result.result === 'failed') this.close();
        if (last && result.result === 'reply') last.address = address;
        else if (last && from) last.address = null;
        resolve(result);
      };
      let address: string | null = null;
      let sent = false;
      const cancel = clock.after(timeoutMs, () =>
        done({ result: 'failed', code: 'timeout', sent, text: `no reply in ${timeoutMs} ms` }),
      );
      this.#cancelled = () => done({ result: 'failed', code: 'reset', sent, text: 'closed' });
      socket.on('message', (reply) => {
        const value = judge(reply);
        if (value !== null) done({ result: 'reply', value });
      });
      // Refused is the host's own word that nobody got it.
      socket.on('error', (error: NodeJS.ErrnoException) => done(failure(error, sent && error.code !== 'ECONNREFUSED')));
      const send = (): void => {
        sent = true;
        address = socket.remoteAddress().address;
        socket.send(frame);
      };
      // It may have been given up meanwhile.
      const dial = (): void => {
        if (this.#socket !== socket) return;
        socket.connect(port, host, (error?: Error) => {
          if (error) done(failure(error, false));
          else if (this.#socket === socket) send();
        });
      };
      if (!fresh) send();
      else if (from) socket.bind(0, from, dial);
      else dial();
    });
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#cancelled?.();
    try {
      socket?.close();
    } catch {
      // It was closed already.
    }
  }
}
