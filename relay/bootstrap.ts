import { type Clock, iso } from '../protocol/clock.ts';
import { uuidv7 } from '../protocol/wire/ids.ts';
import { hashPassword } from './auth/passwords.ts';
import type { Db } from './db/database.ts';
import { sortName } from './db/schema.ts';
import { setLogin } from './people/own-login.ts';

/**
 * Makes a company, its first user and a site, as far as they are not there; sets the user's password. Run again it is the
 * way back in for who forgot it, and ends the user's sessions.
 */
export async function bootstrap(
  db: Db,
  clock: Clock,
  wanted: { company: string; name: string; email: string; password: string; site: string; timeZone: string },
): Promise<{ companyId: string; userId: string; siteId: string }> {
  const passwordHash = await hashPassword(wanted.password);
  const now = clock.now();
  const createdAt = iso(now);
  return db.transaction().execute(async (trx) => {
    const find = await trx.selectFrom('companies').select('id').where('name', '=', wanted.company).executeTakeFirst();
    const companyId = find?.id ?? uuidv7(now);
    if (!find) await trx.insertInto('companies').values({ id: companyId, name: wanted.company, createdAt }).execute();

    const { email, name: userName } = wanted;
    const userId = await setLogin(trx, now, { companyId, email, name: userName, passwordHash });

    const { site: name, timeZone } = wanted;
    const site = await trx
      .selectFrom('sites')
      .select('id')
      .where('companyId', '=', companyId)
      .where('name', '=', name)
      .where('deletedAt', 'is', null)
      .executeTakeFirst();
    const siteId = site?.id ?? uuidv7(now);
    if (!site) {
      await trx
        .insertInto('sites')
        .values({ id: siteId, companyId, name, timeZone, createdAt, sortName: sortName(name) })
        .execute();
      await trx
        .insertInto('grants')
        .values({ id: uuidv7(now), companyId, siteId, permission: 'all', source: 'site' })
        .execute();
    }
    return { companyId, userId, siteId };
  });
}
