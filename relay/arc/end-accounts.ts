import type { DbOrTrx } from '../db/database.ts';

/**
 * Takes accounts away; each keeps its row, for what was sent, and with it the site's name as the centre knew it last. Call
 * this before the site gets another name.
 */
export async function endAccounts(
  trx: DbOrTrx,
  by: 'id' | 'siteId' | 'boxSerial',
  value: string,
  deletedAt: string,
): Promise<void> {
  await trx
    .updateTable('arc_accounts')
    .set((e) => ({
      deletedAt,
      endedSiteName: e.selectFrom('sites').select('sites.name').whereRef('sites.id', '=', 'arc_accounts.siteId'),
    }))
    .where(by, '=', value)
    .where('deletedAt', 'is', null)
    .execute();
}
