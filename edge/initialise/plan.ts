import type { InitialiseStep } from '../../protocol/wire/initialise.ts';
import type { DeviceCategory } from '../../protocol/wire/operations.ts';

/* Which device gets what (Hik-Partner Pro manual, table 3-2). */

const CAMERAS: ReadonlySet<DeviceCategory> = new Set(['camera', 'ptzCamera', 'thermalCamera']);
const RECORDERS: ReadonlySet<DeviceCategory> = new Set(['nvr', 'dvr']);
/** Switches of the EI series keep their address as it is: `DS-3E1510P-EI`. */
const EI_SERIES = /^DS-3E.*-EI(\b|\/)/i;

/**
 * Recorders and switches get their address by DHCP (INIT-07, INIT-09); a camera keeps the one that it has, so that it
 * cannot drop out of its recorder (INIT-08); others stay as they are (INIT-10).
 */
export function addressingFor(category: DeviceCategory, model: string): 'dhcp' | 'fixed' | 'keep' {
  if (RECORDERS.has(category)) return 'dhcp';
  if (category === 'switch') return EI_SERIES.test(model) ? 'keep' : 'dhcp';
  return CAMERAS.has(category) ? 'fixed' : 'keep';
}

/** Whether a step is for such a device at all. */
export function isFor(step: InitialiseStep, category: DeviceCategory, record: boolean): boolean {
  if (step === 'motion') return CAMERAS.has(category);
  // A recorder's own encoding is touched only where clips of its channels are wanted.
  if (step === 'encoding') return CAMERAS.has(category) || (record && RECORDERS.has(category));
  if (step === 'platform') return !CAMERAS.has(category) && category !== 'nvr';
  if (step === 'channels') return category === 'nvr';
  return true;
}
