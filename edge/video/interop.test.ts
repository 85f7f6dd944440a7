import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import type { AccessUnit } from './receiver.ts';
import { channelConfig, DEVICE, newWarnables, silent, startCamera, until } from './testing/camera.ts';
import { Video } from './video.ts';

/*
 * RTSP servers that others have written, by way of the box's own pull:
 *   gst-rtsp-server 1.22 (Debian), digest, TCP: also in video.test.ts
 *   RTSP::Server 0.06 (Debian, librtsp-server-perl): UDP only, so that ffmpeg fetches
 */
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts RTSP::Server, and ffmpeg, which publishes a picture to it. */
async function perlServer(): Promise<string> {
  const script = fileURLToPath(new URL('testing/rtsp-server.pl', import.meta.url));
  const [publishPort, clientPort] = [await freePort(), await freePort()];
  // Even, as RTP wants it.
  const rtpPort = 20_000 + (process.pid % 200) * 100;
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
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'];
  const to = ['-f', 'rtsp', `rtsp://127.0.0.1:${publishPort}${path}`];
  const ffmpeg = spawn('ffmpeg', ['-nostdin', '-loglevel', 'error', ...picture, ...encode, ...to], {
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
  video.source(DEVICE, 1)!.acquire({ preRollMs: 1_000, accessUnit: (u) => units.push(u), lost: () => {} });
  await until(() => units.length > 30, 'pictures', 25_000);
  return { units, video };
}

describe('video of independent RTSP servers', () => {
  it('gst-rtsp-server: H.265 with digest over TCP', async () => {
    const camera = await startCamera({ user: 'admin', password: 'p@ss:word/123', codec: 'h265' });
    cleanups.push(camera.stop);
    const { units } = await pull(camera.url, 'p@ss:word/123');
    expect(units[0]).toMatchObject({ keyFrame: true, codec: { kind: 'h265', width: 320, height: 240 } });
  });

  it('RTSP::Server: UDP only, fetched by ffmpeg', { timeout: 40_000 }, async () => {
    const { units, video } = await pull(await perlServer(), 'unused');
    expect(units[0]).toMatchObject({ keyFrame: true, codec: { kind: 'h264', width: 320, height: 240 } });
    expect(video.state(DEVICE, 1)).toMatchObject({ video: 'streaming' });
  });
});
