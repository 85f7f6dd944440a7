import { parseSps, type SpsInfo } from './sps.ts';

export type VideoKind = 'h264' | 'h265';

/** What a decoder must know; one object for as long as nothing changes. */
export interface CodecInfo extends SpsInfo {
  kind: VideoKind;
  /** NAL units without start code, in the order a decoder wants them. `vps` is empty for H.264. */
  vps: Buffer[];
  sps: Buffer[];
  pps: Buffer[];
  /** The same, each behind its 32-bit length: what goes before a key frame. */
  prefix: Buffer;
}

/** What a NAL unit is to us. */
export type NalRole = 'vps' | 'sps' | 'pps' | 'key' | 'picture' | 'keep' | 'drop';

/** H.264 table 7-1, H.265 table 7-1. Delimiters and filler are dropped, SEI messages are kept. */
export function nalRole(kind: VideoKind, header: number): NalRole {
  if (kind === 'h264') {
    const type = header & 0x1f;
    if (type === 5) return 'key';
    if (type >= 1 && type <= 4) return 'picture';
    return ({ 6: 'keep', 7: 'sps', 8: 'pps' } as const)[type] ?? 'drop';
  }
  const type = (header >> 1) & 0x3f;
  if (type >= 16 && type <= 21) return 'key';
  if (type <= 15) return 'picture';
  return ({ 32: 'vps', 33: 'sps', 34: 'pps', 39: 'keep', 40: 'keep' } as const)[type] ?? 'drop';
}

/** Whether a slice is the first of its picture (first_mb_in_slice = 0, first_slice_segment_in_pic_flag). */
export const isFirstSlice = (kind: VideoKind, nal: Buffer): boolean => {
  const byte = nal[kind === 'h264' ? 1 : 2];
  return byte === undefined || (byte & 0x80) !== 0;
};

/** Whether an SEI message of H.264 says that decoders may begin with the picture behind it (H.264 §D.1.7). */
export function isRecoveryPoint(sei: Buffer): boolean {
  for (let at = 1; at + 2 < sei.length; ) {
    let [type, size] = [0, 0];
    while (sei[at] === 0xff) type += sei[at++]!;
    type += sei[at++] ?? 0;
    while (sei[at] === 0xff) size += sei[at++]!;
    size += sei[at++] ?? 0;
    if (type === 6) return true;
    at += size;
  }
  return false;
}

const MAX_SETS = 32;
const MAX_SET_BYTES = 4096;

/** The parameter sets in force. In-band ones replace those of the session description. */
export class ParameterSets {
  readonly kind: VideoKind;
  readonly #sets = { vps: new Map<number, Buffer>(), sps: new Map<number, Buffer>(), pps: new Map<number, Buffer>() };
  #changed = false;
  #codec: CodecInfo | null = null;

  constructor(kind: VideoKind, initial: Buffer[]) {
    this.kind = kind;
    for (const nal of initial) {
      const role = nalRole(kind, nal[0]!);
      if (role === 'vps' || role === 'sps' || role === 'pps') this.add(role, nal);
    }
  }

  add(role: 'vps' | 'sps' | 'pps', nal: Buffer): void {
    if (nal.length < 3 || nal.length > MAX_SET_BYTES) return;
    const id = this.#id(role, nal);
    const map = this.#sets[role];
    if (id === null || map.get(id)?.equals(nal) || (!map.has(id) && map.size >= MAX_SETS)) return;
    map.set(id, Buffer.from(nal));
    this.#changed = true;
  }

  /** The codec as of now; the same object while nothing changed; null while sets are missing. */
  codec(): CodecInfo | null {
    if (!this.#changed) return this.#codec;
    const [vps, sps, pps] = [this.#sets.vps, this.#sets.sps, this.#sets.pps].map((m) => [...m.values()]);
    if (!sps?.length || !pps?.length || (this.kind === 'h265' && !vps?.length)) return this.#codec;
    const info = parseSps(this.kind, sps[0]!);
    if (!info) return this.#codec;
    this.#changed = false;
    const all = [...vps!, ...sps, ...pps];
    this.#codec = { ...info, kind: this.kind, vps: vps!, sps, pps, prefix: Buffer.concat(all.flatMap(withLength)) };
    return this.#codec;
  }

  #id(role: 'vps' | 'sps' | 'pps', nal: Buffer): number | null {
    if (role === 'sps') return parseSps(this.kind, nal)?.id ?? null;
    if (role === 'vps') return nal[2]! >> 4;
    // pps_pic_parameter_set_id: an Exp-Golomb code right behind the header.
    const bits = nal.readUInt16BE(Math.min(this.kind === 'h264' ? 1 : 2, nal.length - 2));
    const zeros = Math.clz32(bits) - 16;
    return zeros > 7 ? null : (bits >> (15 - 2 * zeros)) - 1;
  }
}

export function withLength(nal: Buffer): [Buffer, Buffer] {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(nal.length);
  return [length, nal];
}
