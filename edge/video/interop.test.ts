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
 *   rtsp-streaming-server 2.1.0 (npm, after RTSP::Server for Perl): UDP only, so that ffmpeg fetches
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

async function streamingServer(): Promise<string> {
  const script = fileURLToPath(new URL('testing/streaming-server.ts', import.meta.url));
  const [publishPort, clientPort] = [await freePort(), await freePort()];
  // Even, as RTP wants it.
  const rtpPort = 20_000 + (process.pid % 200) * 100;
  const path = '/yard';
  const child = spawn(process.execPath, [script, JSON.stringify({ publishPort, clientPort, rtpPort, path })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  cleanups.push(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => line === 'ready' && resolve());
    child.once('exit', () => reject(new Error('the server did not start')));
  });
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

  it('rtsp-streaming-server: UDP only, fetched by ffmpeg', { timeout: 40_000 }, async () => {
    const { units, video } = await pull(await streamingServer(), 'unused');
    expect(units[0]).toMatchObject({ keyFrame: true, codec: { kind: 'h264', width: 320, height: 240 } });
    expect(video.state(DEVICE, 1)).toMatchObject({ video: 'streaming' });
  });
});
