/**
 * AAC in LATM (`MP4A-LATM`, RFC 6416 §6; ISO/IEC 14496-3 §1.7): what cameras send of it, one program of one layer.
 */
export interface StreamMux {
  /** AudioSpecificConfig. */
  config: Buffer;
  /** Access units in one element. */
  frames: number;
  /** Bits that the configuration takes. */
  bits: number;
}

/** Of one element: as many as its configuration can say. Real ones have one or a few. */
const MAX_FRAMES = 64;

class BitReader {
  at = 0;
  readonly #data: Buffer;
  constructor(data: Buffer) {
    this.#data = data;
  }
  get left(): number {
    return this.#data.length * 8 - this.at;
  }
  u(count: number): number {
    if (count > this.left) throw new RangeError('it ends early');
    let value = 0;
    for (let i = 0; i < count; i++, this.at++)
      value = value * 2 + ((this.#data[this.at >> 3]! >> (7 - (this.at & 7))) & 1);
    return value;
  }
  bytes(length: number): Buffer {
    if (length * 8 > this.left) throw new RangeError('it ends early');
    const [byte, shift] = [this.at >> 3, this.at & 7];
    this.at += length * 8;
    if (shift === 0) return Buffer.from(this.#data.subarray(byte, byte + length));
    const out = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++)
      out[i] = (this.#data[byte + i]! << shift) | ((this.#data[byte + i + 1] ?? 0) >> (8 - shift));
    return out;
  }
}

/** StreamMuxConfig; null: one that no camera was seen to send. */
export function parseStreamMux(data: Buffer): StreamMux | null {
  return orNull(() => {
    const bits = new BitReader(data);
    return streamMux(bits);
  });
}

function streamMux(bits: BitReader): StreamMux | null {
  // Version 0; the frames of all streams stand together.
  if (bits.u(1) !== 0 || bits.u(1) !== 1) return null;
  const frames = bits.u(6) + 1;
  // One program, one layer.
  if (bits.u(4) !== 0 || bits.u(3) !== 0) return null;
  const from = bits.at;
  if (!skipAudioConfig(bits)) return null;
  const length = bits.at - from;
  bits.at = from;
  const values = Array.from({ length: Math.ceil(length / 8) }, (_, i) => {
    const count = Math.min(8, length - i * 8);
    return bits.u(count) << (8 - count);
  });
  // In a description what follows may be left out: nothing of it says where a frame is.
  if (bits.left < 12) return { config: Buffer.from(values), frames, bits: bits.at };
  // frameLengthType 0: lengths in bytes; then the fill of a buffer.
  if (bits.u(3) !== 0) return null;
  bits.u(8);
  if (bits.u(1) === 1) for (let more = true; more; bits.u(8)) more = bits.u(1) === 1;
  if (bits.left > 0 && bits.u(1) === 1) bits.u(8);
  return { config: Buffer.from(values), frames, bits: bits.at };
}

/** AudioSpecificConfig of the kinds of AAC that have GASpecificConfig. False: of another one. */
function skipAudioConfig(bits: BitReader): boolean {
  const type = () => {
    const short = bits.u(5);
    return short === 31 ? 32 + bits.u(6) : short;
  };
  const rate = () => bits.u(4) === 15 && bits.u(24);
  let kind = type();
  rate();
  const channels = bits.u(4);
  if (kind === 5 || kind === 29) {
    rate();
    kind = type();
  }
  if (![1, 2, 3, 4].includes(kind) || channels === 0) return false;
  bits.u(1);
  if (bits.u(1) === 1) bits.u(14);
  bits.u(1);
  return true;
}

/** Access units of one AudioMuxElement. `mux`: from the description; null where it stands in the element itself. */
export function latmFrames(element: Buffer, mux: StreamMux, inBand: boolean): Buffer[] {
  const found: Buffer[] = [];
  orNull(() => {
    const bits = new BitReader(element);
    let frames = mux.frames;
    if (inBand && bits.u(1) === 0) frames = streamMux(bits)?.frames ?? 0;
    // Out of band several elements may stand in one packet.
    do {
      for (let i = 0; i < frames; i++) {
        let length = 0;
        let more = 255;
        while (more === 255) {
          more = bits.u(8);
          length += more;
        }
        if (length > 0) found.push(bits.bytes(length));
      }
    } while (!inBand && frames > 0 && bits.left >= 16 && found.length < MAX_FRAMES);
    return null;
  });
  return found;
}

function orNull<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
