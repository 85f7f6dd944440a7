import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { clipObjectId, openObject } from '../../protocol/codec/object-cipher.ts';
import type { ClipReport } from '../../protocol/wire/event.ts';
import {
  type CameraOptions,
  channelConfig,
  DEVICE,
  newWarnables,
  silent,
  startCamera,
  until,
} from '../video/testing/camera.ts';
import { Video } from '../video/video.ts';
import { Recorder } from './recorder.ts';
import { boxes, event, FakeJournal, FakeUploads, recording, SITE_KEY, temporary } from './testing/parts.ts';

const run = promisify(execFile);
/* The tests wait for cameras most of the time, so they run side by side, each with a camera of its own. */
const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const login = { user: 'admin', password: 'p@ss:word/123' };

async function newCamera(options: CameraOptions) {
  const camera = await startCamera({ ...login, ...options });
  cleanups.push(camera.stop);
  return camera;
}

/** Records one clip of a camera from 2 s before an event to 3 s after it. */
async function record(
  options: CameraOptions,
): Promise<{ clip: ClipReport; uploads: FakeUploads; path: string; live: boolean }> {
  const camera = await newCamera(options);
  const { dir, remove } = temporary();
  cleanups.push(remove);
  const warnables = newWarnables();
  const journal = new FakeJournal(clock);
  const uploads = new FakeUploads();
  const video = new Video({ clock, log: silent, warnables });
  const recorder = new Recorder({ journal, video, uploads, dir, clock, log: silent, warnables });
  recorder.start();
  recorder.apply([recording({ preRollMs: 2_000, postRollMs: 3_000 })]);
  video.setChannels([channelConfig(camera.url)]);
  cleanups.push(
    () => video.stop(),
    () => recorder.stop(),
  );
  await until(() => (video.state(DEVICE, 1).keyFrameIntervalMs ?? 0) > 0, 'two key frames', 20_000);
  await clock.sleep(2_500);
  await journal.append([{ kind: 'event', body: event(clock.now()) }]);
  await until(() => uploads.fragments.length > 1, 'first part');
  const live = journal.latest().every((c) => c.state === 'recording');
  await until(() => journal.latest().some((c) => c.state !== 'recording'), 'the end');
  const clip = journal.latest()[0]!;
  const path = join(dir, 'clip.mp4');
  writeFileSync(path, uploads.file(clip.id));
  expect(camera.count('play')).toBe(1);
  return { clip, uploads, path, live };
}

async function probe(path: string) {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-show_packets', '-of', 'json', path];
  const { stdout, stderr } = await run('ffprobe', args, { maxBuffer: 10_000_000 });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as {
    streams: { codec_name: string; codec_tag_string: string; width: number; height: number }[];
    packets: { stream_index: number; pts_time: string; dts_time: string; flags: string }[];
  };
}

