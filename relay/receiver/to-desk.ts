import { iso } from '../../protocol/clock.ts';
import type { Desk } from '../arc/desk/desk.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { NewMessage } from './message.ts';

/** Periodic and manual tests (DC-05, DC-04). */
const TESTS = new Set(['601', '602', '603', '605', '606', '607', '608', 'RP', 'RX', 'TX']);
const CID_QUALIFIER = { begin: '1', end: '3', still: '6' } as const;

/** Puts a message that no box reports itself on the desk of its centre. */
export async function takeForeign(
  desk: Pick<Desk, 'takeForeign'>,
  trx: DbOrTrx,
  message: NewMessage & { id: string; repeat: boolean },
): Promise<void> {
  const [event] = message.events;
  if (!event) return;
  const protocol = message.protocol === 'ADM-CID' ? 'ADM-CID' : 'SIA-DCS';
  await desk.takeForeign(trx, {
    ...{ id: message.id, companyId: message.owner, receiverId: message.receiverId, account: message.account, protocol },
    kind: TESTS.has(event.event) ? 'test' : event.qualifier === 'end' ? 'restore' : 'alarm',
    code: protocol === 'ADM-CID' ? `${CID_QUALIFIER[event.qualifier]}${event.event}` : event.event,
    zone: event.zone ?? '000',
    sequence: message.sequence,
    occurredAt: iso(message.occurredMs ?? message.receivedMs),
    receivedAt: iso(message.receivedMs),
    text: event.text,
    possibleRepeat: message.repeat,
  });
}
