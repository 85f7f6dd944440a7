import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Entry, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl';
import { MAX_FIRMWARE_BYTES } from '../../protocol/wire/firmware.ts';
import type { ObjectStore } from '../clips/object-store.ts';

/** A package holds the file and perhaps notes; more entries than this are no package. */
const MAX_ENTRIES = 64;
/** Firmware is compressed already: what shrinks more than this is made to burst. */
const MAX_RATIO = 20;
const FIRMWARE = /\.(dav|pak|bin)$/i;

/** What is wrong with a package, in words for whoever brought it. */
export class PackageError extends Error {}

class StoreReader extends RandomAccessReader {
  readonly #store: Pick<ObjectStore, 'read'>;
  readonly #key: string;
  constructor(store: Pick<ObjectStore, 'read'>, key: string) {
    super();
    this.#store = store;
    this.#key = key;
  }
  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#store.read(this.#key, start, end - 1), { objectMode: false });
  }
}

/**
 * Takes the one firmware file out of the ZIP under `from` and stores it under `to`, both as streams. Refused are packages
 * with several or none, encrypted or overlarge ones, and those whose sizes lie.
 */
export async function unpack(
  store: ObjectStore,
  o: { from: string; size: number; to: string; admit: (size: number) => Promise<void> },
): Promise<{ size: number; sha256: string }> {
  const zip = await open(store, o);
  try {
    const entry = await firmwareIn(zip);
    const { uncompressedSize: size, compressedSize } = entry;
    if ((entry.generalPurposeBitFlag & 1) !== 0) throw new PackageError('The package is encrypted.');
    if (size === 0) throw new PackageError('The firmware in the package is empty.');
    if (size > MAX_FIRMWARE_BYTES) throw new PackageError('The firmware in the package is too large.');
    if (size > compressedSize * MAX_RATIO && size > 1024 * 1024)
      throw new PackageError('The package unpacks to far more than firmware does.');
    // May refuse it: so much is about to be stored.
    await o.admit(size);
    const hash = createHash('sha256');
    // It checks the announced size itself, and stops at the first byte too many.
    const stream = await new Promise<Readable>((resolve, reject) =>
      zip.openReadStream(entry, (error, opened) => (error ? reject(broken(error)) : resolve(opened))),
    );
    // It may fail before anybody reads it; who reads it later is told all the same.
    stream.on('error', () => {});
    const body = async function* () {
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          hash.update(chunk);
          yield chunk;
        }
      } catch (error) {
        throw broken(error as Error);
      }
    };
    await store.put(o.to, body(), { size });
    return { size, sha256: hash.digest('hex') };
  } finally {
    zip.close();
  }
}

function open(store: ObjectStore, { from, size }: { from: string; size: number }): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true, strictFileNames: false };
    fromRandomAccessReader(new StoreReader(store, from), size, options, (error, zip) =>
      error ? reject(broken(error)) : resolve(zip),
    );
  });
}

function firmwareIn(zip: ZipFile): Promise<Entry> {
  return new Promise((resolve, reject) => {
    if (zip.entryCount > MAX_ENTRIES) return reject(new PackageError('The package holds too many files.'));
    const found: Entry[] = [];
    zip.on('error', (error) => reject(broken(error)));
    zip.on('entry', (entry: Entry) => {
      if (FIRMWARE.test(entry.fileName) && !entry.fileName.startsWith('__MACOSX/')) found.push(entry);
      zip.readEntry();
    });
    zip.on('end', () => {
      if (found.length === 1) return resolve(found[0] as Entry);
      const what = found.length === 0 ? 'no firmware file (.dav, .pak or .bin)' : 'several firmware files';
      reject(new PackageError(`The package holds ${what}: it must hold one.`));
    });
    zip.readEntry();
  });
}

const broken = (error: Error): PackageError =>
  error instanceof PackageError
    ? error
    : new PackageError(`The package cannot be read (${error.message.slice(0, 120)}).`);
