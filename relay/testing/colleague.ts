import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { RolePermission } from '../../protocol/wire/rights.ts';
import { hashToken } from '../auth/sessions.ts';
import type { Call, TestRelay } from './relay.ts';

export interface Colleague {
  userId: string;
  email: string;
  api: Call;
  token: string;
}

/** A further employee of a company, signed in; `sites` are assigned to them for good. */
export async function colleague(
  relay: TestRelay,
  companyId: string,
  roles: RolePermission[],
  { name = 'Colleague', sites = [], userAgent = 'test' }: { name?: string; sites?: string[]; userAgent?: string } = {},
): Promise<Colleague> {
  const userId = uuidv7();
  const token = `${uuidv7()}-${uuidv7()}`;
  const email = `${userId}@people.example`;
  const now = relay.clock.now();
  await relay.withDb(async (db) => {
    const person = { id: userId, companyId, email, name, passwordHash: '', createdAt: '' };
    await db.insertInto('users').values(person).execute();
    const role = { id: uuidv7(), companyId, name: userId, permissions: JSON.stringify(roles) };
    await db.insertInto('roles').values(role).execute();
    await db.insertInto('user_roles').values({ userId, roleId: role.id }).execute();
    for (const siteId of sites)
      await db.insertInto('site_managers').values({ siteId, userId, untilMs: null }).execute();
    const session = { id: uuidv7(), tokenHash: hashToken(token), userId, createdMs: now, seenMs: now };
    await db
      .insertInto('sessions')
      .values({ ...session, expiresMs: now + 400 * 86_400_000, remote: '127.0.0.1', userAgent })
      .execute();
  });
  const api: Call = (method, path, body, headers) =>
    relay.call(method, `/api/v1${path}`, body, {
      authorization: `Bearer ${token}`,
      'user-agent': userAgent,
      ...headers,
    });
  return { userId, email, api, token };
}
