import type { CodecInfo } from '../video/codec.ts';

/*
 * Fragmented MP4 (ISO/IEC 14496-12, -15):
 *
 *   init segment   ftyp  moov(mvhd trak(tkhd mdia(mdhd hdlr minf(vmhd dinf stbl))) mvex(mehd trex))
 *   fragment       moof(mfhd traf(tfhd tfdt trun))  mdat
 *
 * Init segment and fragments one after the other are a file that plays. Parameter sets stand in the init segment alone
 * (`avc1`, `hvc1`: Safari plays no other). The media runs at 90 kHz from 0. `mehd` says 0 while the length is not known:
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

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

/** The head of a clip: everything a decoder must know before the first fragment. */
export function initSegment(codec: CodecInfo): Buffer {
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
    u32(2),
  );
  // Enabled, in movie; size as 16.16.
  const tkhd = fullBox(
    'tkhd',
    0,
    3,
    u32(0, 0, 1, 0, 0, 0, 0),
    u16(0, 0, 0, 0),
    MATRIX,
    u32(width * 65_536, height * 65_536),
  );
  const mdhd = fullBox('mdhd', 0, 0, u32(0, 0, TIMESCALE, 0), u16(0x55c4, 0));
  const hdlr = fullBox('hdlr', 0, 0, u32(0), Buffer.from('vide'), Buffer.alloc(12), Buffer.from('video\0'));
  const dinf = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const empty = [fullBox('stts', 0, 0, u32(0)), fullBox('stsc', 0, 0, u32(0)), fullBox('stsz', 0, 0, u32(0, 0))];
  const stbl = box('stbl', fullBox('stsd', 0, 0, u32(1), sampleEntry(codec)), ...empty, fullBox('stco', 0, 0, u32(0)));
  const minf = box('minf', fullBox('vmhd', 0, 1, Buffer.alloc(8)), dinf, stbl);
  const trak = box('trak', tkhd, box('mdia', mdhd, hdlr, minf));
  const mvex = box('mvex', fullBox('mehd', 1, 0, u64(0)), fullBox('trex', 0, 0, u32(1, 1, 0, 0, 0)));
  return Buffer.concat([ftyp, box('moov', mvhd, trak, mvex)]);
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

const SYNC = 0x02000000;
const NOT_SYNC = 0x01010000;

/** One fragment: `sequence` counts from 1, `decodeTime` is that of its first sample. */
export function mediaFragment(sequence: number, decodeTime: number, samples: Sample[]): Buffer {
  const shifted = samples.some((s) => s.compositionOffset !== 0);
  // data offset, and for each sample duration, size, flags (and composition offset)
  const flags = 0x000701 | (shifted ? 0x000800 : 0);
  const table = samples.map((s) => {
    const row = [s.duration, s.data.length, s.keyFrame ? SYNC : NOT_SYNC];
    return u32(...(shifted ? [...row, s.compositionOffset] : row));
  });
  const moof = (dataOffset: number) =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(sequence)),
      box(
        'traf',
        fullBox('tfhd', 0, 0x020000, u32(1)),
        fullBox('tfdt', 1, 0, u64(decodeTime)),
        // Version 1: composition offsets are signed.
        fullBox('trun', 1, flags, u32(samples.length, dataOffset), ...table),
      ),
    );
  const size = moof(0).length;
  const bytes = samples.reduce((sum, s) => sum + s.data.length, 8);
  return Buffer.concat([moof(size + 8), u32(bytes), Buffer.from('mdat'), ...samples.map((s) => s.data)]);
}
