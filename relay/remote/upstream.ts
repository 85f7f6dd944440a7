import { Agent, type AgentOptions, type ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../protocol/clock.ts';
import type { TrafficClass } from '../../protocol/tunnel/messages.ts';
import { ADDRESS_HEADER, deviceAuthority, TLS_HEADER } from '../../protocol/wire/remote-config.ts';
import type { TunnelHub } from '../tunnel/hub.ts';

/** As many as browsers open to one host, and few enough that the device goes on sending events. */
const MAX_SOCKETS = 6;
const MAX_FREE = 4;
/** Devices close theirs after ten seconds or so; one that was closed in between costs a failed request. */
const FREE_MS = 8_000;
const DIAL_TIMEOUT_MS = 15_000;

export interface Port {
  port: number;
  tls: boolean;
}
export type Dial = Pick<TunnelHub, 'dial'>;

/** The connections of one session to its device, through the box's tunnel. */
export class Upstream {
  readonly #hub: Dial;
  readonly #boxSerial: string;
  readonly #deviceId: string;
  readonly #clock: Clock;
  readonly #open = new Set<Duplex>();
  readonly #agents: Record<'interactive' | 'bulk', TunnelAgent>;
  #at: Port;
  #address: string | null = null;
  #ended = false;

  constructor(o: { hub: Dial; boxSerial: string; deviceId: string; at: Port; clock: Clock }) {
    this.#hub = o.hub;
    this.#boxSerial = o.boxSerial;
    this.#deviceId = o.deviceId;
    this.#clock = o.clock;
    this.#at = o.at;
    const agent = (c: TrafficClass, options: AgentOptions) => new TunnelAgent(() => this.dial(c), this.#clock, options);
    this.#agents = {
      interactive: agent('interactive', { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_FREE }),
      // Beside the others, so that an upload does not hold up the page.
      bulk: agent('bulk', { keepAlive: false, maxSockets: 2 }),
    };
  }

  get at(): Port {
    return this.#at;
  }
  /** `host:port` as the box has told it; null before the first connection. */
  get address(): string | null {
    return this.#address;
  }

  agent(c: 'interactive' | 'bulk'): Agent {
    return this.#agents[c];
  }

  /** A connection to the device. @throws TunnelError */
  async dial(c: TrafficClass, at = this.#at): Promise<Duplex> {
    const authority = deviceAuthority(this.#deviceId, at.port);
    const headers: Record<string, string> = at.tls ? { [TLS_HEADER]: '1' } : {};
    const answer = await this.#hub.dial(this.#boxSerial, authority, { class: c, timeoutMs: DIAL_TIMEOUT_MS, headers });
    const { stream } = answer;
    if (this.#ended) {
      stream.destroy();
      throw new Error('the session has ended');
    }
    const address = answer.headers[ADDRESS_HEADER] ?? '';
    if (!/^\d{1,3}(\.\d{1,3}){3}:\d{1,5}$/.test(address)) {
      stream.destroy();
      throw new Error('the box does not say where the device is');
    }
    if (at === this.#at) this.#address = address;
    this.#open.add(stream);
    stream.once('close', () => this.#open.delete(stream));
    return stream;
  }

  /** Turns to another port of the device, as it asks for by a redirect; the box says whether it may. @throws TunnelError */
  async turnTo(at: Port): Promise<void> {
    (await this.dial('interactive', at)).destroy();
    this.#at = at;
    this.#address = null;
    for (const agent of Object.values(this.#agents)) agent.closeFree();
  }

  end(): void {
    this.#ended = true;
    for (const agent of Object.values(this.#agents)) agent.destroy();
    for (const stream of [...this.#open]) stream.destroy();
  }
}

/** What Node's client calls on sockets, and streams do not have. */
interface Socketlike extends Duplex {
  setKeepAlive(): this;
  setNoDelay(): this;
  setTimeout(): this;
  ref(): this;
  unref(): this;
}

export function asSocket(stream: Duplex): Socketlike {
  const same = () => stream;
  const socket = Object.assign(stream, {
    setKeepAlive: same,
    setNoDelay: same,
    setTimeout: same,
    ref: same,
    unref: same,
  }) as unknown as Socketlike;
  // A device that has closed its side is done.
  stream.once('end', () => stream.end());
  return socket;
}

class TunnelAgent extends Agent {
  readonly #dial: () => Promise<Duplex>;
  readonly #clock: Clock;
  readonly #free = new Map<Duplex, () => void>();

  constructor(dial: () => Promise<Duplex>, clock: Clock, options: AgentOptions) {
    super(options);
    this.#dial = dial;
    this.#clock = clock;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    this.#dial().then(
      (stream) => callback?.(null, asSocket(stream)),
      (error) => callback?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  }

  override keepSocketAlive(stream: Duplex): boolean {
    const done = () => {
      cancel();
      stream.off('data', spoilt).off('close', done);
      this.#free.delete(stream);
    };
    // Bytes that nobody asked for would be taken for the next answer.
    const spoilt = () => stream.destroy();
    const cancel = this.#clock.after(FREE_MS, () => stream.destroy());
    stream.on('data', spoilt);
    stream.once('close', done);
    this.#free.set(stream, done);
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    this.#free.get(stream)?.();
    super.reuseSocket(stream, request);
  }

  closeFree(): void {
    for (const stream of [...this.#free.keys()]) stream.destroy();
  }
}
