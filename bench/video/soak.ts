import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CameraOptions, startCamera, type TestCamera } from '../../edge/video/testing/camera.ts';
import { systemClock as clock } from '../../protocol/clock.ts';
import { LossyProxy } from './lossy-proxy.ts';
import type { Sample } from './soak-box.ts';

/** What the box pulls; through the proxy come those over TCP. */
const CAMERAS: CameraOptions[] = [
  { codec: 'h264', sound: 'pcmu', width: 640, height: 360, kbps: 800, keyFrames: 25 },
  { codec: 'h265', sound: 'aac', keyFrames: 25 },
  { codec: 'h264', sound: 'pcma', udpOnly: true, keyFrames: 25 },
];
const LOGIN = { user: 'admin', password: 'p@ss:word/123' };
const LOSS = 0.05;
const HOUR_MS = 3_600_000;
const RESTART_MS = 60_000;
/** Longer than a pull takes to notice and to come back. */
const SHORTEST_RESTART_MS = 25_000;
const SAMPLE_MS = 2_000;
/** From the camera's return to its next picture: the longest pause between tries, and a key frame. */
const BACK_MS = 32_000;

export interface VideoSoak {
  minutes: number;
  restarts: number;
  lossPercent: number;
  /** Seconds from a camera's return to the next picture, over all cameras and restarts. */
  backS: { p50: number; max: number };
  /** Medians of the first and the last third, the first restarts left out. */
  rssMb: [first: number, last: number];
  heapMb: [first: number, last: number];
  handles: [first: number, last: number];
  processes: { max: number; afterwards: number };
  pictures: number[];
  sounds: number[];
  encoded: number;
  /** Why it failed; empty: it passed. */
  problems: string[];
}

/**
 * An hour (divided by `scale`) of three cameras of gst-rtsp-server, of which two lose 5 % of their packets, each of them started
 * anew every minute: what the box's process needs at the end is what it needed at the beginning, and nothing of what it
 * started is left.
 */
