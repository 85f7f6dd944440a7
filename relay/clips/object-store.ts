import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Why an object was not stored. `mismatch`: size or hash is not what was announced. */
export class StoreError extends Error {
  readonly code: 'full' | 'mismatch';
  constructor(code: 'full' | 'mismatch', message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}

/** Where clips and packages of firmware live. An object is stored whole or not at all, and is on disk when `put` resolves. */
export interface ObjectStore {
  /** Throws {@link StoreError}; what the body throws is passed on. Nothing is left behind then. */
  put(key: string, body: AsyncIterable<Uint8Array>, expected: { size: number; sha256?: string }): Promise<void>;
  /** Bytes `start` to `end`, both inclusive. The first read throws `ENOENT` when there is no such object. */
  read(key: string, start: number, end: number): AsyncIterable<Uint8Array>;
  size(key: string): Promise<number | null>;
  /** No error when it is gone already. */
  delete(key: string): Promise<void>;
}

const KEY =
  /^(?:clips\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/(?:init\.mp4|[1-9]\d{0,5}\.m4s|video\.mp4)|firmware\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/(?:package\.zip|firmware))$/;

/** Whether this names an object of a clip. */
export const isClipKey = (key: string): boolean => key.startsWith('clips/') && KEY.test(key);

/** Object names: protocol/wire/uploads.ts, and `video.mp4` for the joined clip. */
export const fragmentKey = (clipId: string, n: number) => `clips/${clipId}/${n === 0 ? 'init.mp4' : `${n}.m4s`}`;
/** A package of firmware as it came, and the file in it. */
export const packageKey = (id: string) => `firmware/${id}/package.zip`;
export const firmwareKey = (id: string) => `firmware/${id}/firmware`;
export const videoKey = (clipId: string) => `clips/${clipId}/video.mp4`;

/**
 * Objects as files of a folder. A write goes to a temporary file, is synced, renamed, and its directories are synced: a
 * power cut leaves the old state or the new one.
 */
export class FolderStore implements ObjectStore {
  readonly #dir: string;
  readonly #reserveBytes: number;

  /** `reserveBytes` of the disk stay free: the database, and with it every alarm, needs room too. */
  constructor({ dir, reserveBytes = 256 * 1024 * 1024 }: { dir: string; reserveBytes?: number }) {
    this.#dir = dir;
    this.#reserveBytes = reserveBytes;
  }

  /** Makes the folder and removes what an ended process left half written. */
  async start(): Promise<void> {
    await rm(join(this.#dir, 'tmp'), { recursive: true, force: true });
    await mkdir(join(this.#dir, 'tmp'), { recursive: true, mode: 0o700 });
    await mkdir(join(this.#dir, 'clips'), { recursive: true, mode: 0o700 });
  }

  async put(key: string, body: AsyncIterable<Uint8Array>, expected: { size: number; sha256?: string }): Promise<void> {
    const path = this.#path(key);
    const temporary = join(this.#dir, 'tmp', randomUUID());
    try {
      const { bavail, bsize } = await statfs(this.#dir);
      if (bavail * bsize < expected.size + this.#reserveBytes) throw new StoreError('full', 'the disk is full');
      const file = await open(temporary, 'wx', 0o600);
      try {
        await write(file, body, expected);
        await file.sync();
      } finally {
        await file.close();
      }
      const created = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rename(temporary, path);
      await syncDirectory(dirname(path));
      if (created) await syncDirectory(dirname(created));
    } catch (error) {
      await rm(temporary, { force: true });
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EDQUOT') throw new StoreError('full', 'the disk is full', error);
      throw error;
    }
  }

  read(key: string, start: number, end: number): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path(key), { start, end, highWaterMark: 256 * 1024 });
  }

  async size(key: string): Promise<number | null> {
    try {
      return (await stat(this.#path(key))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Names of what is kept of clips. */
  async *clipKeys(): AsyncGenerator<string> {
    for await (const { name } of await opendir(join(this.#dir, 'clips'))) {
      const objects = await readdir(join(this.#dir, 'clips', name)).catch(() => []);
      for (const key of objects.map((object) => `clips/${name}/${object}`)) if (KEY.test(key)) yield key;
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await rm(path, { force: true });
    try {
      if ((await readdir(dirname(path))).length === 0) await rmdir(dirname(path));
    } catch {
      // Gone already, or a new object has just arrived.
    }
  }

  #path(key: string): string {
    if (!KEY.test(key)) throw new Error(`no object name: ${key.slice(0, 100)}`);
    return join(this.#dir, key);
  }
}

async function write(
  file: FileHandle,
  body: AsyncIterable<Uint8Array>,
  expected: { size: number; sha256?: string },
): Promise<void> {
  const hash = expected.sha256 ? createHash('sha256') : null;
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > expected.size) throw new StoreError('mismatch', 'more bytes came than announced');
    hash?.update(chunk);
    // A write to a nearly full disk may take only a part.
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  }
  if (size !== expected.size) throw new StoreError('mismatch', `${size} bytes came instead of ${expected.size}`);
  if (hash && hash.digest('hex') !== expected.sha256) {
    throw new StoreError('mismatch', 'the content is not what its hash says: it was damaged on the way');
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
