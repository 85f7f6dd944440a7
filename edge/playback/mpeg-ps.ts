import type { VideoKind } from '../video/codec.ts';

/** What a program stream says that is in it; `other`: something that nobody here takes. */
export type PsVideo = VideoKind | 'other';
export type PsSound = 'pcmu' | 'pcma' | 'aac' | 'other';

/** Takes pieces of the elementary streams: views that are valid until the call returns. `pts`: 90 kHz, its low 32 bits. */
export interface PsSink {
  /** What there is; before its pieces, and again when it changes. Devices say it before every key frame. */
  map(video: PsVideo | null, sound: PsSound | null): void;
  video(data: Buffer, pts: number | null): void;
  sound(data: Buffer, pts: number | null): void;
}

/** Stream types: ISO/IEC 13818-1 table 2-34, and those of G.711 in these devices' files. */
const VIDEO: Record<number, PsVideo> = { 27: 'h264', 36: 'h265' };
const SOUND: Record<number, PsSound> = { 15: 'aac', 144: 'pcma', 145: 'pcmu' };

/** In front of the stream, as these devices write it. */
const MEDIA_HEADER = Buffer.from('IMKH');
const MEDIA_HEADER_BYTES = 40;
/** Bytes that belong to nothing: a damaged place has fewer, something else than a program stream has more. */
const MAX_STRAY_BYTES = 1024 * 1024;
const PREFIX = Buffer.from([0, 0, 1]);
const [END, PACK, MAP] = [0xb9, 0xba, 0xbc];

/**
 * Takes an MPEG program stream apart (ISO/IEC 13818-1 §2.5): packs, the stream map, PES packets of the first video and the
 * first sound stream. Of everything else only the length is read.
 */
export class PsReader {
  readonly #sink: PsSink;
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;
  #stray = 0;
  #videoId: number | null = null;
  #soundId: number | null = null;

  constructor(sink: PsSink) {
    this.#sink = sink;
  }

  /** False: this is no program stream. Nothing of `chunk` is kept but the beginning of a packet. */
  push(chunk: Buffer): boolean {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    if (!this.#begun) {
      if (data.length < MEDIA_HEADER_BYTES + 4) {
        this.#rest = Buffer.from(data);
        return true;
      }
      if (data.subarray(0, 4).equals(MEDIA_HEADER)) at = MEDIA_HEADER_BYTES;
      // Other makers put nothing, or something else, before the first pack.
      this.#begun = true;
    }
    while (data.length - at >= 6) {
      const id = data[at + 3]!;
      const isStart = data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1 && id >= END;
      const length = isStart ? lengthOf(data, at, id) : null;
      if (length === null) {
        const next = data.indexOf(PREFIX, at + 1);
        // A prefix may be cut in two.
        const to = next < 0 ? data.length - 2 : next;
        this.#stray += to - at;
        if (this.#stray > MAX_STRAY_BYTES) return false;
        at = to;
        continue;
      }
      if (data.length - at < length) break;
      if (id > END) this.#packet(id, data.subarray(at, at + length));
      at += length;
    }
    this.#rest = Buffer.from(data.subarray(at));
    return true;
  }

  #packet(id: number, packet: Buffer): void {
    if (id === MAP) this.#map(packet);
    else if (id >= 0xe0 && id <= 0xef) {
      this.#videoId ??= id;
      if (id === this.#videoId) this.#pes(packet, this.#sink.video);
    } else if (id >= 0xc0 && id <= 0xdf) {
      this.#soundId ??= id;
      if (id === this.#soundId) this.#pes(packet, this.#sink.sound);
    }
  }

  /** §2.4.3.6. */
  #pes(packet: Buffer, to: PsSink['video']): void {
    if (packet.length < 9 || packet[6]! >> 6 !== 2) return;
    const start = 9 + packet[8]!;
    if (start > packet.length) return;
    const timed = (packet[7]! & 0x80) !== 0 && packet[8]! >= 5;
    to.call(this.#sink, packet.subarray(start), timed ? timestamp(packet, 9) : null);
  }

  /** §2.5.4.1: descriptors of the program, then type, id and descriptors of each stream. */
  #map(packet: Buffer): void {
    if (packet.length < 12) return;
    let at = 10 + packet.readUInt16BE(8);
    if (at + 2 > packet.length) return;
    const end = Math.min(packet.length - 4, at + 2 + packet.readUInt16BE(at));
    at += 2;
    let video: PsVideo | null = null;
    let sound: PsSound | null = null;
    while (at + 4 <= end) {
      const [type, id] = [packet[at]!, packet[at + 1]!];
      if (id >= 0xe0 && id <= 0xef) video ??= VIDEO[type] ?? 'other';
      else if (id >= 0xc0 && id <= 0xdf) sound ??= SOUND[type] ?? 'other';
      at += 4 + packet.readUInt16BE(at + 2);
    }
    this.#sink.map(video, sound);
  }
}

/** Of a whole packet that begins at `at`; null: it makes no sense. */
function lengthOf(data: Buffer, at: number, id: number): number | null {
  if (id === END) return 4;
  if (id !== PACK) {
    const length = data.readUInt16BE(at + 4);
    // Without a length it could not be told from what follows (allowed in transport streams alone).
    return length === 0 ? null : 6 + length;
  }
  const kind = data[at + 4]!;
  // MPEG-2 with stuffing, MPEG-1. What is not there yet is waited for.
  if (kind >> 6 === 1) return 14 + ((data[at + 13] ?? 0) & 7);
  return kind >> 4 === 2 ? 12 : null;
}

/** 33 bits in five bytes, of which the highest is left out. */
function timestamp(data: Buffer, at: number): number {
  const high = (data[at]! >> 1) & 3;
  return (
    ((high << 30) |
      (data[at + 1]! << 22) |
      ((data[at + 2]! >> 1) << 15) |
      (data[at + 3]! << 7) |
      (data[at + 4]! >> 1)) >>>
    0
  );
}
