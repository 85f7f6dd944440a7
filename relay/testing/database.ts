import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type DatabaseAddress, type Db, openDatabase } from '../db/database.ts';
import { onServer } from './postgres.ts';

/** Set by the global set-up of a test run on PostgreSQL: the URL of its server, with `/postgres` as database. */
const server = () => process.env.GATEPOST_TEST_POSTGRES;
/** For tests that look into SQLite itself. */
export const onPostgres = server() !== undefined;

/** Where tests keep the database of a relay with this data directory; made if it is not there. */
export async function testDatabase(dir: string): Promise<DatabaseAddress> {
  const url = server();
  if (!url) return { path: join(dir, 'relay.db') };
  const name = nameOf(dir);
  await onServer(url, `create database ${name}`).catch((error) => {
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

const nameOf = (dir: string) => `test_${createHash('sha256').update(dir).digest('hex').slice(0, 24)}`;
