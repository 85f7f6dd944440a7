import type { Device, Site } from '../../../protocol/wire/api.ts';
import { type DeviceState, deviceState } from '../site/assess.ts';
import { holds } from '../site/rights.ts';

/** One channel that can be looked at. */
export interface LiveTarget {
  key: string;
  device: Device;
  channel: number;
  name: string;
  site: Pick<Site, 'id' | 'name' | 'timeZone'>;
  state: DeviceState;
  /** The person holds the permission to see it. */
  may: boolean;
  /** The person is the owner of the site, or has made it and not handed it over. */
  owns: boolean;
}

/** Kinds of devices that have pictures, also before one was reached and has told its channels. */
const HAVE_PICTURES: readonly Device['type'][] = ['encoding', 'doorbell', 'intercom'];
/** Of one device; a larger recorder is shown by pages. */
const MAX_CHANNELS = 256;

export const keyOf = (deviceId: string, channel: number): string => `${deviceId}-${channel}`;

/**
 * Every channel of a site's devices, in the order of the devices.
 * @param boxes whether each box is connected; left out where the person may not see that
 */
export function targetsOf(
  site: Site,
  devices: readonly Device[],
  boxes: readonly { serial: string; online: boolean }[] | null,
): LiveTarget[] {
  return devices.flatMap((device) => {
    if (device.boxSerial === null) return [];
    const told = device.health?.channels ?? [];
    if (told.length === 0 && (!HAVE_PICTURES.includes(device.type) || device.kind === 'dc09')) return [];
    const state = boxes ? deviceState(device, [...boxes]) : (device.health?.state ?? 'unknown');
    const count = Math.min(Math.max(1, device.channelCount), MAX_CHANNELS);
    const channels = told.length > 0 ? told : Array.from({ length: count }, (_, i) => ({ channel: i + 1, name: '' }));
    return channels.map(({ channel, name }) => ({
      key: keyOf(device.id, channel),
      device,
      channel,
      name: channels.length === 1 && !name ? device.name : nameOf(device.name, name, channel, channels.length),
      site,
      state,
      may: holds(site, device, 'live'),
      owns: site.permissions.includes('own') || site.permissions.includes('all'),
    }));
  });
}

function nameOf(device: string, name: string, channel: number, of: number): string {
  if (of === 1) return device;
  return `${device} · ${name || channel}`;
}

export const GRIDS = [1, 4, 9, 16] as const;
export type Grid = (typeof GRIDS)[number];

/** The smallest grid that shows all of them, if one does. */
export const fitting = (count: number): Grid => GRIDS.find((grid) => count <= grid) ?? 16;

export interface View {
  grid: Grid;
  /** From 1. */
  page: number;
  pages: number;
  shown: LiveTarget[];
  /** The one that is seen large; null: the grid. */
  large: LiveTarget | null;
}

/** What an address asks to see; anything that is not there shows the grid. */
export function viewOf(targets: readonly LiveTarget[], query: Record<string, string>): View {
  const grid = GRIDS.find((size) => String(size) === query.grid) ?? fitting(targets.length);
  const pages = Math.max(1, Math.ceil(targets.length / grid));
  const asked = Math.floor(Number(query.page));
  const page = asked >= 1 ? Math.min(asked, pages) : 1;
  return {
    grid,
    page,
    pages,
    shown: targets.slice((page - 1) * grid, page * grid),
    large: targets.find((target) => target.key === query.show) ?? null,
  };
}

/** The window that an arrow key leads to, or null at the edge. */
export function neighbour(index: number, count: number, columns: number, key: string): number | null {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  if (step === undefined) return null;
  const next = index + step;
  if (next < 0 || next >= count) return null;
  // Aside stays in its row.
  return Math.abs(step) === 1 && columns > 1 && Math.floor(next / columns) !== Math.floor(index / columns)
    ? null
    : next;
}
