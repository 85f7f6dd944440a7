import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface Picture {
  /** When it was taken, wall time in milliseconds. */
  ms: number;
  /** H.264 or H.265 with start codes (Annex B). */
  data: Buffer;
}

const MAX_AHEAD = 512 * 1024;
/** Before each picture: its time in eight bytes, one byte of flags, its length in four. */
const HEAD = 13;

/** Pictures that recorded.py draws of what was recorded, in order and not far ahead of who shows them. */
export class DrawnPictures {
  /** Drawn and not shown yet, oldest first. */
  readonly queue: Picture[] = [];
  /** There are no more to come than those in the queue. */
  drawn = false;
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  #queued = 0;
  #rest: Buffer = Buffer.alloc(0);
  #closed = false;

  /** Calls `more` when there are more pictures, or all; `failed` when it cannot draw. */
  constructor(o: { python: string; config: object; more: () => void; failed: () => void }) {
    const script = `${import.meta.dirname}/recorded.py`;
    const child = spawn(o.python, ['-B', script, JSON.stringify(o.config)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    child.on('error', o.failed);
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#closed) return;
      this.#take(chunk);
      o.more();
    });
    child.stdout.on('end', () => {
      if (this.#closed) return;
      this.drawn = true;
      o.more();
    });
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= HEAD && this.#rest.length >= HEAD + this.#rest.readUInt32BE(9)) {
      const end = HEAD + this.#rest.readUInt32BE(9);
      this.queue.push({ ms: Number(this.#rest.readBigUInt64BE(0)), data: this.#rest.subarray(HEAD, end) });
      this.#queued += end;
      this.#rest = this.#rest.subarray(end);
    }
    if (this.#queued > MAX_AHEAD) this.#child.stdout.pause();
  }

  /** The first one is shown. */
  shift(): void {
    const shown = this.queue.shift();
    if (shown) this.#queued -= shown.data.length + HEAD;
    if (this.#queued < MAX_AHEAD / 2) this.#child.stdout.resume();
  }

  /** The queue is not enough to go on. */
  wait(): void {
    this.#child.stdout.resume();
  }

  close(): void {
    this.#closed = true;
    this.#child.kill('SIGKILL');
  }
}
