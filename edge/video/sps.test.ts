import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSps } from './sps.ts';
import { H264_SETS, H264_SMALL_SETS, H265_SETS } from './testing/packets.ts';

describe('sequence parameter sets', () => {
  it.each([
    ['high, cropped to 1080 lines', H264_SETS.sps, 'avc1.640028', 1920, 1080],
    ['baseline', H264_SMALL_SETS.sps, 'avc1.42c01e', 640, 360],
    ['interlaced', '6764001eacd940b424d8088000000300800000190f8a14cb', 'avc1.64001e', 720, 576],
    ['4:4:4', '67f4000d919b282a10f1f1f808800000030080000019078a14cb', 'avc1.f4000d', 322, 242],
    ['with scaling lists', '6764000dacd94141fb011000000300100000030320f1429960', 'avc1.64000d', 320, 240],
  ])('H.264 %s', (_, sps, codec, width, height) => {
    const nal = typeof sps === 'string' ? Buffer.from(sps, 'hex') : sps;
    expect(parseSps('h264', nal)).toMatchObject({ codec, width, height });
  });

  it('H.265 main and main 10', () => {
    expect(parseSps('h265', H265_SETS.sps)).toMatchObject({
      codec: 'hvc1.1.6.L120.90',
      width: 1920,
      height: 1080,
    });
    const main10 = '420101022000000300900000030000030096a001402005a1365959a4932bc05a020000030002000003003210';
    expect(parseSps('h265', Buffer.from(main10, 'hex'))).toMatchObject({
      codec: 'hvc1.2.4.L150.90',
      width: 2560,
      height: 1440,
      bitDepthLuma: 10,
    });
  });

  it('reads the size although what follows is cut off, and refuses what is none', () => {
    const short = H264_SETS.sps.subarray(0, 13);
    expect(parseSps('h264', short)).toMatchObject({ width: 1920, height: 1080 });
    fc.assert(
      fc.property(
        fc.constantFrom('h264' as const, 'h265' as const),
        fc.uint8Array({ maxLength: 80 }),
        (kind, bytes) => {
          const info = parseSps(kind, Buffer.from(bytes));
          if (info) expect(info.width).toBeGreaterThan(0);
        },
      ),
    );
  });
});
