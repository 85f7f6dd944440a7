import type { EventType } from '../../../protocol/wire/event.ts';

/** Every event type in the order of the lists; `false`: the box or relay makes it, no device sends it. */
const TYPES: Record<EventType, boolean> = {
  motion: true,
  lineCrossing: true,
  intrusion: true,
  regionEntrance: true,
  regionExiting: true,
  tamper: true,
  pirDetected: true,
  faceDetection: true,
  alarmInput: true,
  zoneAlarm: true,
  panic: true,
  duress: true,
  fire: true,
  gas: true,
  waterLeak: true,
  temperature: true,
  medical: true,
  fallDetected: true,
  outOfBed: true,
  heartRateHigh: true,
  heartRateLow: true,
  respirationHigh: true,
  respirationLow: true,
  presence: true,
  areaArmedAway: true,
  areaArmedStay: true,
  areaDisarmed: true,
  armFailed: true,
  zoneBypassed: true,
  doorForced: true,
  doorHeldOpen: true,
  doorOpened: true,
  doorUnlocked: true,
  call: true,
  panelTamper: true,
  deviceTamper: true,
  mainsFail: true,
  batteryLow: true,
  panelFault: true,
  panelTest: true,
  networkDisconnected: true,
  videoLoss: true,
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
/** What is recorded unless a person chooses otherwise. */
export const USUAL: EventType[] = ['motion', 'lineCrossing', 'intrusion', 'regionEntrance', 'tamper'];
/** What is reported to an alarm receiving centre unless a person chooses otherwise. */
export const USUAL_ALARMS: EventType[] = [
  ...USUAL,
  'zoneAlarm',
  'panic',
  'duress',
  'fire',
  'gas',
  'waterLeak',
  'medical',
  'fallDetected',
  'doorForced',
  'panelTamper',
  'deviceTamper',
  'mainsFail',
  'batteryLow',
];

const OF_AREAS: EventType[] = ['areaArmedAway', 'areaArmedStay', 'areaDisarmed', 'armFailed'];
const OF_ZONES: EventType[] = ['zoneAlarm', 'zoneBypassed', 'panic', 'duress', 'gas', 'waterLeak', 'medical'];
/** What the number of an event's channel is: a panel has areas and zones. */
export function partOf(type: EventType | null, isPanel: boolean): 'channel' | 'area' | 'zone' {
  if (type && OF_AREAS.includes(type)) return 'area';
  return isPanel || (type && OF_ZONES.includes(type)) ? 'zone' : 'channel';
}
