import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDatabase } from '../testing/database.ts';
import { TestRelay } from '../testing/relay.ts';
import type { Db } from './database.ts';
import { SharedCommits } from './shared-commits.ts';

const relay = new TestRelay();
let db: Db;
let commits: SharedCommits;
beforeAll(async () => {
  await relay.start();
  db = await openTestDatabase(relay.dir);
  commits = new SharedCommits({ db });
});
afterAll(async () => {
  await db.destroy();
  await relay.stop();
});

const add = (account: string) => {
  const line = { receiverId: 'r', account, line: '1', last: 1 };
  return commits.run(async (trx) => {
    await trx.insertInto('arc_lines').values(line).execute();
    return account;
  });
};
const there = async () => (await db.selectFrom('arc_lines').select('account').execute()).map((row) => row.account);

it('answers each after its commit, and those of a transaction that failed with its failure', async () => {
  const names = Array.from({ length: 600 }, (_, i) => `${i}`);
  expect(await Promise.all(names.map(add))).toEqual(names);
  expect((await there()).length).toBe(600);
  const twice = await Promise.allSettled([add('new'), add('0')]);
  expect(twice.map((one) => one.status)).toEqual(['rejected', 'rejected']);
  expect(await there()).not.toContain('new');
  expect(await add('new')).toBe('new');
});
