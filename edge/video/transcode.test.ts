import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import type { AudioFrame } from './audio.ts';
import type { Consumer } from './channel-source.ts';
import type { AccessUnit } from './receiver.ts';
import { channelConfig, DEVICE, newWarnables, silent, startCamera, until } from './testing/camera.ts';
import { Video } from './video.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function watcher() {
  const units: AccessUnit[] = [];
  const sound: AudioFrame[] = [];
  const losses: string[] = [];
  const consumer: Consumer = {
    preRollMs: 0,
    lost: (reason) => losses.push(reason),
    accessUnit: (u) => units.push(u),
    audio: (f) => sound.push(f),
  };
  return { units, sound, losses, consumer };
}

describe('pictures made anew for viewers', () => {
  it('are H.264 with the times of the H.265 they are made of, one session and one encoder for all', async () => {
    const camera = await startCamera({ user: 'admin', password: 'p@ss:word/123', codec: 'h265', sound: 'pcmu' });
    cleanups.push(camera.stop);
    const video = new Video({ clock: systemClock, log: silent, warnables: newWarnables() });
    cleanups.push(() => video.stop());
    const config = channelConfig(camera.url);
    video.setChannels([config, { ...config, channel: 2 }, { ...config, channel: 3 }]);
    const raw = watcher();
    video.source(DEVICE, 1)!.acquire(raw.consumer);
    await until(() => raw.units.length > 10, 'pictures');
    const [a, b] = [watcher(), watcher()];
    const made = video.transcoded(DEVICE, 1, { height: 120 })!;
    const release = made.acquire(a.consumer);
    expect(video.transcoded(DEVICE, 1, { height: 120 })).toBe(made);
    await until(() => a.units.filter((u) => u.keyFrame).length > 1, 'pictures made anew');
    made.acquire(b.consumer);
    await until(() => b.units.length > 5, 'the same for another');
    expect(camera.count('play')).toBe(1);
    expect(a.units[0]).toMatchObject({ keyFrame: true, codec: { kind: 'h264', width: 160, height: 120 } });
    expect(a.units[0]!.codec.codec).toMatch(/^avc1\.42[cC]0/);
    expect(a.units[0]!.data.subarray(0, a.units[0]!.codec.prefix.length)).toEqual(a.units[0]!.codec.prefix);
    const of = new Map(raw.units.map((u) => [u.time, u]));
    for (const unit of a.units) {
      const { epoch, wallMs } = of.get(unit.time)!;
      expect([unit.epoch, unit.wallMs]).toEqual([epoch, wallMs]);
    }
    const keys = a.units.filter((u) => u.keyFrame);
    expect(keys[1]!.time - keys[0]!.time).toBeLessThanOrEqual(2 * 90_000 + 3600);
    expect(a.sound.length).toBeGreaterThan(10);
    expect(made.sound?.kind).toBe('pcmu');
    expect(made.ring.from(systemClock.mono())[0]!.keyFrame).toBe(true);

    // Two at once is all that a box does.
    const second = video.transcoded(DEVICE, 2, { height: 120 })!;
    const stop = second.acquire(watcher().consumer);
    expect(video.transcoded(DEVICE, 3, { height: 120 })).toBeNull();
    stop();
    second.stop();
    expect(video.transcoded(DEVICE, 3, { height: 120 })).not.toBeNull();
    release();
    made.stop();
    expect(b.losses).toHaveLength(1);
    expect(video.transcoded(DEVICE, 9, { height: 120 })).toBeNull();
  });
});
