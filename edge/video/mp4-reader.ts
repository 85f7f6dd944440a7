import { type CodecInfo, ParameterSets } from './codec.ts';

/** One picture of a fragmented MP4 with a fragment a picture: NAL units behind their 32-bit lengths. */
export interface Mp4Picture {
  codec: CodecInfo;
  /** Ticks of the track. */
  time: number;
  keyFrame: boolean;
  data: Buffer;
}

const MAX_BOX_BYTES = 16 * 1024 * 1024;

/** Reads what ffmpeg writes with `frag_every_frame`, as it comes: H.264 in one track (ISO/IEC 14496-12 §8.8, -15 §5.3.3). */
export class Mp4Reader {
  readonly #picture: (picture: Mp4Picture) => void;
  #rest: Buffer[] = [];
  #length = 0;
  #codec: CodecInfo | null = null;
  #time = 0;

  constructor(picture: (picture: Mp4Picture) => void) {
    this.#picture = picture;
  }

  /** False: this is no such file, and never becomes one. */
  push(chunk: Buffer): boolean {
    this.#rest.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= 8) {
      if (this.#rest[0]!.length < 8) this.#join();
      const size = this.#rest[0]!.readUInt32BE(0);
      if (size < 8 || size > MAX_BOX_BYTES) return false;
      if (this.#length < size) return true;
      this.#join();
      const all = this.#rest[0]!;
      this.#rest = all.length > size ? [all.subarray(size)] : [];
      this.#length -= size;
      if (!this.#box(all.toString('latin1', 4, 8), all.subarray(8, size))) return false;
    }
    return true;
  }

  #join(): void {
    if (this.#rest.length > 1) this.#rest = [Buffer.concat(this.#rest)];
  }

  #box(type: string, body: Buffer): boolean {
    if (type === 'moov') {
      this.#codec = readAvcRecord(inside(body, 'avcC'));
      return this.#codec !== null;
    }
    if (type === 'moof') {
      const tfdt = inside(body, 'tfdt');
      if (!tfdt || tfdt.length < 12) return false;
      this.#time = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
    } else if (type === 'mdat' && this.#codec) {
      const keyFrame = hasKeyFrame(body);
      const data = keyFrame ? Buffer.concat([this.#codec.prefix, body]) : Buffer.from(body);
      this.#picture({ codec: this.#codec, time: this.#time, keyFrame, data });
    }
    return true;
  }
}

/** The body of the first box of that name, wherever it stands: the boxes around it are known to hold no such bytes before. */
function inside(data: Buffer, type: string): Buffer | null {
  const at = data.indexOf(type, 0, 'latin1');
  if (at < 4) return null;
  const size = data.readUInt32BE(at - 4);
  return size < 8 || at - 4 + size > data.length ? null : data.subarray(at + 4, at - 4 + size);
}

function readAvcRecord(record: Buffer | null): CodecInfo | null {
  if (!record || record.length < 7) return null;
  const sets: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (record[at++] ?? 0) & mask;
    for (let i = 0; i < count && at + 2 <= record.length; i++) {
      const end = at + 2 + record.readUInt16BE(at);
      sets.push(record.subarray(at + 2, end));
      at = end;
    }
  }
  return new ParameterSets(
    'h264',
    sets.filter((set) => set.length > 0),
  ).codec();
}

function hasKeyFrame(units: Buffer): boolean {
  for (let at = 0; at + 5 <= units.length; at += 4 + units.readUInt32BE(at)) {
    if ((units[at + 4]! & 0x1f) === 5) return true;
  }
  return false;
}
