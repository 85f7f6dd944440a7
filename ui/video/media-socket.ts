import { type MediaMessage, type MediaNote, readMedia } from '../../protocol/wire/media.ts';

/** How a connection ended. */
export interface SocketEnd {
  /** False: nothing ever came; a browser does not tell why a socket was refused. */
  opened: boolean;
  /** Of WebSocket's close frame, RFC 6455 §7.4. */
  code: number;
  /** The last that the relay said of why. */
  note: MediaNote | null;
}

export interface MediaSocketOptions {
  /** See {@link socketAddress}. */
  url: string;
  onMessage: (message: MediaMessage) => void;
  onEnd: (end: SocketEnd) => void;
}

/** The address of a relay's socket: on this page's host, with TLS where the page has it. */
export function socketAddress(path: string, query: Record<string, string | number | null | undefined>): string {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  return url.href;
}

/** One connection that brings media messages (protocol/wire/media.ts). It does not connect again by itself. */
export class MediaSocket {
  readonly #o: MediaSocketOptions;
  #socket: WebSocket | null = null;
  #note: MediaNote | null = null;

  constructor(options: MediaSocketOptions) {
    this.#o = options;
  }

  start(): void {
    if (this.#socket) return;
    const socket = new WebSocket(this.#o.url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    let opened = false;
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.#socket !== socket || !(data instanceof ArrayBuffer)) return;
      const message = readMedia(new Uint8Array(data));
      // Types of a later version.
      if (!message) return;
      opened = true;
      if (message.type === 'note') this.#note = message.note;
      else this.#note = null;
      this.#o.onMessage(message);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#o.onEnd({ opened, code, note: this.#note });
    };
  }

  /** Says something to the relay; nothing happens while there is no connection. */
  send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Ends it; `onEnd` is not called. */
  stop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }
}
