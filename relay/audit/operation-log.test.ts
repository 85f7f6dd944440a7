import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { Db } from '../db/database.ts';
import { dropTestDatabase, openTestDatabase } from '../testing/database.ts';
import { KEEP_MS, OperationLog } from './operation-log.ts';
import type { AuditTables } from './schema.ts';
import { sample } from './testing/sample.ts';

const DAY_MS = 86_400_000;
const dirs: string[] = [];
let dir: string;
let db: Db;
let clock: ManualClock;
let operationLog: OperationLog;
const write = (companyId: string, more: Parameters<typeof sample>[1] = {}) =>
  operationLog.write(sample(companyId, { atMs: clock.now(), ...more }), [companyId]);
const seqs = async (companyId: string) =>
  (await db.selectFrom('audit_entries').select('seq').where('companyId', '=', companyId).orderBy('seq').execute()).map(
    (row) => row.seq,
  );

async function open(): Promise<void> {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-audit-'));
  dirs.push(dir);
  db = await openTestDatabase(dir);
  clock = new ManualClock();
  operationLog = new OperationLog({ db, clock, log: pino({ level: 'silent' }) });
  for (const id of ['acme', 'rival'])
    await db.insertInto('companies').values({ id, name: id, createdAt: '' }).execute();
}
async function close(): Promise<void> {
  await db.destroy();
  await dropTestDatabase(dir);
}
afterAll(() => {
  for (const each of dirs) rmSync(each, { recursive: true, force: true });
});

describe('a company’s chain (LOGS-01)', () => {
  beforeAll(open);
  afterAll(close);
  beforeEach(async () => {
    for (const table of ['audit_entries', 'audit_people', 'audit_chains', 'audit_pending'] as const)
      await db.deleteFrom(table).execute();
  });

  it('numbers entries without a gap, also of many at once, each company for itself', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => write(i % 4 === 0 ? 'rival' : 'acme')));
    expect(await seqs('acme')).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(await seqs('rival')).toEqual(Array.from({ length: 10 }, (_, i) => i + 1));
    expect(await operationLog.verify('acme')).toMatchObject({ entries: 30, broken: null, head: { seq: 30 } });
    expect(await operationLog.verify('nobody')).toMatchObject({ entries: 0, broken: null });
  });

  it('stands in the log of everybody it concerns, the address only in the operator’s own', async () => {
    await operationLog.write(sample('acme'), ['acme', 'rival']);
    const rows = await db.selectFrom('audit_people').select(['companyId', 'name', 'address']).execute();
    expect(rows).toEqual(
      expect.arrayContaining([
        { companyId: 'acme', name: 'Ines Keller', address: '203.0.113.9' },
        { companyId: 'rival', name: 'Ines Keller', address: null },
      ]),
    );
    for await (const { broken } of operationLog.verifyAll()) expect(broken).toBeNull();
  });

  const entryColumns: (keyof AuditTables['audit_entries'])[] = [
    ...(['id', 'atMs', 'operatorCompanyId', 'action', 'client', 'clientName', 'siteId', 'targetKind'] as const),
    ...(['targetId', 'result', 'operatorHash', 'subjectHash', 'hash'] as const),
  ];
  it.each(entryColumns)('shows a changed %s', async (column) => {
    for (let i = 0; i < 3; i++) await write('acme');
    const value = column === 'atMs' ? 1 : column === 'operatorCompanyId' ? 'rival' : 'changed';
    await db
      .updateTable('audit_entries')
      .set({ [column]: value })
      .where('seq', '=', 2)
      .execute();
    expect((await operationLog.verify('acme')).broken).toMatchObject({ seq: 2 });
  });

  const wordColumns: (keyof AuditTables['audit_people'])[] = [
    ...(['userId', 'name', 'email', 'address', 'siteName', 'targetName', 'detail', 'search'] as const),
    ...(['operatorSalt', 'subjectSalt'] as const),
  ];
  it.each(
    wordColumns.flatMap((column) => [[column, 'changed'] as const, [column, null] as const]),
  )('shows %s changed to %s', async (column, value) => {
    for (let i = 0; i < 3; i++) await write('acme');
    await db
      .updateTable('audit_people')
      .set({ [column]: column === 'search' ? (value ?? '') : value })
      .where('seq', '=', 2)
      .execute();
    expect((await operationLog.verify('acme')).broken).toMatchObject({ seq: 2 });
  });

  const cases: [string, number, () => Promise<unknown>][] = [
    ['an entry taken out', 2, () => db.deleteFrom('audit_entries').where('seq', '=', 2).execute()],
    ['words taken out', 2, () => db.deleteFrom('audit_people').where('seq', '=', 2).execute()],
    ['the newest entry taken out', 4, () => db.deleteFrom('audit_entries').where('seq', '=', 4).execute()],
    ['the oldest entry taken out', 1, () => db.deleteFrom('audit_entries').where('seq', '=', 1).execute()],
    ['the end moved', 5, () => db.updateTable('audit_chains').set({ seq: 5 }).execute()],
    ['the end’s hash changed', 5, () => db.updateTable('audit_chains').set({ hash: 'x' }).execute()],
    ['the end taken away', 5, () => db.deleteFrom('audit_chains').execute()],
    ['a made-up checkpoint', 3, () => db.updateTable('audit_chains').set({ checkpointSeq: 2 }).execute()],
    [
      'two entries that changed places',
      1,
      async () => {
        for (const [from, to] of [
          [1, 9],
          [2, 1],
          [9, 2],
        ] as const)
          for (const table of ['audit_entries', 'audit_people'] as const)
            await db.updateTable(table).set({ seq: to }).where('seq', '=', from).execute();
      },
    ],
  ];
  it.each(cases)('shows %s', async (_, seq, tamper) => {
    for (let i = 0; i < 4; i++) await write('acme');
    await tamper();
    expect((await operationLog.verify('acme')).broken).toMatchObject({ seq });
  });

  it('still holds when the words about a person were erased', async () => {
    await write('acme');
    await write('acme', { userId: 'user-2', name: 'Other' });
    await write('acme', { userId: 'user-2', name: 'Other', targetKind: 'person', targetId: 'user-1' });
    const own = await operationLog.begin(sample('acme', { action: 'deleteOwnAccount' }));
    await db.transaction().execute((trx) => operationLog.erase(trx, 'user-1'));
    const words = JSON.stringify(await db.selectFrom('audit_people').selectAll().orderBy('seq').execute());
    expect(words).not.toMatch(/Ines|user-1/);
    expect(words).toContain('Other');
    // The erasure itself is in the log, of nobody.
    await operationLog.finish(own, sample('acme', { action: 'deleteOwnAccount' }), ['acme']);
    expect(JSON.stringify(await db.selectFrom('audit_people').selectAll().execute())).not.toMatch(/Ines|user-1/);
    expect(await operationLog.verify('acme')).toMatchObject({ entries: 4, erased: 2, broken: null });
  });
});

