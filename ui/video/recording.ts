import type { MediaMessage } from '../../protocol/wire/media.ts';
import { decodeTimes, type Mp4Head, readHead, setDecodeTime, setLength } from './mp4.ts';

/** Kept in the page's memory until it is saved. */
const MAX_BYTES = 1024 * 1024 * 1024;

/**
 * A file of what is seen, as the camera sent it: the messages' MP4, its times set to begin at 0 (cut in mid-stream they
 * would keep the stream's own, and thirty pictures look minutes long).
 */
export class Recording {
  #init: Uint8Array<ArrayBuffer> | null = null;
  #head: Mp4Head | null = null;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #zero = new Map<number, number>();
  #startMs: number | null = null;
  #lastMs = 0;
  #over = false;
  #silent = false;

  /** Nothing more goes in: it is full, or the camera changed its stream. */
  get over(): boolean {
    return this.#over;
  }
  /** There is sound that it cannot hold, G.711, which the box did not convert. */
  get silent(): boolean {
    return this.#silent;
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** Wall time of its first picture; null while it is empty. */
  get startMs(): number | null {
    return this.#startMs;
  }
  get lengthMs(): number {
    return this.#startMs === null ? 0 : this.#lastMs - this.#startMs;
  }

  push(message: MediaMessage): void {
    if (this.#over || message.type === 'note' || message.type === 'audio') return;
    if (message.type === 'init') {
      if (this.#bytes > 0) this.#over = true;
      else {
        this.#init = new Uint8Array(message.data);
        this.#silent = message.init.audio !== null;
      }
      return;
    }
    if (!this.#init || (this.#bytes === 0 && message.type !== 'key')) return;
    if (this.#bytes + message.data.length > MAX_BYTES) {
      this.#over = true;
      return;
    }
    this.#head ??= readHead(this.#init);
    const part = new Uint8Array(message.data);
    for (const time of decodeTimes(part)) {
      const zero = this.#zeroOf(time.track, time.time);
      setDecodeTime(part, time, time.time - zero);
    }
    this.#startMs ??= message.wallMs;
    this.#lastMs = message.wallMs;
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  /** Null: there is nothing in it. */
  file(): Blob | null {
    if (!this.#init || !this.#head || this.#bytes === 0) return null;
    const init = new Uint8Array(this.#init);
    setLength(init, this.#head, this.lengthMs);
    return new Blob([init, ...this.#parts], { type: 'video/mp4' });
  }

  /** Pictures and sound begin together: the first track's start, in each track's own ticks. */
  #zeroOf(track: number, time: number): number {
    const known = this.#zero.get(track);
    if (known !== undefined) return known;
    const of = (id: number) => this.#head?.tracks.find((one) => one.id === id)?.timescale ?? 1;
    const [first] = this.#zero;
    const zero = first ? Math.min(time, (first[1] / of(first[0])) * of(track)) : time;
    this.#zero.set(track, zero);
    return zero;
  }
}
