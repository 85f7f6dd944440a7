import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fragmentTiming } from './clip-file.ts';
import { boxes, fileHeader, initInfo, moofTiming } from './mp4.ts';
import { posterOf } from './poster.ts';
import { type SampleFragment, sampleClip } from './testing/sample.ts';

let sample: SampleFragment[];
let dir: string;
beforeAll(() => {
  sample = sampleClip({ seconds: 5 });
  dir = mkdtempSync(join(tmpdir(), 'gatepost-mp4-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('fragmented MP4', () => {
  it('reads track and timing as ffmpeg wrote them', () => {
    const [init, ...media] = sample;
    expect(initInfo(init!.data)).toEqual({ trackId: 1, timescale: 12800 });
    expect(media.map((f) => moofTiming(f.data))).toEqual(
      media.map((_, i) => ({ decodeTime: i * 12800, ticks: 12800 })),
    );
  });

  it('makes a file whose length and index a player believes', () => {
    const [init, ...media] = sample;
    const entries = media.map((f) => ({ size: f.size, ticks: 12800, keyFrame: true }));
    const header = fileHeader(init!.data, entries);
    expect([...boxes(header)].map((b) => b.type)).toEqual(['ftyp', 'moov', 'sidx']);
    const path = join(dir, 'clip.mp4');
    // Only a part of it: the length must come from the header, not from what is there.
    writeFileSync(path, Buffer.concat([header, media[0]!.data]));
    const probe = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', path];
    expect(Number(execFileSync('ffprobe', probe).toString())).toBeCloseTo(5, 1);
    expect(header.length).toBeLessThan(init!.size + 200);
  });

  it('has one mehd, whatever the init segment brought', () => {
    const entries = [{ size: 1, ticks: 12800, keyFrame: true }];
    const once = fileHeader(sample[0]!.data, entries);
    const moov = [...boxes(once)].find((b) => b.type === 'moov')!;
    const again = fileHeader(once.subarray(0, moov.end), entries);
    expect(again).toEqual(once);
  });

  it('fails cleanly on anything else', () => {
    const fails = (fn: () => unknown) => {
      try {
        fn();
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    };
    fc.assert(
      fc.property(fc.nat(), fc.nat(255), fc.nat(), (at, value, cut) => {
        for (const [data, fn] of [
          [sample[0]!.data, (d: Buffer) => fileHeader(d, [])],
          [sample[1]!.data.subarray(0, 1000), moofTiming],
        ] as const) {
          const bad = Buffer.from(data.subarray(0, data.length - (cut % 3 === 0 ? cut % data.length : 0)));
          if (bad.length > 0) bad[at % bad.length] = value;
          fails(() => fn(bad));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is no clip', () => {
  it('costs few reads, whatever it is made of', async () => {
    const empty = Buffer.from('0000000866726565', 'hex');
    const data = Buffer.concat(Array.from({ length: 20_000 }, () => empty));
    let reads = 0;
    async function* read(start: number, end: number) {
      reads++;
      yield data.subarray(start, end + 1);
    }
    const content = { size: () => data.length, fragment: (_: number, start: number, end: number) => read(start, end) };
    expect(await fragmentTiming(content as never, 1, data.length)).toBeNull();
    expect(await posterOf({ size: data.length, etag: '', read })).toBeNull();
    expect(reads).toBeLessThan(150);
  });
});
