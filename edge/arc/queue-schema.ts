import type { Database } from 'better-sqlite3';
import type { NewMessage, QueuedMessage } from './queue.ts';
import { UNKNOWN_DEVICE } from './taking.ts';

export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    eventId TEXT NOT NULL,
    accountId TEXT NOT NULL,
    deviceId TEXT,
    kind TEXT NOT NULL,
    priority INTEGER NOT NULL,
    type TEXT NOT NULL,
    zone TEXT NOT NULL,
    text TEXT,
    cid TEXT,
    area INTEGER,
    occurredAt TEXT NOT NULL,
    queuedAt TEXT NOT NULL,
    account TEXT NOT NULL,
    receiverId TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    via TEXT,
    dueMs INTEGER,
    link TEXT,
    linkId TEXT,
    protocol TEXT,
    generic INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    unanswered INTEGER NOT NULL DEFAULT 0,
    possibleRepeat INTEGER NOT NULL DEFAULT 0,
    log TEXT NOT NULL DEFAULT '[]',
    settledMs INTEGER,
    open INTEGER NOT NULL DEFAULT 0,
    report TEXT,
    UNIQUE (eventId, accountId, kind)
  );
  CREATE INDEX IF NOT EXISTS waiting ON messages (accountId, priority, n) WHERE settledMs IS NULL;
  CREATE INDEX IF NOT EXISTS unreported ON messages (n) WHERE report IS NOT NULL;
  CREATE INDEX IF NOT EXISTS settled ON messages (settledMs) WHERE settledMs IS NOT NULL;
  CREATE TABLE IF NOT EXISTS sequences (line TEXT PRIMARY KEY, last INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS clocks (receiverId TEXT PRIMARY KEY, offsetMs INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS path_faults (accountId TEXT NOT NULL, path TEXT NOT NULL, eventId TEXT NOT NULL, PRIMARY KEY (accountId, path));
  CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY,
    sinceSeq INTEGER NOT NULL,
    testMs INTEGER NOT NULL,
    periodicMs INTEGER,
    alternativeMs INTEGER,
    clockTold INTEGER NOT NULL DEFAULT 0,
    heldSeq INTEGER,
    takes TEXT
  );
`;

/** What a file of an earlier version lacks. */
export function addColumns(db: Database): void {
  const columns = {
    messages: [
      `deviceId TEXT DEFAULT '${UNKNOWN_DEVICE}'`,
      'cid TEXT',
      'open INTEGER NOT NULL DEFAULT 0',
      'area INTEGER',
      'via TEXT',
      'dueMs INTEGER',
      'link TEXT',
      'linkId TEXT',
      'generic INTEGER NOT NULL DEFAULT 0',
      "log TEXT NOT NULL DEFAULT '[]'",
    ],
    accounts: [
      'periodicMs INTEGER',
      'alternativeMs INTEGER',
      'clockTold INTEGER NOT NULL DEFAULT 0',
      'heldSeq INTEGER',
      'takes TEXT',
    ],
  };
  for (const [table, wanted] of Object.entries(columns)) {
    const there = new Set((db.pragma(`table_info(${table})`) as { name: string }[]).map((column) => column.name));
    for (const column of wanted)
      if (!there.has(column.split(' ')[0]!)) db.exec(`ALTER TABLE ${table} ADD COLUMN ${column}`);
  }
  db.exec(INDEX);
}

/** An index on a column that older files get only now. */
const INDEX = 'CREATE INDEX IF NOT EXISTS openAlarms ON messages (n) WHERE open = 1';

export interface KnownAccount {
  /** What happened before this position of the journal is not its business. */
  sinceSeq: number;
  /** When the last of each kind of test was queued. */
  testMs: number;
  periodicMs: number;
  alternativeMs: number;
  clockTold: number;
  /** The journal is to be read again from behind this record: see {@link Intake}. */
  heldSeq: number | null;
  /** JSON, see taking.ts; null: nothing was noted yet. */
  takes: string | null;
}

export type WaitingKind = Pick<QueuedMessage, 'accountId' | 'deviceId' | 'kind' | 'type'>;

/** Told while a path or the queue itself is in trouble: never given up to make room. */
const KEPT = "('pathFault', 'eventsLost')";

export function prepare(db: Database) {
  const one = <A extends unknown[], R>(sql: string) => db.prepare<A, R>(sql);
  const waiting = 'SELECT * FROM messages WHERE settledMs IS NULL';
  const due = 'AND (dueMs IS NULL OR dueMs <= ?)';
  return {
    byId: one<[string], { settledMs: number | null }>('SELECT settledMs FROM messages WHERE id = ?'),
    insert: one<[NewMessage & { id: string; sequence: number; open: number }], never>(
      `INSERT INTO messages (id, eventId, accountId, deviceId, kind, priority, type, zone, text, cid, area, occurredAt, queuedAt, account, receiverId, sequence, via, dueMs, link, linkId, open)
       VALUES (@id, @eventId, @accountId, @deviceId, @kind, @priority, @type, @zone, @text, @cid, @area, @occurredAt, @queuedAt, @account, @receiverId, @sequence, @via, @dueMs, @link, @linkId, @open)`,
    ),
    lastSequence: one<[string], { last: number }>('SELECT last FROM sequences WHERE line = ?'),
    setSequence: one<[string, number], never>('INSERT OR REPLACE INTO sequences (line, last) VALUES (?, ?)'),
    offset: one<[string], { offsetMs: number }>('SELECT offsetMs FROM clocks WHERE receiverId = ?'),
    setOffset: one<[string, number], never>('INSERT OR REPLACE INTO clocks (receiverId, offsetMs) VALUES (?, ?)'),
    openFault: one<[string, string], { eventId: string }>(
      'SELECT eventId FROM path_faults WHERE accountId = ? AND path = ?',
    ),
    addFault: one<[string, string, string], never>(
      'INSERT INTO path_faults (accountId, path, eventId) VALUES (?, ?, ?)',
    ),
    endFault: one<[string, string], never>('DELETE FROM path_faults WHERE accountId = ? AND path = ?'),
    head: one<[string, number], QueuedMessage>(`${waiting} AND accountId = ? ${due} ORDER BY priority, n LIMIT 1`),
    headBut: one<[string, number, string], QueuedMessage>(
      `${waiting} AND accountId = ? ${due} AND eventId <> ? ORDER BY priority, n LIMIT 1`,
    ),
    nextDue: one<[string], { dueMs: number | null }>(
      'SELECT min(dueMs) AS dueMs FROM messages WHERE settledMs IS NULL AND accountId = ? AND dueMs IS NOT NULL',
    ),
    oldestStatus: one<[string, number], QueuedMessage>(
      `${waiting} AND accountId = ? AND priority = ? AND type NOT IN ${KEPT} ORDER BY n LIMIT 1`,
    ),
    waitingOfType: one<[string, string], { n: number }>(`${waiting} AND accountId = ? AND type = ? LIMIT 1`),
    alarmsOf: one<[string], QueuedMessage>("SELECT * FROM messages WHERE eventId = ? AND kind = 'alarm'"),
    counts: one<[], { accountId: string; count: number }>(
      'SELECT accountId, count(*) AS count FROM messages WHERE settledMs IS NULL GROUP BY accountId',
    ),
    save: one<[number, number, number, string | null, number, string, string], never>(
      'UPDATE messages SET tries = ?, unanswered = ?, possibleRepeat = ?, protocol = ?, generic = ?, log = ? WHERE id = ? AND settledMs IS NULL',
    ),
    settle: one<[number, number, number, string, string], never>(
      `UPDATE messages SET tries = ?, possibleRepeat = ?, settledMs = ?, report = ?, log = '[]' WHERE id = ? AND settledMs IS NULL`,
    ),
    settleAgain: one<[string, string], never>('UPDATE messages SET report = ? WHERE id = ?'),
    settleSilently: one<[number, string], never>(
      'UPDATE messages SET settledMs = ? WHERE id = ? AND settledMs IS NULL',
    ),
    unreported: one<[number], { report: string }>(
      'SELECT report FROM messages WHERE report IS NOT NULL ORDER BY n LIMIT ?',
    ),
    reported: one<[string], never>('UPDATE messages SET report = NULL WHERE id = ?'),
    know: one<[string, number, number], never>(
      'INSERT OR IGNORE INTO accounts (id, sinceSeq, testMs) VALUES (?, ?, ?)',
    ),
    known: one<[string], KnownAccount>(
      `SELECT sinceSeq, testMs, coalesce(periodicMs, testMs) AS periodicMs, coalesce(alternativeMs, testMs) AS alternativeMs,
              clockTold, heldSeq, takes FROM accounts WHERE id = ?`,
    ),
    held: one<[], { id: string; heldSeq: number }>('SELECT id, heldSeq FROM accounts WHERE heldSeq IS NOT NULL'),
    hold: one<[number | null, string], never>('UPDATE accounts SET heldSeq = ? WHERE id = ?'),
    tested: {
      testMs: one<[number, string], never>('UPDATE accounts SET testMs = ? WHERE id = ?'),
      periodicMs: one<[number, string], never>('UPDATE accounts SET periodicMs = ? WHERE id = ?'),
      alternativeMs: one<[number, string], never>('UPDATE accounts SET alternativeMs = ? WHERE id = ?'),
    },
    clockTold: one<[number, string], never>('UPDATE accounts SET clockTold = ? WHERE id = ?'),
    renumber: one<[string, string, number, string], never>(
      'UPDATE messages SET account = ?, receiverId = ?, sequence = ? WHERE id = ? AND settledMs IS NULL',
    ),
    otherLine: one<[string, string, string], QueuedMessage>(
      `${waiting} AND accountId = ? AND (account <> ? OR receiverId <> ?) ORDER BY n`,
    ),
    takes: one<[string, string], never>('UPDATE accounts SET takes = ? WHERE id = ?'),
    gone: one<[string], never>(
      `UPDATE accounts SET takes = '{}', heldSeq = NULL
       WHERE (takes IS NOT '{}' OR heldSeq IS NOT NULL) AND id NOT IN (SELECT value FROM json_each(?))`,
    ),
    waitingKinds: one<[], WaitingKind>(
      'SELECT DISTINCT accountId, deviceId, kind, type FROM messages WHERE settledMs IS NULL',
    ),
    waitingOfKind: one<[WaitingKind], QueuedMessage>(
      `${waiting} AND accountId = @accountId AND deviceId IS @deviceId AND kind = @kind AND type = @type ORDER BY n`,
    ),
    ended: one<[string, string], never>(
      'UPDATE messages SET open = 0 WHERE eventId = ? AND accountId = ? AND open = 1',
    ),
    closeOldest: one<[number], never>(
      'UPDATE messages SET open = 0 WHERE open = 1 AND n <= (SELECT n FROM messages WHERE open = 1 ORDER BY n DESC LIMIT 1 OFFSET ?)',
    ),
    prune: one<[number, number], never>(
      `DELETE FROM messages WHERE report IS NULL AND settledMs IS NOT NULL AND open = 0 AND
       (settledMs < ? OR n <= (SELECT n FROM messages WHERE settledMs IS NOT NULL AND open = 0 ORDER BY n DESC LIMIT 1 OFFSET ?))`,
    ),
  };
}
