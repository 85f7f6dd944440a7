import type { AlarmReport } from '../../protocol/wire/event.ts';
import { codeOf } from './message.ts';
import type { QueuedMessage } from './queue.ts';
import { triesOf } from './tries.ts';
import type { ArcAccountConfig } from './types.ts';

type End = Pick<AlarmReport, 'state' | 'path' | 'acknowledgedAt' | 'reason'>;

/** What became of a message, as the journal tells it. `own`: the account, with what it calls things. */
export function reportOf(m: QueuedMessage, own: Pick<ArcAccountConfig, 'protocol' | 'codes'>, end: End): AlarmReport {
  const { id, eventId, kind, accountId, account, receiverId, zone, sequence, tries, occurredAt, queuedAt, linkId } = m;
  const protocol = m.protocol ?? own.protocol;
  return {
    id,
    eventId,
    kind,
    accountId,
    account,
    receiverId,
    zone,
    sequence,
    tries,
    occurredAt,
    queuedAt,
    ...(linkId ? { linkId } : {}),
    protocol,
    code: codeOf(m, protocol, own.codes),
    possibleRepeat: m.possibleRepeat === 1,
    log: triesOf(m),
    ...end,
  };
}
