import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Result } from '../isapi/answer.ts';
import type { AudioFrame } from '../video/audio.ts';
import { PullError } from '../video/pull.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { PsMedia } from './ps-media.ts';
import type { Found } from './search.ts';
import { type Span, SpanPull } from './span-pull.ts';

export type Pull = Pick<SpanPull, 'run' | 'hold' | 'release' | 'shownTo'>;
export type SpanWays = ConstructorParameters<typeof SpanPull>[0] & {
  /** Resolves when what was handed on has been worked through. */
  room: () => Promise<void>;
};

/** Nothing comes although it is waited for. */
const SILENT_MS = 15_000;
/** Of pictures before what is asked for, which the first one needs: the longest group, and its most. */
const MAX_GROUP_BYTES = 32 * 1024 * 1024;
const MAX_GROUP_ITEMS = 32_768;
/** More than a device said that the file has. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** Times of files are whole seconds, and the last group may be cut. */
const LAST_MS = 5_000;
const FRAME_TICKS = 3_600;

export interface SpanDownloadOptions {
  /** In order of time. */
  files: readonly Found[];
  ways: SpanWays;
  clock: Clock;
  log: Logger;
  open: (uri: string, signal: AbortSignal) => Promise<Result<IncomingMessage>>;
  /** How fast it came, without the time in which nobody read it. */
  measured: (bytes: number, ms: number) => void;
}
const stopped = () => new PullError('stopped', 'nobody waits for it any more');
type Item = { bytes: number; hand: () => void };

/**
 * Takes one span from the files that a device gives as they are (MPEG-PS), one after the other, from the key frame before its
 * beginning to its end. What the device does not give is played instead.
 */
export class SpanDownload implements Pull {
  readonly #o: SpanDownloadOptions;
  /** Takes over where there are no files. */
  #played: SpanPull | null = null;
  #held: PromiseWithResolvers<void> | null = null;
  #shown: number | null = null;
  #lastMs: number | null = null;
  #cancelSilence: () => void = () => {};

  constructor(options: SpanDownloadOptions) {
    this.#o = options;
  }

  get shownTo(): number | null {
    return this.#played?.shownTo ?? this.#shown;
  }

  hold(): void {
    this.#played?.hold();
    this.#held ??= Promise.withResolvers<void>();
  }
  release(): void {
    this.#played?.release();
    this.#held?.resolve();
    this.#held = null;
  }

