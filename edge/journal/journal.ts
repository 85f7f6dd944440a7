import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Database, Statement } from 'better-sqlite3';
import type { Logger } from 'pino';
import { type Clock, iso } from '../../protocol/clock.ts';
import type { JournalRecord, NewRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { isDamage, openOrReplace } from '../sqlite.ts';
import type { Warnables } from '../warnables.ts';
import { boxEvent } from './box-event.ts';
import { salvage } from './salvage.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL);
`;

/** Room set aside so that alarms can still be written when everything else has filled the disk. */
const BALLAST_BYTES = 8 * 1024 * 1024;
const MAX_WAITING = 5_000;
const RETRY_MS = 1_000;
const CURSOR_MS = 1_000;

type Row = { seq: number; id: string; kind: string; at: string; body: string };
type Waiting = {
  rows: Omit<Row, 'seq'>[];
  resolve: (records: JournalRecord[]) => void;
  reject: (error: Error) => void;
};

/**
 * A place in the journal. At-least-once: after a crash, what was read in the second before it is read again.
 */
export interface Consumer {
  cursor(): number;
  next(limit: number): JournalRecord[];
  /** May move back: a relay restored from a backup gets the missing records again. */
  commit(seq: number): void;
  /** Forgets the cursor: a consumer that is switched off does not pin the journal. */
  close(): void;
}

/**
 * The single ordered account of what happened at this box: committed to disk before anyone acts on an event.
 *
 * One SQLite file (WAL, synchronous=FULL) with group commit: all that was appended since the last commit shares one
 * transaction and one fdatasync. When the disk is full, records wait in memory (bounded) after the ballast file has been
 * given up for them. A file that cannot be read is set aside, what is readable of it is carried over into a new one.
 */
export class Journal {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #warnables: Warnables;
  readonly #retainMs: number;
  readonly #maxBytes: number;
  readonly #ballastBytes: number;
  readonly #onBroken: (error: Error) => void;
  #db: Database | null = null;
  #id = '';
  #lastSeq = 0;
  #insert!: Statement<[string, string, string, string]>;
  #byId!: Statement<[string], Row>;
  #select!: Statement<[number, number], Row>;
  #waiting: Waiting[] = [];
  #waitingRecords = 0;
  #lost = 0;
  #flushScheduled = false;
  #cancelRetry: (() => void) | null = null;
  #cancelSweep: (() => void) | null = null;
  readonly #cursors = new Map<string, number>();
  #cancelCursors: (() => void) | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(o: {
    path: string;
    clock: Clock;
    log: Logger;
    warnables: Warnables;
    retainMs?: number;
    maxBytes?: number;
    /** Room set aside beside the file for when the disk is full; 0: none. */
    ballastBytes?: number;
    /** The file broke while in use: the caller should end the process, the next start repairs. */
    onBroken?: (error: Error) => void;
  }) {
    this.#path = o.path;
    this.#clock = o.clock;
    this.#log = o.log.child({ module: 'journal' });
    this.#warnables = o.warnables;
    this.#retainMs = o.retainMs ?? 7 * 86_400_000;
    this.#maxBytes = o.maxBytes ?? 500 * 1024 * 1024;
    this.#ballastBytes = o.ballastBytes ?? BALLAST_BYTES;
    this.#onBroken = o.onBroken ?? (() => {});
  }

  get id(): string {
    return this.#id;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  start(): void {
    const salvaged = this.#open();
    if (salvaged.length > 0) this.#commit(salvaged);
    this.#restoreBallast();
    this.#cancelSweep = this.#clock.every(60_000, () => this.#sweep());
    this.#sweep();
  }

  async stop(): Promise<void> {
    this.#cancelRetry?.();
    this.#cancelSweep?.();
    this.#flush();
    this.#writeCursors();
    for (const w of this.#waiting.splice(0)) w.reject(new Error('the journal was closed'));
    this.#db?.close();
    this.#db = null;
  }

  /** Resolves when the records are on disk. Rejects only when the journal is closed or memory for waiting records is full. */
  append(records: NewRecord[]): Promise<JournalRecord[]> {
    if (!this.#db) return Promise.reject(new Error('the journal is not open'));
    if (this.#waitingRecords + records.length > MAX_WAITING) {
      this.#lost += records.length;
      return Promise.reject(new Error('the journal cannot be written and too many records wait'));
    }
    const now = this.#clock.now();
    const rows = records.map((r) => ({
      id: r.kind === 'event' ? r.body.id : uuidv7(now),
      kind: r.kind,
      at: iso(now),
      body: JSON.stringify(r.body),
    }));
    this.#waitingRecords += rows.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rows, resolve, reject });
      this.#schedule();
    });
  }

  /** Records after `afterSeq`, oldest first. */
  read(afterSeq: number, limit: number): JournalRecord[] {
    if (!this.#db) return [];
    return this.#select.all(afterSeq, limit).map(toRecord);
  }

  consumer(name: string, from: 'start' | 'end'): Consumer {
    const db = this.#db;
    if (!db) throw new Error('the journal is not open');
    db.prepare('INSERT OR IGNORE INTO cursors (name, seq) VALUES (?, ?)').run(name, from === 'end' ? this.#lastSeq : 0);
    const stored = db.prepare('SELECT seq FROM cursors WHERE name = ?').get(name) as { seq: number };
    let cursor = stored.seq;
    return {
      cursor: () => cursor,
      next: (limit) => this.read(cursor, limit),
      commit: (seq) => {
        cursor = seq;
        this.#cursors.set(name, seq);
        this.#cancelCursors ??= this.#clock.after(CURSOR_MS, () => this.#writeCursors());
      },
      close: () => {
        this.#cursors.delete(name);
        this.#db?.prepare('DELETE FROM cursors WHERE name = ?').run(name);
      },
    };
  }

  /** Cursors are written behind, together: after a crash they are a little behind, and consumers are idempotent. */
  #writeCursors(): void {
    this.#cancelCursors?.();
    this.#cancelCursors = null;
    const db = this.#db;
    if (!db || this.#cursors.size === 0) return;
    try {
      const set = db.prepare('UPDATE cursors SET seq = ? WHERE name = ?');
      db.transaction(() => {
        for (const [name, seq] of this.#cursors) set.run(seq, name);
      })();
      this.#cursors.clear();
    } catch (error) {
      this.#log.warn({ err: error }, 'the cursors could not be written');
    }
  }

  /** Called after each commit. */
  onAppend(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Returns what could be read of a damaged file that had to be replaced. */
  #open(): Omit<Row, 'seq'>[] {
    const { db, aside, damage } = openOrReplace(this.#path, SCHEMA);
    db.prepare('INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)').run('journalId', uuidv7(this.#clock.now()));
    this.#id = (db.prepare('SELECT value FROM meta WHERE key = ?').get('journalId') as { value: string }).value;
    const last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'records'").get() as
      | { seq: number }
      | undefined;
    this.#lastSeq = last?.seq ?? 0;
    this.#insert = db.prepare('INSERT OR IGNORE INTO records (id, kind, at, body) VALUES (?, ?, ?, ?)');
    this.#byId = db.prepare('SELECT seq, id, kind, at, body FROM records WHERE id = ?');
    this.#select = db.prepare('SELECT seq, id, kind, at, body FROM records WHERE seq > ? ORDER BY seq LIMIT ?');
    this.#db = db;
    if (!aside) return [];
    const rows = salvage(aside);
    this.#warnables.raise(
      'journal-broken',
      'box',
      'error',
      `The event journal was damaged and has been replaced; ${rows.length} records could be read and are sent again. ` +
        `Replace the box's storage if this happens again. The old file is kept as ${basename(aside)}.`,
    );
    this.#log.error({ err: damage, aside, salvaged: rows.length }, 'journal file broken, set aside');
    return rows;
  }

  #schedule(): void {
    if (this.#flushScheduled || this.#cancelRetry) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#db || this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    let records: JournalRecord[];
    try {
      records = this.#commit(batch.flatMap((w) => w.rows));
    } catch (error) {
      this.#waiting = [...batch, ...this.#waiting];
      this.#failed(error as Error);
      return;
    }
    this.#waitingRecords -= records.length;
    this.#warnables.clear('journal-full', 'box');
    let at = 0;
    for (const w of batch) {
      w.resolve(records.slice(at, at + w.rows.length));
      at += w.rows.length;
    }
    if (this.#lost > 0) this.#reportLost();
    // Last: a listener may append at once.
    for (const fn of this.#listeners) fn();
  }

  #commit(rows: Omit<Row, 'seq'>[]): JournalRecord[] {
    const db = this.#db as Database;
    const records: JournalRecord[] = [];
    db.transaction(() => {
      for (const r of rows) {
        const { changes, lastInsertRowid } = this.#insert.run(r.id, r.kind, r.at, r.body);
        // The same event again is the same record: whoever appends after a crash may not know that it had succeeded.
        const row = changes > 0 ? { ...r, seq: Number(lastInsertRowid) } : (this.#byId.get(r.id) as Row);
        records.push(toRecord(row));
      }
    })();
    this.#lastSeq = records.reduce((max, r) => Math.max(max, r.seq), this.#lastSeq);
    return records;
  }

  #failed(error: Error): void {
    if (isDamage(error)) {
      this.#warnables.raise(
        'journal-broken',
        'box',
        'error',
        'The event journal is damaged; the box restarts to repair it.',
      );
      this.#onBroken(error);
      return;
    }
    this.#giveUpBallast();
    this.#warnables.raise(
      'journal-full',
      'box',
      'error',
      `Events cannot be written to the box's storage (${error.message}); ${this.#waitingRecords} wait in memory. Free room or replace the storage.`,
    );
    this.#cancelRetry = this.#clock.after(RETRY_MS, () => {
      this.#cancelRetry = null;
      this.#flush();
    });
  }

  #reportLost(): void {
    const text = `${this.#lost} records could not be written and are lost`;
    this.#lost = 0;
    void this.append([boxEvent('eventsLost', text, this.#clock.now())]).catch(() => {});
  }

  #ballast(): string {
    return join(dirname(this.#path), 'ballast');
  }

  #restoreBallast(): void {
    if (this.#ballastBytes === 0) return;
    try {
      if (!existsSync(this.#ballast()) || statSync(this.#ballast()).size !== this.#ballastBytes) {
        // Only with as much again to spare: setting the reserve aside must not be what fills the disk.
        const { bavail, bsize } = statfsSync(dirname(this.#path));
        if (bavail * bsize < 2 * this.#ballastBytes) throw new Error('no room for the reserve');
        writeFileSync(this.#ballast(), Buffer.alloc(this.#ballastBytes));
      }
      this.#warnables.clear('disk-full', 'box');
    } catch {
      this.#giveUpBallast();
    }
  }

  /** Stays a problem until the reserve is set aside again, however well records are written from it. */
  #giveUpBallast(): void {
    rmSync(this.#ballast(), { force: true });
    const text =
      "The box's disk is full: events and alarms are written to the last reserve, clips may be missing. Make room, or replace the disk.";
    if (this.#ballastBytes > 0) this.#warnables.raise('disk-full', 'box', 'error', text);
  }

  /** Forgets what is old and read by every consumer; over the size limit, what is old. */
  #sweep(): void {
    const db = this.#db;
    if (!db) return;
    this.#writeCursors();
    try {
      const cutoff = iso(this.#clock.now() - this.#retainMs);
      const pinned = db.prepare('SELECT min(seq) AS seq FROM cursors').get() as { seq: number | null };
      const upTo = pinned.seq ?? this.#lastSeq;
      db.prepare('DELETE FROM records WHERE at < ? AND seq <= ?').run(cutoff, upTo);
      const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map(
        (name) => db.pragma(name, { simple: true }) as number,
      ) as [number, number, number];
      if ((pages - free) * size > this.#maxBytes) {
        const oldest = (db.prepare('SELECT min(seq) AS seq FROM records').get() as { seq: number }).seq;
        const cut = oldest + Math.ceil((this.#lastSeq - oldest) / 10);
        const { changes } = db.prepare('DELETE FROM records WHERE seq <= ?').run(cut);
        if (pinned.seq !== null && pinned.seq < cut) this.#lost += changes;
        this.#log.error({ records: changes }, 'the journal reached its size limit: oldest records dropped');
        if (this.#lost > 0) this.#reportLost();
      }
      if (this.#waiting.length === 0) this.#restoreBallast();
    } catch (error) {
      this.#log.warn({ err: error }, 'the journal could not be swept');
    }
  }
}

function toRecord(row: Row): JournalRecord {
  return { seq: row.seq, id: row.id, at: row.at, kind: row.kind, body: JSON.parse(row.body) } as JournalRecord;
}
