import type { EventType } from '../../protocol/wire/event.ts';

/** Nothing that lasts. */
const MOMENTARY: ReadonlySet<EventType> = new Set<EventType>([
  'areaArmedAway',
  'areaArmedStay',
  'areaDisarmed',
  'armFailed',
  'duress',
]);
/** Said once when it begins and once when it ends, and not repeated meanwhile. */
const UNTIL_SAID: ReadonlySet<EventType> = new Set<EventType>([
  'doorOpened',
  'doorForced',
  'doorHeldOpen',
  'networkDisconnected',
  'mainsFail',
  'batteryLow',
  'deviceTamper',
  'panelTamper',
  'panelFault',
  'zoneAlarm',
  'zoneBypassed',
  'panic',
  'fire',
  'gas',
  'waterLeak',
  'temperature',
  'medical',
]);
/** Contact ID classes without a restoral: arming and users, tests and programming, resets. Two of doors have one. */
const NEVER_RESTORED = /^(4(?!2[36])\d\d|6(?!07)\d\d|305|306)$/;

/**
 * How an event ends: by `quiet`, because cameras repeat it while it lasts; only when the device says so, because a panel
 * tells of a mains failure once and of its end hours later, and a restoral that is none would be believed; or never.
 */
export function endOf(type: EventType, cid: string | undefined): 'quiet' | 'said' | 'never' {
  if (MOMENTARY.has(type)) return 'never';
  if (cid !== undefined) return NEVER_RESTORED.test(cid.slice(1)) ? 'never' : 'said';
  return UNTIL_SAID.has(type) ? 'said' : 'quiet';
}
