import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate, openDatabase } from './database.ts';
import { migrations } from './migrations/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-db-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('openDatabase', () => {
  it('keeps a commit over a power cut: WAL with synchronous=FULL, foreign keys on', async () => {
    const db = await openDatabase({ path: join(dir, 'a', 'relay.db') });
    const read = async (name: string) => (await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db)).rows[0];
    expect(await read('journal_mode')).toEqual({ journal_mode: 'wal' });
    expect(await read('synchronous')).toEqual({ synchronous: 2 });
    expect(await read('foreign_keys')).toEqual({ foreign_keys: 1 });
    await db.destroy();
  });

  it('runs each migration once, and a failing one leaves nothing behind', async () => {
    const path = join(dir, 'relay.db');
    await (await openDatabase({ path })).destroy();
    const db = await openDatabase({ path });
    const broken = {
      name: '999-broken',
      up: async (trx: typeof db) => {
        await sql`create table half (id text)`.execute(trx);
        throw new Error('no');
      },
    };
    await expect(migrate(db, [...migrations, broken])).rejects.toThrow('no');
    await expect(sql`select * from half`.execute(db)).rejects.toThrow(/no such table/);
    await db.destroy();
  });

  it('refuses a database written by a newer relay', async () => {
    const path = join(dir, 'relay.db');
    const db = await openDatabase({ path });
    await sql`insert into schema_migrations (name) values ('998-future')`.execute(db);
    await db.destroy();
    await expect(openDatabase({ path })).rejects.toThrow(/newer relay: 998-future/);
  });
});
