import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type Call, type Company, TestRelay } from '../testing/relay.ts';
import { anybody, employ, lastSentTo } from './testing.ts';

const password = 'zu viert im Regen';
const relay = new TestRelay();
let n = 0;
let acme: Company;
beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

const person = async () => {
  const email = `ines${++n}@private.example`;
  const role = (await acme.api('POST', '/roles', { name: uuidv7(), permissions: ['manage-assigned-sites'] })).body.id;
  return { email, ...(await employ(relay, acme.api, { email, name: 'Ines Keller', password, roles: [role] })) };
};
const remove = (api: Call, pass = password) => api('POST', '/me/delete', { password: pass });

/** Everything that the relay stores, but what waits to be delivered and the entries of the operation log. */
const stored = async (...except: string[]) =>
  JSON.stringify(
    await relay.withDb(async (db) => {
      const tables = (await db.introspection.getTables()).map((table) => table.name);
      const kept = tables.filter((table) => !except.includes(table));
      return Promise.all(
        kept.map((table) =>
          db
            .selectFrom(table as 'users')
            .selectAll()
            .execute(),
        ),
      );
    }),
  );

describe('my data', () => {
  it('come as a file, with everything but secrets', async () => {
    const { api, email, userId } = await person();
    await relay.withDb((db) =>
      db.insertInto('site_managers').values({ siteId: acme.siteId, userId, untilMs: null }).execute(),
    );
    const answer = await api('GET', '/me/export');
    expect(answer.headers.get('content-disposition')).toContain('attachment');
    expect(answer.body).toMatchObject({
      account: { id: userId, email, name: 'Ines Keller' },
      company: { name: 'Acme' },
      sessions: [{ remote: '127.0.0.1' }],
      assignedSites: [{ name: 'Acme HQ', until: null }],
      twoFactor: false,
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/argon2|tokenHash|passwordHash/);
  });

  it('are gone with the account: it cannot be used, its address is free, and entries keep a pseudonym', async () => {
    const { api, email, userId } = await person();
    await api('PUT', '/me/profile', { name: 'Ines Unmistakable', locale: 'en' });
    expect((await remove(api, 'wrong')).body.code).toBe('wrong-password');
    expect((await remove(api)).status).toBe(204);
    expect((await api('GET', '/auth/me')).status).toBe(401);
    const login = await anybody(relay)('POST', '/auth/login', { email, password });
    expect(login.body.code).toBe('wrong-credentials');
    expect((await lastSentTo(relay, email)).code).toBe('account-deleted');
    const left = await stored('outbox');
    expect(left).not.toContain('Unmistakable');
    expect(left).not.toContain(email);
    expect(left).toContain(`Deleted ${userId.slice(-8)}`);
    expect((await acme.api('GET', `/people/${userId}`)).status).toBe(404);
    await relay.withDb((db) => db.deleteFrom('secret_sends').execute());
    expect((await acme.api('POST', '/employee-invitations', { email })).status).toBe(201);
  });

  it('of an employee are deleted by who manages accounts; a site keeps a manager without end', async () => {
    const { userId } = await person();
    await relay.withDb(async (db) => {
      await db.deleteFrom('site_managers').where('siteId', '=', acme.siteId).execute();
      await db.insertInto('site_managers').values({ siteId: acme.siteId, userId, untilMs: null }).execute();
    });
    expect((await acme.api('DELETE', `/people/${userId}`)).status).toBe(204);
    const managers = await relay.withDb((db) =>
      db.selectFrom('site_managers').selectAll().where('siteId', '=', acme.siteId).execute(),
    );
    expect(managers).toEqual([{ siteId: acme.siteId, userId: acme.userId, untilMs: null }]);
  });
});

describe('the last account of a tenant', () => {
  it('stays while there are employees, sites or boxes', async () => {
    expect((await remove(acme.api, acme.password)).body).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('Hand your place over'),
    });
    const alone = await relay.company('Alone');
    const refused = await remove(alone.api, alone.password);
    expect(refused.body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('“Alone HQ”') });
    const at = new Date().toISOString();
    await relay.withDb((db) => db.updateTable('sites').set({ deletedAt: at }).where('id', '=', alone.siteId).execute());
    expect((await remove(alone.api, alone.password)).status).toBe(204);
    const row = await relay.withDb((db) =>
      db.selectFrom('companies').selectAll().where('id', '=', alone.companyId).executeTakeFirst(),
    );
    expect(row).toMatchObject({ name: `Deleted ${alone.companyId.slice(-8)}`, suspendedMs: expect.any(Number) });
  });

  it('of a customer stays while they own a site', async () => {
    const owner = await relay.customer('Uwe');
    const own = (ownerId: string | null) =>
      relay.withDb((db) => db.updateTable('sites').set({ ownerId }).where('id', '=', acme.siteId).execute());
    await own(owner.companyId);
    expect((await remove(owner.api, owner.password)).body.detail).toContain('“Acme HQ”');
    await own(null);
    expect((await remove(owner.api, owner.password)).status).toBe(204);
    expect(await stored('outbox')).not.toContain(owner.email);
  });
});
