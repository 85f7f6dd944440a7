/** Bits of a code: 16, 24, 32 and 40 kbit/s. */
export type G726Bits = 2 | 3 | 4 | 5;

interface Rate {
  /** Logarithms of the quantizer's steps, by magnitude of the code (ITU-T G.726 tables 7–10). */
  levels: readonly number[];
  /** W(I): how the scale of the quantizer moves, in 1/16. */
  scale: readonly number[];
  /** F(I): whether the signal is speech or a steady tone. */
  speed: readonly number[];
}
const RATES: Record<G726Bits, Rate> = {
  2: { levels: [116, 365], scale: [-22, 439], speed: [0, 7] },
  3: { levels: [-2048, 135, 273, 373], scale: [-4, 30, 137, 582], speed: [0, 1, 2, 7] },
  4: {
    levels: [-2048, 4, 135, 213, 273, 323, 373, 425],
    scale: [-12, 18, 41, 64, 112, 198, 355, 1122],
    speed: [0, 0, 0, 1, 1, 1, 3, 7],
  },
  5: {
    levels: [-2048, -66, 28, 104, 169, 224, 274, 318, 358, 395, 429, 459, 488, 514, 539, 566],
    scale: [14, 14, 24, 39, 40, 41, 58, 100, 141, 179, 219, 280, 358, 440, 529, 696],
    speed: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6],
  },
};
const ZERO = 32;
const bitLength = (value: number) => 32 - Math.clz32(value);
const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

/** A number as the predictors multiply it: sign, exponent of 4 bits, mantissa of 6 (G.726 §4.2.8 FLOATA). */
function toFloat(magnitude: number, negative: boolean): number {
  if (magnitude === 0) return negative ? ZERO - 0x400 : ZERO;
  const exponent = bitLength(magnitude);
  return (exponent << 6) + ((magnitude << 6) >> exponent) - (negative ? 0x400 : 0);
}

/** FMULT: a coefficient times such a number. */
function multiply(coefficient: number, float: number): number {
  const magnitude = coefficient > 0 ? coefficient : -coefficient & 0x1fff;
  const exponent = bitLength(magnitude) - 6;
  const mantissa = magnitude === 0 ? 32 : exponent >= 0 ? magnitude >> exponent : magnitude << -exponent;
  const shift = exponent + ((float >> 6) & 15) - 13;
  const product = (mantissa * (float & 63) + 48) >> 4;
  const value = shift >= 0 ? (product << shift) & 0x7fff : product >> -shift;
  return (coefficient ^ float) < 0 ? -value : value;
}

/** Decodes G.726 (ITU-T G.726, 12/1990) of one channel. */
export class G726Decoder {
  readonly #bits: G726Bits;
  readonly #rate: Rate;
  /** The first code stands in the high bits (ITU-T I.366.2, `AAL2-G726-…`); else in the low ones (RFC 3551 §4.5.4). */
  readonly #highFirst: boolean;
  #locked = 34_816;
  #unlocked = 544;
  #shortSpeed = 0;
  #longSpeed = 0;
  #control = 0;
  #tone = false;
  /** Coefficients of the predictors of 2 poles and 6 zeros, and what they look back at. */
  readonly #poles = [0, 0];
  readonly #zeros = [0, 0, 0, 0, 0, 0];
  #signs = [0, 0];
  #differences = [ZERO, ZERO, ZERO, ZERO, ZERO, ZERO];
  #signals = [ZERO, ZERO];

  constructor(bits: G726Bits, highFirst: boolean) {
    this.#bits = bits;
    this.#rate = RATES[bits];
    this.#highFirst = highFirst;
  }

