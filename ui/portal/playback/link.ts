import type { Device, Site } from '../../../protocol/wire/api.ts';
import { keyOf } from '../live/targets.ts';
import { holds } from '../site/rights.ts';

/** An event is shown from so long before it. */
export const BEFORE_MS = 5_000;

/**
 * Where a moment of a channel is played; what a device without pictures tells (a panel), on whatever is chosen there.
 * Null: this person may not see recordings.
 */
export function playbackLink(
  o: { base: string; site: Pick<Site, 'permissions'>; devices: readonly Device[] },
  of: { deviceId: string | null; channel: number | null },
  at: string,
): string | null {
  // Of what a box tells of itself there is nothing to be seen.
  if (of.deviceId === null) return null;
  const device = o.devices.find(({ id }) => id === of.deviceId);
  const cameras = o.devices.filter((one) => one.channelCount > 0 && holds(o.site, one, 'playback'));
  const own = cameras.find(({ id }) => id === device?.id);
  if (cameras.length === 0 || (device && device.channelCount > 0 && !own)) return null;
  const query = new URLSearchParams({ at: new Date(Date.parse(at) - BEFORE_MS).toISOString() });
  if (own) query.set('show', keyOf(own.id, of.channel ?? 1));
  return `${o.base}/playback?${query}`;
}