describe('the 90 days (LOGS-02)', () => {
  beforeEach(open);
  afterEach(close);

  it('cuts what is older, and still verifies from there', async () => {
    for (let i = 0; i < 505; i++) await write('acme');
    clock.step(DAY_MS);
    await write('acme');
    clock.step(KEEP_MS - DAY_MS - 1);
    await operationLog.sweep();
    expect(await seqs('acme')).toHaveLength(506);
    clock.step(1);
    await operationLog.sweep();
    expect(await seqs('acme')).toEqual([506]);
    expect(await operationLog.verify('acme')).toMatchObject({ entries: 1, broken: null, head: { seq: 506 } });
    clock.step(DAY_MS);
    await operationLog.sweep();
    expect(await seqs('acme')).toEqual([]);
    expect(await db.selectFrom('audit_people').select('seq').execute()).toEqual([]);
    await write('acme');
    expect(await operationLog.verify('acme')).toMatchObject({ entries: 1, broken: null, head: { seq: 507 } });
  });

  it('sweeps by itself', async () => {
    await write('acme');
    clock.step(KEEP_MS);
    operationLog.start();
    await operationLog.stop();
    expect(await seqs('acme')).toEqual([]);
  });

  it('keeps a younger entry that an older one follows, after the clock was set back', async () => {
    await write('acme', { atMs: clock.now() + 2 * DAY_MS });
    await write('acme');
    clock.step(KEEP_MS);
    await operationLog.sweep();
    expect(await seqs('acme')).toEqual([1, 2]);
    clock.step(2 * DAY_MS);
    await operationLog.sweep();
    expect(await seqs('acme')).toEqual([]);
  });
});

describe('an operation that a crash cut off', () => {
  beforeEach(open);
  afterEach(close);

  it('is in the log as interrupted, once, ten minutes after it began', async () => {
    const operation = sample('acme', { atMs: clock.now() });
    const pending = await operationLog.begin(operation);
    clock.step(10 * 60_000 - 1);
    await operationLog.sweep();
    expect(await seqs('acme')).toEqual([]);
    clock.step(1);
    await operationLog.sweep();
    await operationLog.sweep();
    await operationLog.finish(pending, operation, ['acme']);
    const rows = await db.selectFrom('audit_entries').select(['action', 'result']).execute();
    expect(rows).toEqual([{ action: 'addDevice', result: 'interrupted' }]);
  });

  it('breaks no chain: killed between, whatever was stored verifies', async () => {
    for (let round = 1; round <= 3; round++) {
      const before = (await seqs('acme')).length;
      const child = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'writer.ts'), dir, 'acme']);
      let told = 0;
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (text) => {
          told = Number(String(text).trim().split('\n').at(-1));
          if (told >= 20) child.kill('SIGKILL');
        });
        child.on('exit', () => resolve());
      });
      const verdict = await operationLog.verify('acme');
      expect(verdict.broken).toBeNull();
      expect(verdict.entries).toBeGreaterThanOrEqual(before + told);
    }
  });
});
