import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { VideoKind } from '../../protocol/wire/video.ts';
import { AacEncoder } from '../video/aac.ts';
import { type AudioFrame, fitsMp4 } from '../video/audio.ts';
import { PullError } from '../video/pull.ts';
import { BackwardPull } from './backward-pull.ts';
import { type Convert, Converter } from './converter.ts';
import { LastingPull } from './lasting-pull.ts';
import { type MediaSink, MediaWriter } from './media-writer.ts';
import { QuickPull } from './quick-pull.ts';
import type { Pull, SpanWays } from './span-download.ts';
import { type PlaybackTarget, type RecordedPicture, type Span, SpanPull } from './span-pull.ts';

/** Not read by the viewer yet: the device waits. */
const MAX_AHEAD_BYTES = 512 * 1024;
/** Sound that waits for its encoder; and how long for one that gives none. */
const MAX_BEHIND_MS = 2_000;
const MAX_WAIT_MS = 5_000;
const WAIT_STEP_MS = 10;
/** Ends of files are whole seconds, and the last group may not be there yet. */
const LISTED_MS = 5_000;

export interface PlayingOptions {
  target: PlaybackTarget;
  /** What there is in the time asked for, without those in it where nothing was recorded. */
  spans: Span[];
  /** Below zero: backward. */
  speed: number;
  clock: Clock;
  log: Logger;
  /** A gap takes no time to watch; in a file it takes as long as it was. */
  gapsLast: boolean;
  sink: (push: (bytes: Uint8Array) => void, fail: (code: string, text: string) => void) => MediaSink;
  /** What is taken as it is; anything else is converted. */
  accept: readonly VideoKind[];
  convert: Convert;
  onGap?: (toMs: number) => void;
  onSpeed?: (speed: number) => void;
  /** The last word, before the stream ends. */
  onEnd?: (end: { code: string; text: string } | null) => void;
  /** A quicker way to take a span than to have it played; null: there is none to this one. */
  faster?: (ways: SpanWays) => Pull | null;
  /** Everything is over. */
  released: () => void;
}

/** One viewer's way through what was recorded: span after span, as fast as it is read. */
export class Playing {
  readonly #o: PlayingOptions;
  readonly #abort = new AbortController();
  readonly #sink: MediaSink;
  readonly #writer: MediaWriter;
  readonly #stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #pull: Pull | null = null;
  readonly #fail: (code: string, text: string) => void;
  #converter: Converter | null = null;
  #expectsSound = false;
  /** When the last picture was taken. */
  #lastMs = 0;
  #failed: { code: string; text: string } | null = null;
  #begun: (end: PullError | null) => void = () => {};

