import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect, sql, type Transaction } from 'kysely';
import { isPostgres } from './dialect.ts';
import { migrations } from './migrations/index.ts';
import type { Migration } from './migrations/migration.ts';
import { postgresDialect, whileAlone } from './postgres.ts';
import type { Database } from './schema.ts';

export type Db = Kysely<Database>;
/** A query runs on the database or inside a transaction alike. */
export type DbOrTrx = Kysely<Database> | Transaction<Database>;

/** Where the relay keeps its tables: a SQLite file, or a PostgreSQL database (`postgresql://user@host/name`). */
export type DatabaseAddress = { path: string } | { url: string; poolSize?: number };

/**
 * Opens the relay's database (makes the SQLite file) and brings its schema up to date. `synchronous=FULL`: a PUBACK
 * promises that the record survives a power cut, and WAL with NORMAL does not keep that promise. `steps`: of a program that
 * has a part of the tables only.
 */
export async function openDatabase(address: DatabaseAddress, steps: readonly Migration[] = migrations): Promise<Db> {
  const db = new Kysely<Database>({ dialect: 'url' in address ? postgres(address) : sqlite(address) });
  try {
    await (isPostgres(db) ? whileAlone(db, () => migrate(db, steps)) : migrate(db, steps));
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

/** Pages of the database kept in memory. */
const CACHE_KIB = 64 * 1024;

function sqlite({ path }: { path: string }): SqliteDialect {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new Sqlite(path, { timeout: 5_000 });
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) database.pragma(pragma);
  // Taken only by a database that large; with SQLite's own 2 MB a large company's lists are read anew each time.
  database.pragma(`cache_size = ${-CACHE_KIB}`);
  // As on PostgreSQL, and so that an index serves a search by beginning.
  database.pragma('case_sensitive_like = ON');
  return new SqliteDialect({ database });
}

const postgres = ({ url, poolSize = 10 }: { url: string; poolSize?: number }) => postgresDialect(url, { poolSize });

/** Runs the steps that have not run yet, each in a transaction of its own. A database from a newer relay is refused. */
export async function migrate(db: Db, steps: readonly Migration[]): Promise<void> {
  await db.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('name', 'text', (c) => c.primaryKey())
    .execute();
  const { rows } = await sql<{ name: string }>`select name from schema_migrations`.execute(db);
  const applied = new Set(rows.map((row) => row.name));
  // A table that is made anew would take the rows that refer to it along. What they refer to is checked before the commit.
  const sqlite = !isPostgres(db);
  if (sqlite) await sql`pragma foreign_keys = off`.execute(db);
  try {
    for (const step of steps) {
      if (applied.delete(step.name)) continue;
      await db.transaction().execute(async (trx) => {
        await step.up(trx);
        await sql`insert into schema_migrations (name) values (${step.name})`.execute(trx);
        const broken = sqlite ? (await sql`pragma foreign_key_check`.execute(trx)).rows : [];
        if (broken.length > 0) throw new Error(`${step.name}: rows refer to what is not there`);
      });
    }
  } finally {
    if (sqlite) await sql`pragma foreign_keys = on`.execute(db);
  }
  if (applied.size > 0) throw new Error(`the database comes from a newer relay: ${[...applied].join(', ')}`);
}
