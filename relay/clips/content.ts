import { Readable } from 'node:stream';
import {
  clipObjectId,
  contentSize,
  OBJECT_HEADER_BYTES,
  openRange,
  sealedSize,
  sealObject,
} from '../../protocol/codec/object-cipher.ts';
import { fragmentKey, type ObjectStore, videoKey } from './object-store.ts';

/** Below this it is cheaper to read what stands before than to ask twice. */
const READ_THROUGH_BYTES = 64 * 1024;

/** The objects of one clip as their content, whether they are encrypted where they are stored or not. */
export class ClipContent {
  readonly #store: ObjectStore;
  readonly #clipId: string;
  readonly #key: Buffer | null;

  /** `key`: of the clip's site; null: the clip is not encrypted. */
  constructor({ store, clipId, key }: { store: ObjectStore; clipId: string; key: Buffer | null }) {
    this.#store = store;
    this.#clipId = clipId;
    this.#key = key;
  }

  /** Size of the content of a fragment whose object has so many bytes. */
  size(storedBytes: number): number {
    return this.#key ? Math.max(0, contentSize(storedBytes)) : storedBytes;
  }

  /** Bytes that the object of so much content takes. */
  stored(size: number): number {
    return this.#key ? sealedSize(size) : size;
  }

  /** Bytes `start` to `end` of a fragment's content, both inclusive; the first read throws `ENOENT` when it is gone. */
  fragment(n: number, start: number, end: number): AsyncIterable<Uint8Array> {
    return this.#read(fragmentKey(this.#clipId, n), clipObjectId(this.#clipId, n), start, end);
  }

  /** The same of the joined clip. */
  joined(start: number, end: number): AsyncIterable<Uint8Array> {
    return this.#read(videoKey(this.#clipId), joinedId(this.#clipId), start, end);
  }

  /** Stores the joined clip, encrypted as its fragments are. */
  async join(body: AsyncIterable<Uint8Array>, size: number): Promise<void> {
    const key = videoKey(this.#clipId);
    if (!this.#key) return this.#store.put(key, body, { size });
    const sealed = Readable.from(body, { objectMode: false }).compose(sealObject(this.#key, joinedId(this.#clipId)));
    await this.#store.put(key, sealed, { size: sealedSize(size) });
  }

  #read(key: string, objectId: string, start: number, end: number): AsyncIterable<Uint8Array> {
    return this.#key ? this.#open(this.#key, key, objectId, start, end) : this.#store.read(key, start, end);
  }

  async *#open(siteKey: Buffer, key: string, objectId: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const last = sealedSize(end);
    if (start > READ_THROUGH_BYTES) {
      const header = await collect(this.#store.read(key, 0, OBJECT_HEADER_BYTES - 1));
      const decipher = openRange(siteKey, objectId, header, start);
      for await (const chunk of this.#store.read(key, sealedSize(start), last)) yield decipher.update(chunk);
      return;
    }
    let head: Buffer | null = Buffer.alloc(0);
    let decipher: ReturnType<typeof openRange> | null = null;
    for await (const chunk of this.#store.read(key, 0, last)) {
      if (decipher) {
        yield decipher.update(chunk);
        continue;
      }
      head = Buffer.concat([head as Buffer, chunk]);
      if (head.length <= sealedSize(start)) continue;
      decipher = openRange(siteKey, objectId, head.subarray(0, OBJECT_HEADER_BYTES), start);
      yield decipher.update(head.subarray(sealedSize(start)));
      head = null;
    }
  }
}

const joinedId = (clipId: string) => `clips/${clipId}/video`;

/** All of it in memory: for what is known to be small. */
export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
