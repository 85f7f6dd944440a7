import { iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Desk } from '../arc/desk/desk.ts';
import type { ForeignMessage } from '../arc/desk/intake.ts';
import type { DbOrTrx } from '../db/database.ts';
import type { NewMessage } from './message.ts';

/** Periodic and manual tests (DC-05, DC-04). */
const TESTS = new Set(['601', '602', '603', '605', '606', '607', '608', 'RP', 'RX', 'TX']);
const CID_QUALIFIER = { begin: '1', end: '3', still: '6' } as const;

/** Puts a message that no box reports itself on the desk of its centre: every event of its block, each a line of its own. */
export async function takeForeign(
  desk: Pick<Desk, 'takeForeign'>,
  trx: DbOrTrx,
  message: NewMessage & { id: string; repeat: boolean },
): Promise<void> {
  const protocol = message.protocol === 'ADM-CID' ? 'ADM-CID' : 'SIA-DCS';
  const lines = message.events.map(
    ({ event, qualifier, zone, text }, i): ForeignMessage => ({
      id: i === 0 ? message.id : uuidv7(message.receivedMs),
      companyId: message.owner,
      receiverId: message.receiverId,
      account: message.account,
      protocol,
      kind: TESTS.has(event) ? 'test' : qualifier === 'end' ? 'restore' : 'alarm',
      code: protocol === 'ADM-CID' ? `${CID_QUALIFIER[qualifier]}${event}` : event,
      zone: zone ?? '000',
      sequence: message.sequence,
      occurredAt: iso(message.occurredMs ?? message.receivedMs),
      receivedAt: iso(message.receivedMs),
      text,
      possibleRepeat: message.repeat,
    }),
  );
  await desk.takeForeign(trx, lines);
}
