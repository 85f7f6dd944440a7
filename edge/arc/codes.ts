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
  sia: string;
  siaEnd: string | null;
  priority: (typeof PRIORITY)[keyof typeof PRIORITY];
}

const row = (cid: string, sia: string, siaEnd: string | null, priority: keyof typeof PRIORITY): Codes => ({
  cid,
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
