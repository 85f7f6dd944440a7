import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

/** A file of JSON lines that only grows. What {@link append} returned from is on disk, also after a power cut. */
export class AppendLog<T> {
  readonly #path: string;
  #fd: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Opens or creates the file and gives what is in it; a last line that was cut off by a crash is removed. */
  open(): T[] {
    this.#fd = openSync(this.#path, 'a+', 0o600);
    const bytes = readFileSync(this.#path);
    const end = bytes.lastIndexOf(10) + 1;
    if (end < bytes.length) ftruncateSync(this.#fd, end);
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as T);
  }

  append(item: T): void {
    if (this.#fd === null) throw new Error(`${this.#path} is not open`);
    writeSync(this.#fd, `${JSON.stringify(item)}\n`);
    fsyncSync(this.#fd);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}
