import type { Alarm, Box, Clip, Device, EventItem, StreamMessage } from '../../../protocol/wire/api.ts';

/*
 * How lists follow the live connection. A message carries the item as the list gives it, so that an item is replaced
 * where it stands, and put on top when it is new.
 */

const replace = <T>(items: T[], same: (item: T) => boolean, next: T): T[] | null =>
  items.some(same) ? items.map((item) => (same(item) ? next : item)) : null;

/** Events newest first; of a filtered list, only what passes the filter is new. */
export function followEvents(items: EventItem[], message: StreamMessage, type: string | undefined): EventItem[] {
  if (message.event === 'event') {
    const event = message.data;
    const found = replace(items, (item) => item.id === event.id, event);
    return found ?? (type && event.type !== type ? items : [event, ...items]);
  }
  if (message.event === 'clip') return items.map((item) => withClip(item, message.data));
  if (message.event === 'alarm') return items.map((item) => withAlarm(item, message.data));
  return items;
}

/** The event with a clip's new state, where the clip shows it. */
export function withClip<T extends Pick<EventItem, 'id' | 'clip'>>(event: T, clip: Clip): T {
  return clip.eventIds.includes(event.id) ? { ...event, clip } : event;
}

/** The event with what became of its message to the ARC. */
export function withAlarm<T extends { id: string; alarms: { id: string }[] }>(event: T, alarm: Alarm): T {
  if (alarm.eventId !== event.id) return event;
  const alarms = replace(event.alarms, (item) => item.id === alarm.id, alarm) ?? [...event.alarms, alarm];
  return { ...event, alarms };
}

/** Alarms newest first. */
export function followAlarms(items: Alarm[], message: StreamMessage): Alarm[] {
  if (message.event !== 'alarm') return items;
  return replace(items, (item) => item.id === message.data.id, message.data) ?? [message.data, ...items];
}

export function followBoxes(items: Box[], message: StreamMessage): Box[] {
  if (message.event !== 'box') return items;
  return replace(items, (item) => item.serial === message.data.serial, message.data) ?? [...items, message.data];
}

export function followDevices(items: Device[], message: StreamMessage): Device[] {
  if (message.event !== 'device') return items;
  const { data } = message;
  // What a person holds on it is told to this person only, with the list.
  const held = items.find((item) => item.id === data.id)?.permissions;
  const device = held ? { ...data, permissions: held } : data;
  return replace(items, (item) => item.id === data.id, device) ?? [...items, device];
}

/** Pages of a list put together: what came live in between is not shown twice. */
export function joinPages<T extends { id: string }>(shown: T[], next: T[]): T[] {
  const known = new Set(shown.map((item) => item.id));
  return [...shown, ...next.filter((item) => !known.has(item.id))];
}
