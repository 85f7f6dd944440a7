import { AAC_SAMPLES, type AudioCodec, type AudioFrame } from '../video/audio.ts';
import type { FragmentSound } from './fmp4.ts';

/** Makes AAC of G.711; `edge/video/aac.ts` in the box. */
export interface SoundEncoder {
  push(frame: AudioFrame): void;
  /** Resolves when all that was pushed has come out. */
  end(): Promise<void>;
}
export type MakeEncoder = (out: (frame: AudioFrame) => void) => SoundEncoder;

/** Sound that waits for pictures beside it; more than that stands beside none. */
const MAX_WAITING = 2_000;
/** An encoder that does not start costs the sound, not the clip. */
const ENCODER_START_MS = 2_000;
/** Frames that lie closer follow one another. */
const TOUCHING_MS = 20;

/**
 * The sound of one clip on its way into fragments: AAC as it is, G.711 through an encoder that runs as long as the clip
 * has sound.
 */
export class ClipSound {
  readonly #source: AudioCodec;
  readonly #makeEncoder: MakeEncoder;
  #encoder: SoundEncoder | null = null;
  #codec: AudioCodec | null = null;
  #waiting: { data: Buffer; at: number; ticks: number }[] = [];
  #nextAt = 0;
  #known: () => void = () => {};

  constructor(source: AudioCodec, makeEncoder: MakeEncoder) {
    this.#source = source;
    this.#makeEncoder = makeEncoder;
  }

  /** What stands in the init segment; null while none has come: a track without samples keeps players waiting. */
  get codec(): AudioCodec | null {
    return this.#codec;
  }

  /** Resolves when it is known how the sound is coded, or soon. */
  async ready(): Promise<void> {
    if (this.#codec || !this.#encoder) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ENCODER_START_MS);
      this.#known = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** `at`: where it stands in the clip, in ticks of its clock rate. */
  add(frame: AudioFrame, at: number): void {
    const { kind, clockRate, channels } = frame.codec;
    const source = this.#source;
    if (kind !== source.kind || clockRate !== source.clockRate || channels !== source.channels) return;
    if (kind === 'aac') {
      this.#take({ ...frame, time: at });
      return;
    }
    this.#encoder ??= this.#makeEncoder((encoded) => this.#take(encoded));
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
    this.#known();
    const ticks = AAC_SAMPLES;
    const apart = Math.abs(time - this.#nextAt);
    const at = apart <= (TOUCHING_MS * codec.clockRate) / 1000 ? this.#nextAt : time;
    if (at < this.#nextAt || this.#waiting.length >= MAX_WAITING) return;
    this.#nextAt = at + ticks;
    this.#waiting.push({ data, at, ticks });
  }
}
