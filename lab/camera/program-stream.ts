import { TONE } from './recorded-packets.ts';

/** One picture, NAL units with start codes. */
export interface PsPicture {
  ms: number;
  keyFrame: boolean;
  data: Buffer;
}

const CLOCK = 90;
/** As these devices cut pictures. */
const PES_BYTES = 5_000;
const SOUND_MS = 40;
const SILENCE = Buffer.alloc(TONE.length, 0xff);
const BEEP_MS = 200;

/**
 * What these devices write on their disks: a header of 40 bytes, then MPEG-PS in which every picture begins with a pack, every
 * key frame with a system header and a stream map, and G.711 comes in pieces of 40 ms. It beeps at the beginning of every
 * second, so that it shows whether sound and pictures are in step.
 */
export class ProgramStream {
  readonly #kind: 'h264' | 'h265';
  /** Of the first picture: times of a file begin anywhere. */
  readonly #base: number;
  #fromMs: number | null = null;
  #soundMs = 0;

  constructor(kind: 'h264' | 'h265', base = 2 ** 31 - 90_000) {
    this.#kind = kind;
    this.#base = base;
  }

  header(): Buffer {
    const header = Buffer.alloc(40);
    header.write('IMKH', 0, 'latin1');
    header.writeUInt16LE(0x0101, 4);
    header.writeUInt16LE(2, 8);
    header.writeUInt16LE(this.#kind === 'h265' ? 5 : 0x0100, 10);
    return header;
  }

  picture({ ms, keyFrame, data }: PsPicture): Buffer {
    this.#fromMs ??= ms;
    const at = Math.round(ms - this.#fromMs);
    const parts = [pack(this.#ticks(at))];
    if (keyFrame) parts.push(SYSTEM, map(this.#kind));
    for (let from = 0; from < data.length; from += PES_BYTES)
      parts.push(pes(0xe0, data.subarray(from, from + PES_BYTES), from === 0 ? this.#ticks(at) : null));
    for (; this.#soundMs + SOUND_MS <= at; this.#soundMs += SOUND_MS) {
      const beeps = (this.#fromMs + this.#soundMs) % 1000 < BEEP_MS;
      parts.push(
        pes(0xc0, beeps ? Buffer.concat([TONE, TONE]) : Buffer.concat([SILENCE, SILENCE]), this.#ticks(this.#soundMs)),
      );
    }
    return Buffer.concat(parts);
  }

  end(): Buffer {
    return Buffer.from([0, 0, 1, 0xb9]);
  }

  #ticks(ms: number): number {
    return this.#base + ms * CLOCK;
  }
}

/** ISO/IEC 13818-1 §2.5.3.3. */
function pack(ticks: number): Buffer {
  const scr = BigInt(Math.round(ticks));
  let bits = 0b01n;
  for (const [value, width] of [
    [scr >> 30n, 3n],
    [1n, 1n],
    [scr >> 15n, 15n],
    [1n, 1n],
    [scr, 15n],
    [1n, 1n],
    [0n, 9n],
    [1n, 1n],
    [50_000n, 22n],
    [3n, 2n],
    [0x1fn, 5n],
    [0n, 3n],
  ] as const)
    bits = (bits << width) | (value & ((1n << width) - 1n));
  return Buffer.concat([Buffer.from([0, 0, 1, 0xba]), Buffer.from(bits.toString(16).padStart(20, '0'), 'hex')]);
}

/** §2.5.3.5: one video and one sound stream. */
const SYSTEM = Buffer.from('000001bb000c80c3510421ffe0e0ffc0c020', 'hex');

/** §2.5.4.1, with a descriptor of the maker's own. */
function map(kind: 'h264' | 'h265'): Buffer {
  const own = Buffer.from('400e484b0100140000000000000000ff', 'hex');
  const streams = Buffer.from([kind === 'h265' ? 0x24 : 0x1b, 0xe0, 0, 0, 0x91, 0xc0, 0, 0]);
  const body = Buffer.concat([
    Buffer.from([0xe0, 0xff, 0, own.length]),
    own,
    Buffer.from([0, streams.length]),
    streams,
  ]);
  const head = Buffer.from([0, 0, 1, 0xbc, 0, body.length + 4]);
  const whole = Buffer.concat([head, body]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(whole));
  return Buffer.concat([whole, crc]);
}

/** Annex A. */
function crc32(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte << 24;
    for (let i = 0; i < 8; i++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** §2.4.3.6. */
function pes(id: number, data: Buffer, ticks: number | null): Buffer {
  const stamp = Buffer.alloc(ticks === null ? 0 : 5);
  if (ticks !== null) {
    const t = BigInt(Math.round(ticks));
    stamp[0] = 0x21 | (Number((t >> 30n) & 7n) << 1);
    stamp.writeUInt16BE((Number((t >> 15n) & 0x7fffn) << 1) | 1, 1);
    stamp.writeUInt16BE((Number(t & 0x7fffn) << 1) | 1, 3);
  }
  const head = Buffer.from([0, 0, 1, id, 0, 0, 0x80, ticks === null ? 0 : 0x80, stamp.length]);
  head.writeUInt16BE(3 + stamp.length + data.length, 4);
  return Buffer.concat([head, stamp, data]);
}
