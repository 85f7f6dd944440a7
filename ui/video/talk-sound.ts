/*
 * What a microphone gives, made G.711: resampled to 8 kHz behind a low-pass filter, then µ-law, in frames of 20 ms. Runs in the
 * audio worklet (talk-worklet.ts).
 */
const RATE = 8_000;
const FRAME = 160;
/** Taps on either side, in samples of 8 kHz: above 3.4 kHz little is left, and it costs 2 ms. */
const REACH = 16;
const CUT_HZ = 3_600;

/** A sample between −1 and 1 as µ-law (ITU-T G.711). */
export function toMuLaw(sample: number): number {
  const value = Math.max(-1, Math.min(1, sample)) * 32_767;
  const magnitude = Math.min(Math.abs(Math.round(value)), 32_635) + 132;
  const exponent = 24 - Math.clz32(magnitude);
  return ~((value < 0 ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}

/** Sound of any rate down (or up) to 8 kHz: a windowed sinc at each sample that goes out. */
export class Resampler {
  readonly #step: number;
  readonly #half: number;
  readonly #cut: number;
  #kept: Float32Array = new Float32Array(0);
  /** Of the next sample that goes out, in those kept. */
  #at: number;

  /** @param rate of what comes in, in Hz */
  constructor(rate: number) {
    this.#step = rate / RATE;
    this.#half = Math.ceil(REACH * Math.max(1, this.#step));
    this.#cut = (2 * Math.min(CUT_HZ, rate * 0.45)) / rate;
    this.#at = this.#half;
    this.#kept = new Float32Array(this.#half);
  }

  push(samples: Float32Array): number[] {
    const all = new Float32Array(this.#kept.length + samples.length);
    all.set(this.#kept);
    all.set(samples, this.#kept.length);
    const out: number[] = [];
    for (; this.#at + this.#half < all.length; this.#at += this.#step) out.push(this.#sample(all));
    const from = Math.max(0, Math.floor(this.#at) - this.#half);
    this.#kept = all.slice(from);
    this.#at -= from;
    return out;
  }

  #sample(all: Float32Array): number {
    const middle = Math.floor(this.#at);
    let sum = 0;
    for (let n = middle - this.#half + 1; n <= middle + this.#half; n++) {
      const x = n - this.#at;
      const turn = Math.PI * this.#cut * x;
      const sinc = Math.abs(turn) < 1e-9 ? this.#cut : (this.#cut * Math.sin(turn)) / turn;
      // Hann's window.
      sum += (all[n] ?? 0) * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / this.#half));
    }
    return sum;
  }
}

/** What goes out for 20 ms: µ-law, and how loud it was (root of the mean square, 0 to 1). */
export interface TalkFrame {
  mu: Uint8Array<ArrayBuffer>;
  level: number;
}

export class TalkFrames {
  readonly #resampler: Resampler;
  #samples: number[] = [];

  constructor(rate: number) {
    this.#resampler = new Resampler(rate);
  }

  push(samples: Float32Array): TalkFrame[] {
    this.#samples.push(...this.#resampler.push(samples));
    const frames: TalkFrame[] = [];
    while (this.#samples.length >= FRAME) {
      const piece = this.#samples.splice(0, FRAME);
      const level = Math.sqrt(piece.reduce((sum, sample) => sum + sample * sample, 0) / FRAME);
      frames.push({ mu: Uint8Array.from(piece, toMuLaw), level });
    }
    return frames;
  }
}
