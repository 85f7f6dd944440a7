import type { EventType } from '../../protocol/wire/event.ts';
import type { QueuedMessage } from './queue.ts';
import type { ArcAccountConfig } from './types.ts';

/**
 * From behind which record of the journal an account takes each type of each device. Kept on disk: a journal that is read
 * again must not tell what happened while a device was not served.
 */
export type Taking = Record<string, Record<string, number>>;

/** What has no device is the box's own. */
const BOX = '';
const ANY = '*';
/** In place of a device: queued by a version that did not note it. */
export const UNKNOWN_DEVICE = '';

type What = Pick<ArcAccountConfig, 'devices' | 'events'>;

/** What an account takes now; what it did not take before, from behind `seq`. `before` null: it takes part from there. */
export function takingOf({ devices, events }: What, before: Taking | null, seq: number): Taking {
  const since = (device: string, type: string): number =>
    before?.[device]?.[type] ?? (device === BOX ? undefined : before?.[ANY]?.[type]) ?? seq;
  const of = (device: string, types: string[]): [string, Record<string, number>] => [
    device,
    Object.fromEntries(types.map((type) => [type, since(device, type)])),
  ];
  if (devices) return Object.fromEntries([of(BOX, events), ...devices.map((d) => of(d.deviceId, d.events))]);
  // What was taken of one device before goes on without a gap when all are.
  const single = Object.entries(before ?? {}).filter(([device]) => device !== BOX && device !== ANY);
  const kept = single.map(([device, types]) =>
    of(
      device,
      events.filter((type) => type in types),
    ),
  );
  return Object.fromEntries([of(BOX, events), of(ANY, events), ...kept]);
}

/** Behind which record; infinity: it does not take this at all. */
export function sinceOf(taking: Taking, type: string, deviceId: string | null): number {
  const any = deviceId === null ? undefined : taking[ANY]?.[type];
  return taking[deviceId ?? BOX]?.[type] ?? any ?? Number.POSITIVE_INFINITY;
}

/** With a list of devices each has its own types; what the box says of itself is asked for in `events`. */
export function wants({ devices, events }: What, type: EventType, deviceId: string | null): boolean {
  if (devices === null || deviceId === null) return events.includes(type);
  return devices.some((device) => device.deviceId === deviceId && device.events.includes(type));
}

/** What the box says of its paths, its clock and its queue, whatever events were chosen. */
const OWN: ReadonlySet<string> = new Set(['pathFault', 'clockFault', 'eventsLost']);

/** Why a message that waits is not to be sent any more; null: it is. */
export function withdrawn(config: What, m: Pick<QueuedMessage, 'kind' | 'type' | 'deviceId'>): string | null {
  if (m.kind === 'test' || OWN.has(m.type) || m.deviceId === UNKNOWN_DEVICE) return null;
  if (wants(config, m.type as EventType, m.deviceId)) return null;
  const gone = m.deviceId !== null && config.devices?.every(({ deviceId }) => deviceId !== m.deviceId);
  return gone ? DEVICE_GONE : TYPE_GONE;
}

const DEVICE_GONE = 'The service of this device was suspended or ended.';
const TYPE_GONE = 'Events of this kind are no longer told to this receiver.';
