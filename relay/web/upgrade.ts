import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { PROBLEMS, type ProblemCode, problem } from '../../protocol/wire/problem.ts';
import type { RemoteAddress } from '../api/remote.ts';
import type { AuthenticatedBox, BoxAuthenticator, ProvenBox } from '../boxes/authenticate.ts';

type Handle<B> = (request: IncomingMessage, socket: Duplex, head: Buffer, box: B) => void;

/**
 * Where boxes come in. Each proves itself in the request's header and is refused with an ordinary HTTP answer, before
 * anything is upgraded.
 */
export class Upgrades {
  readonly #log: Logger;
  readonly #authenticator: BoxAuthenticator;
  readonly #remote: RemoteAddress;
  readonly #mqtt: Handle<ProvenBox>;
  readonly #claimed: Record<string, Handle<AuthenticatedBox>>;
  readonly #byTls: (request: IncomingMessage) => boolean;
  readonly #refused: (code: ProblemCode) => void;

  constructor(deps: {
    log: Logger;
    authenticator: BoxAuthenticator;
    remote: RemoteAddress;
    mqtt: Handle<ProvenBox>;
    /** By path, for claimed boxes only. */
    claimed: Record<string, Handle<AuthenticatedBox>>;
    /** Did the box come over TLS, where the relay has it? */
    byTls: (request: IncomingMessage) => boolean;
    refused: (code: ProblemCode) => void;
  }) {
    this.#log = deps.log;
    this.#authenticator = deps.authenticator;
    this.#remote = deps.remote;
    this.#mqtt = deps.mqtt;
    this.#claimed = deps.claimed;
    this.#byTls = deps.byTls;
    this.#refused = deps.refused;
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Stays: the answer to a client that is gone already fails after everything here is done, and an error that nobody
    // listens to would end the relay.
    socket.on('error', () => socket.destroy());
    this.#dispatch(request, socket, head).catch((error) => {
      this.#log.error({ err: error, path: request.url }, 'upgrade failed');
      refuse(socket, 'internal-error');
    });
  }

  async #dispatch(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const path = (request.url ?? '').split('?')[0] as string;
    const handler = Object.hasOwn(this.#claimed, path) ? this.#claimed[path] : undefined;
    if (path !== '/mqtt' && !handler) return refuse(socket, 'not-found');
    if (!this.#byTls(request)) return this.#no(socket, 'tls-needed');
    const { authorization } = request.headers;
    const remote = this.#remote(request);
    let serial: string;
    if (handler) {
      const outcome = await this.#authenticator.authenticate(authorization, path, remote);
      if (!outcome.ok) return this.#no(socket, outcome.code);
      if (socket.destroyed) return;
      serial = outcome.box.serial;
      handler(request, socket, head, outcome.box);
    } else {
      const outcome = await this.#authenticator.prove(authorization, path, remote);
      if (!outcome.ok) return this.#no(socket, outcome.code);
      if (socket.destroyed) return;
      serial = outcome.box.serial;
      this.#mqtt(request, socket, head, outcome.box);
    }
    await this.#authenticator.stillWelcome(serial);
  }

  #no(socket: Duplex, code: ProblemCode): void {
    this.#refused(code);
    refuse(socket, code);
  }
}

function refuse(socket: Duplex, code: ProblemCode): void {
  const body = JSON.stringify(problem(code));
  const [status, title] = PROBLEMS[code];
  // Whoever does not close its side is closed.
  if (socket instanceof Socket) socket.setTimeout(5_000, () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
