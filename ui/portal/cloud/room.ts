import type { CloudDevice, CloudStock } from '../../../protocol/wire/cloud.ts';
import { packageKey } from './words.ts';

/** One line of the wizard: a channel, or all that were typed for a further device. */
export interface Wanted {
  key: string;
  /** Packages it needs: 0 where its service goes on. */
  packages: number;
}

/** How packages are shared out among what is chosen. */
export interface Shares {
  /** Of each line its package; undefined: none is left that would do. */
  of: ReadonlyMap<string, string | undefined>;
  /** Packages of each kind that nobody has chosen yet. */
  left: ReadonlyMap<string, number>;
}

/** What was picked counts first; the others get the first kind of which enough is left. */
export function sharePackages(
  stock: readonly CloudStock[],
  wanted: readonly Wanted[],
  picked: Record<string, string>,
): Shares {
  const left = new Map(stock.map((one) => [packageKey(one), Math.max(0, one.remaining)]));
  const of = new Map<string, string | undefined>();
  const take = (key: string, kind: string | undefined, count: number) => {
    if (kind === undefined || (left.get(kind) ?? 0) < count) return false;
    left.set(kind, left.get(kind)! - count);
    of.set(key, kind);
    return true;
  };
  const paying = wanted.filter((one) => one.packages > 0);
  const rest = paying.filter((one) => !take(one.key, picked[one.key], one.packages));
  for (const { key, packages } of rest) {
    const kind = [...left.keys()].find((one) => left.get(one)! >= packages);
    if (!take(key, kind, packages)) of.set(key, undefined);
  }
  return { of, left };
}

/** Packages that can still be chosen, of any kind. */
export const leftOver = ({ left }: Shares): number => [...left.values()].reduce((sum, n) => sum + n, 0);

export interface DeviceRoom {
  /** What the compatibility list allows; null: it sets no limit. */
  most: number | null;
  /** Channels with cloud storage, and those that are being set up. */
  taken: ReadonlySet<number>;
  /** Further channels that can be chosen. */
  free: number;
}

/** Channels of a device that can have cloud storage beside those that have it and those that are chosen. */
export function roomOf(device: CloudDevice | undefined, chosen: readonly number[]): DeviceRoom {
  const running = device?.setups.flatMap((one) => (one.state === 'running' ? one.channel : [])) ?? [];
  const taken = new Set([...(device?.paid ?? []), ...running]);
  const most = device?.maxChannels ?? null;
  const fresh = chosen.filter((channel) => !taken.has(channel)).length;
  return { most, taken, free: most === null ? Number.POSITIVE_INFINITY : Math.max(0, most - taken.size - fresh) };
}

/** Definitions that the compatibility list allows a device; `1920x1080`. */
export function allowed(definitions: readonly string[], device: CloudDevice | undefined): string[] {
  return definitions.filter((one) => {
    const [width = 0, height = 0] = one.split('x').map(Number);
    return width <= (device?.maxWidth ?? width) && height <= (device?.maxHeight ?? height);
  });
}

/** The best of these that is no larger than what an uplink takes; `fits` as the test of the uplink writes it: `1920*1080`. */
export function recommendedOf(definitions: readonly string[], fits: string | undefined): string | undefined {
  const size = (one: string, by: string) => one.split(by).map(Number) as [number, number];
  if (fits === undefined) return undefined;
  const [w, h] = size(fits, '*');
  return definitions
    .filter((one) => size(one, 'x')[0] <= w && size(one, 'x')[1] <= h)
    .reduce<string | undefined>((best, one) => {
      const area = ([a, b]: [number, number]) => a * b;
      return best === undefined || area(size(one, 'x')) > area(size(best, 'x')) ? one : best;
    }, undefined);
}
