import { createHash, randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { AlarmReport } from '../../protocol/wire/event.ts';
import { openOrReplace } from '../sqlite.ts';
import type { MessageType } from './codes.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    eventId TEXT NOT NULL,
    accountId TEXT NOT NULL,
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
    protocol TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    unanswered INTEGER NOT NULL DEFAULT 0,
    possibleRepeat INTEGER NOT NULL DEFAULT 0,
    settledMs INTEGER,
    report TEXT,
    UNIQUE (eventId, accountId, kind)
  );
  CREATE INDEX IF NOT EXISTS waiting ON messages (accountId, priority, n) WHERE settledMs IS NULL;
  CREATE INDEX IF NOT EXISTS unreported ON messages (n) WHERE report IS NOT NULL;
  CREATE INDEX IF NOT EXISTS settled ON messages (settledMs) WHERE settledMs IS NOT NULL;
  CREATE TABLE IF NOT EXISTS sequences (line TEXT PRIMARY KEY, last INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS path_faults (accountId TEXT NOT NULL, path TEXT NOT NULL, eventId TEXT NOT NULL, PRIMARY KEY (accountId, path));
  CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, sinceSeq INTEGER NOT NULL, testMs INTEGER NOT NULL, goneMs INTEGER);
`;

/** Settled messages are kept this long: by them a journal read twice does not alarm twice, and restores find their alarm. */
const KEEP_MS = 7 * 86_400_000;
const KEEP_ROWS = 50_000;

export interface QueuedMessage {
  n: number;
  id: string;
  eventId: string;
  accountId: string;
  kind: AlarmReport['kind'];
  priority: number;
  type: MessageType;
  /** Three digits. */
  zone: string;
  text: string | null;
  /** A panel's own Contact ID and area. */
  cid: string | null;
  area: number | null;
  occurredAt: string;
  queuedAt: string;
  account: string;
  receiverId: string;
  sequence: number;
  /** Set when the receiver did not take the account's own protocol. */
  protocol: AlarmReport['protocol'] | null;
  tries: number;
  /** 1: a try has begun whose end is not known, so the receiver may have the message. */
  unanswered: number;
  possibleRepeat: number;
}
export type NewMessage = Omit<
  QueuedMessage,
  'n' | 'id' | 'sequence' | 'protocol' | 'tries' | 'unanswered' | 'possibleRepeat' | 'cid' | 'area'
> &
  Partial<Pick<QueuedMessage, 'cid' | 'area'>>;

/** The same message has the same id, however often the journal is read and even by a queue made anew. */
export function messageId(m: Pick<NewMessage, 'eventId' | 'accountId' | 'kind'>, salt = ''): string {
  const h = createHash('sha256').update(`${m.eventId} ${m.accountId} ${m.kind}${salt}`).digest('hex');
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-8${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`;
}

/** What a file of an earlier version lacks. */
function addColumns(db: Database): void {
  const there = new Set((db.pragma('table_info(messages)') as { name: string }[]).map((column) => column.name));
  if (!there.has('cid')) db.exec('ALTER TABLE messages ADD COLUMN cid TEXT');
  if (!there.has('area')) db.exec('ALTER TABLE messages ADD COLUMN area INTEGER');
}

/**
 * Messages to alarm receiving centres, waiting on disk until one of them has acknowledged. A SQLite file of its own with
 * synchronous=FULL: what is in it survives a power cut. Sequence numbers belong to an account at a receiver and never
 * start again, so that a restart or an account entered anew does not reuse one.
 */
export class ArcQueue {
  readonly #dir: string;
  #db!: Database;
  #statements!: ReturnType<typeof prepare>;

  constructor({ dir }: { dir: string }) {
    this.#dir = dir;
  }

