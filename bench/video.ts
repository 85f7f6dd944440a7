import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { LoginGuard } from '../edge/devices/login-guard.ts';
import type { Consumer } from '../edge/video/channel-source.ts';
import { startCamera } from '../edge/video/testing/camera.ts';
import { Video } from '../edge/video/video.ts';
import { Warnables } from '../edge/warnables.ts';
import { systemClock as clock } from '../protocol/clock.ts';

const KBPS = 4_000;
const PRE_ROLL_MS = 5_000;
const FPS = 25;
/** Ticks of /proc/…/stat. */
const TICK_MS = 10;

/**
 * Pulling cameras of 4 Mbit/s (H.264, 25 pictures a second, 2 s between key frames) over RTSP on one machine:
 * processor time of one pulled channel beside `ffmpeg -c copy -f null` on the same stream at the same time, and the
 * memory of a process that holds the pre-roll of 1 and of 8 channels. The product's own Video, without a recorder.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const camera = await startCamera({ kbps: KBPS, fps: FPS, keyFrames: 2 * FPS, width: 640, height: 360 });
  const processes: ChildProcess[] = [];
  try {
    const idle = await pull(camera.url, 0, processes);
    const idleMb = rssMb(idle);
    await end(idle);

    const one = await pull(camera.url, 1, processes);
    const ffmpeg = spawn('ffmpeg', [...FFMPEG, '-i', camera.url, '-map', '0:v:0', '-c', 'copy', '-f', 'null', '-'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    processes.push(ffmpeg);
    await clock.sleep(3_000);
    const before = [one, ffmpeg].map((p) => cpuMs(p));
    const started = clock.mono();
    await clock.sleep(quick ? 8_000 : 25_000);
    const [oursMs = 0, ffmpegMs = 0] = [one, ffmpeg].map((p, i) => cpuMs(p) - before[i]!);
    const wallMs = clock.mono() - started;
    const percent = (ms: number) => Math.round((ms / wallMs) * 10_000) / 100;
    emit({
      bench: 'video: processor of one pulled channel, 4 Mbit/s',
      unit: '% of a core',
      ours: percent(oursMs),
      ffmpegCopy: percent(ffmpegMs),
      ratio: Math.round((oursMs / ffmpegMs) * 100) / 100,
      seconds: Math.round(wallMs / 1000),
      target: 'ours ≤ 1.5',
    });
    const oneReport = await report(one);
    const oneMb = rssMb(one);
    emit({ bench: 'video: memory of ffmpeg -c copy for one channel', unit: 'MB', rss: rssMb(ffmpeg) });
    await end(one);
    await end(ffmpeg);

    const eight = await pull(camera.url, 8, processes);
    await clock.sleep(quick ? 11_000 : 30_000);
    const eightReport = await report(eight);
    const eightMb = rssMb(eight);
    for (const [channels, rss, r] of [
      [1, oneMb, oneReport],
      [8, eightMb, eightReport],
    ] as const) {
      emit({
        bench: `video: memory with ${channels} channel${channels > 1 ? 's' : ''} of 4 Mbit/s and their pre-roll`,
        unit: 'MB',
        rss,
        rings: r.ringMb,
        perChannel: Math.round(((rss - idleMb) / channels) * 10) / 10,
        withoutChannels: idleMb,
        pictures: r.units,
        target: '≤ 150 and the rings',
      });
    }
    await end(eight);
  } finally {
    for (const child of processes) child.kill('SIGKILL');
    await camera.stop();
  }
}

/** As systemd/gatepost-box.service starts the box. */
const AS_DEPLOYED = ['--max-semi-space-size=4'];
const FFMPEG = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-rtsp_transport', 'tcp'];

interface Report {
  units: number;
  ringMb: number;
}

/** A process of its own that pulls `channels` channels; resolves when all have pictures. */
async function pull(url: string, channels: number, processes: ChildProcess[]): Promise<ChildProcess> {
  const args = [...AS_DEPLOYED, fileURLToPath(import.meta.url), '--pull', url, String(channels)];
  const env = { ...process.env, MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: join(tmpdir(), 'gatepost-bench-cache') };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  processes.push(child);
  await once(child, 'message');
  return child;
}

async function report(child: ChildProcess): Promise<Report> {
  child.send('report');
  const [answer] = (await once(child, 'message')) as [Report];
  return answer;
}

/** With TEARDOWN, which the server wants. */
async function end(child: ChildProcess): Promise<void> {
  if (child.channel) child.send('end');
  else child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** User and system time of a process (proc(5), fields 14 and 15). */
function cpuMs(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
const rssMb = (child: ChildProcess): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 102.4) / 10;

/** The child's part. */
async function pullHere(url: string, channels: number): Promise<void> {
  process.on('disconnect', () => process.exit());
  const log = pino({ level: 'silent' });
  const video = new Video({ clock, log, warnables: new Warnables({ clock, log }) });
  const deviceId = '00000000-0000-7000-8000-000000000001';
  const numbers = Array.from({ length: channels }, (_, i) => i + 1);
  const login = { username: 'admin', password: 'none', guard: new LoginGuard() };
  video.setChannels(
    numbers.map((channel) => ({ deviceId, channel, name: `${channel}`, rtspUrl: url, sub: null, ...login })),
  );
  let units = 0;
  // One after the other: gst-rtsp-server does not survive two clients that begin one shared stream at once.
  for (const channel of numbers) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const accessUnit = () => {
      units++;
      resolve();
    };
    const consumer: Consumer = { preRollMs: PRE_ROLL_MS, accessUnit, lost: () => {} };
    video.source(deviceId, channel)!.acquire(consumer);
    await promise;
  }
  process.on('message', async (what) => {
    if (what === 'end') {
      await video.stop();
      process.exit();
    }
    const bytes = numbers.reduce((sum, n) => sum + video.source(deviceId, n)!.ring.bytes, 0);
    process.send!({ units, ringMb: Math.round(bytes / 1e5) / 10 });
  });
  process.send!('ready');
}

if (import.meta.main) {
  const at = process.argv.indexOf('--pull');
  if (at > 0) await pullHere(process.argv[at + 1]!, Number(process.argv[at + 2]));
  else await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
}
