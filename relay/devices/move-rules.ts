import type { MovedSetting, MoveObstacle } from '../../protocol/wire/move.ts';
import type { DeviceRow, SiteRow } from '../db/schema.ts';

/** A personal site has so many channels at most. */
const MAX_CHANNELS = 128;

type Device = Pick<DeviceRow, 'id' | 'boxSerial' | 'accessMode' | 'channelCount'>;
/** A device that is to go, perhaps by way of another box at the new site. */
export interface Wish {
  deviceId: string;
  via: string | null;
}
export interface Plan {
  /** Why a device stays. */
  obstacles: Map<string, MoveObstacle>;
  /** Devices that go. */
  moving: Device[];
  /** Boxes that go with all their devices. */
  boxes: string[];
}

/** Whether devices can go from one site to another at all: the same company, the same owner, nobody's tenants in between. */
export const sameOwner = (from: SiteRow, to: Pick<SiteRow, 'companyId' | 'ownerId'>): boolean =>
  from.companyId === to.companyId && from.ownerId === to.ownerId;

/**
 * Which of the devices can go. A device behind a box is on that box's LAN: it goes when the whole box goes, or when
 * another box at the new site sees it; otherwise nobody would reach it any more.
 */
export function planMove(options: {
  wishes: readonly Wish[];
  /** All devices of the old site. */
  here: readonly Device[];
  /** Boxes at the new site. */
  boxesThere: readonly string[];
  channelsThere: number;
  from: Pick<SiteRow, 'status'>;
  to: Pick<SiteRow, 'type'>;
}): Plan {
  const { wishes, here, boxesThere, from, to } = options;
  const obstacles = new Map<string, MoveObstacle>();
  const wishOf = new Map(wishes.map((wish) => [wish.deviceId, wish]));
  const wished = here.filter((device) => wishOf.has(device.id));
  for (const device of wished) {
    const { via } = wishOf.get(device.id)!;
    if (from.status === 'shared') obstacles.set(device.id, 'shared');
    else if (device.accessMode !== 'p2p') obstacles.set(device.id, 'not-p2p');
    else if (via !== null && !boxesThere.includes(via)) obstacles.set(device.id, 'box-not-here');
  }
  const goes = (device: Device) => wishOf.has(device.id) && !obstacles.has(device.id);
  const boxes: string[] = [];
  for (const serial of new Set(wished.flatMap((device) => device.boxSerial ?? []))) {
    const behind = here.filter((device) => device.boxSerial === serial);
    const staying = behind.filter((device) => !goes(device));
    const along = behind.filter((device) => goes(device) && wishOf.get(device.id)!.via === null);
    if (along.length === 0) continue;
    if (staying.length === 0) boxes.push(serial);
    else for (const device of along) obstacles.set(device.id, 'behind-box');
  }
  let channels = options.channelsThere;
  if (to.type === 'personal') {
    // A box goes with all its devices or stays with them.
    const groups = [
      ...boxes.map((serial) => here.filter((d) => d.boxSerial === serial && goes(d) && !wishOf.get(d.id)!.via)),
      ...wished.filter((d) => goes(d) && (d.boxSerial === null || wishOf.get(d.id)!.via)).map((d) => [d]),
    ];
    for (const group of groups) {
      const more = group.reduce((sum, device) => sum + device.channelCount, 0);
      if (channels + more <= MAX_CHANNELS) channels += more;
      else for (const device of group) obstacles.set(device.id, 'channels');
    }
  }
  return {
    obstacles,
    moving: wished.filter(goes),
    boxes: boxes.filter((serial) => here.every((d) => d.boxSerial !== serial || goes(d))),
  };
}

/** What is set up for a device, of what its box is told. */
export function settingsOf(
  deviceId: string,
  recordings: readonly { deviceId: string }[],
  accounts: readonly { zones: readonly { deviceId: string }[]; devices?: readonly { deviceId: string }[] | null }[],
): MovedSetting[] {
  const found: MovedSetting[] = [];
  if (recordings.some((recording) => recording.deviceId === deviceId)) found.push('recording');
  const sends = (account: (typeof accounts)[number]) =>
    account.zones.some((zone) => zone.deviceId === deviceId) ||
    account.devices?.some((device) => device.deviceId === deviceId);
  if (accounts.some(sends)) found.push('arc');
  return found;
}
