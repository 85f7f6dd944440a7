import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioCodec } from '../video/audio.ts';
import { initSegment, mediaFragment, type Sample } from './fmp4.ts';
import { Fragmenter } from './fragmenter.ts';
import { boxes, codecs, find, readFragment, unit } from './testing/parts.ts';

describe('fragmented MP4', () => {
  it('describes H.264 and H.265 as avc1 and hvc1, with their parameter sets', () => {
    for (const codec of Object.values(codecs)) {
      const init = initSegment(codec);
      expect(boxes(init).map((b) => b.type)).toEqual(['ftyp', 'moov']);
      const entry = find(init, 'moov/trak/mdia/minf/stbl/stsd')!.subarray(8);
      expect(entry.toString('latin1', 4, 8)).toBe(codec.kind === 'h264' ? 'avc1' : 'hvc1');
      expect([entry.readUInt16BE(32), entry.readUInt16BE(34)]).toEqual([codec.width, codec.height]);
      for (const nal of [...codec.vps, ...codec.sps, ...codec.pps]) expect(entry.includes(nal)).toBe(true);
      expect(find(init, 'moov/mvex/mehd')!.readBigUInt64BE(4)).toBe(0n);
    }
  });

  it('says of every sample where it is, how long it lasts and whether it stands alone', () => {
    const sample = fc.record({
      data: fc.uint8Array({ minLength: 1, maxLength: 200 }).map((b) => Buffer.from(b)),
      duration: fc.integer({ min: 1, max: 900_000 }),
      compositionOffset: fc.constantFrom(0, 0, 0, 3600, -1800),
      keyFrame: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (samples: Sample[], decodeTime) => {
          const data = mediaFragment(7, decodeTime, samples);
          expect(boxes(data).map((b) => b.type)).toEqual(['moof', 'mdat']);
          expect(find(data, 'moof/mfhd')!.readUInt32BE(4)).toBe(7);
          const read = readFragment(data);
          expect(read.decodeTime).toBe(decodeTime);
          let at = read.dataOffset;
          for (const [i, row] of read.rows.entries()) {
            const s = samples[i]!;
            expect(data.subarray(at, at + row.size).equals(s.data)).toBe(true);
            expect([row.duration, row.sync, row.compositionOffset]).toEqual([
              s.duration,
              s.keyFrame,
              s.compositionOffset,
            ]);
            at += row.size;
          }
          expect(at).toBe(data.length);
        },
      ),
    );
  });
});

describe('sound in an MP4', () => {
  const aac: AudioCodec = {
    kind: 'aac',
    clockRate: 16_000,
    channels: 1,
    config: Buffer.from('1408', 'hex'),
    codec: 'mp4a.40.2',
  };

  it('has a track of its own and a run of its own behind the pictures of each fragment', () => {
    const init = initSegment(codecs.big, aac);
    const moov = boxes(find(init, 'moov')!);
    expect(moov.map((b) => b.type)).toEqual(['mvhd', 'trak', 'trak', 'mvex']);
    const entry = find(moov[2]!.body, 'mdia/minf/stbl/stsd')!;
    expect(entry.includes(Buffer.from('esds'))).toBe(true);
    expect(entry.includes(Buffer.from('05808080021408', 'hex'))).toBe(true);
    const samples = [{ data: Buffer.alloc(300, 1), duration: 3600, compositionOffset: 0, keyFrame: true }];
    const sounds = [2, 3].map((n) => ({ data: Buffer.alloc(40, n), duration: 1024 }));
    const data = mediaFragment(3, 90_000, samples, { decodeTime: 16_000, samples: sounds });
    const trafs = boxes(find(data, 'moof')!).filter((b) => b.type === 'traf');
    const runs = trafs.map((t) => find(t.body, 'trun')!);
    expect(trafs.map((t) => find(t.body, 'tfhd')!.readUInt32BE(4))).toEqual([1, 2]);
    expect(trafs.map((t) => Number(find(t.body, 'tfdt')!.readBigUInt64BE(4)))).toEqual([90_000, 16_000]);
    const at = runs.map((r) => data[r.readUInt32BE(8)]);
    expect(at).toEqual([1, 2]);
    expect([runs[1]!.readUInt32BE(4), runs[1]!.readUInt32BE(12), runs[1]!.readUInt32BE(16)]).toEqual([2, 1024, 40]);
    const alone = mediaFragment(4, 0, [], { decodeTime: 5, samples: sounds });
    expect(boxes(find(alone, 'moof')!).filter((b) => b.type === 'traf')).toHaveLength(1);
    expect(mediaFragment(3, 0, samples, null)).toEqual(mediaFragment(3, 0, samples));
  });

  it('takes the highest rate of AAC', () => {
    const most = { ...aac, clockRate: 96_000, config: Buffer.from('1008', 'hex') };
    expect(initSegment(codecs.big, most).includes('mp4a')).toBe(true);
  });
});

