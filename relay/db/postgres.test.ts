import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { onServer, PrivatePostgres } from '../testing/postgres.ts';
import { type Db, openDatabase } from './database.ts';
import { isDatabaseFailure, isDuplicate } from './failure.ts';
import { migrations } from './migrations/index.ts';

const server = new PrivatePostgres();
const createdAt = '2026-01-01T00:00:00.000Z';
const company = (id: string, name = id) => ({ id, name, createdAt });
let n = 0;
let url: string;
let db: Db;

beforeAll(async () => {
  await server.start();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await onServer(server.url('postgres'), `create database one_${++n}`);
  url = server.url(`one_${n}`);
  db = await openDatabase({ url });
});
afterEach(() => db.destroy());

describe('PostgreSQL', () => {
  it('is migrated once, also when two relays start together', async () => {
    await onServer(server.url('postgres'), 'create database together');
    const both = await Promise.all([1, 2].map(() => openDatabase({ url: server.url('together') })));
    const { rows } = await sql<{ name: string }>`select name from schema_migrations order by name`.execute(both[0]!);
    expect(rows.map((row) => row.name)).toEqual(migrations.map((step) => step.name).sort());
    for (const one of both) await one.destroy();
  });

  it('refuses a database written by a newer relay', async () => {
    await sql`insert into schema_migrations (name) values ('998-future')`.execute(db);
    await expect(openDatabase({ url })).rejects.toThrow(/newer relay: 998-future/);
  });

  it('writes one at a time: what a transaction read stays true until its commit', async () => {
    await db.insertInto('companies').values(company('a', '')).execute();
    const other = await openDatabase({ url });
    const append = (on: Db) =>
      on.transaction().execute(async (trx) => {
        const { name } = await trx.selectFrom('companies').select('name').executeTakeFirstOrThrow();
        await trx
          .updateTable('companies')
          .set({ name: `${name}.` })
          .execute();
      });
    const single = (on: Db) =>
      on
        .updateTable('companies')
        .set((e) => ({ slots: e('slots', '+', 1) }))
        .execute();
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? [append(db), single(other)] : [append(other)])).flat(),
    );
    expect(await db.selectFrom('companies').select(['name', 'slots']).executeTakeFirst()).toEqual({
      name: '.'.repeat(40),
      slots: 20,
    });
    await other.destroy();
  });

  it('gives a connection back as it was when the lock is not had in time', async () => {
    const one = await openDatabase({ url, poolSize: 2 });
    await db.transaction().execute(async () => {
      const tries = [() => one.transaction().execute(async () => {}), () => one.deleteFrom('users').execute()];
      for (const refused of await Promise.allSettled(tries.map((go) => go())))
        expect(isDatabaseFailure((refused as PromiseRejectedResult).reason)).toBe(true);
    });
    for (const _ of [1, 2]) await one.transaction().execute((trx) => trx.deleteFrom('users').execute());
    await one.destroy();
  });

  it('reads while a transaction writes', async () => {
    await db.transaction().execute(async (trx) => {
      await trx.insertInto('companies').values(company('a')).execute();
      expect(await db.selectFrom('companies').selectAll().execute()).toEqual([]);
    });
    expect(await db.selectFrom('companies').select('id').execute()).toEqual([{ id: 'a' }]);
  });

  it('orders and compares text by code point, as SQLite does', async () => {
    await db
      .insertInto('companies')
      .values(['b', 'ä', 'B', '_', 'a'].map((id) => company(id)))
      .execute();
    const rows = await db.selectFrom('companies').select('id').orderBy('id').execute();
    expect(rows.map((row) => row.id)).toEqual(['B', '_', 'a', 'b', 'ä']);
  });

  it('gives numbers as numbers and counts what a statement changed', async () => {
    await db
      .insertInto('companies')
      .values({ ...company('a'), suspendedMs: 1_790_000_000_000 })
      .execute();
    const counted = db
      .selectFrom('companies')
      .select((e) => [e.fn.countAll().as('n'), e.fn.sum('suspendedMs').as('ms')]);
    expect(await counted.executeTakeFirst()).toEqual({ n: 1, ms: 1_790_000_000_000 });
    const again = db
      .insertInto('companies')
      .values(company('a'))
      .onConflict((c) => c.column('id').doNothing());
    expect((await again.executeTakeFirst()).numInsertedOrUpdatedRows).toBe(0n);
    expect((await db.updateTable('companies').set({ slots: 2 }).executeTakeFirst()).numUpdatedRows).toBe(1n);
  });

  it('takes text with the character NUL, which its text cannot hold', async () => {
    await db.insertInto('companies').values(company('a', 'x\0y')).execute();
    expect(await db.selectFrom('companies').select('name').execute()).toEqual([{ name: 'x\uFFFDy' }]);
  });

  it('tells a refused row from a failing database', async () => {
    await db.insertInto('companies').values(company('a')).execute();
    const refused = await db
      .insertInto('companies')
      .values(company('a'))
      .execute()
      .catch((error) => error);
    expect([isDuplicate(refused), isDatabaseFailure(refused)]).toEqual([true, false]);
    const unreachable = await openDatabase({ url: 'postgresql://a@127.0.0.1:1/a' }).catch((error) => error);
    expect(isDatabaseFailure(unreachable)).toBe(true);
  });

  it('goes on after the server was restarted', async () => {
    const own = await new PrivatePostgres({}).start();
    const there = await openDatabase({ url: own.url('postgres') });
    await own.halt();
    const failed = await there
      .selectFrom('companies')
      .selectAll()
      .execute()
      .catch((error) => error);
    expect(isDatabaseFailure(failed)).toBe(true);
    await own.start();
    expect(await there.selectFrom('companies').selectAll().execute()).toEqual([]);
    await there.destroy();
    await own.stop();
  });
});
