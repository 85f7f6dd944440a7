import type { AlarmReport, JournalRecord } from '../../../../protocol/wire/event.ts';
import { uuidv7 } from '../../../../protocol/wire/ids.ts';
import type { TestBox } from '../../../testing/box.ts';

/** What a box says became of a message; delivered directly unless told otherwise. */
export function alarmRecord(
  box: TestBox,
  change: Partial<AlarmReport> & { accountId: string },
): Extract<JournalRecord, { kind: 'alarm' }> {
  const now = new Date().toISOString();
  return {
    seq: ++box.seq,
    id: uuidv7(),
    at: now,
    kind: 'alarm',
    body: {
      id: uuidv7(),
      eventId: uuidv7(),
      kind: 'alarm',
      account: '00A1',
      receiverId: uuidv7(),
      protocol: 'SIA-DCS',
      code: 'BA',
      zone: '001',
      sequence: 1,
      state: 'acknowledged',
      path: 'direct',
      tries: 1,
      log: [],
      occurredAt: now,
      queuedAt: now,
      acknowledgedAt: now,
      possibleRepeat: false,
      reason: null,
      ...change,
    },
  };
}
