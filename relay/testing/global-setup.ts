import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatabaseAddress, openDatabase } from '../db/database.ts';
import { onServer, PrivatePostgres } from './postgres.ts';

/**
 * Of a test run: with `GATEPOST_TEST_DATABASE=postgres` the relay's tests run on a PostgreSQL of their own. Either way an
 * empty database with all tables is made once, which the tests' databases are copies of (relay/testing/database.ts).
 */
export async function setup(): Promise<() => Promise<void>> {
  const made = async (address: DatabaseAddress) => (await openDatabase(address)).destroy();
  if (process.env.GATEPOST_TEST_DATABASE !== 'postgres') {
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-template-'));
    await made({ path: join(dir, 'relay.db') });
    process.env.GATEPOST_TEST_SQLITE = join(dir, 'relay.db');
    return async () => rmSync(dir, { recursive: true, force: true });
  }
  const postgres = await new PrivatePostgres().start();
  const url = postgres.url('postgres');
  await onServer(url, 'create database test_template');
  await made({ url: postgres.url('test_template') });
  process.env.GATEPOST_TEST_POSTGRES = url;
  return () => postgres.stop();
}
