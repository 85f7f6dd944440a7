import type { ArcObstacle, ArcZoneLine } from '../../../protocol/wire/arc-service.ts';
import type { DeviceRow } from '../../db/schema.ts';

/** Hybrid recorders (`DS-7208HQHI`, `iDS-7204HUHI`): neither cameras nor network recorders. */
const HYBRID_RECORDER = /^i?DS-[789]\d{3}H[A-Z]{1,2}I/i;
/** Models whose compatibility list says that they have no ARC service; one that no list names may have it (ARC-06). */
const WITHOUT = /^DS-76(04NXI-K1(\/4P)?|08NXI-K[12](\/8P)?|16NXI-K[12])$/i;

/** Why a device cannot be given the service; null: it can (ARC-04, ARC-05, ARC-06). */
export function obstacleOf(device: Pick<DeviceRow, 'type' | 'model' | 'accessMode' | 'boxSerial'>): ArcObstacle | null {
  const model = device.model.trim();
  if (device.type !== 'panel' && device.type !== 'encoding') return 'type';
  if (device.type === 'encoding' && HYBRID_RECORDER.test(model)) return 'type';
  if (device.accessMode !== 'p2p') return 'not-p2p';
  if (device.boxSerial === null) return 'no-box';
  return WITHOUT.test(model) ? 'model' : null;
}

/** Zones of panels keep their own numbers, which end here; those of cameras and recorders begin above. */
export const LAST_PANEL_ZONE = 500;
const LAST_ZONE = 999;

/**
 * Numbers for the channels of an encoding device in its account: the first gap that takes all of them in a row. Null: there
 * is none. A panel needs none.
 */
export function zonesFor(
  device: Pick<DeviceRow, 'type' | 'channelCount'>,
  used: readonly ArcZoneLine[],
): ArcZoneLine[] | null {
  if (device.type === 'panel') return [];
  const count = Math.max(1, device.channelCount);
  const taken = new Set(used.map((line) => line.zone));
  for (let first = LAST_PANEL_ZONE + 1; first + count - 1 <= LAST_ZONE; first++) {
    const zones = Array.from({ length: count }, (_, i) => first + i);
    if (zones.every((zone) => !taken.has(zone))) return zones.map((zone, i) => ({ channel: i + 1, zone }));
  }
  return null;
}
