import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../testing/digest-client.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';

/** The lab's own, when nothing else is asked for. */
const FPS = 25;
let lab: TestLab;
beforeAll(async () => {
  lab = await startLab({ video: true });
});
afterAll(() => lab.stop());

function url(n: number, path = '/Streaming/Channels/101', password = lab.camera(n).password) {
  const { address, rtspPort, username } = lab.camera(n);
  return `rtsp://${username}:${encodeURIComponent(password)}@${address}:${rtspPort}${path}`;
}
const run = (command: string, ...args: string[]) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    out += text;
  });
  return { child, done: once(child, 'close').then(([code]) => ({ code: code as number, out })), out: () => out };
};
const probe = (at: string) =>
  run(
    'ffprobe',
    '-v',
    'error',
    '-rtsp_transport',
    'tcp',
    '-show_entries',
    'stream=codec_name,width,height',
    '-of',
    'csv',
    at,
  ).done;
const play = (n: number, ...args: string[]) =>
  run('ffmpeg', '-nostdin', '-v', 'error', '-rtsp_transport', 'tcp', '-i', url(n), ...args);
const state = async (n: number) => (await lab.get(`/devices/camera-${n}`)).body;
async function until(check: () => Promise<boolean>) {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('RTSP of the cameras', () => {
  it.each([
    '/Streaming/Channels/101',
    '/streaming/channels/101',
    '/ISAPI/Streaming/channels/101?transportmode=unicast',
  ])('serves H.264 at %s', async (path) => {
    expect((await probe(url(1, path))).out.trim()).toBe('stream,h264,1280,720');
  });

  it('serves a sub-stream, of cameras that have one', async () => {
    expect((await probe(url(1, '/Streaming/Channels/102'))).out.trim()).toBe('stream,h264,640,360');
    expect((await probe(url(2, '/Streaming/Channels/102'))).out).toContain('404');
  });

  it.each([
    ['h265', 'pcma', 'hevc', 'pcm_alaw'],
    ['mjpeg', 'aac', 'mjpeg', 'aac'],
    ['h264', 'pcmu', 'h264', 'pcm_mulaw'],
  ])('codes as it is told: %s with %s', async (codec, sound, ...expected) => {
    await lab.post('/devices/camera-2/coding', { codec, sound });
    const { out } = await probe(url(2));
    expect([...out.matchAll(/^stream,(\w+)/gm)].map((m) => m[1])).toEqual(expected);
    await lab.post('/devices/camera-2/coding', { codec: 'h264', sound: 'none' });
  });

  it.each([
    [1, 2],
    [2, 4],
  ])('camera %i has a key frame every %i s', async (n, seconds) => {
    const args = ['-v', 'error', '-rtsp_transport', 'tcp', '-read_intervals', `%+${2 * seconds + 1}`];
    const show = ['-show_entries', 'packet=pts_time,flags', '-of', 'csv=p=0'];
    const { out } = await run('ffprobe', ...args, ...show, url(n)).done;
    // Pictures counted, not time: a busy machine sends them late, and none is left out.
    const pictures = out.split('\n').filter((line) => /^-?[\dN]/.test(line));
    const keys = pictures.flatMap((line, i) => (line.includes('K') ? [i] : []));
    expect(keys.length).toBeGreaterThanOrEqual(2);
    expect(keys.at(-1)! - keys.at(-2)!).toBe(seconds * FPS);
  });

  it('counts a wrong password together with those over HTTP', async () => {
    expect((await probe(url(2, '/Streaming/Channels/101', 'wrong'))).out).toContain('401');
    await get(lab.camera(2), '/ISAPI/Security/userCheck', 'wrong');
    expect((await state(2)).failedLogins).toBe(2);
    for (let i = 0; i < 4; i++) await get(lab.camera(2), '/ISAPI/Security/userCheck', 'wrong');
    expect((await probe(url(2))).out).toContain('401');
    await lab.post('/devices/camera-2/unlock', {});
    expect((await probe(url(2))).out).toContain('h264');
  });

  it('counts sessions, now and ever', async () => {
    const before = (await state(1)).rtspSessionsTotal;
    const watching = play(1, '-c', 'copy', '-f', 'null', '-');
    await until(async () => (await state(1)).rtspSessions === 1);
    expect((await state(1)).rtspSessionsTotal).toBe(before + 1);
    watching.child.kill('SIGKILL');
    await watching.done;
    await until(async () => (await state(1)).rtspSessions === 0);
  });

  it('stalls: the session lives, no picture comes; and goes on afterwards', async () => {
    const watching = play(1, '-c', 'copy', '-f', 'h264', 'pipe:1');
    await until(async () => watching.out().length > 10_000);
    await lab.post('/devices/camera-1/video', { mode: 'stall' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const silent = watching.out().length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(watching.out().length).toBe(silent);
    expect((await state(1)).rtspSessions).toBe(1);
    await lab.post('/devices/camera-1/video', { mode: 'normal' });
    await until(async () => watching.out().length > silent + 10_000);
    watching.child.kill('SIGKILL');
    await watching.done;
  });

  it('drops: sessions are cut and new ones refused until it is normal again', async () => {
    const watching = play(1, '-c', 'copy', '-f', 'null', '-');
    await until(async () => (await state(1)).rtspSessions === 1);
    await lab.post('/devices/camera-1/video', { mode: 'drop' });
    await watching.done;
    expect((await probe(url(1))).out).toContain('Connection refused');
    await lab.post('/devices/camera-1/video', { mode: 'normal' });
    expect((await probe(url(1))).out).toContain('h264');
  });

  it('shows what it sees as a snapshot', async () => {
    const picture = await get(lab.camera(1), '/ISAPI/Streaming/channels/101/picture');
    const { stdout } = spawnSync(
      'ffprobe',
      ['-v', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'csv', '-'],
      { input: picture.bytes },
    );
    expect(stdout.toString().trim()).toBe('stream,mjpeg,1280,720');
  });

  it('gives every picture of many that are asked for at once', async () => {
    const asked = [1, 2, 1, 2].map((n) => get(lab.camera(n), '/ISAPI/Streaming/channels/101/picture'));
    for (const picture of await Promise.all(asked)) expect(picture.bytes.subarray(0, 2).toString('hex')).toBe('ffd8');
  });
});
