import type { DbOrTrx } from '../db/database.ts';

/**
 * Who sends with an account number to a receiver, but for `id`: a box's account, or, at a hosted receiver, a device that the
 * centre entered itself. Two on one number would mix their sequence numbers, and the centre their alarms.
 */
export async function userOfNumber(
  db: DbOrTrx,
  { receiverId, account, id }: { receiverId: string; account: string; id: string },
): Promise<'box' | 'sender' | null> {
  const box = await db
    .selectFrom('arc_accounts')
    .select('id')
    .where('receiverId', '=', receiverId)
    .where('account', '=', account)
    .where('deletedAt', 'is', null)
    .where('id', '<>', id)
    .executeTakeFirst();
  if (box) return 'box';
  const sender = await db
    .selectFrom('receiver_senders')
    .select('id')
    .where('receiverId', '=', receiverId)
    .where('account', '=', account)
    .where('id', '<>', id)
    .executeTakeFirst();
  return sender ? 'sender' : null;
}
