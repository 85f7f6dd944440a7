import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { pino } from 'pino';
import { systemClock } from '../../protocol/clock.ts';
import { hashPassword } from '../../relay/auth/passwords.ts';
import { type DatabaseAddress, openDatabase } from '../../relay/db/database.ts';
import { SearchTerms } from '../../relay/sites/search-terms.ts';
import { onServer, PrivatePostgres } from '../../relay/testing/postgres.ts';
import { PASSWORD, type Size, type Table, WORLD_VERSION, World } from './world.ts';

export interface Seeded {
  world: World;
  address: DatabaseAddress;
  /** 0: it was there from an earlier run. */
  seededMs: number;
  stop(): Promise<void>;
}

/**
 * A database with the world in it, kept between runs in `GATEPOST_BENCH_DATA` (default: in the temporary directory), and
 * brought to today's schema.
 */
export async function seeded(kind: 'sqlite' | 'postgres', size: Size): Promise<Seeded> {
  const root = process.env.GATEPOST_BENCH_DATA ?? join(tmpdir(), 'gatepost-bench-data');
  const dir = join(root, `${kind}-${size.sites}-${size.devices}-${size.events}-${WORLD_VERSION}`);
  const done = join(dir, 'seeded');
  if (!existsSync(done)) rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const server = kind === 'postgres' ? await postgresIn(join(dir, 'server')) : null;
  const file = join(dir, 'relay.db');
  const address = server ? { url: server.url('postgres') } : { path: file };
  const world = new World(size);
  const began = performance.now();
  const fresh = !existsSync(done);
  try {
    await (await openDatabase(address)).destroy();
    if (fresh) {
      const tables = world.tables(await hashPassword(PASSWORD));
      await (server ? fillPostgres(server.url('postgres'), tables) : fillSqlite(file, tables));
    }
    await prepare(address);
    if (fresh) {
      await (server ? onServer(server.url('postgres'), 'vacuum analyze') : analyzeSqlite(file));
      writeFileSync(done, '');
    }
  } catch (error) {
    await server?.stop();
    throw error;
  }
  const seededMs = fresh ? performance.now() - began : 0;
  return { world, address, seededMs, stop: async () => server?.stop() };
}

async function postgresIn(dir: string): Promise<PrivatePostgres> {
  mkdirSync(dir, { recursive: true });
  return new PrivatePostgres({ dir, durable: true, settings: ['shared_buffers=512MB', 'max_wal_size=4GB'] }).start();
}

/** What the relay does in the background after such an import, and what boxes do: all but every 25th were just heard. */
async function prepare(address: DatabaseAddress): Promise<void> {
  const db = await openDatabase(address);
  try {
    await new SearchTerms({ db, clock: systemClock, log: pino({ level: 'silent' }) }).catchUp();
    const seenMs = systemClock.now() + 86_400_000;
    await db.updateTable('boxes').set({ seenMs }).where('serial', 'not like', '%W').execute();
  } finally {
    await db.destroy();
  }
}

function analyzeSqlite(path: string): void {
  const db = new Sqlite(path);
  db.exec('analyze');
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

function fillSqlite(path: string, tables: Table[]): void {
  const db = new Sqlite(path);
  for (const pragma of ['synchronous = OFF', 'foreign_keys = OFF', 'cache_size = -500000']) db.pragma(pragma);
  for (const { name, columns, rows } of tables) {
    const later = db
      .prepare(`select name, sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null`)
      .all(name) as { name: string; sql: string }[];
    for (const index of later) db.exec(`drop index "${index.name}"`);
    const insert = db.prepare(
      `insert into "${name}" (${quoted(columns)}) values (${columns.map(() => '?').join(', ')})`,
    );
    db.transaction(() => {
      for (const row of rows()) insert.run(row);
    })();
    for (const index of later) db.exec(index.sql);
  }
  db.close();
}

const CHUNK = 10_000;

async function fillPostgres(url: string, tables: Table[]): Promise<void> {
  const db = new pg.Client({ connectionString: url });
  await db.connect();
  await db.query('set synchronous_commit = off');
  for (const { name, columns, rows } of tables) {
    const { rows: later } = await db.query(
      `select indexname as name, indexdef as sql from pg_indexes where tablename = $1 and not exists
        (select 1 from pg_constraint where conname = indexname)`,
      [name],
    );
    for (const index of later) await db.query(`drop index "${index.name}"`);
    const { rows: known } = await db.query(
      `select column_name as name, data_type as type from information_schema.columns where table_name = $1`,
      [name],
    );
    const typed = columns.map((column, i) => `$${i + 1}::${known.find((k) => k.name === column).type}[]`);
    const insert = `insert into "${name}" (${quoted(columns)}) select * from unnest(${typed.join(', ')})`;
    let chunk: unknown[][] = columns.map(() => []);
    const flush = async () => {
      if (chunk[0]!.length > 0) await db.query({ text: insert, values: chunk, name });
      chunk = columns.map(() => []);
    };
    for (const row of rows()) {
      for (let i = 0; i < columns.length; i++) chunk[i]!.push(row[i]);
      if (chunk[0]!.length >= CHUNK) await flush();
    }
    await flush();
    for (const index of later) await db.query(index.sql);
  }
  await db.end();
}

const quoted = (columns: string[]) => columns.map((column) => `"${column}"`).join(', ');
