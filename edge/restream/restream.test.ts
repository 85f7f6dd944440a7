import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import type { AudioFrame } from '../video/audio.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { RtspSession } from '../video/rtsp-session.ts';
import type { SoundTrack, VideoTrack } from '../video/sdp.ts';
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
import { Restream } from './restream.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A camera, the box's pull of it, and what the box gives out; `url` is the stream as a player is told it. */
async function world(options: CameraOptions = {}) {
  const camera = await startCamera({ user: 'admin', password: 'p@ss:word/123', ...options });
  cleanups.push(camera.stop);
  const video = new Video({ clock, log: silent, warnables: newWarnables() });
  cleanups.push(() => video.stop());
  const channels = [channelConfig(camera.url, { sub: camera.url })];
  video.setChannels(channels);
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-restream-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  const restream = new Restream({
    port: 0,
    host: '127.0.0.1',
    dir,
    channels: () => channels,
    video,
    clock,
    log: silent,
  });
  restream.start();
  cleanups.push(() => restream.stop());
  await until(() => restream.info() !== null, 'the server');
  const { port, username, password, streams } = restream.info()!;
  const at = (login: string, path = streams[0]!.path) => `rtsp://${login}127.0.0.1:${port}${path}`;
  return { camera, video, restream, dir, port, password, at, url: at(`${username}:${password}@`) };
}

/** Another ffmpeg has the port that it tried first. */
const TAKEN = /^.*bind failed: Address already in use\n/gm;

/** What ffprobe finds in `seconds` of a stream. */
async function probe(url: string, transport: 'tcp' | 'udp', seconds = 2) {
  const show = ['-show_entries', 'stream=codec_name,width:packet=codec_type,flags,pts_time', '-of', 'json'];
  const args = ['-v', 'error', '-rtsp_transport', transport, '-read_intervals', `%+${seconds}`, ...show, url];
  const child = spawn('ffprobe', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    errors += text;
  });
  await once(child, 'close');
  const read = JSON.parse(out || '{}') as {
    streams?: { codec_name: string; width?: number }[];
    packets?: { codec_type: string; pts_time?: string }[];
  };
  const times = (kind: string) =>
    (read.packets ?? []).filter((p) => p.codec_type === kind && p.pts_time).map((p) => Number(p.pts_time));
  return {
    codecs: read.streams?.map((s) => s.codec_name),
    pictures: times('video'),
    sound: times('audio'),
    errors: errors.replace(TAKEN, ''),
  };
}

describe('streams on the LAN', () => {
  it.each([
    ['h264', 'pcmu', 'tcp', ['h264', 'pcm_mulaw']],
    ['h265', 'aac', 'udp', ['hevc', 'aac']],
  ] as const)('give ffmpeg %s with %s over %s, at once and with times that agree', async (codec, sound, over, found) => {
    const { camera, video, url } = await world({ codec, sound, keyFrames: 50 });
    const [units, frames]: [AccessUnit[], AudioFrame[]] = [[], []];
    const consumer = { accessUnit: (u: AccessUnit) => units.push(u), audio: (f: AudioFrame) => frames.push(f) };
    video.source(DEVICE, 1)!.acquire({ preRollMs: 0, lost: () => {}, ...consumer });
    const [a, b] = await Promise.all([probe(url, over), probe(url, over)]);
    for (const got of [a, b]) {
      expect(got.codecs).toEqual(found);
      expect(got.errors).toBe('');
      expect(got.pictures.length).toBeGreaterThan(35);
      expect(got.sound.length).toBeGreaterThan(20);
      expect(Math.abs(got.sound.at(-1)! - got.pictures.at(-1)!)).toBeLessThan(0.7);
    }
    expect(camera.count('play')).toBe(1);
  });

  it('ask a camera for nothing until somebody looks, and let go of it afterwards', async () => {
    const { camera, restream, url } = await world();
    expect(camera.count('connect')).toBe(0);
    expect((await probe(url, 'tcp', 1)).codecs).toEqual(['h264']);
    expect(camera.count('play')).toBe(1);
    await until(() => restream.info()!.viewers === 0, 'nobody watches');
    await until(() => camera.count('teardown') === 1, 'TEARDOWN', 8_000);
  });

  it('are for those with the password, which is kept and nobody else may read', async () => {
    const { at, dir, password, port, restream, camera } = await world();
    expect(password).toMatch(/^[\w-]{20}$/);
    expect(statSync(join(dir, 'restream-password')).mode & 0o777).toBe(0o600);
    for (const login of ['', 'gatepost:wrong@', `admin:${password}@`]) {
      expect((await probe(at(login), 'tcp')).errors).toContain('401');
    }
    expect((await probe(at(`gatepost:${password}@`, `/${DEVICE}/9/main`), 'tcp')).errors).toContain('404');
    expect((await probe(at(`gatepost:${password}@`, '/etc/passwd'), 'tcp')).errors).toContain('404');
    // Garbage and guesses cost nothing but the connection.
    const socket = connect(port, '127.0.0.1');
    const guess = `DESCRIBE rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Digest username="gatepost", nonce="1", uri="x", response="2"\r\n\r\n`;
    socket.write(`garbage\r\n\r\n${guess.repeat(12)}`);
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'close');
    expect(camera.count('connect')).toBe(0);
    expect(restream.info()).toMatchObject({ viewers: 0, username: 'gatepost', streams: [{ name: 'Yard' }, {}] });
  });

  it('are given to as many as there are places, and the camera is asked once', async () => {
    const { at, restream, password, camera } = await world({ sound: 'aac' });
    const stop = new AbortController();
    const login = { username: 'gatepost', password, keepAlive: { method: null }, clock };
    const tracks: (SoundTrack | null)[] = [];
    const packets = Array.from({ length: 17 }, () => 0);
    const run = (i: number) => {
      const handlers = {
        track: (_: VideoTrack, sound: SoundTrack | null) => tracks.push(sound),
        packet: () => packets[i]!++,
      };
      return new RtspSession({ url: at(''), ...login, handlers }).run(stop.signal);
    };
    const watching = Array.from({ length: 16 }, (_, i) => run(i));
    await until(() => packets.slice(0, 16).every((n) => n > 10), 'sixteen viewers', 25_000);
    expect(restream.info()!.viewers).toBe(16);
    expect(await run(16)).toMatchObject({ code: 'busy', message: expect.stringContaining('453') });
    expect(camera.count('play')).toBe(1);
    expect(tracks.every((sound) => sound?.codec.kind === 'aac')).toBe(true);
    stop.abort();
    for (const end of await Promise.all(watching)) expect(end.code).toBe('stopped');
    await until(() => restream.info()!.viewers === 0, 'nobody watches');
  });
});