  constructor(options: PlayingOptions) {
    this.#o = options;
    this.#stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull?.release(),
        cancel: () => {
          this.#controller = null;
          this.#abort.abort();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MAX_AHEAD_BYTES }),
    );
    this.#fail = (code: string, text: string) => {
      this.#failed = { code, text };
      this.#abort.abort();
    };
    this.#sink = options.sink((bytes) => this.#push(bytes), this.#fail);
    const { log } = options;
    // A file keeps its sound whatever it is; a viewer is sent G.711 as it is.
    const encoder = options.gapsLast ? (out: (frame: AudioFrame) => void) => new AacEncoder({ log, out }) : null;
    this.#writer = new MediaWriter(this.#sink, encoder);
  }

  /** The first picture is there, or why there will be none. */
  async begin(): Promise<{ ok: true; stream: ReadableStream<Uint8Array> } | { ok: false; end: PullError }> {
    const begun = new Promise<PullError | null>((resolve) => {
      this.#begun = resolve;
    });
    this.#run().catch((error) => this.#broke(error));
    const end = await begun;
    return end ? { ok: false, end } : { ok: true, stream: this.#stream };
  }

  stop(): void {
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { spans, target, clock, log } = this.#o;
    const { signal } = this.#abort;
    let end: PullError | null = null;
    let { speed } = this.#o;
    let shown = 0;
    let former: Span | null = null;
    const back = speed < 0;
    for (const span of back ? spans.toReversed() : spans) {
      if (signal.aborted) break;
      if (former) {
        this.#o.onGap?.(back ? span.toMs : span.fromMs);
        // What it listed and did not give was not recorded either.
        const endMs = former.toMs - this.#lastMs > LISTED_MS ? this.#lastMs : former.toMs;
        if (this.#o.gapsLast) shown += Math.max(0, span.fromMs - endMs) * 90;
      }
      const ways: SpanWays = {
        target,
        span,
        speed: Math.abs(speed),
        shown,
        clock,
        onPicture: (picture) => this.#picture(picture),
        onSound: (frame, recordedMs) => this.#sound(frame, recordedMs),
        onSpeed: (granted) => {
          speed = back ? -granted : granted;
          this.#o.onSpeed?.(granted);
        },
        onTrack: (sound) => {
          this.#expectsSound = sound !== null && (this.#o.gapsLast || fitsMp4({ kind: sound }));
          this.#sink.expect(sound);
        },
        room: () => this.#room(),
      };
      const onGap = (toMs: number) => this.#o.onGap?.(toMs);
      const { quick } = target;
      const sooner = (one: SpanWays) => quick && new QuickPull({ ways: one, memory: quick, clock, log });
      const once = (one: SpanWays): Pull =>
        this.#o.faster?.(one) ?? ((this.#o.gapsLast && sooner(one)) || new SpanPull(one));
      const lasting = (one: SpanWays, gap = onGap) =>
        new LastingPull({ ways: one, make: once, clock, log, file: this.#o.gapsLast, onGap: gap });
      // Between two pieces nothing is missing that is not in the list.
      const make = (one: SpanWays) => lasting(one, () => {});
      if (back) ways.onTrack(null);
      const pull: Pull = back ? new BackwardPull({ ways, make, clock }) : lasting(ways);
      this.#pull = pull;
      end = await pull.run(signal);
      shown = pull.shownTo ?? shown;
      if (end) break;
      former = span;
    }
    this.#pull = null;
    if (end && !signal.aborted) log.info({ code: end.code, reason: end.message, err: end.cause }, 'playback broke off');
    if (!signal.aborted) await this.#converter?.drain(clock);
    this.#converter?.stop();
    await this.#writer.end();
    this.#begun(this.#failed ? null : (end ?? new PullError('ended', 'nothing was played')));
    this.#finish(end);
  }

  /** One odd recording must not take the box with it: the cause is in the log. */
  #broke(cause: unknown): void {
    const end = new PullError('protocol', 'what the device recorded could not be read', { cause });
    this.#o.log.error({ err: cause }, 'playback failed');
    this.#abort.abort();
    this.#converter?.stop();
    this.#writer.end().catch(() => {});
    this.#begun(end);
    this.#finish(end);
  }

  /** What comes faster than it was waits for the encoder of its sound. */
  async #room(): Promise<void> {
    const { clock } = this.#o;
    for (let passed = 0; passed < MAX_WAIT_MS && this.#writer.soundBehindMs > MAX_BEHIND_MS; passed += WAIT_STEP_MS)
      await clock.sleep(WAIT_STEP_MS);
  }

  #picture(picture: RecordedPicture): void {
    if (this.#failed) return;
    this.#lastMs = picture.recordedMs;
    if (this.#o.accept.includes(picture.unit.codec.kind)) {
      this.#writer.picture(picture, this.#expectsSound);
      return;
    }
    if (!this.#converter) {
      this.#converter = new Converter((made) => this.#writer.picture(made, this.#expectsSound));
      this.#writer.transcoded = true;
      if (!this.#converter.start(this.#o.convert)) {
        const text =
          'It was recorded in H.265, which this browser cannot play, and the box converts as much as it can.';
        this.#fail('transcode-busy', `${text} Download it, or try again later.`);
        return;
      }
    }
    this.#converter.push(picture);
  }

  #sound(frame: AudioFrame, recordedMs: number): void {
    this.#writer.sound(frame, recordedMs);
  }

  #push(bytes: Uint8Array): void {
    const controller = this.#controller;
    if (!controller) return;
    controller.enqueue(bytes);
    this.#begun(null);
    if ((controller.desiredSize ?? 1) <= 0) this.#pull?.hold();
  }

  #finish(end: PullError | null): void {
    const controller = this.#controller;
    if (controller) {
      this.#o.onEnd?.(this.#failed ?? (end ? brokeOff(end) : null));
      this.#controller = null;
      // A file that is not whole must not look as if it were.
      if (this.#o.gapsLast && (end || this.#failed)) controller.error(new Error(this.#failed?.text ?? end?.message));
      else controller.close();
    }
    this.#o.released();
  }
}

/** Why a recording is not played on; what it is, the page says in the reader's language. */
function brokeOff({ code, message }: PullError): { code: string; text: string } {
  const away = code === 'unreachable' || code === 'timeout';
  const refused = code === 'refused' || code === 'forbidden';
  const told = away ? 'device-unreachable' : refused ? 'device-refused-login' : 'playback-broke-off';
  return { code: told, text: `Playback broke off: ${message}.` };
}
