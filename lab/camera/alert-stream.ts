import type { ServerResponse } from 'node:http';
import { alert } from './documents.ts';
import type { CameraProfile } from './profile.ts';

/** The open alertStreams of one camera: an endless multipart answer each, with the firmware's own way of framing. */
export class AlertStreams {
  readonly #profile: CameraProfile;
  readonly #httpPort: () => number;
  readonly #open = new Set<ServerResponse>();
  #heartbeat: NodeJS.Timeout | null = null;
  static readonly heartbeatMs = 10_000;
  /** More are refused: every stream takes one of the device's few sessions. */
  static readonly max = 6;

  constructor(profile: CameraProfile, httpPort: () => number) {
    this.#profile = profile;
    this.#httpPort = httpPort;
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
  }

  /** Sends one event alert on every open stream. */
  send(fields: { type: string; state: 'active' | 'inactive'; count: number; uuid: string }): void {
    this.#write(this.#open, this.#part(alert(this.#profile, this.#httpPort(), Date.now(), fields), true));
  }

  /** Bytes as they are, for parts that no device should send. */
  inject(bytes: Buffer): void {
    this.#write(this.#open, bytes);
  }

  /** "Video is not lost": what devices of this make send as their sign of life. */
  #beat(streams: Iterable<ServerResponse>): void {
    const body = alert(this.#profile, this.#httpPort(), Date.now(), {
      type: 'videoloss',
      state: 'inactive',
      count: 0,
      uuid: null,
    });
    this.#write(streams, this.#part(body, this.#profile.odd.heartbeatHasLength));
  }

  #part(body: string, withLength: boolean): string {
    const delimiter = '--boundary\r\n'.repeat(this.#profile.odd.doubledDelimiter ? 2 : 1);
    const length = withLength ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : '';
    return `${delimiter}Content-Type: application/xml; charset="UTF-8"\r\n${length}\r\n${body}\r\n`;
  }

  #write(streams: Iterable<ServerResponse>, bytes: string | Buffer): void {
    for (const response of streams) {
      // A reader that stopped reading loses its stream, as on a device with little memory.
      if (response.writableLength > 1_000_000) response.destroy();
      else response.write(bytes);
    }
  }
}
