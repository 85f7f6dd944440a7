/*
 * What the relay must know of fragmented MP4 (ISO/IEC 14496-12) to show a clip as one file: pure functions over bytes.
 *
 *   header = ftyp · moov (durations patched, mehd added) · sidx (one entry a fragment)
 *   file   = header · fragment 1 · fragment 2 · …          fragments (moof · mdat …) as they came
 *
 * With the index a player knows length and seek points from the first bytes and fetches the rest by range.
 */

class Mp4Error extends Error {}

export interface Box {
  type: string;
  /** Start of the box, of its content, and its end. */
  start: number;
  body: number;
  end: number;
}

/** Boxes between `from` and `to`. Throws {@link Mp4Error} for sizes that do not fit. */
export function* boxes(data: Buffer, from = 0, to = data.length): Generator<Box> {
  for (let start = from; start < to; ) {
    if (start + 8 > to) throw new Mp4Error('a box is cut');
    const { type, size, headerSize } = boxHeader(data.subarray(start, Math.min(to, start + 16)), to - start);
    const end = start + size;
    if (end > to) throw new Mp4Error(`box ${type} is longer than what contains it`);
    yield { type, start, body: start + headerSize, end };
    start = end;
  }
}

/** The header of the box that `head` (8, or better 16 bytes) begins with; `available` is what a size of 0 means. */
export function boxHeader(head: Buffer, available: number): { type: string; size: number; headerSize: number } {
  const type = head.toString('latin1', 4, 8);
  const short = head.readUInt32BE(0);
  const headerSize = short === 1 ? 16 : 8;
  if (head.length < headerSize) throw new Mp4Error('a box is cut');
  const size = short === 1 ? Number(head.readBigUInt64BE(8)) : short === 0 ? available : short;
  if (size < headerSize) throw new Mp4Error(`box ${type} is shorter than its header`);
  return { type, size, headerSize };
}

function find(data: Buffer, path: string, from = 0, to = data.length): Box | null {
  const [type, ...rest] = path.split('/');
  for (const box of boxes(data, from, to)) {
    if (box.type === type) return rest.length === 0 ? box : find(data, rest.join('/'), box.body, box.end);
  }
  return null;
}

function need(data: Buffer, path: string, inside?: Box): Box {
  const box = find(data, path, inside?.body, inside?.end);
  if (!box) throw new Mp4Error(`there is no ${path}`);
  return box;
}

/** Timing of one `moof`: first decode time and length in the track's timescale, of its first track run. */
export interface FragmentTiming {
  decodeTime: number;
  ticks: number;
}

/** Null when the durations are not in the fragment itself (they are in the init segment's trex then). */
export function moofTiming(moof: Buffer): FragmentTiming | null {
  const traf = need(moof, 'moof/traf');
  const tfhd = need(moof, 'tfhd', traf);
  const tfdt = need(moof, 'tfdt', traf);
  const decodeTime =
    moof[tfdt.body] === 1 ? Number(moof.readBigUInt64BE(tfdt.body + 4)) : moof.readUInt32BE(tfdt.body + 4);
  const tfhdFlags = moof.readUInt32BE(tfhd.body) & 0xffffff;
  // Optional fields in order: base-data-offset 0x1 (8 bytes), sample-description-index 0x2, default-sample-duration 0x8.
  const at = tfhd.body + 8 + (tfhdFlags & 0x1 ? 8 : 0) + (tfhdFlags & 0x2 ? 4 : 0);
  const defaultTicks = tfhdFlags & 0x8 ? moof.readUInt32BE(at) : null;
  let ticks = 0;
  for (const trun of boxes(moof, traf.body, traf.end)) {
    if (trun.type !== 'trun') continue;
    const flags = moof.readUInt32BE(trun.body) & 0xffffff;
    const count = moof.readUInt32BE(trun.body + 4);
    const first = trun.body + 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
    const sampleSize = 4 * [0x100, 0x200, 0x400, 0x800].filter((f) => flags & f).length;
    if (first + count * sampleSize > trun.end) throw new Mp4Error('trun is longer than its box');
    if (flags & 0x100) for (let i = 0; i < count; i++) ticks += moof.readUInt32BE(first + i * sampleSize);
    else if (defaultTicks === null) return null;
    else ticks += count * defaultTicks;
  }
  return { decodeTime, ticks };
}