  async run(signal: AbortSignal): Promise<PullError | null> {
    const { files, ways } = this.#o;
    const { span } = ways;
    // Who does not read any more does not release it either.
    signal.addEventListener('abort', () => this.release(), { once: true });
    for (const file of files) {
      const part = {
        fromMs: Math.max(file.fromMs, span.fromMs, this.#lastMs ?? 0),
        toMs: Math.min(file.toMs, span.toMs),
      };
      if (part.fromMs >= part.toMs) continue;
      const end = await this.#file(file, part, signal);
      if (end === 'refused') {
        const shown = this.#from(part.fromMs);
        this.#played = new SpanPull({ ...ways, shown, span: { ...span, fromMs: part.fromMs } });
        if (this.#held) this.#played.hold();
        return this.#played.run(signal);
      }
      if (end) return end;
    }
    return null;
  }

  /** Where a part begins on the line of what is shown: files may have a second between them. */
  #from(fromMs: number): number {
    if (this.#shown === null) return this.#o.ways.shown;
    return this.#shown + Math.max(0, Math.round((fromMs - this.#lastMs!) * 90) - FRAME_TICKS);
  }

  /** null: its part of it is there. */
  async #file(file: Found, part: Span, signal: AbortSignal): Promise<PullError | 'refused' | null> {
    const { clock, log } = this.#o;
    const opened = await this.#o.open(file.uri, signal);
    if (signal.aborted) {
      if (opened.ok) opened.value.destroy();
      return stopped();
    }
    if (!opened.ok) return 'refused';
    const res = opened.value;
    const cut = new Part(this.#o.ways, file, part, this.#from(part.fromMs));
    const media = new PsMedia({
      clock,
      track: (sound) => this.#o.ways.onTrack(sound),
      picture: (unit, ticks) => cut.picture(unit, ticks),
      sound: (frame, ticks) => cut.sound(frame, ticks),
    });
    const most = (file.sizeBytes ?? 0) * 2 + SPARE_BYTES;
    const whole = res.headers['content-length'] !== undefined;
    let bytes = 0;
    let ms = 0;
    let since = clock.mono();
    const fail = (text: string) => () => res.destroy(new Error(text));
    try {
      this.#cancelSilence = clock.after(SILENT_MS, fail('it sends nothing'));
      for await (const chunk of res as AsyncIterable<Buffer>) {
        this.#cancelSilence();
        ms += clock.mono() - since;
        bytes += chunk.length;
        const readable = media.push(chunk) && !media.unknown && bytes <= most;
        this.#note(cut);
        if (!readable) {
          if (!cut.begun) return 'refused';
          return new PullError('protocol', 'the file that it gave cannot be read');
        }
        if (cut.over) break;
        await this.#o.ways.room();
        while (this.#held && !signal.aborted) await this.#held.promise;
        if (signal.aborted) return stopped();
        since = clock.mono();
        this.#cancelSilence = clock.after(SILENT_MS, fail('it sends nothing'));
      }
      media.end();
      cut.end();
      this.#note(cut);
      this.#o.measured(bytes, ms);
      if (!cut.begun) return 'refused';
      const short = !cut.over && !whole && part.toMs - (this.#lastMs ?? 0) > LAST_MS;
      return short ? new PullError('closed', 'the file that it gave ended before its end') : null;
    } catch (error) {
      if (signal.aborted) return stopped();
      log.info({ err: error }, 'a file of the device broke off');
      return cut.begun ? new PullError('closed', 'the file that it gave broke off', { cause: error }) : 'refused';
    } finally {
      this.#cancelSilence();
      res.destroy();
    }
  }

  #note(cut: Part): void {
    if (cut.shownTo === null) return;
    this.#shown = cut.shownTo;
    this.#lastMs = cut.lastMs;
  }
}

/** What is wanted of one file: its group before the beginning is kept until it is known to be needed. */
class Part {
  readonly #ways: SpanWays;
  readonly #fileMs: number;
  readonly #part: Span;
  readonly #shownFrom: number;
  #group: Item[] | null = [];
  #bytes = 0;
  /** Of the first picture that is handed on. */
  #first: number | null = null;
  over = false;
  shownTo: number | null = null;
  lastMs = 0;

  constructor(ways: SpanWays, file: Span, part: Span, shownFrom: number) {
    this.#ways = ways;
    this.#fileMs = file.fromMs;
    this.#part = part;
    this.#shownFrom = shownFrom;
  }

  get begun(): boolean {
    return this.#first !== null;
  }

  picture(unit: AccessUnit, ticks: number): void {
    const recordedMs = this.#fileMs + ticks / 90;
    if (recordedMs >= this.#part.toMs) {
      // Those that are shown before it may still come.
      if (unit.compositionOffset <= 0 || unit.keyFrame) this.over = true;
      if (this.over) this.end();
      return;
    }
    if (this.over) return;
    if (this.#group && unit.keyFrame && recordedMs <= this.#part.fromMs) {
      this.#group = [];
      this.#bytes = 0;
    }
    const decoded = ticks - unit.compositionOffset;
    const hand = () => {
      this.#first ??= decoded;
      const shown = this.#shownFrom + decoded - this.#first;
      this.shownTo = Math.max(this.shownTo ?? 0, shown + FRAME_TICKS);
      this.lastMs = Math.max(this.lastMs, recordedMs);
      this.#ways.onPicture({ unit, recordedMs, shown });
    };
    this.#take({ bytes: unit.data.length, hand }, recordedMs);
  }

  sound(frame: AudioFrame, ticks: number): void {
    const recordedMs = this.#fileMs + ticks / 90;
    if (this.over || recordedMs >= this.#part.toMs) return;
    // It comes a little before its pictures: they decide whether it is wanted.
    this.#take({ bytes: frame.data.length, hand: () => this.#ways.onSound(frame, recordedMs) }, 0);
  }

  /** The file ended: what was kept is all that there is. */
  end(): void {
    const group = this.#group ?? [];
    this.#group = null;
    for (const item of group) item.hand();
  }

  #take(item: Item, recordedMs: number): void {
    if (!this.#group) {
      item.hand();
      return;
    }
    this.#group.push(item);
    this.#bytes += item.bytes;
    // A group that is too long is begun with its next key frame.
    if (this.#bytes > MAX_GROUP_BYTES || this.#group.length > MAX_GROUP_ITEMS) {
      this.#group = [];
      this.#bytes = 0;
    }
    if (recordedMs >= this.#part.fromMs) this.end();
  }
}
