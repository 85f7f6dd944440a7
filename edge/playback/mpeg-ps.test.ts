import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { PsMedia } from './ps-media.ts';
import { UnitCutter } from './unit-cutter.ts';

/** A file that ffmpeg wrote: packets of 2 kB that hold several pictures, no stream map, nothing before the first pack. */
const foreign = (codec: string, more: string[]) =>
  execFileSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25:duration=2', '-c:v', codec],
      ...[...more, '-f', 'vob', 'pipe:1'],
    ],
    { maxBuffer: 1e8 },
  );
const files: Record<string, Buffer> = {
  h264: foreign('libx264', ['-bf', '0', '-g', '25']),
  h265: foreign('libx265', ['-x265-params', 'bframes=0:keyint=25:log-level=none']),
};

function read(file: Buffer, chunk: number) {
  const seen: { ticks: number; key: boolean; kind: string }[] = [];
  const media = new PsMedia({
    clock,
    track: () => {},
    picture: ({ keyFrame, codec }, ticks) => seen.push({ ticks, key: keyFrame, kind: codec.kind }),
    sound: () => {},
  });
  let whole = true;
  for (let at = 0; at < file.length && whole; at += chunk) whole = media.push(file.subarray(at, at + chunk));
  media.end();
  return { seen, whole };
}

describe('a program stream', () => {
  it.each(Object.keys(files))('of another writer is read picture by picture, however it is cut: %s', (kind) => {
    for (const chunk of [65_536, 1_000, 13]) {
      const { seen, whole } = read(files[kind]!, chunk);
      expect(whole).toBe(true);
      expect(seen.map(({ ticks }) => ticks)).toEqual(Array.from({ length: 50 }, (_, i) => i * 3_600));
      expect(seen.filter(({ key }) => key)).toHaveLength(2);
      expect(new Set(seen.map((one) => one.kind))).toEqual(new Set([kind]));
    }
  });

  it('that is damaged loses pictures, and something else is refused', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    for (let round = 0; round < 60; round++) {
      const file = Buffer.from(files[round % 2 ? 'h264' : 'h265']!);
      for (let i = 0; i < 20; i++) file[random(file.length)] = random(256);
      const { seen } = read(file.subarray(0, file.length - random(5_000)), 4_096);
      expect(seen.length).toBeLessThan(60);
    }
    expect(read(Buffer.alloc(3_000_000, 0x47), 65_536)).toEqual({ seen: [], whole: false });
  });

  it('of times without pictures takes no memory, and goes on with the last of them', () => {
    const times: number[] = [];
    const cutter = new UnitCutter('h264', (_, pts) => times.push(pts));
    const picture = Buffer.from([0, 0, 1, 0x65, 0x88, 1, 0, 0, 1]);
    cutter.push(picture, 0);
    const before = process.memoryUsage().heapUsed;
    for (let pts = 1; pts <= 500_000; pts++) cutter.push(Buffer.alloc(0), pts);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
    cutter.push(picture, null);
    cutter.end();
    expect(times).toEqual([0, 500_000]);
  });
});