describe('cutting fragments', () => {
  it('keeps every picture, in order, on a time line from 0 with holes only where pictures are missing, whatever times the camera gives', () => {
    const step = fc.record({
      keyFrame: fc.boolean(),
      ticks: fc.integer({ min: 1, max: 200_000 }),
      newEpoch: fc.boolean(),
      bytes: fc.integer({ min: 10, max: 400 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
        const sizes: number[] = [];
        let expected = 0;
        let ends = 0;
        const fragmenter = new Fragmenter((cut) => {
          const hole = cut.decodeTime - expected;
          expect(hole === 0 || (expected > 0 && hole > 90_000 - 90_000 / 3)).toBe(true);
          expect(hole <= 200_000).toBe(true);
          expect(cut.keyFrame).toBe(cut.samples[0]!.keyFrame);
          // Key frames begin fragments.
          expect(cut.samples.slice(1).some((s) => s.keyFrame)).toBe(false);
          const ticks = cut.samples.reduce((sum, s) => sum + s.duration, 0);
          expect(cut.durationMs).toBe(Math.round(ticks / 90));
          expected = cut.decodeTime + ticks;
          sizes.push(...cut.samples.map((s) => s.data.length));
          ends++;
        });
        let [time, mono, epoch] = [5_000_000, 0, 3];
        const units = steps.map(({ keyFrame, ticks, newEpoch, bytes }) => {
          mono += ticks / 90;
          time = newEpoch ? 77 : time + ticks;
          epoch += newEpoch ? 1 : 0;
          return unit(codecs.big, keyFrame, { time, epoch, monoMs: mono, bytes });
        });
        for (const u of units) fragmenter.add(u);
        fragmenter.end();
        expect(sizes).toEqual(units.map((u) => u.data.length - (u.keyFrame ? codecs.big.prefix.length : 0)));
        expect(ends).toBeGreaterThan(0);
      }),
    );
  });

  it('leaves out what is shown before a recovery point that a clip begins with', () => {
    const samples: number[] = [];
    const fragmenter = new Fragmenter((cut) => samples.push(...cut.samples.map((s) => s.data.length)));
    const picture = (n: number, shown: number, more = {}) =>
      unit(codecs.big, false, { time: n * 3600, compositionOffset: (shown - n) * 3600, bytes: 100 + shown, ...more });
    fragmenter.add(
      picture(0, 2, { keyFrame: true, recovery: true, data: unit(codecs.big, true, { bytes: 102 }).data }),
    );
    for (const [n, shown] of [
      [1, 0],
      [2, 1],
      [3, 5],
      [4, 3],
      [5, 4],
    ] as const)
      fragmenter.add(picture(n, shown));
    fragmenter.end();
    expect(samples.map((bytes) => bytes - 104)).toEqual([2, 5, 3, 4]);
  });

  it('cuts every second, and sooner what is large', () => {
    const cuts: number[] = [];
    const fragmenter = new Fragmenter((cut) => cuts.push(cut.durationMs));
    for (let i = 0; i < 100; i++) fragmenter.add(unit(codecs.big, i === 0, { time: i * 3600 }));
    fragmenter.flush();
    for (let i = 100; i < 110; i++) fragmenter.add(unit(codecs.big, false, { time: i * 3600, bytes: 200_000 }));
    expect(cuts).toEqual([1000, 1000, 1000, 960, 160, 120, 120]);
  });
});
