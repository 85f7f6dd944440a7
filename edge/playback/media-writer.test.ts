import { expect, it } from 'vitest';
import { AAC, FakeSource, H264, OPUS, PCMU } from '../live/testing/fake-source.ts';
import type { AudioCodec } from '../video/audio.ts';
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

/** What becomes of two seconds of pictures with this sound, `ticks` a frame of it. */
async function written(codec: AudioCodec, ticks: number) {
  const source = new FakeSource(H264);
  const inits: (AudioCodec | null)[] = [];
  const fragments: Buffer[] = [];
  let beside = 0;
  const sink: MediaSink = {
    expect: () => {},
    init: (_, audio) => inits.push(audio),
    fragment: (_, bytes) => fragments.push(bytes),
    sound: () => beside++,
  };
  const writer = new MediaWriter(sink);
  const fits = codec.kind === 'aac' || codec.kind === 'opus';
  let time = 0;
  for (let i = 0; i < 50; i++) {
    const unit = source.push(i % 25 === 0);
    const { wallMs, monoMs, epoch } = unit;
    writer.picture({ unit, recordedMs: wallMs, shown: 90_000 + unit.time }, fits);
    for (; time / codec.clockRate < (i + 1) / 25; time += ticks)
      writer.sound({ codec, data: Buffer.from(`sound${time}.`), time, wallMs, monoMs, epoch }, wallMs);
  }
  await writer.end();
  const all = Buffer.concat(fragments).toString('latin1');
  return { inits, beside, inMp4: all.match(/sound\d+\./g)?.length ?? 0, sent: time / ticks };
}

it.each([
  ['AAC', AAC, 1_024],
  ['Opus', OPUS, 960],
] as const)('%s of a recording goes into the MP4, none of it left out', async (_, codec, ticks) => {
  const { inits, beside, inMp4, sent } = await written(codec, ticks);
  expect(inits).toEqual([codec]);
  expect(beside).toBe(0);
  expect(inMp4).toBe(sent);
});

it('G.711 goes beside it', async () => {
  const { inits, beside, inMp4, sent } = await written(PCMU, 160);
  expect(inits).toEqual([null]);
  expect([beside, inMp4]).toEqual([sent, 0]);
});
