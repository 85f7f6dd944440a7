import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { type AudioFrame, audioTicks } from './audio.ts';
import type { AccessUnit } from './receiver.ts';
import { channelConfig, DEVICE, newWarnables, silent, startCamera, until } from './testing/camera.ts';
import { Video } from './video.ts';

/*
 * RTSP servers that others have written, by way of the box's own pull:
 *   gst-rtsp-server 1.22 (Debian), digest, TCP: also in video.test.ts
 *   RTSP::Server 0.06 (Debian, librtsp-server-perl): UDP only, so that ffmpeg fetches
 * Both with H.264 and H.265, and with sound; side by side, each a server of its own.
 */
const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let servers = 0;
/** Starts RTSP::Server, and ffmpeg, which publishes a picture with a tone to it. */
async function perlServer(codec: 'h264' | 'h265', sound: 'aac' | 'pcm_alaw'): Promise<string> {
  const script = fileURLToPath(new URL('testing/rtsp-server.pl', import.meta.url));
  const [publishPort, clientPort] = [await freePort(), await freePort()];
  // Even, as RTP wants it.
  const rtpPort = 20_000 + (process.pid % 200) * 100 + (servers++ % 2) * 50;
  const path = '/yard';
  const server = spawn('perl', [script, JSON.stringify({ publishPort, clientPort, rtpPort, path })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  cleanups.push(async () => {
    server.stdin.end();
    if (server.exitCode === null) await once(server, 'exit');
  });
  const lines = createInterface({ input: server.stdout });
  const said = (word: string) =>
    new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => line === word && resolve());
      server.once('exit', () => reject(new Error('the server ended')));
    });
  const ready = said('ready');
  await Promise.race([said('listening'), ready]);
  const picture = ['-re', '-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=25'];
  const encode = ['-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'];
  const tone = ['-re', '-f', 'lavfi', '-i', 'sine=1000:r=8000'];
  const to = [
    '-c:v',
    codec === 'h264' ? 'libx264' : 'libx265',
    ...encode,
    '-c:a',
    sound,
    '-f',
    'rtsp',
    `rtsp://127.0.0.1:${publishPort}${path}`,
  ];
  const ffmpeg = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...picture, ...tone, ...to], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  cleanups.push(async () => {
    ffmpeg.kill('SIGKILL');
    if (ffmpeg.exitCode === null && ffmpeg.signalCode === null) await once(ffmpeg, 'exit');
  });
  await ready;
  return `rtsp://127.0.0.1:${clientPort}${path}`;
}

async function pull(url: string, password: string) {
  const warnables = newWarnables();
  const video = new Video({ clock: systemClock, log: silent, warnables });
  video.start();
  cleanups.push(() => video.stop());
  video.setChannels([channelConfig(url, { password })]);
  const units: AccessUnit[] = [];
  const sound: AudioFrame[] = [];
  const accessUnit = (unit: AccessUnit) => units.push(unit);
  const audio = (frame: AudioFrame) => sound.push(frame);
  video.source(DEVICE, 1)!.acquire({ preRollMs: 1_000, accessUnit, audio, lost: () => {} });
  await until(() => units.length > 30 && sound.length > 20, 'pictures and sound', 25_000);
  // Sound runs beside the pictures, on their time line; after a burst at the start it may be placed anew once.
  const holes = sound.slice(1).map((f, i) => f.time - sound[i]!.time - audioTicks(sound[i]!));
  expect(Math.min(...holes)).toBeGreaterThanOrEqual(0);
  expect(holes.filter((ticks) => ticks > 0).length).toBeLessThanOrEqual(2);
  expect(new Set(sound.map((f) => f.epoch))).toEqual(new Set([units[0]!.epoch]));
  const seconds = sound.at(-1)!.time / sound[0]!.codec.clockRate;
  expect(Math.abs(units.at(-1)!.time / 90_000 - seconds)).toBeLessThan(0.5);
  return { units, sound, video, warnables };
}

describe.concurrent('video of independent RTSP servers', { timeout: 40_000 }, () => {
  it.each([
    ['h264', 'pcmu'],
    ['h265', 'aac'],
  ] as const)('gst-rtsp-server: %s and %s with digest over TCP', async (codec, sound) => {
    const camera = await startCamera({ user: 'admin', password: 'p@ss:word/123', codec, sound });
    cleanups.push(camera.stop);
    const found = await pull(camera.url, 'p@ss:word/123');
    expect(found.units[0]).toMatchObject({ keyFrame: true, codec: { kind: codec, width: 320, height: 240 } });
    expect(found.sound[0]!.codec.kind).toBe(sound);
    expect(camera.count('play')).toBe(1);
  });

  it('gst-rtsp-server: MJPEG is made H.264 by ffmpeg, its sound stays, and a person is told what it costs', async () => {
    const camera = await startCamera({ user: 'admin', password: 'p@ss:word/123', codec: 'mjpeg', sound: 'pcma' });
    cleanups.push(camera.stop);
    const { units, sound, warnables, video } = await pull(camera.url, 'p@ss:word/123');
    expect(units[0]).toMatchObject({ keyFrame: true, codec: { kind: 'h264', width: 320, height: 240 } });
    expect(sound[0]!.codec.kind).toBe('pcma');
    expect(warnables.list()).toMatchObject([{ code: 'unsupported-codec', severity: 'warning' }]);
    expect(video.source(DEVICE, 1)!.sound).toEqual(sound[0]!.codec);
  });

  it.each([
    ['h264', 'aac', 'aac'],
    ['h265', 'pcm_alaw', 'pcma'],
  ] as const)('RTSP::Server: %s and %s over UDP only, fetched by ffmpeg', async (codec, as, kind) => {
    const { units, sound, video } = await pull(await perlServer(codec, as), 'unused');
    expect(units[0]).toMatchObject({ keyFrame: true, codec: { kind: codec, width: 320, height: 240 } });
    expect(sound[0]!.codec.kind).toBe(kind);
    expect(video.state(DEVICE, 1)).toMatchObject({ video: 'streaming' });
  });
});
