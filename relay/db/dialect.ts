import { type Kysely, PostgresAdapter, sql } from 'kysely';

// biome-ignore lint/suspicious/noExplicitAny: whatever the tables are
type AnyDb = Kysely<any>;

export const isPostgres = (db: AnyDb): boolean => db.getExecutor().adapter instanceof PostgresAdapter;

/**
 * Makes a SQLite table anew with a changed definition: SQLite cannot take a constraint away. Its rows, indexes and triggers
 * stay. Only inside a migration, which runs with foreign keys off.
 */
export async function rebuildTable(db: AnyDb, table: string, edit: (definition: string) => string): Promise<void> {
  type Entry = { type: string; sql: string | null };
  const { rows } = await sql<Entry>`select type, sql from sqlite_master where tbl_name = ${table}`.execute(db);
  const old = rows.find((row) => row.type === 'table')?.sql ?? '';
  const next = edit(old);
  if (next === old) throw new Error(`${table}: the edit changed nothing`);
  await sql.raw(next.replace(`"${table}"`, `"${table}_next"`)).execute(db);
  await sql.raw(`insert into "${table}_next" select * from "${table}"`).execute(db);
  await sql.raw(`drop table "${table}"`).execute(db);
  // Without it, triggers of other tables that name this one stop the renaming.
  await sql`pragma legacy_alter_table = on`.execute(db);
  await sql.raw(`alter table "${table}_next" rename to "${table}"`).execute(db);
  await sql`pragma legacy_alter_table = off`.execute(db);
  for (const { type, sql: text } of rows) if (type !== 'table' && text) await sql.raw(text).execute(db);
}

/** What the database takes on its disk. */
export async function databaseBytes(db: AnyDb): Promise<number> {
  const size = isPostgres(db)
    ? sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`
    : sql<{ bytes: number }>`select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()`;
  return (await size.execute(db)).rows[0]?.bytes ?? 0;
}
