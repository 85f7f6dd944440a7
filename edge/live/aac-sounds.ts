import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { AacEncoder, ENCODED_AAC } from '../video/aac.ts';
import { type AudioCodec, type AudioFrame, fitsMp4 } from '../video/audio.ts';
import type { Consumer } from '../video/channel-source.ts';
import type { PictureSource } from './pictures.ts';

/** Each is a process that takes about a hundredth of a core. */
const MAX_ENCODERS = 8;
/** An encoder that ends by itself is not started again at once. */
const PAUSE_MS = 3_000;

type Take = (frame: AudioFrame) => void;
interface Shared {
  takers: Set<Take>;
  end: () => void;
}

/**
 * AAC of sources that send G.711, for viewers who keep what they see: one encoder a source, however many take it, for as
 * long as somebody does.
 */
export class AacSounds {
  /** Of what comes out. */
  readonly codec: AudioCodec = ENCODED_AAC;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ffmpeg: string;
  readonly #shared = new Map<PictureSource, Shared>();

  constructor(o: { clock: Clock; log: Logger; ffmpeg?: string }) {
    this.#clock = o.clock;
    this.#log = o.log;
    this.#ffmpeg = o.ffmpeg ?? 'ffmpeg';
  }

  /** Encoders that run. */
  get count(): number {
    return this.#shared.size;
  }

  /** Frames with the times of the source's own. null: as many are made as may be. Returns the release. */
  take(source: PictureSource, take: Take): (() => void) | null {
    const shared = this.#shared.get(source) ?? this.#begin(source);
    if (!shared) return null;
    shared.takers.add(take);
    return () => {
      if (!shared.takers.delete(take) || shared.takers.size > 0) return;
      this.#shared.delete(source);
      shared.end();
    };
  }

  #begin(source: PictureSource): Shared | null {
    if (this.#shared.size >= MAX_ENCODERS) return null;
    const takers = new Set<Take>();
    let encoder: AacEncoder | null = null;
    let law: AudioCodec['kind'] | null = null;
    let notBeforeMs = 0;
    const audio = (frame: AudioFrame) => {
      if (fitsMp4(frame.codec)) return;
      if (encoder && (frame.codec.kind !== law || encoder.ended)) {
        if (encoder.ended) notBeforeMs = this.#clock.mono() + PAUSE_MS;
        void encoder.end();
        encoder = null;
      }
      if (!encoder && this.#clock.mono() < notBeforeMs) return;
      law = frame.codec.kind;
      encoder ??= new AacEncoder({
        log: this.#log,
        ffmpeg: this.#ffmpeg,
        out: (made) => {
          for (const take of [...takers]) take(made);
        },
      });
      encoder.push(frame);
    };
    const consumer: Consumer = { preRollMs: 0, accessUnit: () => {}, audio, lost: () => {} };
    const release = source.acquire(consumer);
    const end = () => {
      release();
      void encoder?.end();
      encoder = null;
    };
    const shared = { takers, end };
    this.#shared.set(source, shared);
    return shared;
  }
}
