import { decodeG711, toMu } from './g711.ts';
import { type G726Bits, G726Decoder } from './g726.ts';

/** Sound whose samples a few lines of code can read. */
export type SpeechFormat =
  | { kind: 'pcmu' | 'pcma' }
  /** 16 bits a sample, the high byte first (RFC 3551 §4.5.11); `unsure`: a name that stands in no RFC. */
  | { kind: 'linear'; unsure: boolean }
  | { kind: 'g726'; bits: G726Bits; highFirst: boolean };

export interface SpeechShape {
  format: SpeechFormat;
  /** Samples a second of each channel. */
  rate: number;
  channels: number;
}

/** What becomes of it. */
export const SPEECH_RATE = 8_000;
/** So many samples tell which byte is the high one. */
const [LEAST_JUDGED, MOST_JUDGED] = [64, 512];

/**
 * Makes µ-law of one channel at 8 kHz of what else cameras send that is no AAC: G.726, linear PCM, G.711 at other rates or
 * in stereo. Clips, browsers and players take that everywhere, and it costs next to nothing.
 */
export class SpeechDecoder {
  readonly #shape: SpeechShape;
  readonly #g726: G726Decoder | null;
  #lowFirst: boolean | null;
  /** Of the output sample that is being made: the sum of what falls into it, and its weight. */
  #sum = 0;
  #weight = 0;

  constructor(shape: SpeechShape) {
    this.#shape = shape;
    const { format } = shape;
    this.#g726 = format.kind === 'g726' ? new G726Decoder(format.bits, format.highFirst) : null;
    this.#lowFirst = format.kind === 'linear' && format.unsure ? null : false;
  }

  decode(payload: Buffer): Buffer {
    const { format, channels } = this.#shape;
    const samples =
      this.#g726?.decode(payload) ??
      (format.kind === 'pcmu' || format.kind === 'pcma' ? decodeG711(format.kind, payload) : this.#linear(payload));
    const mono = channels === 1 ? samples : mixed(samples, channels);
    return this.#resampled(mono);
  }

  #linear(payload: Buffer): Int16Array {
    const count = payload.length >> 1;
    if (this.#lowFirst === null && count >= LEAST_JUDGED) this.#lowFirst = looksLowFirst(payload);
    const samples = new Int16Array(count);
    for (let i = 0; i < count; i++)
      samples[i] = this.#lowFirst ? payload.readInt16LE(i * 2) : payload.readInt16BE(i * 2);
    return samples;
  }

  /** Every output sample is the mean of the input that it stands for; where there is less than one, the nearest. */
  #resampled(samples: Int16Array): Buffer {
    const each = SPEECH_RATE / this.#shape.rate;
    const out: number[] = [];
    for (const sample of samples) {
      let left = each;
      while (this.#weight + left >= 1 - 1e-9) {
        const taken = 1 - this.#weight;
        out.push(toMu(this.#sum + sample * taken));
        left -= taken;
        this.#sum = 0;
        this.#weight = 0;
      }
      this.#sum += sample * left;
      this.#weight += left;
    }
    return Buffer.from(out);
  }
}

function mixed(samples: Int16Array, channels: number): Int16Array {
  const mono = new Int16Array(Math.floor(samples.length / channels));
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += samples[i * channels + c]!;
    mono[i] = Math.round(sum / channels);
  }
  return mono;
}

/** Sound is smooth: read with the wrong byte first it leaps. Of silence nothing is said. */
function looksLowFirst(payload: Buffer): boolean | null {
  let [high, low] = [0, 0];
  for (let at = 2; at + 2 <= Math.min(payload.length, MOST_JUDGED * 2); at += 2) {
    high += Math.abs(payload.readInt16BE(at) - payload.readInt16BE(at - 2));
    low += Math.abs(payload.readInt16LE(at) - payload.readInt16LE(at - 2));
  }
  return high === low ? null : low < high;
}
