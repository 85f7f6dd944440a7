import type { DeviceManager } from '../devices/manager.ts';
import { failure, type IsapiFailure, type Result } from '../isapi/answer.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import type { UpgradeDevices } from './runner.ts';

/** The devices that the box looks after, for their upgrades. */
export function upgradeDevices(devices: Pick<DeviceManager, 'operate' | 'passwordOf'>): UpgradeDevices {
  const result = async <T>(done: ReturnType<typeof devices.operate<T>>): Promise<Result<T>> => {
    const value = await done;
    return value.ok ? value : failure(value.code as IsapiFailure['code'], value.detail);
  };
  return {
    async use(deviceId, fn) {
      let said: Awaited<ReturnType<typeof fn>> | null = null;
      const done = await result(
        devices.operate(deviceId, async (driver) => {
          const device = driver instanceof IsapiDriver ? driver.device() : null;
          if (!device) return failure('conflict', 'It cannot be upgraded from here: use its own page.');
          said = await fn(device);
          return said;
        }),
      );
      // The device's own words have more than what comes back through the box's own.
      return said ?? done;
    },
    identify: (deviceId) => result(devices.operate(deviceId, (driver) => driver.identify())),
    passwordOf: (deviceId) => devices.passwordOf(deviceId),
  };
}
