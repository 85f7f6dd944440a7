import type { AlarmReport } from '../../protocol/wire/event.ts';
import { codeOf } from './message.ts';
import type { QueuedMessage } from './queue.ts';

type End = Pick<AlarmReport, 'state' | 'path' | 'acknowledgedAt' | 'reason'>;

/** What became of a message, as the journal tells it. `protocol`: the account's own. */
export function reportOf(m: QueuedMessage, own: AlarmReport['protocol'], end: End): AlarmReport {
  const { id, eventId, kind, accountId, account, receiverId, zone, sequence, tries, occurredAt, queuedAt } = m;
  const protocol = m.protocol ?? own;
  return {
    ...{ id, eventId, kind, accountId, account, receiverId, zone, sequence, tries, occurredAt, queuedAt },
    protocol,
    code: codeOf(m, protocol),
    possibleRepeat: m.possibleRepeat === 1,
    log: [],
    ...end,
  };
}
