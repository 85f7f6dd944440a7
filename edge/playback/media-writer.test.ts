import { expect, it } from 'vitest';
import { AAC, FakeSource, H264 } from '../live/testing/fake-source.ts';
import { type MediaSink, MediaWriter } from './media-writer.ts';

/* What a device sends may stand beside nothing. */
function write() {
  const sizes: number[] = [];
  let begun: boolean | null = null;
  const sink: MediaSink = {
    expect: () => {},
    init: (_, audio) => {
      begun = audio !== null;
    },
    fragment: (_, bytes) => sizes.push(bytes.length),
    sound: () => {},
  };
  return { writer: new MediaWriter(sink), sizes, begun: () => begun };
}

it('sound without pictures beside it is not kept for ever', async () => {
  const { writer, sizes, begun } = write();
  const source = new FakeSource(H264);
  const unit = source.push(true);
  writer.picture({ unit, recordedMs: 0, shown: 0 }, true);
  const { wallMs, monoMs, epoch } = unit;
  for (let i = 0; i < 20_000; i++) {
    const frame = { codec: AAC, data: Buffer.alloc(100), time: i * 1024, wallMs, monoMs, epoch };
    writer.sound(frame, i * 64);
  }
  expect(begun()).toBe(true);
  await writer.end();
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500_000);
});

it('pictures wait for announced sound, but not all of them for a time that does not come', () => {
  const { writer, sizes, begun } = write();
  const source = new FakeSource(H264);
  const unit = source.push(true, 4_000_000);
  for (let shown = 0; shown < 12; shown++) writer.picture({ unit, recordedMs: 0, shown }, true);
  expect([begun(), sizes.length > 0]).toEqual([false, true]);
});
