import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { systemClock } from '../../protocol/clock.ts';
import type { DeskFilter } from '../../protocol/wire/arc-desk.ts';
import { AlarmList } from '../../relay/arc/desk/alarm-list.ts';
import { createScope } from '../../relay/auth/scope.ts';
import { openDatabase } from '../../relay/db/database.ts';

/*
 * How long the desk's lists take with millions of alarms, of ten centres and 2,000 accounts:
 *   node bench/arc/desk-list.ts [alarms]
 * Each is asked 20 times, first page and a page from the middle; exits with 1 when one is slower than 20 ms at the median.
 */

const COUNT = Number(process.argv[2] ?? 5_000_000);
const LIMIT_MS = 20;
const dir = mkdtempSync(join(tmpdir(), 'gatepost-desk-'));
const db = await openDatabase({ path: join(dir, 'relay.db') });
try {
  const started = performance.now();
  await sql`insert into desk_alarms (id, "companyId", "receiverId", "accountId", account, "siteId", source, kind, protocol, code, zone,
      sequence, urgency, open, test, state, path, tries, log, "possibleRepeat", "occurredAt", "queuedAt", "acknowledgedAt", "takenMs", notes)
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${COUNT})
    select 'alarm-' || i, 'company-' || (i % 10), 'receiver', 'account-' || (i % 2000), printf('%04X', i % 2000), 'site-' || (i % 2000),
      'box', 'alarm', 'SIA-DCS', 'BA', '001', 1, case when i % 5000 = 0 then 0 else 1 + i % 3 end, i % 20000 < 10, i % 500 = 0,
      'acknowledged', 'direct', 1, '[]', 0, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z',
      1767225600000 + i * 1000, 0 from n`.execute(db);
  console.log(`${COUNT} alarms written in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  const who = { userId: '', companyId: 'company-0', companyType: 'arc', admin: true, limited: false } as const;
  const scope = createScope(db, systemClock, { ...who, permissions: new Set() });
  const list = new AlarmList({ db, health: () => null });
  const middle = new Date(1_767_225_600_000 + COUNT * 500).toISOString();
  const asked: Record<string, DeskFilter & { cursor?: string }> = {
    open: { show: 'open' },
    'open, life': { show: 'open', urgency: 0 },
    all: { show: 'all' },
    'all, from the middle': { show: 'all', cursor: String(Math.floor(COUNT / 2)) },
    'all, life': { show: 'all', urgency: 0 },
    'all, one account': { show: 'all', account: '000A' },
    'all, before a day': { show: 'all', to: middle },
    tests: { show: 'tests' },
  };
  let slow = false;
  for (const [name, filter] of Object.entries(asked)) {
    const times: number[] = [];
    let rows = 0;
    for (let i = 0; i < 20; i++) {
      const from = performance.now();
      rows = (await list.list(scope, { limit: 100, ...filter })).items.length;
      times.push(performance.now() - from);
    }
    times.sort((a, b) => a - b);
    slow ||= (times[10] as number) > LIMIT_MS;
    console.log(`${name.padEnd(22)} ${rows} rows  p50 ${times[10]?.toFixed(2)} ms  max ${times[19]?.toFixed(2)} ms`);
  }
  if (slow) process.exitCode = 1;
} finally {
  await db.destroy();
  rmSync(dir, { recursive: true, force: true });
}
