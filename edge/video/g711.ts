/** G.711 (ITU-T G.711): 8-bit codes of 16-bit samples. */
const BIAS = 132;
const CLIP = 32_635;

const fromMu = (code: number): number => {
  const c = ~code & 0xff;
  const magnitude = (((c & 15) << 3) + BIAS) << ((c >> 4) & 7);
  return c & 0x80 ? BIAS - magnitude : magnitude - BIAS;
};
const fromA = (code: number): number => {
  const c = code ^ 0x55;
  const exponent = (c >> 4) & 7;
  const step = ((c & 15) << 4) + 8;
  const magnitude = exponent === 0 ? step : (step + 256) << (exponent - 1);
  return c & 0x80 ? magnitude : -magnitude;
};

const tables = {
  pcmu: Int16Array.from({ length: 256 }, (_, code) => fromMu(code)),
  pcma: Int16Array.from({ length: 256 }, (_, code) => fromA(code)),
};

export function decodeG711(law: 'pcmu' | 'pcma', codes: Buffer): Int16Array {
  const table = tables[law];
  const samples = new Int16Array(codes.length);
  for (let i = 0; i < codes.length; i++) samples[i] = table[codes[i]!]!;
  return samples;
}

/** A 16-bit sample as µ-law. */
export function toMu(sample: number): number {
  const negative = sample < 0;
  const magnitude = Math.min(Math.abs(Math.round(sample)), CLIP) + BIAS;
  const exponent = 24 - Math.clz32(magnitude);
  return ~((negative ? 0x80 : 0) | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}
