import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../protocol/clock.ts';
import type { DeskFilter } from '../../../protocol/wire/arc-desk.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import { createScope, type Scope } from '../../auth/scope.ts';
import { type Db, openDatabase } from '../../db/database.ts';
import { AlarmList } from './alarm-list.ts';

const dir = mkdtempSync(join(tmpdir(), 'gatepost-desk-plan-'));
let db: Db;
let scope: Scope;

beforeAll(async () => {
  db = await openDatabase({ path: join(dir, 'relay.db') });
  const who = { userId: '', companyId: uuidv7(), companyType: 'arc', admin: true, limited: false } as const;
  scope = createScope(db, systemClock, { ...who, permissions: new Set() });
});
afterAll(async () => {
  await db.destroy();
  rmSync(dir, { recursive: true, force: true });
});

it.each<[index: string, filter: DeskFilter, cursor?: string]>([
  ['desk_alarms_open', { show: 'open' }],
  ['desk_alarms_open', { show: 'open' }, '1.500'],
  ['desk_alarms_all', { show: 'all' }],
  ['desk_alarms_all', { show: 'all' }, '500'],
  ['desk_alarms_tests', { show: 'tests' }],
  ['desk_alarms_urgency', { show: 'all', urgency: 0 }],
  ['desk_alarms_site', { show: 'all', siteId: uuidv7() }],
  ['desk_alarms_account', { show: 'all', account: '00A1' }],
])('a page follows %s: %o %s', async (index, filter, cursor) => {
  const { sql: text, parameters } = (await new AlarmList({ db, health: () => null }).query(scope, filter, cursor))
    .limit(101)
    .compile();
  const bound = text
    .split('?')
    .flatMap((part, i) => [sql.raw(part), ...(i < parameters.length ? [sql`${parameters[i]}`] : [])]);
  const { rows } = await sql<{ detail: string }>`explain query plan ${sql.join(bound, sql``)}`.execute(db);
  const plan = rows.map((row) => row.detail);
  expect(plan.find((line) => / m /.test(line))).toContain(`INDEX ${index} `);
  // Nothing is sorted: the index has the list's own order.
  expect(plan.join('\n')).not.toMatch(/SCAN m|TEMP B-TREE FOR ORDER/);
});
