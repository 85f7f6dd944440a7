import { iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { CODES } from './codes.ts';
import type { NewMessage } from './queue.ts';
import type { ArcAccountConfig } from './types.ts';

/** What the box says of itself at an account, about no event of a device. */
export function ownMessage(
  config: Pick<ArcAccountConfig, 'id' | 'account' | 'receiverId'>,
  type: 'clockFault' | 'eventsLost' | 'test' | 'manualTest' | 'testBegin' | 'testEnd',
  nowMs: number,
): NewMessage {
  const at = iso(nowMs);
  const { id: accountId, account, receiverId } = config;
  const { priority } = CODES[type];
  return {
    eventId: uuidv7(nowMs),
    accountId,
    account,
    receiverId,
    type,
    priority,
    kind: type === 'clockFault' || type === 'eventsLost' ? 'alarm' : 'test',
    zone: '000',
    text: null,
    occurredAt: at,
    queuedAt: at,
  };
}
