import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DatabaseAddress, type Db, openDatabase } from '../db/database.ts';
import { onServer } from './postgres.ts';

/** Set by the global set-up of a test run on PostgreSQL: the URL of its server, with `/postgres` as database. */
const server = () => process.env.GATEPOST_TEST_POSTGRES;
/** Set by it otherwise: a file with all tables and no rows. Without it each test makes its tables itself. */
const template = () => process.env.GATEPOST_TEST_SQLITE;
/** For tests that look into SQLite itself. */
export const onPostgres = server() !== undefined;

/** Where tests keep the database of a relay with this data directory; made if it is not there. */
export async function testDatabase(dir: string): Promise<DatabaseAddress> {
  const url = server();
  if (!url) {
    const path = join(dir, 'relay.db');
    const from = template();
    if (from && !existsSync(path)) {
      mkdirSync(dir, { recursive: true });
      copyFileSync(from, path);
    }
    return { path };
  }
  const name = nameOf(dir);
  await onServer(url, `create database ${name} template test_template`).catch((error) => {
    if (error.code !== '42P04' && error.code !== '23505') throw error;
  });
  return { url: url.replace('/postgres?', `/${name}?`) };
}

export async function openTestDatabase(dir: string): Promise<Db> {
  return openDatabase(await testDatabase(dir));
}

/** Takes the database away; on SQLite it goes with its directory. */
export async function dropTestDatabase(dir: string): Promise<void> {
  const url = server();
  if (url) await onServer(url, `drop database if exists ${nameOf(dir)} with (force)`);
}

/** Copies the database of a stopped relay; returns what puts it back as it is now. */
export async function backUpTestDatabase(dir: string): Promise<() => Promise<void>> {
  const url = server();
  if (url) {
    const name = nameOf(dir);
    await onServer(url, `create database ${name}_backup template ${name}`);
    return async () => {
      await onServer(url, `drop database ${name} with (force)`);
      await onServer(url, `alter database ${name}_backup rename to ${name}`);
    };
  }
  copyFileSync(join(dir, 'relay.db'), join(dir, 'backup.db'));
  return async () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(dir, `relay.db${suffix}`), { force: true });
    renameSync(join(dir, 'backup.db'), join(dir, 'relay.db'));
  };
}

const nameOf = (dir: string) => `test_${createHash('sha256').update(dir).digest('hex').slice(0, 24)}`;
