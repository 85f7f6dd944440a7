import { USUAL_CODES } from '../../protocol/wire/arc-codes.ts';
import type { ArcCode } from '../../protocol/wire/desired.ts';
import type { EventType } from '../../protocol/wire/event.ts';

/**
 * What each class of event is called at the receiver, begin and end, in both protocols. Mapped once from our own class:
 * the public tables between the two protocols disagree in a third of their lines. Contact ID's qualifier is added when
 * the block is written (1 begin, 3 end). null as end: this class has none.
 *
 * Priority classes: danger to life overtakes other alarms, these overtake faults, all overtake tests; within a class and
 * account the order holds. What is no alarm (fault, test) is a status: the first to go when a queue is full.
 */
export type MessageType = EventType | 'pathFault' | 'clockFault' | 'test' | 'manualTest' | 'testBegin' | 'testEnd';
export const PRIORITY = { life: 0, alarm: 1, fault: 2, test: 3 } as const;

export interface Codes {
  cid: string;
  /** Contact ID's qualifier at the beginning: arming is a closing (3), all else is new or an opening (1). */
  begin: '1' | '3';
  sia: string;
  siaEnd: string | null;
  priority: (typeof PRIORITY)[keyof typeof PRIORITY];
}

const row = (
  cid: string,
  sia: string,
  siaEnd: string | null,
  priority: keyof typeof PRIORITY,
  begin: Codes['begin'] = '1',
): Codes => ({
  cid,
  begin,
  sia,
  siaEnd,
  priority: PRIORITY[priority],
});

const of = (type: EventType, priority: keyof typeof PRIORITY, begin: Codes['begin'] = '1'): Codes => {
  const { cid, sia, siaEnd } = USUAL_CODES[type];
  return row(cid, sia, siaEnd, priority, begin);
};

export const CODES: Record<MessageType, Codes> = {
  motion: of('motion', 'alarm'),
  intrusion: of('intrusion', 'alarm'),
  lineCrossing: of('lineCrossing', 'alarm'),
  regionEntrance: of('regionEntrance', 'alarm'),
  regionExiting: of('regionExiting', 'alarm'),
  alarmInput: of('alarmInput', 'alarm'),
  tamper: of('tamper', 'alarm'),
  pirDetected: of('pirDetected', 'alarm'),
  faceDetection: of('faceDetection', 'alarm'),
  call: of('call', 'alarm'),
  presence: of('presence', 'alarm'),
  zoneAlarm: of('zoneAlarm', 'alarm'),
  panic: of('panic', 'life'),
  duress: of('duress', 'life'),
  fire: of('fire', 'life'),
  gas: of('gas', 'life'),
  waterLeak: of('waterLeak', 'alarm'),
  temperature: of('temperature', 'alarm'),
  medical: of('medical', 'life'),
  fallDetected: of('fallDetected', 'life'),
  outOfBed: of('outOfBed', 'alarm'),
  heartRateHigh: of('heartRateHigh', 'alarm'),
  heartRateLow: of('heartRateLow', 'alarm'),
  respirationHigh: of('respirationHigh', 'alarm'),
  respirationLow: of('respirationLow', 'alarm'),
  panelTamper: of('panelTamper', 'alarm'),
  deviceTamper: of('deviceTamper', 'alarm'),
  doorForced: of('doorForced', 'alarm'),
  doorHeldOpen: of('doorHeldOpen', 'fault'),
  doorOpened: of('doorOpened', 'fault'),
  doorUnlocked: of('doorUnlocked', 'fault'),
  areaArmedAway: of('areaArmedAway', 'fault', '3'),
  areaArmedStay: of('areaArmedStay', 'fault', '3'),
  areaDisarmed: of('areaDisarmed', 'fault'),
  armFailed: of('armFailed', 'fault'),
  zoneBypassed: of('zoneBypassed', 'fault'),
  mainsFail: of('mainsFail', 'fault'),
  batteryLow: of('batteryLow', 'fault'),
  panelFault: of('panelFault', 'fault'),
  panelTest: of('panelTest', 'test'),
  networkDisconnected: of('networkDisconnected', 'fault'),
  other: of('other', 'alarm'),
  videoLoss: of('videoLoss', 'fault'),
  diskError: of('diskError', 'fault'),
  diskFull: of('diskFull', 'fault'),
  clipLost: of('clipLost', 'fault'),
  deviceOffline: of('deviceOffline', 'fault'),
  illegalLogin: of('illegalLogin', 'fault'),
  boxRestarted: of('boxRestarted', 'fault'),
  eventsLost: of('eventsLost', 'fault'),
  // A path of the alarm's own; the zone says which: 001 direct, 002 through the relay, 003 the second interface.
  pathFault: row('350', 'YS', 'YK', 'fault'),
  // The clocks of box and receiver disagree.
  clockFault: row('626', 'JT', null, 'fault'),
  test: row('602', 'RP', null, 'test'),
  manualTest: row('601', 'RX', null, 'test'),
  testBegin: row('607', 'TS', null, 'test'),
  testEnd: row('607', 'TE', null, 'test', '3'),
};

