import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock as clock, iso } from '../../protocol/clock.ts';
import { Video } from '../video/video.ts';
import { Warnables } from '../warnables.ts';
import { Playback } from './playback.ts';
import { decodeClocks, startLab } from './testing/lab.ts';

/* Files from the lab's cameras: camera 0 wants GET with a body, camera 1 wants POST. */
const log = pino({ level: 'silent' });
let lab: Awaited<ReturnType<typeof startLab>>;
let dir: string;
let playback: Playback | null = null;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-download-'));
  lab = await startLab(97, log);
});
afterEach(async () => {
  playback?.stop();
  for (const { name } of lab.cameras) await lab.recorded(name, null);
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true });
});

/** A whole second some minutes ago. */
const ago = (seconds: number) => Math.floor(Date.now() / 1000) * 1000 - seconds * 1000;
const recent = () => ({ fromMs: Date.now() - 60_000, toMs: Date.now() });

async function take(n: number, fromMs: number, toMs: number): Promise<{ bytes: Buffer; ms: number; failed?: unknown }> {
  const video = new Video({ clock, log, warnables: new Warnables({ clock, log }) });
  playback ??= new Playback({ devices: lab.devices, video, clock, log });
  const began = performance.now();
  const taken = await playback.file({
    deviceId: lab.cameras[n]!.deviceId,
    channel: 1,
    stream: 'main',
    accept: ['h264'],
    speed: 1,
    from: iso(fromMs),
    to: iso(toMs),
  });
  if (!taken.ok) throw new Error(taken.detail);
  const parts: Uint8Array[] = [];
  let failed: unknown;
  try {
    for await (const part of taken.value) parts.push(part);
  } catch (error) {
    failed = error;
  }
  return { bytes: Buffer.concat(parts), ms: performance.now() - began, ...(failed ? { failed } : {}) };
}
const kept = (bytes: Buffer): string => {
  const file = join(dir, `${Math.random()}.mp4`);
  writeFileSync(file, bytes);
  return file;
};
const probed = (file: string) =>
  JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-count_packets', '-of', 'json', file]).toString(),
  ).streams as { codec_name: string; duration: string; nb_read_packets: string; start_time: string }[];

/** When its beeps begin, in seconds of the file. */
function beeps(file: string): number[] {
  const rate = 8_000;
  const pcm = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', file, '-vn', '-f', 's16le', '-ar', `${rate}`, '-ac', '1', '-'],
    {
      maxBuffer: 1e8,
    },
  );
  const from = probed(file).find(({ codec_name }) => codec_name === 'aac')!.start_time;
  const found: number[] = [];
  let quietSince = 0;
  for (let i = 0; i < pcm.length / 2; i++) {
    if (Math.abs(pcm.readInt16LE(i * 2)) < 2_000) continue;
    if (i - quietSince > rate / 4 || found.length === 0) found.push(i / rate + Number(from));
    quietSince = i;
  }
  return found;
}

describe('files of a device', () => {
  it.each([
    0, 1,
  ])('come from camera %i much faster than they were recorded, with their sound in step (LIVE-09)', async (n) => {
    const start = ago(900);
    const { name } = lab.cameras[n]!;
    await lab.recorded(name, [{ fromMs: start, toMs: start + 20_000 }, recent()]);
    await lab.download(name, ['get', 'post'][n]!);
    playback = null;
    const { bytes, ms } = await take(n, start + 5_500, start + 18_000);
    expect(await lab.downloads(name)).toBe(1);
    expect(ms).toBeLessThan(9_000);
    const file = kept(bytes);
    const [video, sound] = probed(file);
    expect([video?.codec_name, sound?.codec_name]).toEqual(['h264', 'aac']);
    // From the key frame before what was asked for to its end.
    const clocks = await decodeClocks(['-i', file], 1000);
    expect(clocks[0]).toBeGreaterThan(start + 3_000);
    expect(clocks[0]).toBeLessThanOrEqual(start + 5_500);
    expect(clocks.at(-1)).toBeGreaterThanOrEqual(start + 17_900);
    expect(clocks.at(-1)).toBeLessThanOrEqual(start + 18_000);
    expect(Number(sound?.duration)).toBeGreaterThan(13);
    const heard = beeps(file);
    expect(heard.length).toBeGreaterThan(11);
    for (const at of heard.slice(1)) {
      const wall = clocks[0]! + at * 1000;
      expect(Math.abs(wall - Math.round(wall / 1000) * 1000)).toBeLessThan(60);
    }
  });

  it('that it does not give are played: to nobody, not to this login, by no name', async () => {
    const start = ago(900);
    playback = null;
    const ways = ['forbidden', 'none'];
    for (const [n, { name }] of lab.cameras.entries()) {
      await lab.recorded(name, [{ fromMs: start, toMs: start + 3_000 }, recent()]);
      await lab.download(name, ways[n]!);
    }
    const both = await Promise.all(lab.cameras.map((_, n) => take(n, start, start + 2_000)));
    for (const [n, { bytes, failed }] of both.entries()) {
      expect(failed).toBeUndefined();
      expect(probed(kept(bytes)).map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
      expect(await lab.downloads(lab.cameras[n]!.name)).toBe(0);
    }
  });

  it('that break off in the middle are no short files, and who takes none any more ends the download', async () => {
    const start = ago(900);
    const { name, deviceId } = lab.cameras[0]!;
    await lab.recorded(name, [{ fromMs: start, toMs: start + 20_000 }, recent()]);
    await lab.download(name, 'breaks');
    playback = null;
    const broken = await take(0, start, start + 20_000);
    expect(broken.failed).toBeInstanceOf(Error);
    expect(broken.bytes.length).toBeGreaterThan(100_000);

    await lab.recorded(name, [{ fromMs: start, toMs: start + 600_000 }, recent()]);
    await lab.download(name, 'either');
    const file = (seconds: number) =>
      playback!.file({
        deviceId,
        channel: 1,
        stream: 'main',
        accept: ['h264'],
        speed: 1,
        from: iso(start),
        to: iso(start + seconds * 1000),
      });
    const taken = await file(600);
    if (!taken.ok) throw new Error(taken.detail);
    const reader = taken.value.getReader();
    await reader.read();
    expect(await lab.downloading(name)).toBe(1);
    // Another one of the same device is played beside it.
    const second = await file(2);
    expect(second.ok && (await lab.downloading(name))).toBe(1);
    if (second.ok) await second.value.cancel();
    await reader.cancel();
    await vi.waitFor(async () => expect(await lab.downloading(name)).toBe(0), { timeout: 5_000 });
  });
});
