import { createHash, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import {
  compareFirmware,
  modelFits,
  UPGRADE_STEPS,
  UpgradeItem,
  type UpgradeStep,
} from '../../protocol/wire/firmware.ts';
import type { StepState } from '../../protocol/wire/jobs.ts';
import type { DeviceInfo } from '../drivers/driver.ts';
import { failure, type Result } from '../isapi/answer.ts';
import type { IsapiDevice } from '../isapi/isapi-device.ts';
import type { ItemProgress, JobRunner } from '../jobs/types.ts';
import { awaitInstalled, sendFirmware, upgradeReason, upgradeStatus } from './flash.ts';
import type { PackageStore } from './package-store.ts';

const BACK_WITHIN_MS = 20 * 60_000;
const LOOK_EVERY_MS = 3_000;
/** Restarting takes them so long at least. One that still answers was not seen to go, and may yet. */
const RESTART_MS = 5_000;
const SLOW_RESTART_MS = 4 * 60_000;

/** What is needed of the devices that the box looks after. */
export interface UpgradeDevices {
  /** Does something with the device through its own login; a failure as a value. */
  use<T>(deviceId: string, fn: (device: IsapiDevice) => Promise<Result<T>>): Promise<Result<T>>;
  /** Asks it anew who it is. */
  identify(deviceId: string): Promise<Result<DeviceInfo>>;
  passwordOf(deviceId: string): string | null;
}

/**
 * Upgrades devices (UPG-01…07), each once at a time. There is no way to stop one (UPG-06): the file is sent once and never again
 * by itself. Where the box or the device lost power in between, the version that the device then has says what became of it.
 */
export class UpgradeRunner implements JobRunner<UpgradeItem> {
  readonly kind = 'upgrade';
  readonly item = UpgradeItem;
  readonly atOnce = 4;
  readonly #devices: UpgradeDevices;
  readonly #packages: Pick<PackageStore, 'take'>;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(o: { devices: UpgradeDevices; packages: Pick<PackageStore, 'take'>; clock: Clock; log: Logger }) {
    this.#devices = o.devices;
    this.#packages = o.packages;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'upgrade' });
  }

  describe({ deviceId, name }: UpgradeItem) {
    return { key: deviceId, name, steps: [...UPGRADE_STEPS] };
  }

  async run(item: UpgradeItem, progress: ItemProgress, signal: AbortSignal): Promise<'done' | 'failed'> {
    const step = (name: UpgradeStep, state: StepState, text: string | null = null, code: string | null = null) =>
      progress.step(name, state, { text, code });
    const fail = (name: UpgradeStep, text: string, code: string): 'failed' => {
      step(name, 'failed', text, code);
      return 'failed';
    };
    const before = new Map(progress.steps().map((s) => [s.step, s.state]));
    const sent = before.get('send');
    if (sent !== 'done' && sent !== 'running') {
      step('package', 'running');
      const percent = (value: number) => progress.step('package', 'running', { percent: value });
      const file = await this.#packages.take(item, percent, signal);
      if (!file.ok) return fail('package', file.text, file.code);
      try {
        step('package', 'done');
        step('check', 'running');
        const fit = await this.#check(item);
        if (!fit.ok) return fail('check', fit.text, fit.code);
        step('check', 'done', fit.value);
        step('send', 'running');
        const done = await this.#devices.use(item.deviceId, (device) =>
          sendFirmware(
            device,
            { path: file.value.path, size: item.size },
            (value) => progress.step('send', 'running', { percent: value }),
            signal,
          ),
        );
        if (signal.aborted) return 'failed';
        if (!done.ok) return fail('send', upgradeReason(done), done.subStatus ?? done.code);
        progress.remember({ rebootRequired: done.value.rebootRequired });
        step('send', 'done');
      } finally {
        await file.value.release();
      }
    } else if (sent === 'running') {
      // The box went down while it sent: the device has the file whole, or nothing.
      const state = await this.#afterPowerCut(item, signal);
      if (state !== 'installing') {
        if (state === 'same') return this.#verified(item, progress);
        const text = `The box was restarted while it sent the firmware; the device has ${state}. Start the upgrade again.`;
        return fail('send', text, 'interrupted');
      }
      step('send', 'done');
    }
    return this.#install(item, progress, signal, before);
  }

  async #install(
    item: UpgradeItem,
    progress: ItemProgress,
    signal: AbortSignal,
    before: Map<string, StepState>,
  ): Promise<'done' | 'failed'> {
    let gone = false;
    if (before.get('install') !== 'done') {
      progress.step('install', 'running');
      // After a restart of the box it is reached anew first.
      if (before.get('send') === 'done' || before.get('send') === 'running') await this.#reached(item, signal);
      const { rebootRequired = false } = progress.note<{ rebootRequired: boolean }>() ?? {};
      const done = await this.#devices.use(item.deviceId, (device) =>
        awaitInstalled(device, rebootRequired, (percent) => progress.step('install', 'running', { percent }), signal),
      );
      if (signal.aborted) return 'failed';
      gone = done.ok ? done.value.gone : true;
      if (!done.ok && done.code !== 'device-unreachable') {
        progress.step('install', 'failed', { text: upgradeReason(done), code: done.subStatus ?? done.code });
        return 'failed';
      }
      progress.step('install', 'done');
    }
    progress.step('restart', 'running');
    const started = this.#clock.mono();
    const end = started + BACK_WITHIN_MS;
    await this.#clock.sleep(RESTART_MS, signal);
    for (;;) {
      if (signal.aborted) return 'failed';
      const info = await this.#devices.identify(item.deviceId);
      gone ||= !info.ok;
      const begun = gone || this.#clock.mono() - started >= SLOW_RESTART_MS;
      if (info.ok && (await this.#settled(item, info.value, begun, signal))) break;
      if (this.#clock.mono() >= end) {
        const text =
          'It did not come back within 20 minutes. Look at its power and its network; do not switch it off while its lights blink.';
        progress.step('restart', 'failed', { text, code: info.ok ? 'device-error' : info.code });
        return 'failed';
      }
      await this.#clock.sleep(LOOK_EVERY_MS, signal);
    }
    progress.step('restart', 'done');
    return this.#verified(item, progress);
  }

  async #reached(item: UpgradeItem, signal: AbortSignal): Promise<void> {
    const end = this.#clock.mono() + BACK_WITHIN_MS;
    while (!signal.aborted && this.#clock.mono() < end && !(await this.#devices.identify(item.deviceId)).ok)
      await this.#clock.sleep(LOOK_EVERY_MS, signal);
  }

  /** It answers with the new version, or it has restarted and says that nothing is under way any more. */
  async #settled(item: UpgradeItem, info: DeviceInfo, begun: boolean, signal: AbortSignal): Promise<boolean> {
    if (compareFirmware(info.firmware ?? '', item.version) === 0) return true;
    if (!begun) return false;
    const status = await this.#devices.use(item.deviceId, async (device) => ({
      ok: true as const,
      value: await upgradeStatus(device, signal),
    }));
    return status.ok && status.value !== 'gone' && status.value?.upgrading !== true;
  }

  async #verified(item: UpgradeItem, progress: ItemProgress): Promise<'done' | 'failed'> {
    progress.step('verify', 'running');
    const info = await this.#devices.identify(item.deviceId);
    if (!info.ok) {
      progress.step('verify', 'failed', { text: info.text, code: info.code });
      return 'failed';
    }
    const now = info.value.firmware ?? '';
    const same = compareFirmware(now, item.version) === 0;
    this.#log.info({ device: item.deviceId, firmware: now, wanted: item.version, same }, 'upgrade ended');
    if (same) {
      for (const open of progress.steps().filter((s) => s.step !== 'verify' && s.state !== 'done'))
        progress.step(open.step, 'done');
      progress.step('verify', 'done', { text: now });
      return 'done';
    }
    const text = `It is back with ${now || 'no version'} instead of ${item.version}. Download the package and install it on its own page.`;
    progress.step('verify', 'failed', { text, code: 'not-kept' });
    return 'failed';
  }

  /** Whether the file is for this device and news to it; a sentence on the way. */
  async #check(item: UpgradeItem): Promise<Result<string>> {
    if (item.password !== null) {
      const known = this.#devices.passwordOf(item.deviceId);
      if (known === null || !sameSecret(known, item.password))
        return failure('device-refused-login', 'This is not its password: enter the one that it is added with.');
    }
    const info = await this.#devices.identify(item.deviceId);
    if (!info.ok) return info;
    const { model, firmware } = info.value;
    if (item.models.length > 0 && !modelFits(model, item.models))
      return failure(
        'conflict',
        `The firmware is for ${item.models.slice(0, 3).join(', ')}, the device is a ${model}.`,
      );
    const order = firmware ? compareFirmware(item.version, firmware) : null;
    if (order === 0) return failure('conflict', `It has ${firmware} already.`);
    if (order === -1) return failure('conflict', `It has ${firmware}, which is newer than ${item.version}.`);
    return { ok: true, value: `${firmware ?? '?'} → ${item.version}` };
  }

  /** What a device is at whose upgrade the box went down: its version, `same` as wanted, or still installing. */
  async #afterPowerCut(item: UpgradeItem, signal: AbortSignal): Promise<string> {
    const end = this.#clock.mono() + BACK_WITHIN_MS;
    for (;;) {
      const info = await this.#devices.identify(item.deviceId);
      if (info.ok) {
        if (compareFirmware(info.value.firmware ?? '', item.version) === 0) return 'same';
        const status = await this.#devices.use(item.deviceId, async (device) => ({
          ok: true as const,
          value: await upgradeStatus(device, signal),
        }));
        const working = status.ok && status.value !== 'gone' && status.value?.upgrading === true;
        return working ? 'installing' : (info.value.firmware ?? 'no version');
      }
      if (signal.aborted || this.#clock.mono() >= end) return 'not answered since';
      await this.#clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}

const digest = (secret: string) => createHash('sha256').update(secret).digest();
const sameSecret = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));
