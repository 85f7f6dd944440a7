/** Reads bits of a raw byte sequence payload, after removal of the emulation prevention bytes (H.264 §7.4.1). */
class Bits {
  readonly data: Buffer;
  #at = 0;

  constructor(nal: Buffer, headerBytes: number) {
    const out = Buffer.allocUnsafe(nal.length);
    let length = 0;
    let zeros = 0;
    for (let i = headerBytes; i < nal.length; i++) {
      const b = nal[i]!;
      if (zeros >= 2 && b === 3) {
        zeros = 0;
        continue;
      }
      zeros = b === 0 ? zeros + 1 : 0;
      out[length++] = b;
    }
    this.data = out.subarray(0, length);
  }
  /** Unsigned number of `count` bits, at most 32. */
  u(count: number): number {
    if (this.#at + count > this.data.length * 8) throw new RangeError('parameter set ends early');
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      value = value * 2 + ((this.data[this.#at >> 3]! >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }
  flag(): boolean {
    return this.u(1) === 1;
  }
  /** Exp-Golomb code, unsigned (H.264 §9.1). */
  ue(): number {
    let zeros = 0;
    while (!this.flag()) if (++zeros > 31) throw new RangeError('bad Exp-Golomb code');
    return 2 ** zeros - 1 + this.u(zeros);
  }
  /** The same, signed. */
  se(): number {
    const k = this.ue();
    return k % 2 === 0 ? -k / 2 : (k + 1) / 2;
  }
}

export interface SpsInfo {
  id: number;
  /** RFC 6381, from the parameter set itself: what `fmtp` says is often wrong. */
  codec: string;
  width: number;
  height: number;
  chromaFormat: number;
  bitDepthLuma: number;
  bitDepthChroma: number;
  /** H.265 only: general profile, tier and level as 12 bytes, for the decoder configuration record. */
  profileTierLevel: Buffer | null;
  /** H.265 only. */
  temporalLayers: number;
  temporalNesting: boolean;
}

const MAX_SIDE = 16_384;
const hex2 = (n: number) => n.toString(16).padStart(2, '0');

/** Reads a sequence parameter set. null when it cannot be one. */
export function parseSps(kind: 'h264' | 'h265', nal: Buffer): SpsInfo | null {
  try {
    const info = kind === 'h264' ? parseH264(nal) : parseH265(nal);
    return info.width > 0 && info.height > 0 && info.width <= MAX_SIDE && info.height <= MAX_SIDE ? info : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

/** H.264 §7.3.2.1.1. */
function parseH264(nal: Buffer): SpsInfo {
  const bits = new Bits(nal, 1);
  const profile = bits.u(8);
  const constraints = bits.u(8);
  const level = bits.u(8);
  const id = bits.ue();
  let [chromaFormat, bitDepthLuma, bitDepthChroma, separatePlanes] = [1, 8, 8, false];
  if (HIGH_PROFILES.has(profile)) {
    chromaFormat = bits.ue();
    if (chromaFormat === 3) separatePlanes = bits.flag();
    bitDepthLuma = 8 + bits.ue();
    bitDepthChroma = 8 + bits.ue();
    bits.u(1);
    if (bits.flag()) skipScalingLists(bits, chromaFormat === 3 ? 12 : 8);
  }
  bits.ue();
  const pocType = bits.ue();
  if (pocType === 0) bits.ue();
  else if (pocType === 1) {
    bits.u(1);
    bits.se();
    bits.se();
    for (let n = Math.min(bits.ue(), 255); n > 0; n--) bits.se();
  }
  bits.ue();
  bits.u(1);
  const widthMbs = bits.ue() + 1;
  const heightUnits = bits.ue() + 1;
  const framesOnly = bits.flag();
  if (!framesOnly) bits.u(1);
  bits.u(1);
  const crop = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const chromaArray = separatePlanes ? 0 : chromaFormat;
  const unitX = chromaArray === 1 || chromaArray === 2 ? 2 : 1;
  const unitY = (chromaArray === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  return {
    id,
    codec: `avc1.${hex2(profile)}${hex2(constraints)}${hex2(level)}`,
    width: widthMbs * 16 - unitX * (left + right),
    height: heightUnits * 16 * (framesOnly ? 1 : 2) - unitY * (top + bottom),
    chromaFormat,
    bitDepthLuma,
    bitDepthChroma,
    profileTierLevel: null,
    temporalLayers: 1,
    temporalNesting: true,
  };
}

function skipScalingLists(bits: Bits, lists: number): void {
  for (let i = 0; i < lists; i++) {
    if (!bits.flag()) continue;
    let [last, next] = [8, 8];
    for (let j = 0; j < (i < 6 ? 16 : 64); j++) {
      if (next !== 0) next = (last + bits.se() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}

/** H.265 §7.3.2.2.1 and §7.3.3. */
function parseH265(nal: Buffer): SpsInfo {
  const bits = new Bits(nal, 2);
  bits.u(4);
  const subLayers = bits.u(3);
  const temporalNesting = bits.flag();
  const ptl = Buffer.from(bits.data.subarray(1, 13));
  const space = bits.u(2);
  const tier = bits.u(1);
  const profile = bits.u(5);
  const compatibility = bits.u(32);
  bits.u(32);
  bits.u(16);
  const level = bits.u(8);
  const present = Array.from({ length: subLayers }, () => [bits.flag(), bits.flag()] as const);
  if (subLayers > 0) for (let i = subLayers; i < 8; i++) bits.u(2);
  for (const [hasProfile, hasLevel] of present) {
    if (hasProfile) for (let i = 0; i < 11; i++) bits.u(8);
    if (hasLevel) bits.u(8);
  }
  const id = bits.ue();
  const chromaFormat = bits.ue();
  if (chromaFormat === 3) bits.u(1);
  let width = bits.ue();
  let height = bits.ue();
  if (bits.flag()) {
    const [left, right, top, bottom] = [bits.ue(), bits.ue(), bits.ue(), bits.ue()];
    width -= (chromaFormat === 1 || chromaFormat === 2 ? 2 : 1) * (left + right);
    height -= (chromaFormat === 1 ? 2 : 1) * (top + bottom);
  }
  const bitDepthLuma = 8 + bits.ue();
  const bitDepthChroma = 8 + bits.ue();
  // RFC 6381 as ISO/IEC 14496-15 Annex E writes it: compatibility flags in reverse bit order, trailing zero bytes cut.
  const reversed = Number.parseInt([...compatibility.toString(2).padStart(32, '0')].reverse().join(''), 2);
  const constraints = [...ptl.subarray(5, 11)].map((b) => b.toString(16).toUpperCase());
  while (constraints.at(-1) === '0') constraints.pop();
  const codec = [
    'hvc1',
    `${['', 'A', 'B', 'C'][space]}${profile}`,
    reversed.toString(16).toUpperCase(),
    `${tier === 1 ? 'H' : 'L'}${level}`,
    ...constraints,
  ].join('.');
  return {
    id,
    codec,
    width,
    height,
    chromaFormat,
    bitDepthLuma,
    bitDepthChroma,
    profileTierLevel: ptl,
    temporalLayers: subLayers + 1,
    temporalNesting,
  };
}
