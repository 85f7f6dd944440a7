import type { Logger } from 'pino';
import { systemClock as clock } from '../../../protocol/clock.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { LoginGuard } from '../../devices/login-guard.ts';
import type { DeviceManager } from '../../devices/manager.ts';
import type { ChannelConfig } from '../../devices/types.ts';
import { OnvifDriver } from '../../onvif/driver.ts';
import { spawnLab } from './lab.ts';

export interface OnvifLab {
  deviceId: string;
  devices: Pick<DeviceManager, 'operate' | 'channels'>;
  driver: OnvifDriver;
  status: () => ReturnType<Awaited<ReturnType<typeof spawnLab>>['status']>;
  /** What it has on its disk from now on; null: as before. */
  recorded: (files: { fromMs: number; toMs: number }[] | null) => Promise<void>;
  /** How it replays, and how its services are. */
  replay: (odd: object) => Promise<void>;
  odd: (odd: object) => Promise<void>;
  stop: () => Promise<void>;
}

/** The lab's ONVIF recorder with two cameras, and what playback asks of the box's devices. */
export async function startOnvifLab(octet: number, log: Logger): Promise<OnvifLab> {
  const lab = await spawnLab(octet, ['--cameras', '1', '--devices', 'onvif-nvr']);
  const { name, address, httpPort, username, password } = lab.devices.find((d) => d.name === 'onvif-nvr')!;
  const guard = new LoginGuard();
  const driver = new OnvifDriver({ host: address, port: httpPort, username, password, guard, clock, log });
  await driver.identify();
  const channels = await driver.channels();
  if (!channels.ok) throw new Error(channels.text);
  const deviceId = uuidv7();
  const configs = channels.value.map((channel): ChannelConfig => ({ ...channel, deviceId, username, password, guard }));
  return {
    deviceId,
    driver,
    devices: {
      channels: () => configs,
      operate: async (id, fn) => {
        if (id !== deviceId) return { ok: false, code: 'not-found', detail: 'no such device' };
        const done = await fn(driver);
        return done.ok ? done : { ok: false, code: done.code, detail: done.text };
      },
    },
    status: () => lab.status(name),
    recorded: (files) => lab.post(`${name}/do/recordings`, { files }),
    replay: (odd) => lab.post(`${name}/do/replay`, odd),
    odd: (odd) => lab.post(`${name}/do/onvif`, odd),
    async stop(): Promise<void> {
      await driver.close();
      await lab.stop();
    },
  };
}
