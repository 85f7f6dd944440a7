import type { EventType } from '../../protocol/wire/event.ts';
import type { Alert } from './alert.ts';
import { clean, text, type XmlNode } from './xml.ts';

type Meaning = { begins: EventType; on?: 'door' | 'zone' } | { ends: readonly EventType[]; on?: 'door' | 'zone' };

const begins = (type: EventType, on?: 'door' | 'zone'): Meaning => ({ begins: type, on });
const ends = (types: readonly EventType[], on?: 'door' | 'zone'): Meaning => ({ ends: types, on });

/** Major and minor numbers of access devices (isapi.md §10): alarms 1, exceptions 2, operations 3, events 5. */
const MEANINGS: Record<string, Meaning> = {
  '1/1028': begins('deviceTamper'),
  '1/1029': ends(['deviceTamper']),
  '1/1030': begins('deviceTamper'),
  '1/1031': ends(['deviceTamper']),
  '1/1032': begins('alarmInput', 'zone'),
  '1/1033': ends(['alarmInput'], 'zone'),
  '1/1034': begins('duress'),
  '1/1039': begins('deviceTamper'),
  '1/1040': ends(['deviceTamper']),
  '1/1048': begins('fire'),
  '1/1049': ends(['fire']),
  '1/1052': begins('panic'),
  '1/1053': ends(['panic']),
  '2/39': begins('networkDisconnected'),
  '2/1031': ends(['networkDisconnected']),
  '2/1027': begins('batteryLow'),
  '2/1028': ends(['batteryLow']),
  '2/1029': begins('mainsFail'),
  '2/1030': ends(['mainsFail']),
  '2/1041': begins('batteryLow'),
  '2/1042': ends(['batteryLow']),
  '3/1024': begins('doorUnlocked', 'door'),
  '3/1026': begins('doorUnlocked', 'door'),
  '5/21': begins('doorUnlocked', 'door'),
  '5/25': begins('doorOpened', 'door'),
  '5/26': ends(['doorOpened', 'doorForced', 'doorHeldOpen'], 'door'),
  '5/27': begins('doorForced', 'door'),
  '5/28': begins('doorHeldOpen', 'door'),
  '5/37': begins('call', 'door'),
  '5/138': begins('intrusion'),
};
/** An unknown alarm is told; unknown operations and passages (a card, a face) are daily business. */
const TOLD_UNKNOWN = new Set(['1']);

/** One `AccessControllerEvent`, live ones only: what a device held while nobody listened comes with `currentEvent` false. */
export function readAccessEvent(node: XmlNode): Alert | 'ignore' {
  const field = (name: string) => clean(text(node, 'AccessControllerEvent', name), 128);
  const major = field('majorEventType');
  const word = `${major}/${field('subEventType')}`;
  const meaning = Object.hasOwn(MEANINGS, word) ? MEANINGS[word]! : null;
  if (!meaning && !TOLD_UNKNOWN.has(major)) return 'ignore';
  const serial = field('serialNo');
  const door = whole(field('doorNo')) ?? 1;
  const zone = whole(field('caseSensorNo')) ?? whole(field('zoneNo'));
  const type = !meaning ? 'other' : 'begins' in meaning ? meaning.begins : meaning.ends[0]!;
  return {
    type,
    word: `AccessControllerEvent ${word}`,
    active: !meaning || 'begins' in meaning,
    channel: meaning?.on === 'door' ? door : meaning?.on === 'zone' ? zone : null,
    count: null,
    deviceTime: clean(text(node, 'dateTime'), 64) || null,
    // A lock that opens is told twice, by command and by contact; that is one event, so no id keeps them apart.
    ref: serial && type !== 'doorUnlocked' ? `acs:${serial}` : null,
    text: field('name') || field('employeeNoString') || null,
    ...(meaning && 'ends' in meaning ? { sweep: meaning.ends } : {}),
  };
}

const CALLS = /^(request|ring(ing)?)$/i;
const CALL_ENDS = /^(cancel|answer|reject|bellTimeout|hangUp|deviceOnCall|onCall|callFailed|callTimeout|idle)$/i;

/** Somebody rings (`voiceTalkEvent`, on some stations `videoIntercomEvent`; documented, no capture). */
export function readTalkEvent(node: XmlNode): Alert | 'ignore' {
  const field = (name: string) => text(node, 'VoiceTalkEvent', name) || text(node, 'voiceTalkEvent', name);
  const command = field('cmdType') || field('status');
  const begins = CALLS.test(command);
  if (!begins && !CALL_ENDS.test(command)) return 'ignore';
  return {
    type: 'call',
    word: 'voiceTalkEvent',
    active: begins,
    channel: 1,
    count: null,
    deviceTime: clean(text(node, 'dateTime'), 64) || null,
    ref: null,
  };
}

const whole = (written: string): number | null => {
  const n = /^\d{1,5}$/.test(written) ? Number(written) : 0;
  return n >= 1 && n <= 9999 ? n : null;
};
