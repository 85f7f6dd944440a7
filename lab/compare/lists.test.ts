import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { AlarmReport, JournalRecord } from '../../protocol/wire/event.ts';
import { readJournal } from './collect.ts';
import { compareLists, type Lists } from './lists.ts';
import { table } from './table.ts';

const T = Date.parse('2026-01-01T00:00:00.000Z');
const at = (ms: number) => new Date(T + ms).toISOString();

/** `n` events that went all the way, one a second. */
function happened(n: number): Lists & { downtimes: [] } {
  const lists: Lists & { downtimes: [] } = {
    emitted: [],
    journal: [],
    relayEvents: [],
    relayAlarms: [],
    received: [],
    alarmTypes: ['motion'],
    downtimes: [],
  };
  for (let i = 1; i <= n; i++) {
    const sourceRef = randomUUID();
    const id = randomUUID();
    const alarm: AlarmReport = {
      id: randomUUID(),
      eventId: id,
      kind: 'alarm',
      accountId: randomUUID(),
      account: '1234',
      path: 'direct',
      receiverId: randomUUID(),
      protocol: 'SIA-DCS',
      code: 'BA',
      zone: '1',
      sequence: i,
      state: 'acknowledged',
      tries: 1,
      occurredAt: at(i),
      queuedAt: at(i),
      acknowledgedAt: at(i),
      possibleRepeat: false,
      reason: null,
      log: [],
    };
    lists.emitted.push({ id: sourceRef, device: 'camera-1', type: 'motion', emittedAt: at(i * 1000), listeners: 1 });
    const event = { id, type: 'motion' as const, deviceId: randomUUID(), channel: 1, occurredAt: at(i), seenAt: at(i) };
    const add = (record: Pick<JournalRecord, 'kind' | 'body'>) =>
      lists.journal.push({ seq: lists.journal.length + 1, id: randomUUID(), at: at(i), ...record } as JournalRecord);
    add({ kind: 'event', body: { ...event, deviceTime: null, sourceRef, text: null } } as never);
    add({ kind: 'alarm', body: { ...alarm, state: 'waiting', acknowledgedAt: null } } as never);
    add({ kind: 'alarm', body: alarm } as never);
    lists.relayEvents.push({ id, sourceRef });
    lists.relayAlarms.push({ id: alarm.id, state: 'acknowledged' });
    lists.received.push({
      id: randomUUID(),
      account: '1234',
      protocol: 'SIA-DCS',
      encrypted: false,
      code: 'BA',
      zone: '1',
      sequence: i,
      occurredAt: at(i),
      acknowledgedAt: at(i),
      raw: '',
      text: '',
      via: 'direct',
      ackSwallowed: false,
    });
  }
  return lists;
}
const problems = (lists: Parameters<typeof compareLists>[0]) =>
  compareLists(lists).steps.flatMap((s) => [
    ...s.missing.map(() => `missing ${s.to}`),
    ...s.excused.map(() => `excused ${s.to}`),
    ...s.double.map((d) => `double ${s.to}: ${d.because}`),
    ...s.unknown.map(() => `unknown ${s.to}`),
  ]);

describe('comparison of the four lists', () => {
  it('finds nothing when nothing is wrong', () => {
    const result = compareLists(happened(5));
    expect(result.ok).toBe(true);
    expect(result.counts).toMatchObject({ emitted: 5, journalEvents: 5, journalAlarms: 5, received: 5 });
    expect(table(result)).toContain('nothing is missing');
    expect(problems(happened(5))).toEqual([]);
  });

  it('finds what is missing, at each step', () => {
    const journal = happened(3);
    journal.journal = journal.journal.filter((r) => r.kind !== 'event' || r.body.sourceRef !== journal.emitted[1]!.id);
    expect(compareLists(journal).ok).toBe(false);
    expect(problems(journal)).toEqual(['missing journal', 'unknown relay events']);
    const relay = happened(3);
    relay.relayEvents.pop();
    relay.relayAlarms[0]!.state = 'waiting';
    expect(problems(relay)).toEqual(['missing relay events', 'missing relay alarms (acknowledged)']);
    const receiver = happened(3);
    receiver.received.shift();
    expect(problems(receiver)).toEqual(['missing receiver']);
    expect(table(compareLists(receiver))).toContain('SOMETHING IS MISSING');
    const noAlarm = happened(3);
    noAlarm.journal = noAlarm.journal.filter((r) => r.kind !== 'alarm' || r.body.sequence !== 2);
    expect(problems(noAlarm)).toEqual(['missing journal alarms']);
  });

  it('excuses what was emitted while the box was down, or up to 100 ms before, and nothing else', () => {
    const lists = happened(4);
    lists.journal = [];
    lists.relayEvents = [];
    lists.relayAlarms = [];
    lists.received = [];
    const result = compareLists({ ...lists, downtimes: [{ from: T + 2100, to: T + 3000 }] });
    expect(result.steps[0]!.excused.map((e) => e.id)).toEqual([lists.emitted[1]!.id, lists.emitted[2]!.id]);
    expect(result.steps[0]!.missing.map((e) => e.id)).toEqual([lists.emitted[0]!.id, lists.emitted[3]!.id]);
  });

  it('finds what is there twice, and knows why where somebody else counted it', () => {
    const lists = happened(4);
    lists.received.push({ ...lists.received[0]! });
    lists.received.push({ ...lists.received[1]!, ackSwallowed: true });
    const alarm = lists.journal.find((r) => r.kind === 'alarm' && r.body.sequence === 3)!;
    lists.journal.push({ ...alarm, body: { ...alarm.body, possibleRepeat: true } } as JournalRecord);
    lists.received.push({ ...lists.received[2]! });
    lists.relayEvents.push({ ...lists.relayEvents[0]! });
    expect(problems(lists)).toEqual([
      'double relay events: null',
      'double receiver: null',
      'double receiver: its acknowledgement was swallowed by a fault',
      'double receiver: the box could not know that it had arrived',
    ]);
    expect(compareLists(lists).ok).toBe(true);
  });

  it('reads a journal file beside the box that writes it', () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-journal-'));
    const path = join(dir, 'journal.db');
    const database = new Database(path);
    try {
      database.pragma('journal_mode = WAL');
      database.exec('CREATE TABLE records (seq INTEGER PRIMARY KEY, id TEXT, kind TEXT, at TEXT, body TEXT)');
      const { journal } = happened(2);
      const insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?)');
      for (const r of journal) insert.run(r.seq, r.id, r.kind, r.at, JSON.stringify(r.body));
      expect(readJournal(path)).toEqual(journal);
    } finally {
      database.close();
      rmSync(dir, { recursive: true });
    }
  });
});