/** What stands for an event that the receiver does not know by its own code, with text: it must not be dropped. */
export const GENERIC: Codes = row('150', 'UA', 'UH', 'alarm');

/** Event numbers of Contact ID (DC-05), first and last of each run; receivers refuse others. */
const STANDARD: readonly (readonly [number, number])[] = [
  [100, 102],
  [110, 118],
  [120, 126],
  [130, 147],
  [150, 163],
  [200, 206],
  [300, 326],
  [330, 344],
  [350, 357],
  [370, 378],
  [380, 394],
  [400, 416],
  [421, 434],
  [441, 442],
  [450, 466],
  [501, 532],
  [551, 553],
  [570, 577],
  [601, 642],
  [651, 656],
];

/** Whether a panel's own Contact ID is one that receivers know. */
export function isStandard(cid: string): boolean {
  const number = Number(cid.slice(1));
  return STANDARD.some(([first, last]) => number >= first && number <= last);
}

/** SIA begin and end of what panels tell by a more exact number than its class has; of 400s: opening and closing. */
const SIA_OF: Record<string, [begin: string, end: string]> = {
  111: ['FA', 'FH'],
  114: ['KA', 'KH'],
  121: ['HA', 'HH'],
  122: ['HA', 'HH'],
  139: ['BV', 'BH'],
  150: ['UA', 'UH'],
  159: ['ZA', 'ZH'],
  305: ['RR', 'RR'],
  306: ['YG', 'YG'],
  311: ['YM', 'YR'],
  321: ['YA', 'YH'],
  344: ['XQ', 'XH'],
  350: ['YS', 'YK'],
  351: ['LT', 'LR'],
  354: ['YC', 'YK'],
  373: ['FT', 'FJ'],
  380: ['UT', 'UJ'],
  381: ['UY', 'UJ'],
  384: ['XT', 'XR'],
  403: ['OA', 'CA'],
  406: ['BC', 'BC'],
  409: ['OS', 'CS'],
  459: ['CR', 'CR'],
  461: ['JA', 'JA'],
  573: ['BB', 'BU'],
  602: ['RP', 'RP'],
  607: ['TS', 'TE'],
  608: ['RY', 'RY'],
  627: ['LB', 'LB'],
  628: ['LS', 'LS'],
};

/**
 * The line of an event: its class's; where a panel gave its own Contact ID, that number instead of the class's; and over
 * both what the receiver's profile calls it (`overrides`).
 */
export function codesOf(type: MessageType, cid: string | null, overrides: ArcCode[] = []): Codes {
  const line = ownLine(type, cid);
  const wanted = overrides.find((o) => o.type === type);
  if (!wanted) return line;
  return {
    ...line,
    cid: wanted.cid ?? line.cid,
    sia: wanted.sia ?? line.sia,
    siaEnd: wanted.siaEnd === undefined ? line.siaEnd : wanted.siaEnd,
  };
}

function ownLine(type: MessageType, cid: string | null): Codes {
  const line = CODES[type];
  const own = /^([13])(\d{3})$/.exec(cid ?? '');
  if (!own || !isStandard(own[0])) return line;
  const [, begin, event] = own as unknown as [string, Codes['begin'], string];
  const sia = SIA_OF[event];
  // A restore of what began before the box listened comes as an event of its own.
  if (!sia) return { ...line, cid: event, begin, sia: begin === '3' ? (line.siaEnd ?? line.sia) : line.sia };
  return begin === '3'
    ? { ...line, cid: event, begin, sia: sia[1] }
    : { ...line, cid: event, begin, sia: sia[0], siaEnd: line.siaEnd === null ? null : sia[1] };
}
