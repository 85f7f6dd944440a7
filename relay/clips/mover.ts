import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { Backoff } from '../../protocol/backoff.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { FolderStore } from './object-store.ts';
import type { S3Store } from './s3-store.ts';
import type { TwoPlaces } from './two-places.ts';

/** 64 Mbit/s: a terabyte in a day and a half, beside what the relay does for people. */
const BYTES_PER_SECOND = 8_000_000;
const RETRY_MS = [10_000, 600_000] as const;
/** So many in a row: it is not the objects. */
const MOST_FAILURES = 5;

/**
 * Takes the clips of the folder over into the object store, one object after the other: read and hashed, sent under that
 * hash, looked at there, and only then deleted here. What is interrupted is done again from its start.
 */
export class Mover {
  readonly #files: FolderStore;
  readonly #s3: Pick<S3Store, 'putKnown' | 'look'>;
  readonly #places: TwoPlaces;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #rate: number;
  readonly #stopping = new AbortController();
  readonly #backoff = new Backoff(...RETRY_MS);
  #running: Promise<void> = Promise.resolve();

  constructor(deps: {
    files: FolderStore;
    s3: Pick<S3Store, 'putKnown' | 'look'>;
    places: TwoPlaces;
    clock: Clock;
    log: Logger;
    bytesPerSecond?: number;
  }) {
    this.#files = deps.files;
    this.#s3 = deps.s3;
    this.#places = deps.places;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#rate = deps.bytesPerSecond ?? BYTES_PER_SECOND;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let moved = 0; !signal.aborted; ) {
      try {
        let found = 0;
        const failed: unknown[] = [];
        let inRow = 0;
        for await (const key of this.#files.clipKeys()) {
          if (found++ === 0 && moved === 0) this.#log.info('clips of the folder are being taken over into the bucket');
          try {
            await this.#places.whileKept(key, signal, (kept) => this.#move(key, kept));
            if (signal.aborted) return;
            moved++;
            inRow = 0;
            this.#backoff.reset();
          } catch (error) {
            // One that cannot be read, or is refused, does not keep those behind it here.
            failed.push(error);
            if (signal.aborted || ++inRow >= MOST_FAILURES) break;
          }
        }
        if (failed.length > 0) throw failed[0];
        if (found > 0) continue;
        if (moved > 0) this.#log.info({ objects: moved }, 'all clips of the folder are in the bucket now');
        return;
      } catch (error) {
        if (signal.aborted) return;
        // Told once for as long as it lasts.
        if (this.#backoff.tries === 0)
          this.#log.error({ err: error }, 'clips of the folder wait: the bucket does not take them; tried again');
        await this.#clock.sleep(this.#backoff.next(), signal);
      }
    }
  }

  async #move(key: string, signal: AbortSignal): Promise<void> {
    const size = await this.#files.size(key);
    if (size === null) return;
    const content = { size, sha256: await this.#hash(key, size) };
    if ((await this.#s3.look(key, content)) !== 'same') {
      await this.#s3.putKnown(key, content, this.#paced(key, size, signal), signal);
      signal.throwIfAborted();
      const found = await this.#s3.look(key, content);
      if (found !== 'same') throw new Error(`${key} is not in the bucket as it was sent: ${found}`);
    }
    signal.throwIfAborted();
    await this.#files.delete(key);
  }

  async #hash(key: string, size: number): Promise<string> {
    const hash = createHash('sha256');
    if (size > 0) for await (const chunk of this.#files.read(key, 0, size - 1)) hash.update(chunk);
    return hash.digest('hex');
  }

  async *#paced(key: string, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (size === 0) return;
    const began = this.#clock.mono();
    let sent = 0;
    for await (const chunk of this.#files.read(key, 0, size - 1)) {
      signal.throwIfAborted();
      yield chunk;
      sent += chunk.length;
      const aheadMs = (sent / this.#rate) * 1000 - (this.#clock.mono() - began);
      if (aheadMs > 1) await this.#clock.sleep(aheadMs, signal);
    }
  }
}
