import { type AudioCodec, type AudioFrame, audioTicks, fitsMp4 } from '../video/audio.ts';
import type { FragmentSound } from './fmp4.ts';

/** Makes AAC of G.711; `edge/video/aac.ts` in the box. */
export interface SoundEncoder {
  /** Of what comes out: known before it does, so that the first part of a clip need not wait for it. */
  readonly codec: AudioCodec;
  push(frame: AudioFrame): void;
  /** Resolves when all that was pushed has come out. */
  end(): Promise<void>;
}
export type MakeEncoder = (out: (frame: AudioFrame) => void) => SoundEncoder;

/** Sound that waits for pictures beside it; more than that stands beside none. */
const MAX_WAITING = 2_000;
/** Of so many frames of G.711, 20 ms or more each, something must come out. */
const ENOUGH = 100;
/** Frames that lie closer follow one another. */
const TOUCHING_MS = 20;

/**
 * The sound of one clip on its way into fragments: AAC and Opus as they are, G.711 through an encoder that runs as long as the clip
 * has sound.
 */
export class ClipSound {
  readonly #source: AudioCodec;
  readonly #makeEncoder: MakeEncoder;
  #encoder: SoundEncoder | null = null;
  #codec: AudioCodec | null = null;
  #waiting: { data: Buffer; at: number; ticks: number }[] = [];
  #nextAt = 0;
  /** Frames that the encoder got. */
  #given = 0;

  constructor(source: AudioCodec, makeEncoder: MakeEncoder) {
    this.#source = source;
    this.#makeEncoder = makeEncoder;
  }

  /** The encoder gave nothing of what it was given: there may be none on this box. */
  get failed(): boolean {
    return this.#given > ENOUGH && this.#nextAt === 0;
  }

  /** What stands in the init segment; null while none has come: a track without samples keeps players waiting. */
  get codec(): AudioCodec | null {
    return this.#codec;
  }

  /** `at`: where it stands in the clip, in ticks of its clock rate. */
  add(frame: AudioFrame, at: number): void {
    const { kind, clockRate, channels } = frame.codec;
    const source = this.#source;
    if (kind !== source.kind || clockRate !== source.clockRate || channels !== source.channels) return;
    if (fitsMp4(frame.codec)) {
      this.#take({ ...frame, time: at });
      return;
    }
    this.#encoder ??= this.#makeEncoder((encoded) => this.#take(encoded));
    this.#codec = this.#encoder.codec;
    this.#given++;
    this.#encoder.push({ ...frame, time: at });
  }

  /** What there is of it up to `ms` of the clip; what comes later goes with the next fragment. */
  upTo(ms: number): FragmentSound | null {
    const codec = this.#codec;
    if (!codec) return null;
    const until = (ms * codec.clockRate) / 1000;
    const count = this.#waiting.findIndex((f) => f.at >= until);
    const taken = this.#waiting.splice(0, count < 0 ? this.#waiting.length : count);
    if (taken.length === 0) return null;
    const samples = taken.map(({ data, at, ticks }, i) => ({ data, duration: (taken[i + 1]?.at ?? at + ticks) - at }));
    return { decodeTime: taken[0]!.at, samples };
  }

  /** Resolves when nothing more comes. */
  async end(): Promise<void> {
    await this.#encoder?.end();
  }

  #take({ codec, data, time }: AudioFrame): void {
    this.#codec ??= codec;
    const ticks = audioTicks({ codec, data });
    const apart = Math.abs(time - this.#nextAt);
    const at = apart <= (TOUCHING_MS * codec.clockRate) / 1000 ? this.#nextAt : time;
    if (at < this.#nextAt || this.#waiting.length >= MAX_WAITING) return;
    this.#nextAt = at + ticks;
    this.#waiting.push({ data, at, ticks });
  }
}
