/** ITU-T G.711: eight bits of µ-law or A-law to a sample between −1 and 1. */
export function decodeG711(law: 'pcmu' | 'pcma', data: Uint8Array): Float32Array<ArrayBuffer> {
  const table = TABLES[law] ?? Float32Array.from({ length: 256 }, (_, code) => (law === 'pcmu' ? muLaw : aLaw)(code));
  TABLES[law] = table;
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = table[data[i]!]!;
  return out;
}

const TABLES: Partial<Record<'pcmu' | 'pcma', Float32Array>> = {};

function muLaw(code: number): number {
  const bits = ~code & 0xff;
  const size = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -size : size) / 32_768;
}

function aLaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const mantissa = (bits & 0x0f) << 4;
  const size = segment === 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1);
  return (bits & 0x80 ? size : -size) / 32_768;
}
