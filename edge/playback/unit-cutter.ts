import { isFirstSlice, nalRole, type VideoKind } from '../video/codec.ts';
import { MAX_ACCESS_UNIT_BYTES } from '../video/receiver.ts';

const PREFIX = Buffer.from([0, 0, 1]);
/** Of a picture whose time is not said before it was seen how far they are apart. */
const USUAL_TICKS = 3_600;
const MAX_TICKS = 90_000;
/** NAL units of one picture. */
const MAX_NALS = 512;
/** Times that wait for the NAL unit that they are of. */
const MAX_MARKS = 512;
const RTP_HEADER = 12;

/**
 * Cuts an elementary stream with start codes (H.264 and H.265, annex B) into pictures, each with the time that stands
 * before it, and hands them over as RTP packets of one NAL unit each: what takes pictures from the network takes them then.
 */
export class UnitCutter {
  readonly #packet: (rtp: Buffer, pts: number) => void;
  #kind: VideoKind | null;
  #data: Buffer = Buffer.allocUnsafe(256 * 1024);
  #length = 0;
  /** Where the NAL unit that is being read begins; negative: before the first start code. */
  #begin = -1;
  #scanned = 0;
  /** Times, and from which byte on they hold. */
  #marks: { at: number; pts: number }[] = [];
  #unit: Buffer[] = [];
  #unitBytes = 0;
  #hasPicture = false;
  /** It is known when the picture is that has begun; a delimiter begins one as well. */
  #timed = false;
  #pts: number | null = null;
  /** The last time that was said, and not reckoned. */
  #marked: number | null = null;
  #step = USUAL_TICKS;
  #sequence = 0;

  /** `packet`: RTP, the marker on the last one of a picture. `kind` null: it is seen from the first parameter set. */
  constructor(kind: VideoKind | null, packet: (rtp: Buffer, pts: number) => void) {
    this.#kind = kind;
    this.#packet = packet;
  }

  get kind(): VideoKind | null {
    return this.#kind;
  }

  push(bytes: Buffer, pts: number | null): void {
    if (pts !== null) {
      if (this.#marks.length >= MAX_MARKS) this.#marks.pop();
      this.#marks.push({ at: this.#length, pts });
    }
    this.#append(bytes);
    for (;;) {
      const at = this.#data.subarray(0, this.#length).indexOf(PREFIX, this.#scanned);
      if (at < 0) break;
      this.#nalEnds(at);
      this.#begin = at + 3;
      this.#scanned = at + 3;
    }
    this.#scanned = Math.max(this.#begin, this.#length - 2, 0);
    // A picture is a few megabytes at most, and this is none.
    if (this.#length - Math.max(0, this.#begin) > MAX_ACCESS_UNIT_BYTES) this.#begin = -1;
    this.#compact();
  }

  /** Nothing follows. */
  end(): void {
    this.#nalEnds(this.#length);
    this.#begin = -1;
    this.#flush();
  }

  #append(bytes: Buffer): void {
    if (this.#length + bytes.length > this.#data.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#data.length * 2, this.#length + bytes.length));
      this.#data.copy(larger, 0, 0, this.#length);
      this.#data = larger;
    }
    bytes.copy(this.#data, this.#length);
    this.#length += bytes.length;
  }

  #compact(): void {
    const keep = this.#begin < 0 ? Math.max(0, this.#length - 2) : this.#begin;
    if (keep === 0) return;
    this.#data.copyWithin(0, keep, this.#length);
    this.#length -= keep;
    this.#scanned -= keep;
    if (this.#begin >= 0) this.#begin = 0;
    // The last one of those that are over still holds.
    const past = this.#marks.findLastIndex((mark) => mark.at <= keep);
    if (past > 0) this.#marks.splice(0, past);
    for (const mark of this.#marks) mark.at = Math.max(0, mark.at - keep);
  }

  #nalEnds(at: number): void {
    if (this.#begin < 0) return;
    let end = at;
    while (end > this.#begin && this.#data[end - 1] === 0) end--;
    const nal = this.#data.subarray(this.#begin, end);
    if (nal.length < 2 || (nal[0]! & 0x80) !== 0) return;
    this.#kind ??= kindOf(nal);
    if (this.#kind) this.#nal(nal, this.#kind);
  }

  #nal(nal: Buffer, kind: VideoKind): void {
    const role = nalRole(kind, nal[0]!);
    const picture = role === 'key' || role === 'picture';
    if (this.#hasPicture && (picture ? isFirstSlice(kind, nal) : isAhead(kind, nal[0]!))) this.#flush();
    if (!this.#timed) this.#pts = this.#timeOfNext();
    this.#timed = true;
    if (role === 'drop' || this.#unit.length >= MAX_NALS || this.#unitBytes > MAX_ACCESS_UNIT_BYTES) return;
    const packet = Buffer.allocUnsafe(RTP_HEADER + nal.length);
    nal.copy(packet, RTP_HEADER);
    this.#unit.push(packet);
    this.#unitBytes += nal.length;
    this.#hasPicture ||= picture;
  }

  /** Of the picture that begins here: what was said of it, or one step after the one before. */
  #timeOfNext(): number | null {
    const mark = this.#marks.findLast(({ at }) => at <= this.#begin);
    const before = this.#pts;
    const own = mark !== undefined && mark.pts !== this.#marked;
    const ownBefore = before === this.#marked;
    if (own) this.#marked = mark.pts;
    if (before === null) return own ? mark.pts : null;
    if (!own) return (before + this.#step) >>> 0;
    const step = (mark.pts - before) | 0;
    if (ownBefore && step > 0 && step < MAX_TICKS) this.#step = step;
    return mark.pts;
  }

  #flush(): void {
    const pts = this.#pts;
    const unit = this.#unit;
    this.#unit = [];
    this.#unitBytes = 0;
    this.#hasPicture = this.#timed = false;
    if (pts === null) return;
    for (const [i, packet] of unit.entries()) {
      packet.writeUInt16BE(0x8060 | (i === unit.length - 1 ? 0x80 : 0), 0);
      packet.writeUInt16BE(this.#sequence++ & 0xffff, 2);
      packet.writeUInt32BE(pts, 4);
      packet.writeUInt32BE(1, 8);
      this.#packet(packet, pts);
    }
  }
}

/** What stands before a picture (H.264 §7.4.1.2.3, H.265 §7.4.2.4.4): the next one begins with it. */
function isAhead(kind: VideoKind, header: number): boolean {
  if (kind === 'h264') return [6, 7, 8, 9, 14, 15].includes(header & 0x1f);
  return [32, 33, 34, 35, 39].includes((header >> 1) & 0x3f);
}

/** By the parameter set or delimiter that a stream begins with. */
function kindOf(nal: Buffer): VideoKind | null {
  if ((nal[0] === 0x40 || nal[0] === 0x42 || nal[0] === 0x46) && nal[1] === 1) return 'h265';
  return [7, 9].includes(nal[0]! & 0x1f) ? 'h264' : null;
}
