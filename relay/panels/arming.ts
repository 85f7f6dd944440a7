import { ActionDone, type DeviceAction } from '../../protocol/wire/operations.ts';
import type { ArmDevices, ArmedDevice } from '../../protocol/wire/panels.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../auth/scope.ts';
import type { DeviceRow } from '../db/schema.ts';
import type { BoxClient } from '../devices/box-client.ts';

const AT_ONCE = 8;
const TIMEOUT_MS = 60_000;
const ACTIONS = { away: 'areaArmAway', stay: 'areaArmStay', disarm: 'areaDisarm' } as const;

/** Arms or disarms several panels of a site; one that fails holds up no other. */
export async function armDevices(
  box: BoxClient,
  scope: Scope,
  siteId: string,
  wanted: Required<ArmDevices>,
): Promise<ArmedDevice[]> {
  const devices: DeviceRow[] = [];
  for (const id of new Set(wanted.devices)) {
    const device = await scope.device(id, 'configure');
    if (device.siteId !== siteId) throw new ProblemError('not-found', 'A device of this list is not at this site.');
    devices.push(device);
  }
  const { arm, area, force } = wanted;
  const action: DeviceAction =
    arm === 'disarm' ? { action: ACTIONS.disarm, area } : { action: ACTIONS[arm], area, force };
  const results = new Map<string, ArmedDevice>();
  const line = [...devices];
  const work = async () => {
    for (let device = line.shift(); device; device = line.shift())
      results.set(device.id, await one(box, device, action));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return devices.map((device) => results.get(device.id)!);
}

async function one(box: BoxClient, device: DeviceRow, action: DeviceAction): Promise<ArmedDevice> {
  const { id: deviceId, name, boxSerial } = device;
  try {
    if (device.type !== 'panel') throw new ProblemError('conflict', `${name} has no areas to arm.`);
    if (!boxSerial)
      throw new ProblemError('conflict', `${name} was added by its address: it is not operated from here.`);
    const path = `/v1/devices/${deviceId}/actions`;
    const done = await box.json(boxSerial, ActionDone, 'POST', path, { body: action, timeoutMs: TIMEOUT_MS });
    return { deviceId, name, done: true, code: null, text: done.text };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { deviceId, name, done: false, code: error.code, text: error.message };
  }
}
