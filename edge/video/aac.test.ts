import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { AacEncoder, ENCODED_AAC } from './aac.ts';
import type { AudioCodec, AudioFrame } from './audio.ts';
import { silent } from './testing/camera.ts';

const PCMU: AudioCodec = { kind: 'pcmu', clockRate: 8000, channels: 1, config: null, codec: 'PCMU' };

/** A tone of µ-law, in frames of 40 ms. */
function tone(n: number, time: number, more: Partial<AudioFrame> = {}): AudioFrame[] {
  const { stdout } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-f', 'lavfi', '-i', `sine=1000:r=8000:d=${n * 0.04}`, '-f', 'mulaw', '-'],
    { maxBuffer: 1e7 },
  );
  return Array.from({ length: n }, (_, i) => ({
    codec: PCMU,
    data: stdout.subarray(i * 320, (i + 1) * 320),
    time: time + i * 320,
    epoch: 3,
    wallMs: 1_000_000 + (time + i * 320) / 8,
    monoMs: (time + i * 320) / 8,
    ...more,
  }));
}

async function encode(frames: AudioFrame[], ffmpeg = 'ffmpeg'): Promise<AudioFrame[]> {
  const out: AudioFrame[] = [];
  const encoder = new AacEncoder({ log: silent, ffmpeg, out: (f) => out.push(f) });
  for (const frame of frames) encoder.push(frame);
  await encoder.end();
  return out;
}

describe('AAC of G.711', () => {
  it('has the times of what went in, and can be heard', async () => {
    const out = await encode(tone(75, 80_000));
    expect(out[0]).toMatchObject({ time: 160_000, epoch: 3, wallMs: 1_010_000, monoMs: 10_000, codec: ENCODED_AAC });
    for (const [i, f] of out.slice(1).entries()) expect(f.time - out[i]!.time).toBe(1024);
    expect(out.length).toBe(Math.ceil(48_000 / 1024));
    const adts = out.map(({ data }) => {
      const length = data.length + 7;
      const head = [0xff, 0xf1, 0x60, 0x40 | (length >> 11), (length >> 3) & 255, ((length & 7) << 5) | 31, 0xfc];
      return Buffer.concat([Buffer.from(head), data]);
    });
    const heard = spawnSync(
      'ffmpeg',
      ['-v', 'info', '-f', 'aac', '-i', '-', '-af', 'volumedetect', '-f', 'null', '-'],
      {
        input: Buffer.concat(adts),
      },
    ).stderr.toString();
    expect(heard).toMatch(/16000 Hz, mono/);
    expect(Number(/mean_volume: (-?[\d.]+)/.exec(heard)?.[1])).toBeGreaterThan(-30);
  });

  it('fills small holes and goes on after large ones where the sound does', async () => {
    const first = tone(25, 8_000);
    const out = await encode([...first.toSpliced(10, 3), ...tone(25, 400_000, { epoch: 4 })]);
    const [early, late] = [out.filter((f) => f.epoch === 3), out.filter((f) => f.epoch === 4)];
    for (const part of [early, late]) {
      for (const [i, f] of part.slice(1).entries()) expect(f.time - part[i]!.time).toBe(1024);
    }
    expect(early.length).toBeGreaterThanOrEqual(15);
    expect(late[0]!.time - 800_000).toBeLessThan(1024);
  });

  it('is silence, not an error, where ffmpeg cannot be started', async () => {
    expect(await encode(tone(3, 0), '/nonexistent/ffmpeg')).toEqual([]);
  });
});