  decode(payload: Buffer): Int16Array {
    const bits = this.#bits;
    const samples = new Int16Array(Math.floor((payload.length * 8) / bits));
    let [held, count, at] = [0, 0, 0];
    for (let i = 0; i < samples.length; i++) {
      while (count < bits) {
        const byte = payload[at++]!;
        held = this.#highFirst ? ((held << 8) | byte) & 0xffff : held | (byte << count);
        count += 8;
      }
      count -= bits;
      const code = (this.#highFirst ? held >> count : held) & ((1 << bits) - 1);
      if (!this.#highFirst) held >>= bits;
      samples[i] = this.#sample(code);
    }
    return samples;
  }

  #sample(code: number): number {
    const top = 1 << (this.#bits - 1);
    const negative = (code & top) !== 0;
    const index = negative ? ~code & (top - 1) : code;
    let zeros = 0;
    for (let i = 0; i < 6; i++) zeros += multiply(this.#zeros[i]! >> 2, this.#differences[i]!);
    const poles = multiply(this.#poles[1]! >> 2, this.#signals[1]!) + multiply(this.#poles[0]! >> 2, this.#signals[0]!);
    const estimate = (zeros + poles) >> 1;
    const step = this.#step();
    const logarithm = this.#rate.levels[index]! + (step >> 2);
    const magnitude = logarithm < 0 ? 0 : ((128 + (logarithm & 127)) << 7) >> (14 - ((logarithm >> 7) & 15));
    const signal = negative ? estimate - magnitude : estimate + magnitude;
    this.#adapt({ index, step, magnitude, negative, signal, pole: signal - estimate + (zeros >> 1) });
    return clamp(signal << 2, -32_768, 32_767);
  }

  /** MIX: between the fast and the slow scale of the quantizer. */
  #step(): number {
    if (this.#control >= 256) return this.#unlocked;
    const slow = this.#locked >> 6;
    const product = (this.#unlocked - slow) * (this.#control >> 2);
    return slow + (product >= 0 ? product >> 6 : (product + 63) >> 6);
  }

  #adapt(o: { index: number; step: number; magnitude: number; negative: boolean; signal: number; pole: number }): void {
    const { index, step, magnitude, negative, signal, pole } = o;
    const sign = pole < 0 ? 1 : 0;
    const transition = this.#tone && magnitude > this.#threshold();
    this.#unlocked = clamp(step + (((this.#rate.scale[index]! << 5) - step) >> 5), 544, 5_120);
    this.#locked += this.#unlocked + (-this.#locked >> 6);
    if (transition) {
      this.#poles.fill(0);
      this.#zeros.fill(0);
    } else this.#predict(pole, sign, magnitude, negative);
    this.#differences = [toFloat(magnitude, negative), ...this.#differences.slice(0, 5)];
    const height = Math.abs(signal);
    this.#signals = [signal <= -32_768 ? ZERO - 0x400 : toFloat(height, signal < 0), this.#signals[0]!];
    this.#signs = [sign, this.#signs[0]!];
    this.#tone = !transition && this.#poles[1]! < -11_776;
    const speed = this.#rate.speed[index]! << 9;
    this.#shortSpeed += (speed - this.#shortSpeed) >> 5;
    this.#longSpeed += ((speed << 2) - this.#longSpeed) >> 7;
    const changing = Math.abs((this.#shortSpeed << 2) - this.#longSpeed) >= this.#longSpeed >> 3;
    if (transition) this.#control = 256;
    else if (step < 1_536 || this.#tone || changing) this.#control += (512 - this.#control) >> 4;
    else this.#control += -this.#control >> 4;
  }

  /** TRANS: a difference beyond it ends a tone. */
  #threshold(): number {
    const exponent = this.#locked >> 15;
    const level = exponent > 9 ? 31 << 10 : (32 + ((this.#locked >> 10) & 31)) << exponent;
    return (level + (level >> 1)) >> 1;
  }

  #predict(pole: number, sign: number, magnitude: number, negative: boolean): void {
    const { 0: first, 1: second } = this.#poles as [number, number];
    const same = sign === this.#signs[0];
    let next = second - (second >> 7);
    if (pole !== 0) {
      const along = same ? -first : first;
      next += along < -8_191 ? -256 : along > 8_191 ? 255 : along >> 5;
      next = clamp(next + (sign === this.#signs[1] ? 128 : -128), -12_288, 12_288);
    }
    this.#poles[1] = next;
    const moved = first - (first >> 8) + (pole === 0 ? 0 : same ? 192 : -192);
    this.#poles[0] = clamp(moved, next - 15_360, 15_360 - next);
    for (let i = 0; i < 6; i++) {
      // UPB: at 40 kbit/s it forgets half as fast. ffmpeg does not, and so is no judge of that rate.
      const zero = this.#zeros[i]! - (this.#zeros[i]! >> (this.#bits === 5 ? 9 : 8));
      const alike = negative === this.#differences[i]! < 0;
      this.#zeros[i] = zero + (magnitude === 0 ? 0 : alike ? 128 : -128);
    }
  }
}
