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

export const CODES: Record<MessageType, Codes> = {
  motion: row('130', 'BA', 'BH', 'alarm'),
  intrusion: row('130', 'BA', 'BH', 'alarm'),
  lineCrossing: row('131', 'BA', 'BH', 'alarm'),
  regionEntrance: row('131', 'BA', 'BH', 'alarm'),
  regionExiting: row('131', 'BA', 'BH', 'alarm'),
  alarmInput: row('130', 'BA', 'BH', 'alarm'),
  tamper: row('144', 'TA', 'TR', 'alarm'),
  pirDetected: row('130', 'BA', 'BH', 'alarm'),
  // Pictures of faces and people who ring have no code in either: untyped, for whoever wants them all the same.
  faceDetection: row('150', 'UA', 'UH', 'alarm'),
  call: row('150', 'UA', 'UH', 'alarm'),
  presence: row('150', 'UA', 'UH', 'alarm'),
  zoneAlarm: row('130', 'BA', 'BH', 'alarm'),
  panic: row('120', 'PA', 'PH', 'life'),
  duress: row('121', 'HA', null, 'life'),
  fire: row('110', 'FA', 'FH', 'life'),
  gas: row('151', 'GA', 'GH', 'life'),
  waterLeak: row('154', 'WA', 'WH', 'alarm'),
  temperature: row('158', 'KA', 'KH', 'alarm'),
  medical: row('100', 'MA', 'MH', 'life'),
  fallDetected: row('101', 'QA', 'QH', 'life'),
  outOfBed: row('101', 'QA', 'QH', 'alarm'),
  heartRateHigh: row('100', 'MA', 'MH', 'alarm'),
  heartRateLow: row('100', 'MA', 'MH', 'alarm'),
  respirationHigh: row('100', 'MA', 'MH', 'alarm'),
  respirationLow: row('100', 'MA', 'MH', 'alarm'),
  panelTamper: row('137', 'TA', 'TR', 'alarm'),
  deviceTamper: row('144', 'TA', 'TR', 'alarm'),
  doorForced: row('423', 'DF', 'DR', 'alarm'),
  doorHeldOpen: row('426', 'DN', 'DH', 'fault'),
  doorOpened: row('422', 'DO', 'DR', 'fault'),
  doorUnlocked: row('422', 'DG', null, 'fault'),
  areaArmedAway: row('401', 'CL', null, 'fault', '3'),
  areaArmedStay: row('441', 'CG', null, 'fault', '3'),
  areaDisarmed: row('401', 'OP', null, 'fault'),
  armFailed: row('454', 'CI', null, 'fault'),
  zoneBypassed: row('570', 'UB', 'UU', 'fault'),
  mainsFail: row('301', 'AT', 'AR', 'fault'),
  batteryLow: row('302', 'YT', 'YR', 'fault'),
  panelFault: row('333', 'ET', 'ER', 'fault'),
  panelTest: row('601', 'RX', null, 'test'),
  networkDisconnected: row('351', 'LT', 'LR', 'fault'),
  // Unknown to both protocols: an untyped zone alarm with its text, never dropped.
  other: row('150', 'UA', 'UH', 'alarm'),
  videoLoss: row('380', 'UT', 'UJ', 'fault'),
  diskError: row('330', 'ET', 'ER', 'fault'),
  diskFull: row('330', 'ET', 'ER', 'fault'),
  clipLost: row('330', 'ET', null, 'fault'),
  deviceOffline: row('333', 'ET', 'ER', 'fault'),
  illegalLogin: row('461', 'JA', null, 'fault'),
  boxRestarted: row('305', 'RR', null, 'fault'),
  eventsLost: row('624', 'JO', null, 'fault'),
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