  /** Opens the file; one that is damaged is set aside and its name returned. */
  open(): string | null {
    const { db, aside } = openOrReplace(join(this.#dir, 'queue.db'), SCHEMA);
    addColumns(db);
    this.#db = db;
    this.#statements = prepare(db);
    return aside;
  }

  close(): void {
    this.#db.close();
  }

  /** What `fn` adds is on disk when this returns, all of it or nothing. */
  batch<T>(fn: () => T): T {
    return this.#db.transaction(fn)();
  }

  /** Does nothing if the message is there already. Returns its id. */
  add(m: NewMessage): string {
    const id = messageId(m);
    if (this.#statements.byId.get(id)) return id;
    const line = `${m.receiverId} ${m.account}`;
    // A counter made anew starts anywhere: the one before it is not known.
    const last = this.#statements.lastSequence.get(line)?.last ?? randomInt(9999);
    const sequence = (last % 9999) + 1;
    this.#statements.setSequence.run(line, sequence);
    this.#statements.insert.run({ cid: null, area: null, ...m, id, sequence });
    return id;
  }

  /** Queues the periodic test and remembers its time in one step. */
  addTest(message: NewMessage, nowMs: number): void {
    this.batch(() => {
      this.add(message);
      this.#statements.tested.run(nowMs, message.accountId);
    });
  }

  /** The event id of a path's loss that was queued and whose return was not; null: none. */
  openFault(accountId: string, path: string): string | null {
    return this.#statements.openFault.get(accountId, path)?.eventId ?? null;
  }

  /** Queues the loss of a path, and remembers it until {@link endFault}. */
  addFault(message: NewMessage, path: string): void {
    this.batch(() => {
      this.add(message);
      this.#statements.addFault.run(message.accountId, path, message.eventId);
    });
  }

  /** Queues its return. */
  endFault(message: NewMessage, path: string): void {
    this.batch(() => {
      this.add(message);
      this.#statements.endFault.run(message.accountId, path);
    });
  }

  /** Oldest of the most urgent class. */
  head(accountId: string): QueuedMessage | null {
    return this.#statements.head.get(accountId) ?? null;
  }

  /** The next message about another event: see {@link AccountSender}. */
  headBut(accountId: string, eventId: string): QueuedMessage | null {
    return this.#statements.headBut.get(accountId, eventId) ?? null;
  }

  alarmsOf(eventId: string): QueuedMessage[] {
    return this.#statements.alarmsOf.all(eventId);
  }

  waiting(accountId?: string): number {
    return (accountId ? this.#statements.countOf.get(accountId) : this.#statements.count.get())!.count;
  }

  /** On disk before a try leaves. */
  save(m: QueuedMessage): void {
    this.#statements.save.run(m.tries, m.unanswered, m.possibleRepeat, m.protocol, m.id);
  }

  /** The end of a message; its report is kept until {@link reported}. */
  settle(m: QueuedMessage, report: AlarmReport, nowMs: number): void {
    this.#statements.settle.run(m.tries, m.possibleRepeat, nowMs, JSON.stringify(report), m.id);
  }

  /** A message known to be settled from elsewhere: nothing is sent and nothing reported. */
  settleSilently(id: string, nowMs: number): void {
    this.#statements.settleSilently.run(nowMs, id);
  }

  unreported(): AlarmReport[] {
    return this.#statements.unreported.all().map((row) => JSON.parse(row.report));
  }

  reported(id: string): void {
    this.#statements.reported.run(id);
  }

  /** Makes an account known; what happened before journal position `sinceSeq` is not its business. */
  know(id: string, sinceSeq: number, nowMs: number): { sinceSeq: number; testMs: number } {
    this.#statements.know.run(id, sinceSeq, nowMs);
    return this.#statements.known.get(id)!;
  }

  /** Notes which accounts are no longer configured, and forgets those gone for good. Returns what waited for those. */
  sweep(configured: string[], nowMs: number, goneAfterMs: number): QueuedMessage[] {
    this.#statements.gone.run(nowMs, JSON.stringify(configured));
    this.#statements.back.run(JSON.stringify(configured));
    this.#statements.prune.run(nowMs - KEEP_MS, KEEP_ROWS);
    return this.#statements.orphans.all(nowMs - goneAfterMs);
  }
}

function prepare(db: Database) {
  const one = <A extends unknown[], R>(sql: string) => db.prepare<A, R>(sql);
  const waiting = 'SELECT * FROM messages WHERE settledMs IS NULL';
  return {
    byId: one<[string], { n: number }>('SELECT n FROM messages WHERE id = ?'),
    insert: one<[NewMessage & { id: string; sequence: number }], never>(
      `INSERT INTO messages (id, eventId, accountId, kind, priority, type, zone, text, cid, area, occurredAt, queuedAt, account, receiverId, sequence)
       VALUES (@id, @eventId, @accountId, @kind, @priority, @type, @zone, @text, @cid, @area, @occurredAt, @queuedAt, @account, @receiverId, @sequence)`,
    ),
    lastSequence: one<[string], { last: number }>('SELECT last FROM sequences WHERE line = ?'),
    setSequence: one<[string, number], never>('INSERT OR REPLACE INTO sequences (line, last) VALUES (?, ?)'),
    openFault: one<[string, string], { eventId: string }>(
      'SELECT eventId FROM path_faults WHERE accountId = ? AND path = ?',
    ),
    addFault: one<[string, string, string], never>(
      'INSERT INTO path_faults (accountId, path, eventId) VALUES (?, ?, ?)',
    ),
    endFault: one<[string, string], never>('DELETE FROM path_faults WHERE accountId = ? AND path = ?'),
    head: one<[string], QueuedMessage>(`${waiting} AND accountId = ? ORDER BY priority, n LIMIT 1`),
    headBut: one<[string, string], QueuedMessage>(
      `${waiting} AND accountId = ? AND eventId <> ? ORDER BY priority, n LIMIT 1`,
    ),
    alarmsOf: one<[string], QueuedMessage>("SELECT * FROM messages WHERE eventId = ? AND kind = 'alarm'"),
    count: one<[], { count: number }>('SELECT count(*) AS count FROM messages WHERE settledMs IS NULL'),
    countOf: one<[string], { count: number }>(
      'SELECT count(*) AS count FROM messages WHERE settledMs IS NULL AND accountId = ?',
    ),
    save: one<[number, number, number, string | null, string], never>(
      'UPDATE messages SET tries = ?, unanswered = ?, possibleRepeat = ?, protocol = ? WHERE id = ?',
    ),
    settle: one<[number, number, number, string, string], never>(
      'UPDATE messages SET tries = ?, possibleRepeat = ?, settledMs = ?, report = ? WHERE id = ?',
    ),
    settleSilently: one<[number, string], never>('UPDATE messages SET settledMs = ? WHERE id = ?'),
    unreported: one<[], { report: string }>('SELECT report FROM messages WHERE report IS NOT NULL ORDER BY n'),
    reported: one<[string], never>('UPDATE messages SET report = NULL WHERE id = ?'),
    know: one<[string, number, number], never>(
      'INSERT OR IGNORE INTO accounts (id, sinceSeq, testMs) VALUES (?, ?, ?)',
    ),
    known: one<[string], { sinceSeq: number; testMs: number }>('SELECT sinceSeq, testMs FROM accounts WHERE id = ?'),
    tested: one<[number, string], never>('UPDATE accounts SET testMs = ? WHERE id = ?'),
    gone: one<[number, string], never>(
      'UPDATE accounts SET goneMs = ? WHERE goneMs IS NULL AND id NOT IN (SELECT value FROM json_each(?))',
    ),
    back: one<[string], never>('UPDATE accounts SET goneMs = NULL WHERE id IN (SELECT value FROM json_each(?))'),
    orphans: one<[number], QueuedMessage>(
      `${waiting} AND accountId IN (SELECT id FROM accounts WHERE goneMs < ?) ORDER BY n LIMIT 1000`,
    ),
    prune: one<[number, number], never>(
      `DELETE FROM messages WHERE report IS NULL AND settledMs IS NOT NULL AND
       (settledMs < ? OR n <= (SELECT n FROM messages WHERE settledMs IS NOT NULL ORDER BY n DESC LIMIT 1 OFFSET ?))`,
    ),
  };
}
