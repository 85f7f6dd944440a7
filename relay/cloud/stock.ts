import type { CloudPackage, CloudStock } from '../../protocol/wire/cloud.ts';
import { RETENTION_DAYS, TERMS } from '../../protocol/wire/cloud.ts';
import { ProblemError } from '../api/problem.ts';
import type { DbOrTrx } from '../db/database.ts';

/** Packages of a company: what it got, what it used, what set-ups under way have taken. Kinds it never had are left out. */
export async function stockOf(db: DbOrTrx, companyId: string): Promise<CloudStock[]> {
  const rows = await db.selectFrom('cloud_stock').selectAll().where('companyId', '=', companyId).execute();
  const taken = await db
    .selectFrom('cloud_setups')
    .select((e) => ['retentionDays', 'term', e.fn.countAll().as('n')])
    .where('companyId', '=', companyId)
    .where('state', '=', 'pending')
    .where('retentionDays', 'is not', null)
    .groupBy(['retentionDays', 'term'])
    .execute();
  const order = (row: CloudPackage) => RETENTION_DAYS.indexOf(row.retentionDays) * 2 + TERMS.indexOf(row.term);
  return rows
    .map(({ retentionDays, term, purchased, used }) => {
      const reserved = Number(taken.find((t) => t.retentionDays === retentionDays && t.term === term)?.n ?? 0);
      return { retentionDays, term, purchased, used, reserved, remaining: purchased - used - reserved };
    })
    .sort((a, b) => order(a) - order(b));
}

/** Packages that a company got by a service key. */
export async function addToStock(trx: DbOrTrx, companyId: string, of: CloudPackage, quantity: number): Promise<void> {
  const { retentionDays, term } = of;
  await trx
    .insertInto('cloud_stock')
    .values({ companyId, retentionDays, term, purchased: quantity, used: 0 })
    .onConflict((c) =>
      c
        .columns(['companyId', 'retentionDays', 'term'])
        .doUpdateSet((e) => ({ purchased: e('cloud_stock.purchased', '+', quantity) })),
    )
    .execute();
}

/** Uses one package; throws `limit-reached` when there is none left. What is reserved is the caller's to consider. */
export async function takeFromStock(trx: DbOrTrx, companyId: string, of: CloudPackage): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('cloud_stock')
    .set((e) => ({ used: e('used', '+', 1) }))
    .where('companyId', '=', companyId)
    .where('retentionDays', '=', of.retentionDays)
    .where('term', '=', of.term)
    .whereRef('used', '<', 'purchased')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw noneLeft(of);
}

export const noneLeft = ({ retentionDays, term }: CloudPackage): ProblemError =>
  new ProblemError(
    'limit-reached',
    `No package of ${retentionDays} days for a ${term} is left. Redeem a service key, or choose another package.`,
  );
