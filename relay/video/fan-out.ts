import type { Readable } from 'node:stream';
import type { Clock } from '../../protocol/clock.ts';
import { MEDIA_TYPES, type MediaNote } from '../../protocol/wire/media.ts';
import { MAX_LIVE_WINDOWS } from '../../protocol/wire/video.ts';
import { type MediaStream, MessageCutter, noteOf } from './media-stream.ts';

/** A page that is left for the next one finds the stream still there. */
const LINGER_MS = 2_000;
/** Of one stream: what came since the last key frame, for whoever joins. */
const MAX_CACHED_BYTES = 16 * 1024 * 1024;
/** Of one box: they share its tunnel with everything else. */
const MAX_STREAMS_PER_BOX = 32;
/** Of all that look at somebody else's box, a grid of 16 windows: the rest is for whoever owns the site. */
const MAX_STREAMS_OF_OTHERS = MAX_LIVE_WINDOWS;
/** Cached of all streams of a box. */
const MAX_CACHED_PER_BOX = 64 * 1024 * 1024;
const MAX_INIT_BYTES = 64 * 1024;

type Reader = { message: (bytes: Buffer) => void; end: (note: MediaNote) => void };

/** Who asks for a stream. */
export interface Asker {
  /** Of the site where the box is. */
  owner: boolean;
}

interface Shared {
  serial: string;
  /** Who asked first. */
  by: Asker;
  readers: Set<Reader>;
  abort: AbortController;
  init: Buffer | null;
  /** From the last key frame on; empty while it was too much. */
  group: Buffer[];
  groupBytes: number;
  cancelLinger: (() => void) | null;
}

/** Live streams of boxes, each fetched once however many look at it. Who joins gets the group of pictures that runs. */
export class FanOut {
  readonly #clock: Clock;
  readonly #open: (serial: string, path: string, signal: AbortSignal) => Promise<Readable>;
  readonly #streams = new Map<string, Shared>();

  constructor(o: { clock: Clock; open: (serial: string, path: string, signal: AbortSignal) => Promise<Readable> }) {
    this.#clock = o.clock;
    this.#open = o.open;
  }

  /** Streams fetched from boxes now, and who reads them. */
  get stats(): { streams: number; readers: number } {
    let readers = 0;
    for (const stream of this.#streams.values()) readers += stream.readers.size;
    return { streams: this.#streams.size, readers };
  }

  stop(): void {
    for (const [key, stream] of [...this.#streams])
      this.#end(key, stream, { code: 'ended', text: 'The relay restarts.' });
  }

  /** The stream at `path` of a box, for one more reader. It cannot be held up by one of them: `pause` does nothing. */
  join(serial: string, path: string, by: Asker): MediaStream {
    const key = `${serial} ${path}`;
    let reader: Reader | null = null;
    return {
      start: (on) => {
        reader = on;
        const stream = this.#streams.get(key) ?? this.#begin(key, serial, path, by);
        if (stream === null) {
          const text = 'More streams of this box cannot be looked at through the relay at once: close one first.';
          return on.end({ code: 'limit-reached', text });
        }
        stream.cancelLinger?.();
        stream.cancelLinger = null;
        stream.readers.add(on);
        if (stream.init) on.message(stream.init);
        for (const message of stream.group) on.message(message);
      },
      pause: () => {},
      resume: () => {},
      stop: () => {
        const stream = this.#streams.get(key);
        if (!stream || !reader || !stream.readers.delete(reader) || stream.readers.size > 0) return;
        stream.cancelLinger = this.#clock.after(LINGER_MS, () => {
          if (stream.readers.size === 0) this.#end(key, stream, { code: 'ended', text: '' });
        });
      },
    };
  }

  #hasRoom(serial: string, { owner }: Asker): boolean {
    const ofBox = this.#ofBox(serial);
    if (ofBox.length >= MAX_STREAMS_PER_BOX) return false;
    return owner || ofBox.filter(({ by }) => !by.owner).length < MAX_STREAMS_OF_OTHERS;
  }

  #ofBox(serial: string): Shared[] {
    return [...this.#streams.values()].filter((stream) => stream.serial === serial);
  }

  #begin(key: string, serial: string, path: string, by: Asker): Shared | null {
    if (!this.#hasRoom(serial, by)) return null;
    const abort = new AbortController();
    const stream: Shared = {
      serial,
      by,
      readers: new Set(),
      abort,
      init: null,
      group: [],
      groupBytes: 0,
      cancelLinger: null,
    };
    this.#streams.set(key, stream);
    const broke: MediaNote = { code: 'box-unreachable', text: 'The connection to the box broke off.' };
    this.#open(serial, path, abort.signal).then(
      (body) => {
        if (abort.signal.aborted) return void body.destroy();
        abort.signal.addEventListener('abort', () => body.destroy(), { once: true });
        const noPictures = () => this.#end(key, stream, { code: 'device-error', text: 'The box sent no pictures.' });
        const cutter = new MessageCutter((bytes) => {
          if (abort.signal.aborted) return;
          if (bytes[0] === MEDIA_TYPES.init && bytes.length > MAX_INIT_BYTES) noPictures();
          else this.#message(stream, bytes);
        });
        body.on('data', (chunk: Buffer) => {
          if (!cutter.push(chunk)) noPictures();
        });
        body.on('end', () => this.#end(key, stream, { code: 'ended', text: 'The box ended it.' }));
        body.on('error', () => this.#end(key, stream, broke));
        body.on('close', () => this.#end(key, stream, broke));
      },
      (error) => this.#end(key, stream, noteOf(error)),
    );
    return stream;
  }

  #message(stream: Shared, bytes: Buffer): void {
    const type = bytes[0];
    if (type === MEDIA_TYPES.init) {
      stream.init = bytes;
      this.#forget(stream);
    } else if (type === MEDIA_TYPES.key) {
      this.#forget(stream);
      this.#keep(stream, bytes);
    } else if (type === MEDIA_TYPES.delta && stream.group.length > 0) this.#keep(stream, bytes);
    for (const reader of [...stream.readers]) reader.message(bytes);
  }

  #keep(stream: Shared, bytes: Buffer): void {
    stream.groupBytes += bytes.length;
    const ofBox = this.#ofBox(stream.serial).reduce((sum, { groupBytes }) => sum + groupBytes, 0);
    if (stream.groupBytes > MAX_CACHED_BYTES || ofBox > MAX_CACHED_PER_BOX) this.#forget(stream);
    else stream.group.push(bytes);
  }

  #forget(stream: Shared): void {
    stream.group = [];
    stream.groupBytes = 0;
  }

  #end(key: string, stream: Shared, note: MediaNote): void {
    if (this.#streams.get(key) !== stream) return;
    this.#streams.delete(key);
    stream.cancelLinger?.();
    stream.abort.abort();
    for (const reader of [...stream.readers]) reader.end(note);
    stream.readers.clear();
  }
}