export interface InitInfo {
  trackId: number;
  timescale: number;
}

/** The video track of an init segment (or its first track). */
export function initInfo(init: Buffer): InitInfo {
  const moov = need(init, 'moov');
  const traks = [...boxes(init, moov.body, moov.end)].filter((b) => b.type === 'trak');
  const isVideo = (trak: Box) => {
    const hdlr = find(init, 'mdia/hdlr', trak.body, trak.end);
    return hdlr !== null && init.toString('latin1', hdlr.body + 8, hdlr.body + 12) === 'vide';
  };
  const trak = traks.find(isVideo) ?? traks[0];
  if (!trak) throw new Mp4Error('there is no track');
  const tkhd = need(init, 'tkhd', trak);
  const mdhd = need(init, 'mdia/mdhd', trak);
  const timescale = init.readUInt32BE(mdhd.body + (init[mdhd.body] === 1 ? 20 : 12));
  if (timescale === 0) throw new Mp4Error('the timescale is 0');
  return { trackId: init.readUInt32BE(tkhd.body + (init[tkhd.body] === 1 ? 20 : 12)), timescale };
}

/** Where the first picture of a `moof`'s track is, from the beginning of the moof; null when the moof does not say. */
export function firstSample(moof: Buffer, trackId: number): { offset: number; size: number } | null {
  const box = need(moof, 'moof');
  for (const traf of boxes(moof, box.body, box.end)) {
    if (traf.type !== 'traf') continue;
    const tfhd = need(moof, 'tfhd', traf);
    if (moof.readUInt32BE(tfhd.body + 4) !== trackId) continue;
    const tfhdFlags = moof.readUInt32BE(tfhd.body) & 0xffffff;
    // With an offset of its own it would count from elsewhere than the moof.
    if (tfhdFlags & 0x1) return null;
    const at = tfhd.body + 8 + (tfhdFlags & 0x2 ? 4 : 0) + (tfhdFlags & 0x8 ? 4 : 0);
    const trun = need(moof, 'trun', traf);
    const flags = moof.readUInt32BE(trun.body) & 0xffffff;
    if (!(flags & 0x1)) return null;
    const first = trun.body + 12 + (flags & 0x4 ? 4 : 0) + (flags & 0x100 ? 4 : 0);
    if (!(flags & 0x200) && !(tfhdFlags & 0x10)) return null;
    return { offset: moof.readInt32BE(trun.body + 8), size: moof.readUInt32BE(flags & 0x200 ? first : at) };
  }
  return null;
}

/** A file with one picture: the init segment, and a fragment of one sample (ISO/IEC 14496-12 §8.8). */
export function onePicture(init: Buffer, trackId: number, sample: Buffer): Buffer {
  const box = (type: string, ...parts: Buffer[]) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + parts.reduce((sum, part) => sum + part.length, 0));
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, ...parts]);
  };
  const words = (...values: number[]) => {
    const out = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) out.writeUInt32BE(value, 4 * i);
    return out;
  };
  const moof = (dataOffset: number) =>
    box(
      'moof',
      box('mfhd', words(0, 1)),
      box(
        'traf',
        // default-base-is-moof; data-offset, then duration, size and flags of the sample: a key frame.
        box('tfhd', words(0x020000, trackId)),
        box('tfdt', words(0, 0)),
        box('trun', words(0x701, 1, dataOffset, initInfo(init).timescale, sample.length, 0x02000000)),
      ),
    );
  return Buffer.concat([init, moof(moof(0).length + 8), box('mdat', sample)]);
}

