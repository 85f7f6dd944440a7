/*
 * The little that a player must read of fragmented MP4 (ISO/IEC 14496-12): its tracks (§8.3.2, §8.4.2), the decode times of
 * a fragment (§8.8.12), and where the length of the whole may be written (§8.8.2).
 */
export interface Mp4Track {
  id: number;
  /** Ticks a second. */
  timescale: number;
  video: boolean;
}
export interface Mp4Head {
  tracks: Mp4Track[];
  /** Where `mehd` keeps its 64 bit of length in milliseconds; null: it has none. */
  lengthAt: number | null;
}
/** The decode time of one track in a fragment. */
export interface DecodeTime {
  track: number;
  time: number;
  at: number;
  wide: boolean;
}

interface Box {
  type: string;
  /** Of what is in it. */
  from: number;
  to: number;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function* boxes(bytes: Uint8Array, from = 0, to = bytes.length): Generator<Box> {
  const view = viewOf(bytes);
  let at = from;
  while (at + 8 <= to) {
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1 && at + 16 <= to) {
      size = Number(view.getBigUint64(at + 8));
      head = 16;
    }
    if (size < head || at + size > to) return;
    yield { type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)), from: at + head, to: at + size };
    at += size;
  }
}

/** Every box at this path of types, in order. */
function* found(bytes: Uint8Array, path: readonly string[], within?: Box): Generator<Box> {
  const [first, ...rest] = path;
  for (const box of boxes(bytes, within?.from, within?.to)) {
    if (box.type !== first) continue;
    if (rest.length === 0) yield box;
    else yield* found(bytes, rest, box);
  }
}
const one = (bytes: Uint8Array, path: readonly string[], within?: Box): Box | undefined =>
  found(bytes, path, within).next().value ?? undefined;

/** What an init segment says; no tracks where it is none. */
export function readHead(init: Uint8Array): Mp4Head {
  const view = viewOf(init);
  const tracks: Mp4Track[] = [];
  for (const trak of found(init, ['moov', 'trak'])) {
    const tkhd = one(init, ['tkhd'], trak);
    const mdhd = one(init, ['mdia', 'mdhd'], trak);
    const hdlr = one(init, ['mdia', 'hdlr'], trak);
    if (!tkhd || !mdhd || !hdlr || hdlr.to - hdlr.from < 12) continue;
    // Version 1 has two 64-bit times before what is looked for.
    const id = view.getUint32(tkhd.from + (init[tkhd.from] === 1 ? 20 : 12));
    const timescale = view.getUint32(mdhd.from + (init[mdhd.from] === 1 ? 20 : 12));
    const handler = String.fromCharCode(...init.subarray(hdlr.from + 8, hdlr.from + 12));
    if (timescale > 0) tracks.push({ id, timescale, video: handler === 'vide' });
  }
  const mehd = one(init, ['moov', 'mvex', 'mehd']);
  return { tracks, lengthAt: mehd && init[mehd.from] === 1 ? mehd.from + 4 : null };
}

/** The decode time of each track in a fragment. */
export function decodeTimes(fragment: Uint8Array): DecodeTime[] {
  const view = viewOf(fragment);
  const times: DecodeTime[] = [];
  for (const traf of found(fragment, ['moof', 'traf'])) {
    const tfhd = one(fragment, ['tfhd'], traf);
    const tfdt = one(fragment, ['tfdt'], traf);
    if (!tfhd || !tfdt) continue;
    const wide = fragment[tfdt.from] === 1;
    const at = tfdt.from + 4;
    const time = wide ? Number(view.getBigUint64(at)) : view.getUint32(at);
    times.push({ track: view.getUint32(tfhd.from + 4), time, at, wide });
  }
  return times;
}

/** Writes another decode time into a fragment, which must be the caller's own. */
export function setDecodeTime(fragment: Uint8Array, { at, wide }: DecodeTime, time: number): void {
  const view = viewOf(fragment);
  if (wide) view.setBigUint64(at, BigInt(Math.max(0, Math.round(time))));
  else view.setUint32(at, Math.max(0, Math.round(time)));
}

/** Writes how long the whole is into its init segment, which must be the caller's own. */
export function setLength(init: Uint8Array, { lengthAt }: Mp4Head, ms: number): void {
  if (lengthAt !== null) viewOf(init).setBigUint64(lengthAt, BigInt(Math.max(0, Math.round(ms))));
}
