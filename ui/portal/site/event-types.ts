import type { EventType } from '../../../protocol/wire/event.ts';

/** Every event type in the order of the lists; `false`: the box or relay makes it, no device sends it. */
const TYPES: Record<EventType, boolean> = {
  motion: true,
  lineCrossing: true,
  intrusion: true,
  regionEntrance: true,
  regionExiting: true,
  tamper: true,
  videoLoss: true,
  alarmInput: true,
  diskError: true,
  diskFull: true,
  illegalLogin: true,
  deviceOffline: false,
  boxRestarted: false,
  eventsLost: false,
  clipLost: false,
  other: true,
};
export const EVENT_TYPES = Object.keys(TYPES) as EventType[];
export const DEVICE_EVENT_TYPES = EVENT_TYPES.filter((type) => TYPES[type]);
/** What is recorded and reported unless a person chooses otherwise. */
export const USUAL: EventType[] = ['motion', 'lineCrossing', 'intrusion', 'regionEntrance', 'tamper'];
