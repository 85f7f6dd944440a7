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

/** Which fields there are (ISO/IEC 14496-12 §8.8.7, §8.8.8). */
const TFHD = { base: 0x1, description: 0x2, duration: 0x8 } as const;
const TRUN = { data: 0x1, first: 0x4, duration: 0x100, size: 0x200, flags: 0x400, offset: 0x800 } as const;
/** Of one fragment; more are no pictures of a few seconds. */
const MAX_SAMPLES = 4_096;

/** When each picture of a fragment is shown, in ticks of its track, in their order. */
export function shownTimes(fragment: Uint8Array, track: number): number[] {
  const view = viewOf(fragment);
  const times: number[] = [];
  const traf = [...found(fragment, ['moof', 'traf'])].find((box) => {
    const tfhd = one(fragment, ['tfhd'], box);
    return tfhd !== undefined && view.getUint32(tfhd.from + 4) === track;
  });
  const tfhd = traf && one(fragment, ['tfhd'], traf);
  if (!traf || !tfhd) return [];
  const told = view.getUint32(tfhd.from) & 0xffffff;
  const skipped = (told & TFHD.base ? 8 : 0) + (told & TFHD.description ? 4 : 0);
  const usual = told & TFHD.duration ? view.getUint32(tfhd.from + 8 + skipped) : 0;
  let time = decodeTimes(fragment).find((one) => one.track === track)?.time ?? 0;
  for (const trun of found(fragment, ['trun'], traf)) {
    const flags = view.getUint32(trun.from) & 0xffffff;
    const signed = fragment[trun.from] === 1;
    const count = Math.min(MAX_SAMPLES, view.getUint32(trun.from + 4));
    let at = trun.from + 8 + (flags & TRUN.data ? 4 : 0) + (flags & TRUN.first ? 4 : 0);
    const fields = [TRUN.duration, TRUN.size, TRUN.flags, TRUN.offset].filter((field) => flags & field).length;
    for (let i = 0; i < count && at + fields * 4 <= trun.to; i++, at += fields * 4) {
      const offsetAt = at + (fields - 1) * 4;
      const offset = flags & TRUN.offset ? (signed ? view.getInt32(offsetAt) : view.getUint32(offsetAt)) : 0;
      times.push(time + offset);
      time += flags & TRUN.duration ? view.getUint32(at) : usual;
    }
  }
  return times.sort((a, b) => a - b);
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
