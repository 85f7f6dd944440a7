import type { SettingField } from './operations.ts';

/**
 * What keeps an event of a device from ever being told of, and with it from making clips (CLOUD-09): nobody is notified, it is
 * off, nothing is drawn in which it could happen, or there is no time at which it counts.
 */
export const SILENCES = ['notify', 'enabled', 'area', 'schedule'] as const;
export type Silence = (typeof SILENCES)[number];

/** The first thing in the way, by an event's settings as the device tells them; what it does not say is not in the way. */
export function silenceOf(fields: readonly SettingField[]): Silence | null {
  const off = (name: string) =>
    fields.some((one) => one.name === name && one.kind === 'boolean' && one.value === false);
  if (off('enabled')) return off('notify') ? 'notify' : 'enabled';
  if (off('notify')) return 'notify';
  if (fields.some((one) => (one.kind === 'regions' || one.kind === 'lines') && one.value.length === 0)) return 'area';
  return fields.some((one) => one.kind === 'week' && one.value === '') ? 'schedule' : null;
}
