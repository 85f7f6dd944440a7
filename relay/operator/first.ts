import { type Clock, iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { hashPassword } from '../auth/passwords.ts';
import type { Db } from '../db/database.ts';
import { setLogin } from '../people/own-login.ts';

/**
 * Makes the operator and a person of it, or gives that person another password and ends their sessions. It needs access
 * to the database, so that nobody becomes operator over the network.
 */
export async function makeOperator(
  db: Db,
  clock: Clock,
  wanted: { email: string; name: string; password: string },
): Promise<{ companyId: string; userId: string }> {
  const passwordHash = await hashPassword(wanted.password);
  const now = clock.now();
  const createdAt = iso(now);
  return db.transaction().execute(async (trx) => {
    const found = await trx.selectFrom('companies').select('id').where('type', '=', 'operator').executeTakeFirst();
    const companyId = found?.id ?? uuidv7(now);
    if (!found)
      await trx
        .insertInto('companies')
        .values({ id: companyId, name: 'Operator', type: 'operator', createdAt })
        .execute();
    const { email, name } = wanted;
    const userId = await setLogin(trx, now, { companyId, email, name, passwordHash });
    return { companyId, userId };
  });
}
