import { Agent, type AgentOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { handshake, type TlsSession } from './handshake.ts';

/** Of `node:http` requests: breaks off a handshake that is under way, which Node knows nothing of. */
export interface DialOptions {
  dialSignal?: AbortSignal;
}

/**
 * The connections to one device: plain, or TLS with its one certificate. Node's client gets a TLS connection only when its certificate has been
 * looked at, so that nothing of a request is ever written to another one.
 */
export class DeviceAgents {
  readonly #tls: DeviceTls | undefined;
  readonly #clock: Clock;
  readonly #made: Agent[] = [];
  /** TLS session of the last connection, for the next one. */
  readonly #resume: { session?: TlsSession } = {};

  constructor({ tls, clock }: { tls?: DeviceTls; clock: Clock }) {
    this.#tls = tls;
    this.#clock = clock;
  }

  /** One that keeps connections for further requests. */
  keeping(options: AgentOptions): Agent {
    const agent = this.#agent({ keepAlive: true, ...options });
    this.#made.push(agent);
    return agent;
  }

  /** For one request with a connection of its own. */
  alone(): Agent {
    return this.#agent({});
  }

  /** Ends the connections that are kept. */
  destroy(): void {
    for (const agent of this.#made) agent.destroy();
  }

  #agent(options: AgentOptions): Agent {
    if (!this.#tls) return new Agent(options);
    return new PinnedAgent({ tls: this.#tls, clock: this.#clock, resume: this.#resume }, options);
  }
}

class PinnedAgent extends Agent {
  readonly #o: { tls: DeviceTls; clock: Clock; resume: { session?: TlsSession } };

  constructor(o: { tls: DeviceTls; clock: Clock; resume: { session?: TlsSession } }, options: AgentOptions) {
    super(options);
    this.#o = o;
  }

  override createConnection(
    options: { host?: string | null; port?: string | number | null } & DialOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { tls, clock, resume } = this.#o;
    handshake({
      host: options.host ?? '',
      port: Number(options.port),
      old: tls.old,
      trusts: (shown) => shown === tls.certificate,
      session: resume.session,
      clock,
      signal: options.dialSignal,
    }).then(
      (socket: TLSSocket) => {
        const keep = (ticket: Buffer | undefined) => {
          if (ticket) resume.session = { ticket, certificate: tls.certificate };
        };
        keep(socket.getSession());
        // TLS 1.3 sends it after the handshake.
        socket.on('session', keep);
        callback?.(null, socket);
      },
      (error: Error) => {
        // What the device has forgotten may be what broke it.
        resume.session = undefined;
        callback?.(error, undefined as unknown as Duplex);
      },
    );
    return undefined;
  }
}
