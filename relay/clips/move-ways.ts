import { createHash } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import { LATE_MS } from './buckets.ts';
import type { FolderStore } from './object-store.ts';
import type { S3Options, S3Store } from './s3-store.ts';

/** 64 Mbit/s: a terabyte in a day and a half, beside what the relay does for people. */
const BYTES_PER_SECOND = 8_000_000;

/** From one place for clips into the other, object by object. */
export interface MoveWay {
  /** What is yet to be taken over. */
  keys(): AsyncIterable<string>;
  /** Copies, looks whether it arrived whole, and only then deletes. Throws where it did not. */
  move(key: string, signal: AbortSignal): Promise<void>;
  /** Nothing is left: how long until it should be looked for once more; 0: never. */
  done(): Promise<number>;
  /** Of the log. */
  readonly says: { begins: string; ended: string; waits: string };
}

interface Parts {
  files: FolderStore;
  s3: Pick<S3Store, 'putKnown' | 'look' | 'read' | 'size' | 'delete' | 'clipKeys'>;
  clock: Clock;
  bytesPerSecond?: number;
}

/** From the folder into the bucket: read and hashed, sent under that hash, looked at there. */
export class IntoBucket implements MoveWay {
  readonly says = {
    begins: 'clips of the folder are being taken over into the bucket',
    ended: 'all clips of the folder are in the bucket now',
    waits: 'clips of the folder wait: the bucket does not take them; tried again',
  };
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  keys(): AsyncIterable<string> {
    return this.#parts.files.clipKeys();
  }

  async move(key: string, signal: AbortSignal): Promise<void> {
    const { files, s3 } = this.#parts;
    const size = await files.size(key);
    if (size === null) return;
    const content = { size, sha256: await hashOf(files, key, size) };
    if ((await s3.look(key, content)) !== 'same') {
      await s3.putKnown(key, content, paced(this.#parts, wholeOf(files, key, size), signal), signal);
      signal.throwIfAborted();
      const found = await s3.look(key, content);
      if (found !== 'same') throw new Error(`${key} is not in the bucket as it was sent: ${found}`);
    }
    signal.throwIfAborted();
    await files.delete(key);
  }

  async done(): Promise<number> {
    return 0;
  }
}

/** From a bucket that is left back into the folder: what came is what the bucket has, or it stays there. */
export class IntoFolder implements MoveWay {
  readonly says = {
    begins: 'clips of the bucket are being taken back into the folder',
    ended: 'all clips of the bucket are in the folder now: the relay can be started without the --s3-… options',
    waits: 'clips of the bucket wait: they cannot be taken into the folder; tried again',
  };
  readonly #parts: Parts & { db: Db; of: Pick<S3Options, 'endpoint' | 'bucket'> };

  /** `files`: with room that it leaves on the disk, for what comes in new. */
  constructor(parts: Parts & { db: Db; of: Pick<S3Options, 'endpoint' | 'bucket'> }) {
    this.#parts = parts;
  }

  async *keys(): AsyncGenerator<string> {
    for (let after: string | null = ''; after !== null; ) {
      const { keys, next }: { keys: string[]; next: string | null } = await this.#parts.s3.clipKeys(after);
      yield* keys;
      after = next;
    }
  }

  async move(key: string, signal: AbortSignal): Promise<void> {
    const { files, s3 } = this.#parts;
    const size = await s3.size(key);
    if (size === null) return;
    const there = await files.size(key);
    // After a crash between the last two steps.
    const kept = there === size ? await s3.look(key, { size, sha256: await hashOf(files, key, size) }) : 'other';
    if (kept !== 'same') {
      const hash = createHash('sha256');
      const body = hashed(paced(this.#parts, wholeOf(s3, key, size), signal), hash);
      await files.put(key, body, { size });
      signal.throwIfAborted();
      const found = await s3.look(key, { size, sha256: hash.digest('hex') });
      if (found !== 'same') {
        await files.delete(key);
        throw new Error(`${key} did not arrive as it is in the bucket: ${found}`);
      }
    }
    signal.throwIfAborted();
    await s3.delete(key);
  }

  /** Notes that nobody needs the bucket any more, once what was put into it last has been told of. */
  async done(): Promise<number> {
    const { db, clock, of } = this.#parts;
    const rows = db.updateTable('clip_buckets').where('endpoint', '=', of.endpoint).where('bucket', '=', of.bucket);
    const { numUpdatedRows } = await rows
      .set({ untilMs: 0 })
      .where('untilMs', '<=', clock.now() - LATE_MS)
      .executeTakeFirst();
    return numUpdatedRows > 0n ? 0 : LATE_MS;
  }
}

type Readable = Pick<FolderStore, 'read'>;

async function* wholeOf(from: Readable, key: string, size: number): AsyncGenerator<Uint8Array> {
  if (size > 0) yield* from.read(key, 0, size - 1);
}

async function hashOf(from: Readable, key: string, size: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of wholeOf(from, key, size)) hash.update(chunk);
  return hash.digest('hex');
}

async function* hashed(
  body: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* paced(
  { clock, bytesPerSecond = BYTES_PER_SECOND }: Pick<Parts, 'clock' | 'bytesPerSecond'>,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const began = clock.mono();
  let passed = 0;
  for await (const chunk of body) {
    signal.throwIfAborted();
    yield chunk;
    passed += chunk.length;
    const aheadMs = (passed / bytesPerSecond) * 1000 - (clock.mono() - began);
    if (aheadMs > 1) await clock.sleep(aheadMs, signal);
  }
}