describe.concurrent('a clip of a real camera', { timeout: 60_000 }, () => {
  it.each([
    ['h264', 'aac', 'avc1'],
    ['h265', 'pcmu', 'hvc1'],
  ] as const)('in %s with %s is a file that ffmpeg and GStreamer decode without a complaint, from time 0', async (codec, sound, tag) => {
    const { clip, path, live } = await record({ codec, sound, keyFrames: 50 });
    expect(clip).toMatchObject({ state: 'ended', width: 320, height: 240 });
    expect(clip.codec.startsWith(tag)).toBe(true);
    expect(clip.preRollMs).toBeGreaterThanOrEqual(2_000);
    expect(clip.preRollMs).toBeLessThan(4_100);
    expect(Math.abs(clip.durationMs - clip.preRollMs - 3_000)).toBeLessThan(100);
    expect(live, 'parts are sent while the event still runs').toBe(true);
    expect(clip.audioCodec).toBe('mp4a.40.2');
    const { streams, packets: all } = await probe(path);
    expect(streams).toMatchObject([
      { codec_name: codec === 'h265' ? 'hevc' : codec, codec_tag_string: tag, width: 320 },
      { codec_name: 'aac', codec_tag_string: 'mp4a' },
    ]);
    const packets = all.filter((p) => p.stream_index === 0);
    const sounds = all.filter((p) => p.stream_index === 1).map((p) => Number(p.pts_time) * 1000);
    expect(sounds[0]).toBeLessThan(200);
    expect(Math.abs(sounds.at(-1)! + 64 - clip.durationMs)).toBeLessThan(300);
    expect(Math.max(...sounds.slice(1).map((t, i) => t - sounds[i]!))).toBeLessThan(70);
    expect(packets[0]).toMatchObject({
      pts_time: '0.000000',
      dts_time: '0.000000',
      flags: expect.stringContaining('K'),
    });
    expect(packets.length).toBe(Math.round(clip.durationMs / 40));
    expect((await run('ffmpeg', ['-v', 'warning', '-i', path, '-f', 'null', '-'])).stderr).toBe('');

    const script = fileURLToPath(new URL('testing/second-player.py', import.meta.url));
    const second = await run('/usr/bin/python3', [script, path]);
    expect(second.stderr).toBe('');
    const played = JSON.parse(second.stdout) as { video: [number, number]; audio: [number, number] };
    expect(played.video[0]).toBe(packets.length);
    for (const [, endMs] of Object.values(played)) expect(Math.abs(endMs - clip.durationMs)).toBeLessThan(300);
  });

  it('plays in Chromium, as a file and part by part through Media Source Extensions', async () => {
    const { clip, uploads } = await record({ sound: 'pcma', keyFrames: 50 });
    const parts = uploads.of(clip.id).map((f) => f.data.toString('base64'));
    const server = createServer((request, response) => {
      response.setHeader('Content-Type', request.url === '/clip.mp4' ? 'video/mp4' : 'text/html');
      response.end(request.url === '/clip.mp4' ? uploads.file(clip.id) : '<video muted></video>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as { port: number };
    const args = ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required'];
    const browser = await chromium.launch({
      executablePath: process.env.GATEPOST_CHROMIUM ?? '/usr/bin/chromium',
      args,
    });
    cleanups.push(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    const play = (input: { parts: string[] | null; codec: string }) =>
      page.evaluate(async ({ parts, codec }) => {
        const player = document.querySelector('video') as HTMLVideoElement;
        const event = (target: EventTarget, name: string) =>
          new Promise((resolve, reject) => {
            target.addEventListener(name, resolve, { once: true });
            player.addEventListener('error', () => reject(new Error(player.error?.message)), { once: true });
          });
        if (!parts) player.src = '/clip.mp4';
        else {
          const source = new MediaSource();
          player.src = URL.createObjectURL(source);
          await event(source, 'sourceopen');
          const buffer = source.addSourceBuffer(`video/mp4; codecs="${codec}"`);
          for (const part of parts) {
            buffer.appendBuffer(Uint8Array.from(atob(part), (c) => c.charCodeAt(0)));
            await event(buffer, 'updateend');
          }
          source.endOfStream();
        }
        player.playbackRate = 4;
        const ended = event(player, 'ended');
        await player.play();
        await ended;
        const { totalVideoFrames, droppedVideoFrames } = player.getVideoPlaybackQuality();
        return {
          start: player.buffered.start(0),
          end: player.currentTime,
          ranges: player.buffered.length,
          width: player.videoWidth,
          frames: totalVideoFrames - droppedVideoFrames,
        };
      }, input);
    for (const input of [null, parts]) {
      const played = await play({ parts: input, codec: `${clip.codec}, ${clip.audioCodec}` });
      expect(played).toMatchObject({ start: 0, ranges: 1, width: 320 });
      expect(Math.abs(played.end * 1000 - clip.durationMs)).toBeLessThan(100);
      expect(played.frames).toBeGreaterThan(10);
    }
  });
});

describe.concurrent('a box killed while it records', () => {
  it('has every part that it handed over whole, says that the clip is incomplete, and goes on with the event', async () => {
    const camera = await newCamera({ keyFrames: 25 });
    const { dir, remove } = temporary();
    cleanups.push(remove);
    const script = fileURLToPath(new URL('testing/recorder-process.ts', import.meta.url));
    const start = () => {
      const child = spawn(process.execPath, [script, dir, camera.url], { stdio: ['pipe', 'pipe', 'inherit'] });
      cleanups.push(() => child.kill('SIGKILL'));
      const said: string[] = [];
      createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
      const reports = () => said.filter((l) => l.startsWith('{')).map((l) => JSON.parse(l) as ClipReport);
      return { child, said, reports };
    };
    const first = start();
    await until(() => first.said.includes('streaming'), 'streaming');
    await clock.sleep(1_500);
    first.child.stdin.write('event\n');
    await until(() => first.reports().length === 1, 'the first report');
    await clock.sleep(2_000);
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const begun = first.reports()[0]!;

    const second = start();
    await until(() => second.reports().some((r) => r.state === 'ended'), 'the further clip', 25_000);
    const closed = second.reports().find((r) => r.id === begun.id)!;
    expect(closed).toMatchObject({ state: 'incomplete', eventIds: begun.eventIds });
    expect(closed.reason).toContain('restarted');
    expect(closed.durationMs).toBeGreaterThan(1_500);
    const files = readdirSync(join(dir, 'clips')).filter((f) => f.startsWith(begun.id));
    expect(files).toHaveLength(closed.fragments! + 1);
    for (const file of files) {
      const n = file.endsWith('init.mp4') ? 0 : Number(file.slice(begun.id.length + 1, -'.m4s'.length));
      const sealed = readFileSync(join(dir, 'clips', file));
      const types = boxes(openObject(SITE_KEY.secret, clipObjectId(begun.id, n), sealed)).map((b) => b.type);
      expect(types).toEqual(file.endsWith('init.mp4') ? ['ftyp', 'moov'] : ['moof', 'mdat']);
    }
    const further = second.reports().findLast((r) => r.state === 'ended')!;
    expect(further).toMatchObject({ eventIds: begun.eventIds, preRollMs: 0 });
    expect(further.durationMs).toBeLessThan(10_000);
  }, 60_000);
});
