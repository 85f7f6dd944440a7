import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { AudioFrame } from './audio.ts';
import type { AccessUnit } from './receiver.ts';
import { channelConfig, DEVICE, newWarnables, silent, until } from './testing/camera.ts';
import { type LabCamera, startLab } from './testing/lab.ts';
import { Video } from './video.ts';

/* The pull against the lab's cameras, which count sessions and logins by themselves. */

let lab: Awaited<ReturnType<typeof startLab>>;
let video: Video;
beforeAll(async () => {
  lab = await startLab(96);
});
afterEach(() => video.stop());
afterAll(() => lab.stop());

function pull(camera: LabCamera, password = camera.password, consumers = 1) {
  const warnables = newWarnables();
  const guard = new LoginGuard();
  video = new Video({ clock, log: silent, warnables });
  video.setChannels([channelConfig(camera.url, { username: camera.username, password, guard })]);
  const state = () => video.state(DEVICE, 1).video;
  for (let i = 0; i < consumers; i++) {
    video.source(DEVICE, 1)!.acquire({ preRollMs: 5_000, accessUnit: () => {}, lost: () => {} });
  }
  return { warnables, guard, state };
}

describe("the lab's cameras", () => {
  it('see one session however many consumers there are', async () => {
    const [first, second] = lab.cameras as [LabCamera, LabCamera];
    for (const [camera, intervalMs] of [
      [first, 2_000],
      [second, 4_000],
    ] as const) {
      pull(camera, camera.password, 5);
      await until(() => video.state(DEVICE, 1).keyFrameIntervalMs !== null, 'key frames', 30_000);
      expect(Math.abs(video.state(DEVICE, 1).keyFrameIntervalMs! - intervalMs)).toBeLessThan(300);
      expect(await lab.status(camera.name)).toMatchObject({ rtspSessions: 1, failedLogins: 0 });
      await video.stop();
    }
  }, 80_000);

  it('give main and sub-stream side by side, with sound that is heard when it was made, and another codec when it changes', async () => {
    const camera = lab.cameras[0]!;
    await lab.code(camera.name, { sound: 'pcmu' });
    const warnables = newWarnables();
    video = new Video({ clock, log: silent, warnables });
    const { username, password } = camera;
    video.setChannels([channelConfig(camera.url, { username, password, sub: camera.url.replace(/1$/, '2') })]);
    const [units, sound]: [AccessUnit[], AudioFrame[]] = [[], []];
    const audio = (frame: AudioFrame) => sound.push(frame);
    const consumer = { preRollMs: 0, accessUnit: (u: AccessUnit) => units.push(u), lost: () => {} };
    video.source(DEVICE, 1)!.acquire({ ...consumer, audio });
    video.source(DEVICE, 1, 'sub')!.acquire(consumer);
    const widths = () => new Set(units.map((u) => `${u.codec.kind} ${u.codec.width}`));
    await until(() => widths().size === 2 && sound.length > 75, 'both streams and sound', 30_000);
    expect(widths()).toEqual(new Set(['h264 1280', 'h264 640']));
    expect((await lab.status(camera.name)).rtspSessions).toBe(2);
    // A tone in the first tenth of each second; silence is 0xff and its neighbours. Pieces are 40 ms long.
    const loud = sound.slice(25).filter(({ data }) => data.filter((b) => (b & 0x7f) < 0x50).length > data.length / 2);
    expect(loud.length).toBeGreaterThan(2);
    for (const { wallMs } of loud) expect((wallMs + 500) % 1000).toBeGreaterThan(400);
    for (const { wallMs } of loud) expect((wallMs + 500) % 1000).toBeLessThan(750);

    await lab.code(camera.name, { codec: 'h265', sound: 'aac' });
    await until(() => widths().has('h265 1280') && sound.at(-1)!.codec.kind === 'aac', 'H.265 and AAC', 30_000);
    expect(video.source(DEVICE, 1)!.codec?.kind).toBe('h265');
    expect(video.state(DEVICE, 1).codec).toMatch(/^hvc1/);
    await lab.code(camera.name, { codec: 'h264', sound: 'none' });
    expect(warnables.list().filter((w) => w.severity === 'error')).toEqual([]);
  }, 60_000);

  it('see one refused login and are not locked', async () => {
    const camera = lab.cameras[0]!;
    const { guard, state } = pull(camera, 'wrong');
    await until(() => guard.refused !== null, 'refusal');
    await clock.sleep(3_000);
    expect(state()).toBe('refused');
    expect(await lab.status(camera.name)).toMatchObject({ failedLogins: 1, locked: false });
  });

  it('are found silent when they stall, and pulled again when they are back', async () => {
    const camera = lab.cameras[0]!;
    const { warnables, state } = pull(camera);
    await until(() => state() === 'streaming', 'video');
    await lab.videoMode(camera.name, 'stall');
    await until(() => state() === 'stalled', 'the stall', 20_000);
    expect(warnables.list()).toMatchObject([{ code: 'video-stalled', subject: `channel:${DEVICE}/1` }]);
    await lab.videoMode(camera.name, 'normal');
    await until(() => state() === 'streaming', 'video again', 30_000);
    expect(warnables.list()).toEqual([]);
    expect((await lab.status(camera.name)).rtspSessions).toBe(1);
  }, 60_000);
});
