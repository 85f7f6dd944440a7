import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { hashToken } from '../auth/sessions.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let acme: Company;
beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

/** An employee with one role, whose stream of the site is open. */
async function watching() {
  const [userId, roleId] = [uuidv7(), uuidv7()];
  const token = `${uuidv7()}-${uuidv7()}`;
  const now = clock.now();
  await relay.withDb(async (db) => {
    const person = {
      id: userId,
      companyId: acme.companyId,
      email: `${userId}@acme.example`,
      name: 'E',
      passwordHash: '',
    };
    await db
      .insertInto('users')
      .values({ ...person, createdAt: '' })
      .execute();
    const role = { id: roleId, companyId: acme.companyId, name: roleId, permissions: '["manage-all-sites"]' };
    await db.insertInto('roles').values(role).execute();
    await db.insertInto('user_roles').values({ userId, roleId }).execute();
    const session = { id: uuidv7(), tokenHash: hashToken(token), userId, createdMs: now, seenMs: now };
    await db
      .insertInto('sessions')
      .values({ ...session, expiresMs: now + 3_600_000, remote: '', userAgent: '' })
      .execute();
  });
  const response = await fetch(`${relay.url}/api/v1/sites/${acme.siteId}/stream`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  const state = { ended: false };
  (async () => {
    for await (const _ of response.body!) if (state.ended) break;
  })().then(
    () => {
      state.ended = true;
    },
    () => {
      state.ended = true;
    },
  );
  return { userId, roleId, state };
}

it.each([
  ['its role is changed', 'roles'],
  ['its account is disabled without its sessions being ended', 'users'],
  ['its company is suspended', 'companies'],
] as const)('a stream ends within a minute when %s', async (_, table) => {
  const { userId, roleId, state } = await watching();
  await clock.advance(30_000);
  expect(state.ended).toBe(false);
  await relay.withDb(async (db) => {
    if (table === 'roles') await db.updateTable(table).set({ permissions: '[]' }).where('id', '=', roleId).execute();
    else if (table === 'users') await db.updateTable(table).set({ enabled: 0 }).where('id', '=', userId).execute();
    else await db.updateTable(table).set({ suspendedMs: clock.now() }).where('id', '=', acme.companyId).execute();
  });
  await clock.advance(20_000);
  await until('the end', () => state.ended);
});
