import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import type { Clock } from '../../protocol/clock.ts';
import { TunnelError } from '../../protocol/tunnel/errors.ts';
import type { TrafficClass } from '../../protocol/tunnel/messages.ts';
import type { Transport } from '../../protocol/tunnel/transport.ts';

/**
 * How much one box may make the relay hold: a stream's window bounds what its slow reader leaves unread, and only
 * window × streams bounds the sum (the session's window does not: Node returns it on arrival). 68 MiB a box in all.
 */
const LIMITS: Record<TrafficClass, { windowBytes: number; streams: number }> = {
  urgent: { windowBytes: 256 * 1024, streams: 16 },
  interactive: { windowBytes: 512 * 1024, streams: 64 },
  bulk: { windowBytes: 2 * 1024 * 1024, streams: 16 },
};
const SESSION_WINDOW_BYTES = 32 * 1024 * 1024;
/** A session costs about 30 KB; an idle one is closed. */
const IDLE_SESSION_MS = 30_000;

/** The relay's HTTP/2 client of one class of one box: a session made on first use and closed when idle. */
export class ClassSession {
  readonly #transport: Transport;
  readonly #class: TrafficClass;
  readonly #clock: Clock;
  readonly #streams = new Set<ClientHttp2Stream>();
  #session: ClientHttp2Session | null = null;
  #cancelIdle: (() => void) | null = null;

  constructor(transport: Transport, trafficClass: TrafficClass, clock: Clock) {
    this.#transport = transport;
    this.#class = trafficClass;
    this.#clock = clock;
  }

  get streams(): number {
    return this.#streams.size;
  }
  get open(): boolean {
    return this.#session !== null;
  }

  /**
   * A new stream, to be read through BoxStream.
   * @throws TunnelError busy, box-unreachable
   */
  request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    // nghttp2 would queue them without a word and without an end.
    if (this.#streams.size >= LIMITS[this.#class].streams) {
      throw new TunnelError('busy', `${this.#streams.size} ${this.#class} requests to this box are open already`);
    }
    const stream = this.#get().request(headers, { endStream });
    this.#cancelIdle?.();
    this.#streams.add(stream);
    // Whoever holds the stream hears its errors as well; without this one, nobody listening would end the process.
    stream.on('error', () => {});
    stream.once('close', () => {
      this.#streams.delete(stream);
      if (this.#streams.size === 0) this.#idle();
    });
    return stream;
  }

  /** The tunnel is gone: HTTP/2 would only close the streams, which a reader could take for their end. */
  fail(error: TunnelError): void {
    this.#cancelIdle?.();
    for (const stream of [...this.#streams]) stream.destroy(error);
    this.#session?.destroy();
    this.#session = null;
  }

  #get(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const channel = this.#transport.open(this.#class);
    channel.on('error', () => {});
    const { windowBytes, streams } = LIMITS[this.#class];
    const session = connect('http://box', {
      createConnection: () => channel,
      settings: { initialWindowSize: windowBytes, enablePush: false },
      peerMaxConcurrentStreams: streams,
      maxSessionMemory: 128,
    });
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    const gone = (cause?: Error) => {
      if (this.#session === session) this.#session = null;
      const error = new TunnelError('box-unreachable', 'The box closed the session', { cause });
      for (const stream of [...this.#streams]) if (stream.session === session) stream.destroy(error);
    };
    session.on('error', gone);
    session.on('goaway', () => {
      if (this.#session === session) this.#session = null;
    });
    session.once('close', () => gone());
    this.#session = session;
    return session;
  }

  #idle(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = this.#clock.after(IDLE_SESSION_MS, () => {
      const session = this.#session;
      this.#session = null;
      session?.close();
    });
  }
}
