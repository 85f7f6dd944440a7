/** What carries the transport's bytes: WebSocket frames, or nothing at all. One object belongs to one connection. */
export interface Framing {
  readonly mode: 'websocket' | 'raw';
  /** What goes before `length` bytes of payload; they are written after it, uncopied. Empty: nothing. */
  header(length: number): Buffer | null;
  /**
   * Takes bytes as they came from the connection and hands on the payload, in place and in pieces.
   * @throws TunnelError protocol-error
   */
  receive(chunk: Buffer, sink: FramingSink): void;
  /** What to write last before the connection is ended. */
  closing(): Buffer | null;
}

export interface FramingSink {
  payload(bytes: Buffer): void;
  /** Must be written to the connection, between two frames. */
  reply(bytes: Buffer): void;
  /** The framing itself was closed by the other side (or by a proxy). */
  closed(code: number, reason: string): void;
}

export const rawFraming: Framing = {
  mode: 'raw',
  header: () => null,
  receive: (chunk, sink) => sink.payload(chunk),
  closing: () => null,
};
