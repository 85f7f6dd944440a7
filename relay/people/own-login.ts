import type { Transaction } from 'kysely';
import { iso } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Database } from '../db/schema.ts';

/**
 * Makes a company's administrator with this password, or gives that person the password and ends their sessions. For
 * who has access to the database: it asks for no permission. Returns the user's id.
 */
export async function setLogin(
  trx: Transaction<Database>,
  now: number,
  login: { companyId: string; email: string; name: string; passwordHash: string },
): Promise<string> {
  const { companyId, name, passwordHash } = login;
  const email = login.email.trim().toLowerCase();
  const user = await trx.selectFrom('users').select(['id', 'companyId']).where('email', '=', email).executeTakeFirst();
  if (user && user.companyId !== companyId) throw new Error(`${email} is a user of another company`);
  if (user) {
    await trx.updateTable('users').set({ passwordHash, name }).where('id', '=', user.id).execute();
    await trx.deleteFrom('sessions').where('userId', '=', user.id).execute();
    return user.id;
  }
  const id = uuidv7(now);
  await trx
    .insertInto('users')
    .values({ id, companyId, email, name, passwordHash, createdAt: iso(now), admin: 1, emailVerifiedMs: now })
    .execute();
  return id;
}
