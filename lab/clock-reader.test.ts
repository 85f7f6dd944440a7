import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Frame, readClock } from './clock-reader.ts';
import { decodeClocks } from './decode-clocks.ts';
import { startLab } from './testing/start-lab.ts';

/** What picture.py draws, without the picture: an own encoder would repeat the reader's mistakes. */
function drawn(ms: number): Frame {
  const script = `
import sys; sys.path.insert(0, ${JSON.stringify(`${import.meta.dirname}/camera`)})
from picture import Picture
sys.stdout.buffer.write(Picture("camera-1").draw(${ms} / 1000)[:1280 * 720])`;
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-B', '-c', script], { maxBuffer: 1e7 });
  expect(stderr.toString()).toBe('');
  return { data: new Uint8Array(stdout), width: 1280, height: 720, channels: 1 };
}
const frame = drawn(1_767_225_599_123);

function scaled({ data, width, height }: Frame, factor: number, change = (value: number) => value): Frame {
  const [w, h] = [Math.round(width * factor), Math.round(height * factor)];
  const out = new Uint8ClampedArray(w * h * 4);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      out.fill(
        change(data[Math.floor(y / factor) * width + Math.floor(x / factor)]!),
        (y * w + x) * 4,
        (y * w + x) * 4 + 3,
      );
  return { data: out, width: w, height: h, channels: 4 };
}

describe('machine-readable clock', () => {
  it('is read from what the camera draws, gray and RGBA, at other sizes', () => {
    expect(readClock(frame)).toBe(1_767_225_599_123);
    for (const factor of [1, 0.75, 0.5, 0.3]) expect(readClock(scaled(frame, factor))).toBe(1_767_225_599_123);
  });

  it('survives noise and loss of contrast', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 60 }), (noise, lift) => {
        let n = 7;
        const damage = (value: number) => {
          n = (n * 48_271) % 2_147_483_647;
          return lift + (value * (220 - lift)) / 255 + ((n % 100) / 100 - 0.5) * noise * 2;
        };
        expect(readClock(scaled(frame, 0.5, damage))).toBe(1_767_225_599_123);
      }),
      { numRuns: 20 },
    );
  });

  it('is null rather than wrong: other pictures, one flipped cell', () => {
    expect(readClock({ data: new Uint8Array(1280 * 720).fill(128), width: 1280, height: 720, channels: 1 })).toBeNull();
    for (let cell = 0; cell < 56; cell++) {
      const data = Uint8Array.from(frame.data);
      for (let y = 24; y < 64; y++)
        for (let x = (4 + cell) * 20; x < (5 + cell) * 20; x++) data[y * 1280 + x] = 255 - data[y * 1280 + x]!;
      expect(readClock({ ...frame, data })).toBeNull();
    }
  });

  it('is now after H.264 and RTSP', async () => {
    const lab = await startLab({ video: true, cameras: 1 });
    try {
      const { address, rtspPort, username, password } = lab.camera(1);
      const url = `rtsp://${username}:${encodeURIComponent(password)}@${address}:${rtspPort}/Streaming/Channels/101`;
      const low = ['-fflags', 'nobuffer', '-flags', 'low_delay', '-probesize', '32768', '-analyzeduration', '0'];
      const pictures = await decodeClocks(['-rtsp_transport', 'tcp', ...low, '-i', url], 75);
      expect(pictures).toHaveLength(75);
      for (const { clock } of pictures) expect(clock).not.toBeNull();
      const last = pictures.at(-1)!;
      expect(Math.abs(last.readAt - last.clock!)).toBeLessThan(2_000);
      const steps = pictures.slice(1).map((p, i) => p.clock! - pictures[i]!.clock!);
      expect(Math.min(...steps)).toBeGreaterThan(0);
    } finally {
      await lab.stop();
    }
  });
});
