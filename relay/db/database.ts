import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect, sql, type Transaction } from 'kysely';
import { migrations } from './migrations/index.ts';
import type { Migration } from './migrations/migration.ts';
import type { Database } from './schema.ts';

export type Db = Kysely<Database>;
/** A query runs on the database or inside a transaction alike. */
export type DbOrTrx = Kysely<Database> | Transaction<Database>;

/**
 * Opens (and makes) the relay's database and brings its schema up to date. `synchronous=FULL`: a PUBACK promises that
 * the record survives a power cut, and WAL with NORMAL does not keep that promise.
 */
export async function openDatabase({ path }: { path: string }): Promise<Db> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const sqlite = new Sqlite(path, { timeout: 5_000 });
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) sqlite.pragma(pragma);
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: sqlite }) });
  try {
    await migrate(db, migrations);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

/** Runs the steps that have not run yet, each in a transaction of its own. A database from a newer relay is refused. */
export async function migrate(db: Db, steps: readonly Migration[]): Promise<void> {
  await db.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('name', 'text', (c) => c.primaryKey())
    .execute();
  const { rows } = await sql<{ name: string }>`select name from schema_migrations`.execute(db);
  const applied = new Set(rows.map((row) => row.name));
  for (const step of steps) {
    if (applied.delete(step.name)) continue;
    await db.transaction().execute(async (trx) => {
      await step.up(trx);
      await sql`insert into schema_migrations (name) values (${step.name})`.execute(trx);
    });
  }
  if (applied.size > 0) throw new Error(`the database comes from a newer relay: ${[...applied].join(', ')}`);
}
