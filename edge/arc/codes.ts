import type { EventType } from '../../protocol/wire/event.ts';

/**
 * What each class of event is called at the receiver, begin and end, in both protocols. Mapped once from our own class:
 * the public tables between the two protocols disagree in a third of their lines. Contact ID's qualifier is added when
 * the block is written (1 begin, 3 end). null as end: this class has none.
 *
 * Priority classes: an alarm overtakes faults, both overtake tests; within a class and account the order holds.
 */
export type MessageType = EventType | 'pathFault' | 'test';
export const PRIORITY = { alarm: 0, fault: 1, test: 2 } as const;

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
  panic: row('120', 'PA', 'PH', 'alarm'),
  duress: row('121', 'HA', null, 'alarm'),
  fire: row('110', 'FA', 'FH', 'alarm'),
  gas: row('151', 'GA', 'GH', 'alarm'),
  waterLeak: row('154', 'WA', 'WH', 'alarm'),
  temperature: row('158', 'KA', 'KH', 'alarm'),
  medical: row('100', 'MA', 'MH', 'alarm'),
  fallDetected: row('101', 'QA', 'QH', 'alarm'),
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
  // A path of the alarm's own; the zone says which: 001 direct, 002 through the relay.
  pathFault: row('350', 'YS', 'YK', 'fault'),
  test: row('602', 'RP', null, 'test'),
};

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
  607: ['TS', 'TE'],
  627: ['LB', 'LB'],
  628: ['LS', 'LS'],
};

/** The line of an event: its class's, and where a panel gave its own Contact ID, that number instead of the class's. */
export function codesOf(type: MessageType, cid: string | null): Codes {
  const line = CODES[type];
  const own = /^([13])(\d{3})$/.exec(cid ?? '');
  if (!own) return line;
  const [, begin, event] = own as unknown as [string, Codes['begin'], string];
  const sia = SIA_OF[event];
  if (!sia) return { ...line, cid: event, begin };
  return begin === '3'
    ? { ...line, cid: event, begin, sia: sia[1] }
    : { ...line, cid: event, begin, sia: sia[0], siaEnd: line.siaEnd === null ? null : sia[1] };
}
