import type { Clock } from '../../protocol/clock.ts';
import type { StreamName, VideoKind } from '../../protocol/wire/video.ts';
import type { AudioFrame } from '../video/audio.ts';
import type { ChannelSource, Consumer } from '../video/channel-source.ts';
import type { AccessUnit } from '../video/receiver.ts';

/** Where pictures come from: one stream of a channel, or what was made of one for a viewer. */
export type PictureSource = Pick<ChannelSource, 'ring' | 'acquire' | 'state' | 'sound' | 'codec' | 'described'>;
export interface PictureSources {
  source(deviceId: string, channel: number, stream: StreamName): PictureSource | null;
  /** H.264 of a stream that is something else; null: as many are made as may be. */
  transcoded?(deviceId: string, channel: number, o: { height: number }): PictureSource | null;
}

export interface PictureSink {
  unit(unit: AccessUnit): void;
  audio(frame: AudioFrame): void;
  /** Something about the stream that a viewer wants to know; it goes on. */
  note(code: string, text: string): void;
  /** It does not go on. */
  ended(code: string, text: string): void;
}

/** Longer than a camera takes to answer and to send a key frame. */
const PATIENCE_MS = 12_000;
/** A screen's worth, at a price that a box can pay. */
const TRANSCODED_HEIGHT = 720;

/**
 * The pictures of one live view: at once the group that runs, where the stream is pulled already, then what comes. What the
 * viewer cannot decode is replaced: by the sub-stream where that can be decoded, else by a transcode.
 */
export class Pictures implements Consumer {
  readonly preRollMs = 0;
  readonly #sources: PictureSources;
  readonly #clock: Clock;
  readonly #deviceId: string;
  readonly #channel: number;
  readonly #accept: readonly VideoKind[];
  readonly #sink: PictureSink;
  #stream: StreamName;
  #source: PictureSource | null = null;
  #release: (() => void) | null = null;
  #cancelPatience: (() => void) | null = null;
  #subTried = false;
  #transcoded = false;
  /** What cannot be shown is being replaced. */
  #replacing = false;

  constructor(o: {
    sources: PictureSources;
    clock: Clock;
    deviceId: string;
    channel: number;
    stream: StreamName;
    accept: readonly VideoKind[];
    sink: PictureSink;
  }) {
    this.#sources = o.sources;
    this.#clock = o.clock;
    this.#deviceId = o.deviceId;
    this.#channel = o.channel;
    this.#stream = o.stream;
    this.#accept = o.accept;
    this.#sink = o.sink;
  }

  get stream(): StreamName {
    return this.#stream;
  }
  get transcoded(): boolean {
    return this.#transcoded;
  }
  get source(): PictureSource | null {
    return this.#source;
  }
  get hasSub(): boolean {
    return this.#sources.source(this.#deviceId, this.#channel, 'sub') !== null;
  }

  /** False: there is no such channel. A channel without a sub-stream gives its main stream. */
  start(): boolean {
    const { source } = this.#sources;
    const wanted = source.call(this.#sources, this.#deviceId, this.#channel, this.#stream);
    if (wanted === null && this.#stream === 'sub') this.#stream = 'main';
    const found = wanted ?? source.call(this.#sources, this.#deviceId, this.#channel, this.#stream);
    if (found === null) return false;
    this.#use(found);
    return true;
  }

  stop(): void {
    this.#cancelPatience?.();
    this.#cancelPatience = null;
    this.#release?.();
    this.#release = null;
    this.#source = null;
  }

  /** Another stream of the same channel, from its next picture that can stand alone. False: it is this one, or not there. */
  change(stream: StreamName): boolean {
    if (stream === this.#stream || this.#transcoded) return false;
    const found = this.#sources.source(this.#deviceId, this.#channel, stream);
    if (!found) return false;
    this.#stream = stream;
    this.#use(found);
    return true;
  }

  /** The group of pictures that runs, from its key frame; empty while there is none. */
  group(): AccessUnit[] {
    const units = this.#source?.ring.from(this.#clock.mono()) ?? [];
    const first = units.findLastIndex((unit) => unit.keyFrame);
    return first < 0 ? [] : units.slice(first);
  }

  accessUnit(unit: AccessUnit): void {
    if (this.#release === null) return;
    if (this.#replacing) return;
    // Browsers begin with IDR pictures only.
    if (!this.#accept.includes(unit.codec.kind) || unit.recovery) {
      this.#replace();
      return;
    }
    this.#cancelPatience?.();
    this.#cancelPatience = null;
    this.#sink.unit(unit);
  }

  audio(frame: AudioFrame): void {
    this.#sink.audio(frame);
  }

  lost(reason: string): void {
    this.#sink.note('stalled', `The video of the camera broke off (${reason}). It is tried again.`);
  }

  #use(source: PictureSource): void {
    this.#release?.();
    this.#source = source;
    this.#cancelPatience?.();
    this.#cancelPatience = this.#clock.after(PATIENCE_MS, () => this.#noPicture());
    // Before what comes: the units of the group are older.
    this.#release = source.acquire(this);
    for (const unit of this.group()) {
      if (this.#source !== source) return;
      this.accessUnit(unit);
    }
  }

  #replace(): void {
    this.#replacing = true;
    // Not inside the source's own loop over its consumers.
    queueMicrotask(() => {
      this.#replacing = false;
      if (this.#source === null) return;
      const sub = this.#stream === 'main' && !this.#subTried;
      this.#subTried = true;
      if (sub && this.change('sub')) return;
      const made = this.#transcoded
        ? null
        : this.#sources.transcoded?.(this.#deviceId, this.#channel, { height: TRANSCODED_HEIGHT });
      if (!made) {
        const text =
          'The camera sends video that cannot be shown here, and the box converts no more than it does already.';
        this.stop();
        this.#sink.ended('transcode-busy', text);
        return;
      }
      this.#transcoded = true;
      this.#use(made);
    });
  }

  #noPicture(): void {
    this.#cancelPatience = null;
    const state = this.#source?.state.video;
    if (state === 'refused')
      this.#sink.note('device-refused-login', 'The device refused user name or password for its video.');
    else this.#sink.note('no-picture', 'The camera gives no video. It is tried again.');
  }
}
