import type { AudioCodec } from '../video/audio.ts';
import type { CodecInfo } from '../video/codec.ts';

/*
 * Fragmented MP4 (ISO/IEC 14496-12, -15):
 *
 *   init segment   ftyp  moov(mvhd trak(tkhd mdia(mdhd hdlr minf(vmhd dinf stbl)))… mvex(mehd trex…))
 *   fragment       moof(mfhd traf(tfhd tfdt trun)…)  mdat
 *
 * The first track is the pictures, the second one, where there is one, their sound.
 *
 * Init segment and fragments one after the other are a file that plays. Parameter sets stand in the init segment alone
 * (`avc1`, `hvc1`: Safari plays no other). Pictures run at 90 kHz from 0, sound at its clock rate. `mehd` says 0 while the length is not known:
 * whoever joins a finished clip may write it there, in milliseconds.
 */
export const TIMESCALE = 90_000;

/** One picture as MP4 keeps it: NAL units behind their lengths, times in 90 kHz. */
export interface Sample {
  data: Buffer;
  duration: number;
  compositionOffset: number;
  keyFrame: boolean;
}

const u8 = (...values: number[]) => Buffer.from(values);
const u16 = (...values: number[]) => Buffer.from(values.flatMap((v) => [(v >> 8) & 255, v & 255]));
function u32(...values: number[]): Buffer {
  const out = Buffer.allocUnsafe(values.length * 4);
  for (const [i, v] of values.entries()) out.writeUInt32BE(v >>> 0, i * 4);
  return out;
}
function u64(value: number): Buffer {
  const out = Buffer.allocUnsafe(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}
function box(type: string, ...parts: Buffer[]): Buffer {
  const size = parts.reduce((sum, p) => sum + p.length, 8);
  return Buffer.concat([u32(size), Buffer.from(type, 'latin1'), ...parts], size);
}
const fullBox = (type: string, version: number, flags: number, ...parts: Buffer[]) =>
  box(type, u32(version * 2 ** 24 + flags), ...parts);

const SYNC = 0x02000000;
const NOT_SYNC = 0x01010000;
/** Track numbers. */
const PICTURES = 1;
const SOUND = 2;
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/** The head of a clip: everything a decoder must know before the first fragment. `audio`: of the sound in it, AAC or Opus. */
export function initSegment(codec: CodecInfo, audio?: AudioCodec): Buffer {
  const { width, height } = codec;
  const ftyp = box('ftyp', Buffer.from('iso6'), u32(0), Buffer.from('iso6isommp41'));
  const mvhd = fullBox(
    'mvhd',
    0,
    0,
    u32(0, 0, 1000, 0, 0x10000),
    u16(0x100, 0),
    u32(0, 0),
    MATRIX,
    Buffer.alloc(24),
    u32(audio ? SOUND + 1 : PICTURES + 1),
  );
  const traks = [
    trak({
      id: PICTURES,
      handler: 'vide',
      name: 'video',
      timescale: TIMESCALE,
      volume: 0,
      size: [width * 65_536, height * 65_536],
      header: fullBox('vmhd', 0, 1, Buffer.alloc(8)),
      entry: sampleEntry(codec),
    }),
  ];
  const trexes = [fullBox('trex', 0, 0, u32(PICTURES, 1, 0, 0, 0))];
  if (audio) {
    traks.push(
      trak({
        id: SOUND,
        handler: 'soun',
        name: 'sound',
        timescale: audio.clockRate,
        volume: 0x100,
        size: [0, 0],
        header: fullBox('smhd', 0, 0, u32(0)),
        entry: soundEntry(audio),
      }),
    );
    trexes.push(fullBox('trex', 0, 0, u32(SOUND, 1, 0, 0, SYNC)));
  }
  return Buffer.concat([ftyp, box('moov', mvhd, ...traks, box('mvex', fullBox('mehd', 1, 0, u64(0)), ...trexes))]);
}

interface Trak {
  id: number;
  handler: 'vide' | 'soun';
  name: string;
  timescale: number;
  volume: number;
  size: [width: number, height: number];
  header: Buffer;
  entry: Buffer;
}

/** A track without samples of its own (ISO/IEC 14496-12 §8.3): they come in fragments. */
function trak({ id, handler, name, timescale, volume, size, header, entry }: Trak): Buffer {
  // Enabled, in movie; size as 16.16.
  const tkhd = fullBox('tkhd', 0, 3, u32(0, 0, id, 0, 0, 0, 0), u16(0, 0, volume, 0), MATRIX, u32(...size));
  const mdhd = fullBox('mdhd', 0, 0, u32(0, 0, timescale, 0), u16(0x55c4, 0));
  const hdlr = fullBox('hdlr', 0, 0, u32(0), Buffer.from(handler), Buffer.alloc(12), Buffer.from(`${name}\0`));
  const dinf = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const empty = [fullBox('stts', 0, 0, u32(0)), fullBox('stsc', 0, 0, u32(0)), fullBox('stsz', 0, 0, u32(0, 0))];
  const stbl = box('stbl', fullBox('stsd', 0, 0, u32(1), entry), ...empty, fullBox('stco', 0, 0, u32(0)));
  return box('trak', tkhd, box('mdia', mdhd, hdlr, box('minf', header, dinf, stbl)));
}

/** VisualSampleEntry (ISO/IEC 14496-12 §12.1.3) with the decoder configuration record. */
function sampleEntry(codec: CodecInfo): Buffer {
  const h264 = codec.kind === 'h264';
  return box(
    h264 ? 'avc1' : 'hvc1',
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(16),
    u16(codec.width, codec.height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    Buffer.alloc(32),
    u16(24, 0xffff),
    h264 ? box('avcC', avcRecord(codec)) : box('hvcC', hevcRecord(codec)),
  );
}

/** AudioSampleEntry (ISO/IEC 14496-12 §12.2.3) with an `esds` box (ISO/IEC 14496-14 §3.1), or `dOps` ("Opus in ISOBMFF" §4.3.2). */
function soundEntry({ kind, channels, clockRate, config }: AudioCodec): Buffer {
  if (kind === 'opus') {
    const entry = [Buffer.alloc(6), u16(1), u32(0, 0), u16(channels, 16, 0, 0), u16(clockRate, 0)];
    // Nothing to skip at the start, the rate before it was coded, no gain, channels in the usual order.
    return box('Opus', ...entry, box('dOps', u8(0, channels), u16(0), u32(clockRate), u16(0), u8(0)));
  }
  const descriptor = (tag: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([u8(tag, 0x80, 0x80, 0x80, body.length), body]);
  };
  // MPEG-4 audio, an audio stream; sizes and rates are not said.
  const decoder = descriptor(4, u8(0x40, 0x15, 0, 0, 0), u32(0, 0), descriptor(5, config!));
  const stream = descriptor(3, u16(0), u8(0), decoder, descriptor(6, u8(2)));
  // 96 kHz does not fit, and the configuration says it anyway.
  const rate = clockRate < 65_536 ? clockRate : 0;
  const parts = [Buffer.alloc(6), u16(1), u32(0, 0), u16(channels, 16, 0, 0), u16(rate, 0)];
  return box('mp4a', ...parts, fullBox('esds', 0, 0, stream));
}

const sized = (nal: Buffer) => [u16(nal.length), nal];

/** AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1. */
function avcRecord({ sps, pps, chromaFormat, bitDepthLuma, bitDepthChroma }: CodecInfo): Buffer {
  const first = sps[0]!;
  const profile = first[1]!;
  const parts = [
    u8(1, profile, first[2]!, first[3]!, 0xff, 0xe0 | sps.length, ...sps.flatMap(sized).flatMap((b) => [...b])),
    u8(pps.length, ...pps.flatMap(sized).flatMap((b) => [...b])),
  ];
  if (![66, 77, 88].includes(profile)) {
    parts.push(u8(0xfc | chromaFormat, 0xf8 | (bitDepthLuma - 8), 0xf8 | (bitDepthChroma - 8), 0));
  }
  return Buffer.concat(parts);
}

/** HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1. */
function hevcRecord(codec: CodecInfo): Buffer {
  const arrays = [
    [32, codec.vps],
    [33, codec.sps],
    [34, codec.pps],
  ] as const;
  return Buffer.concat([
    u8(1),
    codec.profileTierLevel!,
    u8(0xf0, 0, 0xfc, 0xfc | codec.chromaFormat, 0xf8 | (codec.bitDepthLuma - 8), 0xf8 | (codec.bitDepthChroma - 8)),
    u8(0, 0, (codec.temporalLayers << 3) | (codec.temporalNesting ? 4 : 0) | 3, arrays.length),
    // 0x80: all of this kind are here, none in band.
    ...arrays.flatMap(([type, nals]) => [u8(0x80 | type), u16(nals.length), ...nals.flatMap(sized)]),
  ]);
}

/** One piece of sound as MP4 keeps it, its duration in ticks of its own clock rate. */
export interface SoundSample {
  data: Buffer;
  duration: number;
}
export interface FragmentSound {
  /** Of its first sample, in ticks of its clock rate. */
  decodeTime: number;
  samples: SoundSample[];
}

/**
 * One fragment: `sequence` counts from 1, `decodeTime` is that of its first sample. With sound it has a run of each, the
 * pictures' data first.
 */
export function mediaFragment(
  sequence: number,
  decodeTime: number,
  samples: Sample[],
  sound?: FragmentSound | null,
): Buffer {
  const shifted = samples.some((s) => s.compositionOffset !== 0);
  const pictures = samples.map((s) => {
    const row = [s.duration, s.data.length, s.keyFrame ? SYNC : NOT_SYNC];
    return u32(...(shifted ? [...row, s.compositionOffset] : row));
  });
  const sounds = sound?.samples ?? [];
  const pictureBytes = samples.reduce((sum, s) => sum + s.data.length, 0);
  const moof = (dataAt: number) => {
    // Data offset, and for each sample duration, size, flags (and composition offset).
    const runs = [run(PICTURES, 0, decodeTime, 0x000701 | (shifted ? 0x000800 : 0), dataAt, pictures)];
    const rows = sounds.map((s) => u32(s.duration, s.data.length));
    if (rows.length > 0) runs.push(run(SOUND, SYNC, sound!.decodeTime, 0x000301, dataAt + pictureBytes, rows));
    return box('moof', fullBox('mfhd', 0, 0, u32(sequence)), ...runs.slice(samples.length > 0 ? 0 : 1));
  };
  const size = moof(0).length;
  const bytes = sounds.reduce((sum, s) => sum + s.data.length, pictureBytes + 8);
  const data = [...samples, ...sounds].map((s) => s.data);
  return Buffer.concat([moof(size + 8), u32(bytes), Buffer.from('mdat'), ...data]);
}

/** ISO/IEC 14496-12 §8.8.6–8.8.8; sizes and offsets count from the `moof`. */
function run(
  id: number,
  sampleFlags: number,
  decodeTime: number,
  flags: number,
  dataAt: number,
  rows: Buffer[],
): Buffer {
  return box(
    'traf',
    sampleFlags ? fullBox('tfhd', 0, 0x020020, u32(id, sampleFlags)) : fullBox('tfhd', 0, 0x020000, u32(id)),
    fullBox('tfdt', 1, 0, u64(decodeTime)),
    // Version 1: composition offsets are signed.
    fullBox('trun', 1, flags, u32(rows.length, dataAt), ...rows),
  );
}