export interface IndexEntry {
  size: number;
  /** In the video track's timescale. */
  ticks: number;
  keyFrame: boolean;
}

/** Header of the whole file: {@link initInfo}'s init segment with durations, and an index of the fragments. */
export function fileHeader(init: Buffer, entries: IndexEntry[], firstDecodeTime = 0): Buffer {
  const { trackId, timescale } = initInfo(init);
  const seconds = entries.reduce((sum, e) => sum + e.ticks, 0) / timescale;
  const ftyp = find(init, 'ftyp');
  const brands = ftyp ? init.subarray(ftyp.start, ftyp.end) : Buffer.alloc(0);
  return Buffer.concat([brands, withDuration(init, seconds), sidx(entries, trackId, timescale, firstDecodeTime)]);
}

function withDuration(init: Buffer, seconds: number): Buffer {
  const box = need(init, 'moov');
  const moov = Buffer.from(init.subarray(box.start, box.end));
  const body = box.body - box.start;
  const mvhd = need(moov, 'moov/mvhd');
  const long = moov[mvhd.body] === 1;
  const movieTimescale = moov.readUInt32BE(mvhd.body + (long ? 20 : 12));
  const duration = Math.round(seconds * movieTimescale);
  writeDuration(moov, mvhd.body + (long ? 24 : 16), long, duration);
  for (const trak of boxes(moov, body)) {
    if (trak.type !== 'trak') continue;
    const tkhd = need(moov, 'tkhd', trak);
    const longTrack = moov[tkhd.body] === 1;
    writeDuration(moov, tkhd.body + (longTrack ? 28 : 20), longTrack, duration);
  }
  const mvex = need(moov, 'moov/mvex');
  const mehd = find(moov, 'mehd', mvex.body, mvex.end);
  if (mehd) {
    writeDuration(moov, mehd.body + 4, moov[mehd.body] === 1, duration);
    return moov;
  }
  const added = Buffer.alloc(20);
  added.writeUInt32BE(20, 0);
  added.write('mehd', 4, 'latin1');
  added[8] = 1;
  added.writeBigUInt64BE(BigInt(duration), 12);
  for (const start of [0, mvex.start]) {
    if (moov.readUInt32BE(start) <= 1) throw new Mp4Error('moov has an unusual size');
    moov.writeUInt32BE(moov.readUInt32BE(start) + added.length, start);
  }
  return Buffer.concat([moov.subarray(0, mvex.body), added, moov.subarray(mvex.body)]);
}

function writeDuration(data: Buffer, at: number, long: boolean, duration: number): void {
  if (long) data.writeBigUInt64BE(BigInt(duration), at);
  else data.writeUInt32BE(Math.min(duration, 0xffffffff), at);
}

/** Segment index, ISO/IEC 14496-12 §8.16.3; the first fragment follows at once. */
function sidx(entries: IndexEntry[], trackId: number, timescale: number, firstDecodeTime: number): Buffer {
  if (entries.length > 0xffff) throw new Mp4Error('there are too many fragments for one index');
  const out = Buffer.alloc(40 + 12 * entries.length);
  out.writeUInt32BE(out.length, 0);
  out.write('sidx', 4, 'latin1');
  out[8] = 1;
  out.writeUInt32BE(trackId, 12);
  out.writeUInt32BE(timescale, 16);
  out.writeBigUInt64BE(BigInt(firstDecodeTime), 20);
  out.writeUInt16BE(entries.length, 38);
  entries.forEach((e, i) => {
    const at = 40 + 12 * i;
    out.writeUInt32BE(e.size & 0x7fffffff, at);
    out.writeUInt32BE(e.ticks, at + 4);
    // Starts with a stream access point of type 1, when it starts with a key frame.
    out.writeUInt32BE(e.keyFrame ? 0x90000000 : 0, at + 8);
  });
  return out;
}
