import { readdirSync, readFileSync } from 'node:fs';
import pino from 'pino';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { Consumer } from './channel-source.ts';
import type { AccessUnit } from './receiver.ts';
import { type CameraOptions, channelConfig, DEVICE, newWarnables, startCamera, until } from './testing/camera.ts';
import { scriptedCamera, streamVideo, usual } from './testing/scripted-camera.ts';
import { Video } from './video.ts';

const PASSWORD = 'p@ss:word/123';
/* The tests wait for cameras most of the time, so they run side by side, each with cameras of its own. */
const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function watcher(preRollMs = 5_000) {
  const units: AccessUnit[] = [];
  const losses: string[] = [];
  const consumer: Consumer = { preRollMs, accessUnit: (u) => units.push(u), lost: (r) => losses.push(r) };
  return { units, losses, consumer };
}

function newVideo() {
  const logged: string[] = [];
  const warnables = newWarnables();
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const video = new Video({ clock: systemClock, log, warnables });
  video.start();
  cleanups.push(() => video.stop());
  return { video, warnables, logged, source: () => video.source(DEVICE, 1)! };
}

async function camera(options: CameraOptions) {
  const cam = await startCamera({ user: 'admin', password: PASSWORD, ...options });
  cleanups.push(cam.stop);
  return cam;
}

/** Command lines of all processes of this machine. */
const commandLines = () =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });

describe.concurrent('a channel of a real RTSP server', { timeout: 40_000 }, () => {
  it.each([
    ['h264', /^avc1\.[0-9a-f]{6}$/],
    ['h265', /^hvc1\./],
  ] as const)('gives %s pictures with parameter sets, and one session for all consumers', async (codec, pattern) => {
    const cam = await camera({ codec, keyFrames: 25 });
    const { video, warnables, source } = newVideo();
    video.setChannels([channelConfig(cam.url)]);
    const watchers = [watcher(), watcher(), watcher()];
    const releases = watchers.map((w) => source().acquire(w.consumer));
    await until(() => watchers.every((w) => w.units.length > 60), 'pictures');
    expect(cam.count('play')).toBe(1);
    expect(cam.count('connect')).toBe(1);
    expect(video.state(DEVICE, 1)).toEqual({
      video: 'streaming',
      codec: expect.stringMatching(pattern),
      keyFrameIntervalMs: 1000,
    });
    const units = watchers[0]!.units;
    expect(units[0]!.keyFrame).toBe(true);
    expect(units[0]!.codec).toMatchObject({ width: 320, height: 240, kind: codec });
    for (const u of units.filter((unit) => unit.keyFrame)) {
      expect(u.data.subarray(0, u.codec.prefix.length).equals(u.codec.prefix)).toBe(true);
    }
    expect(Math.abs(units.at(-1)!.wallMs - Date.now())).toBeLessThan(2_000);
    expect(warnables.list()).toEqual([]);
    for (const release of releases) release();
    await video.stop();
    await until(() => cam.count('teardown') === 1, 'TEARDOWN');
  });

  it('holds the pre-roll asked for, from a key frame on, with 4 s between key frames', async () => {
    const cam = await camera({ keyFrames: 100 });
    const { video, source } = newVideo();
    video.setChannels([channelConfig(cam.url)]);
    const w = watcher(1_000);
    source().acquire(w.consumer);
    await until(() => w.units.filter((u) => u.keyFrame).length === 3, 'third key frame', 20_000);
    const at = systemClock.mono() - 1_000;
    const found = source().ring.from(at);
    expect(found[0]!.keyFrame).toBe(true);
    expect(found[0]!.monoMs).toBeLessThanOrEqual(at);
    expect(found[0]!.monoMs).toBeGreaterThan(at - 4_100);
    expect(video.state(DEVICE, 1).keyFrameIntervalMs).toBe(4000);
  });

  it('pulls a camera that speaks UDP only through ffmpeg, its password on no command line', async () => {
    const cam = await camera({ udpOnly: true, password: PASSWORD });
    const { video, source, logged } = newVideo();
    video.setChannels([channelConfig(cam.url)]);
    const w = watcher();
    source().acquire(w.consumer);
    await until(() => w.units.length > 30, 'pictures');
    expect(w.units[0]).toMatchObject({ keyFrame: true, codec: { width: 320 } });
    const lines = commandLines();
    expect(lines.some((l) => l.includes('ffmpeg') && l.includes('ffconcat') === false && l.includes('pipe:0'))).toBe(
      true,
    );
    const ours = lines.filter((l) => l.includes('ffmpeg'));
    expect(ours.filter((l) => l.includes('p@ss') || l.includes('p%40ss'))).toEqual([]);
    await video.stop();
    expect(logged.filter((l) => l.includes('p@ss') || l.includes('p%40ss'))).toEqual([]);
  });

  it('stops after one refused login until a person resets the guard', async () => {
    const cam = await camera({});
    const { video, warnables, source } = newVideo();
    const guard = new LoginGuard();
    video.setChannels([channelConfig(cam.url, { password: 'wrong', guard })]);
    source().acquire(watcher().consumer);
    await until(() => guard.refused !== null, 'refusal');
    expect(guard.refused).toMatchObject({ by: 'rtsp', locked: false });
    expect(video.state(DEVICE, 1).video).toBe('refused');
    expect(warnables.list().map((w) => w.code)).toEqual(['video-refused']);
    const connects = cam.count('connect');
    await systemClock.sleep(2_500);
    expect(cam.count('connect')).toBe(connects);
    video.setChannels([channelConfig(cam.url, { guard })]);
    guard.reset();
    await until(() => video.state(DEVICE, 1).video === 'streaming', 'streaming');
    expect(warnables.list()).toEqual([]);
  });
});