export async function videoSoak(o: { scale: number; log: (text: string) => void }): Promise<VideoSoak> {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-soak-'));
  const proxies = CAMERAS.map((camera) => new LossyProxy(camera.udpOnly ? 0 : LOSS));
  const cameras: (TestCamera | null)[] = [];
  const viewers = new Set<ChildProcess>();
  const samples: { atMs: number; sample: Sample }[] = [];
  let box: ChildProcess | null = null;
  let over = false;
  try {
    const urls: string[] = [];
    for (const [i, options] of CAMERAS.entries()) {
      const port = await proxies[i]!.start();
      cameras[i] = await startCamera({ ...LOGIN, ...options });
      proxies[i]!.upstream = cameras[i]!.port;
      urls.push(`rtsp://127.0.0.1:${port}/Streaming/Channels/101`);
    }
    const args = ['--max-semi-space-size=4', join(import.meta.dirname, 'soak-box.ts'), dir, ...urls];
    const env = { ...process.env, MALLOC_ARENA_MAX: '2' };
    box = spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [{ streams }] = (await once(box, 'message')) as [Sample];
    if (!streams) throw new Error('the box gives out no streams');
    const url = `rtsp://${streams.user}:${streams.password}@127.0.0.1:${streams.port}${streams.path}`;
    const watch = () => {
      if (over) return;
      const how = ['-v', 'quiet', '-nostdin', '-rtsp_transport', 'tcp', '-i', url, '-t', '45', '-c', 'copy'];
      const viewer = spawn('ffmpeg', [...how, '-f', 'null', '-'], { stdio: 'ignore' });
      viewers.add(viewer);
      viewer.once('exit', () => {
        viewers.delete(viewer);
        setTimeout(watch, 2_000);
      });
    };
    watch();

    const started = clock.mono();
    const lengthMs = HOUR_MS / o.scale;
    const restartMs = Math.max(SHORTEST_RESTART_MS, RESTART_MS / o.scale);
    const back: number[] = [];
    const waiting = new Map<number, { sinceMs: number; pictures: number }>();
    const problems: string[] = [];
    let nextRestart = started + restartMs;
    let restarts = 0;
    while (clock.mono() - started < lengthMs) {
      await clock.sleep(SAMPLE_MS);
      const sample = await ask(box, 'sample');
      const now = clock.mono();
      samples.push({ atMs: now - started, sample });
      for (const [i, { sinceMs, pictures }] of waiting) {
        if (sample.pictures[i]! > pictures) back.push(now - sinceMs);
        else if (now - sinceMs < BACK_MS) continue;
        else problems.push(`camera ${i + 1} gave no picture ${BACK_MS / 1000} s after its restart ${restarts}`);
        waiting.delete(i);
      }
      if (now < nextRestart) continue;
      nextRestart += restartMs;
      restarts++;
      for (const [i, options] of CAMERAS.entries()) {
        // Half of them as if their plug was pulled.
        if (restarts % 2 === 0) process.kill(cameras[i]!.pid, 'SIGKILL');
        await cameras[i]!.stop();
        cameras[i] = await startCamera({ ...LOGIN, ...options });
        proxies[i]!.upstream = cameras[i]!.port;
        const { pictures } = await ask(box, 'sample');
        waiting.set(i, { sinceMs: clock.mono(), pictures: pictures[i]! });
      }
      const { rssMb, handles, processes } = sample;
      o.log(`restart ${restarts}: ${rssMb} MB, ${handles} handles, ${processes} processes`);
    }
    over = true;
    for (const viewer of viewers) viewer.kill('SIGKILL');
    const last = samples.at(-1)!.sample;
    const after = await ask(box, 'end');
    return judge({ samples, after, last, back, restarts, problems, proxies, minutes: lengthMs / 60_000 });
  } finally {
    over = true;
    for (const viewer of viewers) viewer.kill('SIGKILL');
    box?.kill('SIGKILL');
    for (const proxy of proxies) await proxy.stop();
    for (const camera of cameras) await camera?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ask(box: ChildProcess, what: string): Promise<Sample> {
  box.send(what);
  const [sample] = (await once(box, 'message')) as [Sample];
  return sample;
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const seconds = (ms: number) => Math.round(ms / 100) / 10;

function judge(o: {
  samples: { atMs: number; sample: Sample }[];
  after: Sample;
  last: Sample;
  back: number[];
  restarts: number;
  problems: string[];
  proxies: LossyProxy[];
  minutes: number;
}): VideoSoak {
  // Until everything has been there once memory only grows.
  const warm = o.samples.filter((s) => s.atMs > Math.min(120_000, o.minutes * 10_000)).map((s) => s.sample);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const thirds = (of: (s: Sample) => number): [number, number] => [
    median(warm.slice(0, third).map(of)),
    median(warm.slice(-third).map(of)),
  ];
  const [rssMb, heapMb, handles] = [thirds((s) => s.rssMb), thirds((s) => s.heapMb), thirds((s) => s.handles)];
  const problems = [...o.problems];
  if (rssMb[1] > rssMb[0] * 1.15 + 10) problems.push(`memory grew from ${rssMb[0]} to ${rssMb[1]} MB`);
  if (handles[1] > handles[0] + 4) problems.push(`handles grew from ${handles[0]} to ${handles[1]}`);
  if (o.after.processes > 0) problems.push(`${o.after.processes} processes were left`);
  for (const [i, n] of o.last.pictures.entries()) if (n < 100) problems.push(`stream ${i + 1} gave ${n} pictures`);
  const [came, passed] = [
    o.proxies.reduce((sum, p) => sum + p.came, 0),
    o.proxies.reduce((sum, p) => sum + p.passed, 0),
  ];
  return {
    minutes: Math.round(o.minutes * 10) / 10,
    restarts: o.restarts,
    lossPercent: Math.round((1 - passed / Math.max(1, came)) * 1000) / 10,
    backS: { p50: seconds(median(o.back)), max: seconds(Math.max(0, ...o.back)) },
    rssMb,
    heapMb,
    handles,
    processes: { max: Math.max(...o.samples.map((s) => s.sample.processes)), afterwards: o.after.processes },
    pictures: o.last.pictures,
    sounds: o.last.sounds,
    encoded: o.last.encoded,
    problems,
  };
}
