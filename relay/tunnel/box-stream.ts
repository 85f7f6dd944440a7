import type { ClientHttp2Stream } from 'node:http2';
import { Duplex, type DuplexOptions } from 'node:stream';
import { TunnelError } from '../../protocol/tunnel/errors.ts';

/**
 * An HTTP/2 stream to the box as an ordinary Duplex, because Node's own misleads its readers in three ways: one that is complete
 * but unread is `closed`, which `pipeline` and `for await` take for a premature end; one that was cut still emits
 * `end`; and `destroy()` and `close()` end it first, so that the other side takes it for a complete request.
 *
 * Here `end` means complete, anything else is an `error`, and `destroy()` cancels.
 */
export class BoxStream extends Duplex {
  readonly #stream: ClientHttp2Stream;

  /** `writable` false: the body of a response. */
  constructor(stream: ClientHttp2Stream, writable: boolean) {
    super({ allowHalfOpen: true, writable } as DuplexOptions);
    this.#stream = stream;
    const cut = () => {
      if (!this.readableEnded)
        this.destroy(new TunnelError('channel-reset', `The box cut the stream (${stream.rstCode})`));
    };
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.pause();
    stream.on('end', () => {
      if (stream.rstCode !== 0) return cut();
      this.push(null);
    });
    stream.on('error', (error: Error) => {
      const known = error instanceof TunnelError;
      this.destroy(
        known ? error : new TunnelError('channel-reset', `The box cut the stream: ${error.message}`, { cause: error }),
      );
    });
    stream.on('close', () => {
      if (!stream.readableEnded || stream.rstCode !== 0) cut();
    });
    // Whoever holds this hears its errors; when nobody does yet, that must not end the process.
    this.on('error', () => {});
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const last = chunks.length - 1;
    this.#stream.cork();
    for (const [i, { chunk }] of chunks.entries()) this.#stream.write(chunk, i === last ? done : undefined);
    this.#stream.uncork();
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const complete = this.#stream.readableEnded && this.#stream.writableFinished;
    if (!complete) this.#stream.destroy(error ?? new TunnelError('aborted', 'The reader gave up'));
    done(error);
  }
}
