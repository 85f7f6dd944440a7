import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { ClipWriter } from '../edge/clips/clip-writer.ts';
import { LoginGuard } from '../edge/devices/login-guard.ts';
import type { Consumer } from '../edge/video/channel-source.ts';
import type { CodecInfo } from '../edge/video/codec.ts';
import type { AccessUnit } from '../edge/video/receiver.ts';
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
 * memory of a process that holds the pre-roll of 1 and of 8 channels, the product's own Video without a recorder; then 16
 * channels recorded around the clock by the product's own clip writer, encrypted, beside 16 × `ffmpeg -c copy` into files.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  const camera = await startCamera({ kbps: KBPS, fps: FPS, keyFrames: 2 * FPS, width: 640, height: 360 });
  const processes: ChildProcess[] = [];
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-bench-video-'));
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
    await recorded(emit, camera.url, { quick, processes, dir });
  } finally {
    for (const child of processes) child.kill('SIGKILL');
    await camera.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const RECORDED = 16;

/** Both at the same time, from the same camera onto the same disk. */
async function recorded(
  emit: (line: object) => void,
  url: string,
  { quick, processes, dir }: { quick: boolean; processes: ChildProcess[]; dir: string },
): Promise<void> {
  const ours = await pull(url, RECORDED, processes, dir);
  const theirs: ChildProcess[] = [];
  for (let i = 0; i < RECORDED; i++) {
    const to = ['-c', 'copy', '-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov', join(dir, `ffmpeg-${i}.mp4`)];
    theirs.push(
      spawn('ffmpeg', [...FFMPEG, '-i', url, '-map', '0:v:0', ...to], { stdio: ['ignore', 'ignore', 'inherit'] }),
    );
    // One after the other: gst-rtsp-server does not survive two clients that begin one shared stream at once.
    await clock.sleep(300);
  }
  processes.push(...theirs);
  await clock.sleep(quick ? 5_000 : 15_000);
  const all = [ours, ...theirs];
  const before = all.map((p) => cpuMs(p));
  const started = clock.mono();
  await clock.sleep(quick ? 15_000 : 60_000);
  const used = all.map((p, i) => cpuMs(p) - before[i]!);
  const wallMs = clock.mono() - started;
  const percent = (ms: number) => Math.round((ms / wallMs) * 1000) / 10;
  const sum = (values: number[]) => Math.round(values.reduce((total, v) => total + v, 0) * 10) / 10;
  const { units, ringMb, writtenMb, lost } = await report(ours);
  emit({
    bench: `video: ${RECORDED} channels of 4 Mbit/s recorded around the clock, beside ${RECORDED} × ffmpeg -c copy`,
    unit: '% of a core; MB',
    ours: percent(used[0]!),
    ffmpegCopy: percent(sum(used.slice(1))),
    ratio: Math.round((used[0]! / sum(used.slice(1))) * 100) / 100,
    rss: rssMb(ours),
    rings: ringMb,
    ffmpegRss: sum(theirs.map(rssMb)),
    ffmpegOwn: sum(theirs.map(ownMb)),
    pictures: units,
    writtenMb,
    lostFragments: lost,
    seconds: Math.round(wallMs / 1000),
  });
  for (const child of all) await end(child);
}

/** As systemd/gatepost-box.service starts the box. */
const AS_DEPLOYED = ['--max-semi-space-size=4'];
const FFMPEG = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-rtsp_transport', 'tcp'];

interface Report {
  units: number;
  ringMb: number;
  /** Of clips, and what could not be written. */
  writtenMb: number;
  lost: number;
}

/** A process of its own that pulls `channels` channels, and records them in `dir`; resolves when all have pictures. */
async function pull(url: string, channels: number, processes: ChildProcess[], dir = ''): Promise<ChildProcess> {
  const args = [...AS_DEPLOYED, fileURLToPath(import.meta.url), '--pull', url, String(channels), dir];
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
/** Without what is shared with others, such as the program itself. */
const ownMb = (child: ChildProcess): number =>
  Math.round(Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 102.4) / 10;
const rssMb = (child: ChildProcess): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 102.4) / 10;

/** The child's part. */
async function pullHere(url: string, channels: number, dir: string): Promise<void> {
  process.on('disconnect', () => process.exit());
  const log = pino({ level: 'silent' });
  const video = new Video({ clock, log, warnables: new Warnables({ clock, log }) });
  const deviceId = '00000000-0000-7000-8000-000000000001';
  const numbers = Array.from({ length: channels }, (_, i) => i + 1);
  const login = { username: 'admin', password: 'none', guard: new LoginGuard() };
  video.setChannels(
    numbers.map((channel) => ({ deviceId, channel, name: `${channel}`, rtspUrl: url, sub: null, ...login })),
  );
  let [units, written, lost] = [0, 0, 0];
  const newWriter = (codec: CodecInfo) => {
    const writer = new ClipWriter({
      clipId: randomUUID(),
      codec,
      sound: null,
      key: randomBytes(32),
      dir,
      state: () => ({ kind: 'continuous', held: false }) as const,
      written: () => {},
      trouble: (error) => {
        if (error) lost++;
      },
      // Sent at once, as far as the disk is concerned.
      uploads: {
        prefer: () => {},
        free: () => false,
        release: () => 0,
        hasUnsent: () => false,
        onLost: () => {},
        add: ({ path, size }) => {
          written += size;
          rmSync(path);
        },
      },
    });
    writer.fragmenter.large = true;
    return writer;
  };
  // One after the other: gst-rtsp-server does not survive two clients that begin one shared stream at once.
  for (const channel of numbers) {
    const { promise, resolve } = Promise.withResolvers<void>();
    let writer: ClipWriter | null = null;
    const accessUnit = (unit: AccessUnit) => {
      units++;
      resolve();
      if (dir === '' || (!writer && !unit.keyFrame)) return;
      writer ??= newWriter(unit.codec);
      writer.add(unit);
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
    const mb = (n: number) => Math.round(n / 1e5) / 10;
    process.send!({ units, ringMb: mb(bytes), writtenMb: mb(written), lost });
  });
  process.send!('ready');
}

if (import.meta.main) {
  const at = process.argv.indexOf('--pull');
  if (at > 0) await pullHere(process.argv[at + 1]!, Number(process.argv[at + 2]), process.argv[at + 3] ?? '');
  else await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
}
