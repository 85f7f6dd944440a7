import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ICONS, icon } from './icons.ts';

/** The pixels of a PNG as png.ts writes it. */
function pixels(file: Buffer) {
  const size = file.readUInt32BE(16);
  const parts: Buffer[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const rows = inflateSync(Buffer.concat(parts));
  const at = (x: number, y: number) => [...rows.subarray(y * (size * 4 + 1) + 1 + x * 4).subarray(0, 4)];
  return { size, at };
}
const GROUND = [0x28, 0x48, 0xa8, 255];
const INK = [255, 255, 255, 255];

describe.each(Object.entries(ICONS))('%s', (name, shape) => {
  const { size, at } = pixels(icon(shape));

  it('has its size, the ground and the mark', () => {
    expect(size).toBe(shape.size);
    const all = new Set<string>();
    for (let i = 0; i < size; i++) all.add(at(i, size >> 1).join());
    expect(all).toContain(GROUND.join());
    expect(all).toContain(INK.join());
    expect(at(0, 0)).toEqual(name.startsWith('icon') ? [0, 0, 0, 0] : GROUND);
  });

  it.runIf(name.startsWith('maskable'))('keeps its mark within the circle of 80 %', () => {
    const middle = (size - 1) / 2;
    for (let y = 0; y < size; y += 2)
      for (let x = 0; x < size; x += 2)
        if (Math.hypot(x - middle, y - middle) > size * 0.4) expect(at(x, y)).toEqual(GROUND);
  });
});