describe.concurrent('a channel of an odd camera', { timeout: 40_000 }, () => {
  it('sends wrong credentials exactly once', async () => {
    const cam = await scriptedCamera({
      answer: (r) =>
        r.method === 'DESCRIBE'
          ? { status: '401 Unauthorized', headers: { 'WWW-Authenticate': 'Digest realm="Cam", nonce="1"' } }
          : usual(r),
    });
    cleanups.push(cam.stop);
    const { video, source, logged } = newVideo();
    const guard = new LoginGuard();
    video.setChannels([channelConfig(cam.url, { guard, password: 'very-wrong' })]);
    source().acquire(watcher().consumer);
    await until(() => guard.refused !== null, 'refusal');
    await systemClock.sleep(4_000);
    expect(cam.requests.filter((r) => r.authorization !== null)).toHaveLength(1);
    expect(cam.connections).toHaveLength(1);
    expect(logged.join('')).not.toContain('very-wrong');
  });

  it('asks nothing of a device that refused another login', async () => {
    const cam = await scriptedCamera({});
    cleanups.push(cam.stop);
    const { video, source } = newVideo();
    const guard = new LoginGuard();
    guard.refuse('isapi', 'no');
    video.setChannels([channelConfig(cam.url, { guard })]);
    source().acquire(watcher().consumer);
    await systemClock.sleep(300);
    expect(video.state(DEVICE, 1).video).toBe('refused');
    expect(cam.connections).toHaveLength(0);
  });

  it('tells what the camera sends before any picture comes, and at once that it cannot be asked', async () => {
    const cam = await scriptedCamera({ played: () => {} });
    cleanups.push(cam.stop);
    const { video, source } = newVideo();
    video.setChannels([channelConfig(cam.url)]);
    expect(await source().described()).toBeNull();
    source().acquire(watcher().consumer);
    expect(await source().described()).toBe('h264');
    expect(source().codec).toBeNull();
    // Nobody listens there any more.
    await cam.stop();
    const other = newVideo();
    other.video.setChannels([channelConfig(cam.url)]);
    other.source().acquire(watcher().consumer);
    expect(await other.source().described()).toBeNull();
    // Between two tries nothing is asked.
    expect(await other.source().described()).toBeNull();
    const guard = new LoginGuard();
    guard.refuse('rtsp', 'no');
    other.video.setChannels([channelConfig(cam.url, { guard })]);
    other.source().acquire(watcher().consumer);
    expect(await other.source().described()).toBeNull();
  });

  it('comes back after the camera hung up, never within a second, and tells the consumers', async () => {
    const cam = await scriptedCamera({
      played: (socket, connection) => {
        streamVideo(socket);
        if (connection < 3) setTimeout(() => socket.destroy(), 300);
      },
    });
    cleanups.push(cam.stop);
    const { video, warnables, source } = newVideo();
    video.setChannels([channelConfig(cam.url)]);
    const w = watcher();
    source().acquire(w.consumer);
    await until(() => w.losses.length === 1, 'loss');
    await until(() => warnables.list().length === 1, 'warnable');
    expect(warnables.list()[0]).toMatchObject({ code: 'video-lost', subject: `channel:${DEVICE}/1` });
    expect(video.state(DEVICE, 1).video).toBe('stalled');
    await until(() => cam.connections.length === 3 && w.units.at(-1)!.epoch === 2, 'third session');
    for (const [i, at] of cam.connections.slice(1).entries()) expect(at - cam.connections[i]!).toBeGreaterThan(1_000);
    expect(video.state(DEVICE, 1).video).toBe('streaming');
    expect(warnables.list()).toEqual([]);
    expect(w.units.filter((u, i) => u.epoch !== w.units[i - 1]?.epoch).every((u) => u.keyFrame)).toBe(true);
  });

  it('lets go of the camera some seconds after the last consumer, not at once', async () => {
    const cam = await scriptedCamera({});
    cleanups.push(cam.stop);
    const { video, source } = newVideo();
    video.setChannels([channelConfig(cam.url)]);
    const [a, b] = [watcher(), watcher()];
    const release = source().acquire(a.consumer);
    await until(() => a.units.length > 2, 'pictures');
    release();
    source().acquire(b.consumer)();
    await until(() => cam.requests.some((r) => r.method === 'TEARDOWN'), 'TEARDOWN', 8_000);
    expect(cam.connections).toHaveLength(1);
    await until(() => video.state(DEVICE, 1).video === 'none', 'the end');
    expect(source().ring.bytes).toBe(0);
  });

  it('warns of key frames too far apart to keep the time before an event', async () => {
    const cam = await scriptedCamera({});
    cleanups.push(cam.stop);
    const warnables = newWarnables();
    const video = new Video({ clock: systemClock, log: pino({ level: 'silent' }), warnables, ringBytes: 600 });
    cleanups.push(() => video.stop());
    video.setChannels([channelConfig(cam.url)]);
    video.source(DEVICE, 1)!.acquire(watcher().consumer);
    await until(() => warnables.list().some((w) => w.code === 'long-key-frame-interval'), 'warnable');
    expect(warnables.list()[0]!.text).toContain('Yard');
  });
});
