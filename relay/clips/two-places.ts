import type { FolderStore, ObjectStore } from './object-store.ts';
import type { S3Store } from './s3-store.ts';

/**
 * The folder and an object store as one: clips may lie in either, and go from one into the other meanwhile.
 * An object of the folder counts; looking for one that is not there costs some microseconds.
 */
export class TwoPlaces implements ObjectStore {
  readonly #files: FolderStore;
  readonly #s3: S3Store;
  readonly #putInto: ObjectStore;
  readonly #moving = new Map<string, { abort: AbortController; done: Promise<void> }>();

  /** `retired`: nothing new is put into the object store. */
  constructor({ files, s3, retired }: { files: FolderStore; s3: S3Store; retired: boolean }) {
    this.#files = files;
    this.#s3 = s3;
    this.#putInto = retired ? files : s3;
  }

  put(key: string, body: AsyncIterable<Uint8Array>, expected: { size: number; sha256?: string }): Promise<void> {
    return this.#putInto.put(key, body, expected);
  }

  async *read(key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#files.read(key, start, end);
      return;
    } catch (error) {
      // It is said of the first read alone: nothing of it was given out.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    let given = false;
    try {
      for await (const chunk of this.#s3.read(key, start, end)) {
        given = true;
        yield chunk;
      }
    } catch (error) {
      // Taken back into the folder since it was looked for there; or gone from both.
      if (given || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      yield* this.#files.read(key, start, end);
    }
  }

  async size(key: string): Promise<number | null> {
    return (await this.#files.size(key)) ?? (await this.#s3.size(key)) ?? this.#files.size(key);
  }

  /** What is on its way is called back: nothing comes into the object store after it was deleted there. */
  async delete(key: string): Promise<void> {
    const moving = this.#moving.get(key);
    moving?.abort.abort();
    await moving?.done;
    await this.#files.delete(key);
    await this.#s3.delete(key);
  }

  /** Does `work` for an object unless it is deleted meanwhile; one that fails is as it was. */
  async whileKept(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    const running = work(AbortSignal.any([signal, abort.signal]));
    const done = running.catch(() => {}).finally(() => this.#moving.delete(key));
    this.#moving.set(key, { abort, done });
    try {
      await running;
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    }
    await done;
  }
}
