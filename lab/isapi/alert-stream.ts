import type { ServerResponse } from 'node:http';
import type { DeviceProfile } from '../devices/profile.ts';

/** The open alertStreams of one device: an endless multipart answer each, with the firmware's own way of framing. */
export class AlertStreams {
  readonly #profile: DeviceProfile;
  readonly #heartbeatBody: () => string;
  readonly #open = new Set<ServerResponse>();
  #heartbeat: NodeJS.Timeout | null = null;
  /** What is told to who begins to listen: events that happened before. */
  backlog: () => string[] = () => [];
  static readonly heartbeatMs = 10_000;
  /** More are refused: every stream takes one of the device's few sessions. */
  static readonly max = 6;

  constructor(profile: DeviceProfile, heartbeatBody: () => string) {
    this.#profile = profile;
    this.#heartbeatBody = heartbeatBody;
  }

  get count(): number {
    return this.#open.size;
  }

  start(): void {
    this.#heartbeat = setInterval(() => this.#beat(this.#open), AlertStreams.heartbeatMs);
  }

  stop(): void {
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    for (const response of this.#open) response.destroy();
  }

  add(response: ServerResponse): void {
    response.writeHead(200, {
      'MIME-Version': '1.0',
      Connection: 'close',
      'Content-Type': `multipart/mixed; boundary=${this.#profile.odd.boundary}`,
    });
    response.socket?.setNoDelay(true);
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    this.#beat([response]);
    for (const body of this.backlog()) this.#write([response], this.#part(body, true));
  }

  /** Sends one event, XML or JSON, on every open stream. */
  send(body: string): void {
    this.#write(this.#open, this.#part(body, true));
  }

  /** Bytes as they are, for parts that no device should send. */
  inject(bytes: Buffer): void {
    this.#write(this.#open, bytes);
  }

  #beat(streams: Iterable<ServerResponse>): void {
    this.#write(streams, this.#part(this.#heartbeatBody(), this.#profile.odd.heartbeatHasLength));
  }

  #part(body: string, withLength: boolean): string {
    const { boundary, doubledDelimiter } = this.#profile.odd;
    const line = boundary.startsWith('--') ? boundary : `--${boundary}`;
    const type = body.startsWith('{') ? 'application/json' : 'application/xml';
    const length = withLength ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : '';
    const delimiter = `${line}\r\n`.repeat(doubledDelimiter ? 2 : 1);
    return `${delimiter}Content-Type: ${type}; charset="UTF-8"\r\n${length}\r\n${body}\r\n`;
  }

  #write(streams: Iterable<ServerResponse>, bytes: string | Buffer): void {
    for (const response of streams) {
      // A reader that stopped reading loses its stream, as on a device with little memory.
      if (response.writableLength > 1_000_000) response.destroy();
      else response.write(bytes);
    }
  }
}
