import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
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
