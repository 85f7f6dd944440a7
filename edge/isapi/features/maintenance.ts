import type { Feature } from '../../drivers/feature.ts';
import { judge, type Result } from '../answer.ts';
import type { IsapiDevice } from '../isapi-device.ts';

/** Does it and takes silence for yes: a device that restarts may not come to answer (isapi.md §14). */
async function send(device: IsapiDevice, path: string, signal?: AbortSignal): Promise<Result<{ answered: boolean }>> {
  const reached = await device.client.get('/System/deviceInfo', { signal });
  if (!reached.ok) return reached;
  const result = await device.client.request('PUT', path, { timeoutMs: 10_000, signal });
  if (!result.ok) return result.code === 'device-unreachable' ? { ok: true, value: { answered: false } } : result;
  return judge(result.value) ?? { ok: true, value: { answered: true } };
}

/** Restarts the device; it is gone for 60 to 180 s. */
export const reboot = (device: IsapiDevice, signal?: AbortSignal) => send(device, '/System/reboot', signal);

/** Restart and factory settings (INIT-23). */
export const maintenance: Feature<IsapiDevice> = {
  async offer() {
    return { actions: (['reboot', 'restore'] as const).map((action) => ({ action, channels: null })) };
  },
  actions: {
    async reboot(device, _, signal) {
      const done = await reboot(device, signal);
      return done.ok ? { ok: true, value: { pending: true, text: null } } : done;
    },
    async restore(device, { mode }, signal) {
      const done = await send(device, `/System/factoryReset?mode=${mode}`, signal);
      if (!done.ok) return done;
      const text =
        mode === 'full' ? 'It forgets its password and its address: activate it again when it is back.' : null;
      return { ok: true, value: { pending: true, text } };
    },
  },
};
