import { describe, expect, it } from 'vitest';
import { H264Depacketizer, H265Depacketizer, type NalSink } from './depacketize.ts';
import { fuA, fuH265, stapA } from './testing/packets.ts';

function count() {
  const got = { units: 0, largest: 0 };
  const sink: NalSink = {
    nal: (nal) => {
      got.units++;
      got.largest = Math.max(got.largest, nal.length);
    },
    begin: () => {},
    append: () => {},
    end: () => {},
  };
  return { got, sink };
}
const filled = (bytes: number, ...head: number[]) => Buffer.concat([Buffer.from(head), Buffer.alloc(bytes, 0x55)]);
const MB = 1024 * 1024;

describe('what claims to be one unit and no picture', () => {
  it.each([
    ['H.264', (bytes: number) => fuA(filled(bytes, 0x67), 60_000), (sink: NalSink) => new H264Depacketizer(sink)],
    [
      'H.265',
      (bytes: number) => fuH265(filled(bytes, 33 << 1, 1), 60_000),
      (sink: NalSink) => new H265Depacketizer(sink, false),
    ],
  ])('is collected up to 4 MB, however it was cut: %s', (_, fragments, make) => {
    const { got, sink } = count();
    const depacketizer = make(sink);
    for (const payload of fragments(3 * MB)) depacketizer.push(payload);
    expect(got.units).toBe(1);
    expect(got.largest).toBeGreaterThan(3 * MB);
    for (const payload of fragments(5 * MB)) depacketizer.push(payload);
    expect(got.units).toBe(1);
    // Nor is more of it kept while its end does not come.
    const pieces = fragments(20 * MB).slice(0, -1);
    const before = process.memoryUsage().external;
    for (const payload of pieces) depacketizer.push(payload);
    expect(process.memoryUsage().external - before).toBeLessThan(8 * MB);
  });

  it('holds no more units than a picture has parts', () => {
    const sets = Array.from({ length: 5_000 }, () => Buffer.from([0x67, 0x42, 0xc0]));
    const together = Buffer.concat(sets.flatMap((set) => [Buffer.from([0, 0, 1]), set]));
    for (const payloads of [[stapA(sets)], fuA(Buffer.concat([Buffer.from([0x67]), together]), 1_400), [together]]) {
      const { got, sink } = count();
      const depacketizer = new H264Depacketizer(sink);
      for (const payload of payloads) depacketizer.push(payload);
      expect(got.units).toBeGreaterThan(200);
      expect(got.units).toBeLessThan(300);
    }
  });
});
