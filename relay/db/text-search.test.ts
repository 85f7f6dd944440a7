import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dropTestDatabase, openTestDatabase } from '../testing/database.ts';
import type { Db } from './database.ts';
import { beginsWith, contains } from './text-search.ts';

const dir = mkdtempSync(join(tmpdir(), 'gatepost-search-'));
const accounts = ['50%', '500', '5_0', '5\\0', 'ABC'];
let db: Db;
beforeAll(async () => {
  db = await openTestDatabase(dir);
  const lines = accounts.map((account) => ({ receiverId: 'r', account, line: '1', last: 1 }));
  await db.insertInto('arc_lines').values(lines).execute();
});
afterAll(async () => {
  await db.destroy();
  await dropTestDatabase(dir);
  rmSync(dir, { recursive: true });
});
const found = async (where: ReturnType<typeof contains>) =>
  (await db.selectFrom('arc_lines').select('account').where(where).orderBy('account').execute()).map(
    ({ account }) => account,
  );

it('takes what is looked for literally, in capital or small letters', async () => {
  expect(await found(contains('account', '%'))).toEqual(['50%']);
  expect(await found(contains('account', '_'))).toEqual(['5_0']);
  expect(await found(contains('account', '\\'))).toEqual(['5\\0']);
  expect(await found(contains('account', 'bC'))).toEqual(['ABC']);
  expect(await found(contains('account', '0'))).toHaveLength(4);
});

it('looks at beginnings as they are written', async () => {
  expect(await found(beginsWith('account', '5_'))).toEqual(['5_0']);
  expect(await found(beginsWith('account', '0'))).toEqual([]);
  expect(await found(beginsWith('account', '50'))).toEqual(['50%', '500'].sort());
});
