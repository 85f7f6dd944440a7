import type { DbOrTrx } from '../db/database.ts';

/** The account of another company that was invited reaches the site, whatever sites his own company assigns to him. */
export async function assignGuest(trx: DbOrTrx, siteId: string, userId: string): Promise<void> {
  await trx
    .insertInto('site_managers')
    .values({ siteId, userId, untilMs: null })
    .onConflict((c) => c.columns(['siteId', 'userId']).doUpdateSet({ untilMs: null }))
    .execute();
}

/** Nobody of a company manages a site any more of which it holds nothing. */
export async function dismissGuests(trx: DbOrTrx, siteId: string, companyId: string, nowMs: number): Promise<void> {
  const held = await trx
    .selectFrom('grants')
    .select('id')
    .where('siteId', '=', siteId)
    .where('companyId', '=', companyId)
    .where((e) => e.or([e('untilMs', 'is', null), e('untilMs', '>', nowMs)]))
    .executeTakeFirst();
  if (held) return;
  await trx
    .deleteFrom('site_managers')
    .where('siteId', '=', siteId)
    .where('userId', 'in', (e) => e.selectFrom('users').select('id').where('companyId', '=', companyId))
    .execute();
}
