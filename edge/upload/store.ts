import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { FragmentInfo } from '../../protocol/wire/uploads.ts';
import { openOrReplace } from '../sqlite.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS fragments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    clipId TEXT NOT NULL,
    n INTEGER NOT NULL,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    durationMs INTEGER NOT NULL,
    keyFrame INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    kind TEXT NOT NULL DEFAULT 'event',
    UNIQUE (clipId, n)
  );
  CREATE TABLE IF NOT EXISTS losses (clipId TEXT PRIMARY KEY, reason TEXT NOT NULL);
`;

const NOTE_LOSS = 'INSERT OR IGNORE INTO losses (clipId, reason) VALUES (?, ?)';
const INDEXES = `
  CREATE INDEX IF NOT EXISTS fragments_state ON fragments (state, seq);
  CREATE INDEX IF NOT EXISTS fragments_order ON fragments (state, kind, seq);
`;

/**
 * `waiting` to be sent; `held` until somebody asks for it; `stored` at the relay, the file is kept while there is room;
 * `refused` by the relay, kept for support like a stored one; `gone`: the file is being deleted.
 */
export type FragmentState = 'waiting' | 'held' | 'stored' | 'refused' | 'gone';
/** What it shows: an event, or 24/7 recording in which nothing happened. */
export type FootageKind = 'event' | 'continuous';
/** What the recorder hands over. */
export type NewFragment = FragmentInfo & { path: string; kind?: FootageKind; held?: boolean };
export type FragmentRow = Omit<FragmentInfo, 'keyFrame'> & {
  seq: number;
  path: string;
  keyFrame: 0 | 1;
  state: FragmentState;
  kind: FootageKind;
};
export interface Totals {
  files: number;
  bytes: number;
}

/**
 * The upload queue's memory: one SQLite file, WAL, `synchronous=FULL`. A file that waits is deleted only after its row says
 * `gone`, so that no kill leaves a file that nobody knows, or loses one silently.
 */
export class UploadStore {
  readonly #dir: string;
  #db!: Database;
  #totals = new Map<FragmentState, Totals>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Returns false when the file was damaged and had to be set aside: what waited in it is unknown. */
  open(): boolean {
    const { db, aside } = openOrReplace(join(this.#dir, 'uploads.sqlite'), SCHEMA);
    this.#db = db;
    // Lists of earlier versions know of events alone.
    const columns = db.pragma('table_info(fragments)') as { name: string }[];
    if (!columns.some((c) => c.name === 'kind')) {
      db.exec(`ALTER TABLE fragments ADD COLUMN kind TEXT NOT NULL DEFAULT 'event'`);
    }
    db.exec(INDEXES);
    const sums = db.prepare('SELECT state, count(*) AS files, sum(size) AS bytes FROM fragments GROUP BY state');
    this.#totals = new Map(
      (sums.all() as (Totals & { state: FragmentState })[]).map(({ state, files, bytes }) => [state, { files, bytes }]),
    );
    this.#unlink();
    return aside === null;
  }

  close(): void {
    this.#db.close();
  }

  totals(state: FragmentState): Totals {
    return this.#totals.get(state) ?? { files: 0, bytes: 0 };
  }

  /** Committed to disk when it returns. The same fragment again changes nothing; another one of that number throws. */
  add({ held = false, kind = 'event', ...f }: NewFragment): boolean {
    const known = this.#db.prepare('SELECT sha256 FROM fragments WHERE clipId = ? AND n = ?').get(f.clipId, f.n) as
      | { sha256: string }
      | undefined;
    if (known && known.sha256 !== f.sha256) throw new Error(`clip ${f.clipId} has another part ${f.n} already`);
    if (known) return false;
    const insert = this.#db.prepare(
      `INSERT INTO fragments (clipId, n, path, size, sha256, durationMs, keyFrame, state, kind)
       VALUES (@clipId, @n, @path, @size, @sha256, @durationMs, @keyFrame, @state, @kind)`,
    );
    const state = held ? 'held' : 'waiting';
    this.#write(() => insert.run({ ...f, keyFrame: f.keyFrame ? 1 : 0, state, kind }));
    this.#count(state, 1, f.size);
    return true;
  }

  /** Something happened in a clip of continuous recording: it counts as an event's from now on. */
  setKind(clipId: string, kind: FootageKind): void {
    const update = this.#db.prepare('UPDATE fragments SET kind = ? WHERE clipId = ? AND kind <> ?');
    this.#write(() => update.run(kind, clipId, kind));
  }

  /** What is held of a clip waits to be sent from now on. Returns how many fragments. */
  release(clipId: string): number {
    const rows = this.#all(`clipId = ? AND state = 'held'`, clipId);
    const update = this.#db.prepare(`UPDATE fragments SET state = 'waiting' WHERE clipId = ? AND state = 'held'`);
    this.#write(() => update.run(clipId));
    for (const row of rows) this.#move(row, 'waiting');
    return rows.length;
  }

  /** Whether fragments of the clip are here that the relay does not have. */
  hasUnsent(clipId: string): boolean {
    return this.#all(`clipId = ? AND state IN ('waiting', 'held') LIMIT 1`, clipId).length > 0;
  }

  /** What waits of one clip, in order of n. */
  waitingOf(clipId: string, limit: number): FragmentRow[] {
    return this.#all(`clipId = ? AND state = 'waiting' ORDER BY n LIMIT ?`, clipId, limit);
  }

  /** What waits of all other clips of a kind, oldest first. */
  backlog(kind: FootageKind, except: string[], limit: number): FragmentRow[] {
    return this.#all(
      `state = 'waiting' AND kind = ? AND clipId NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?`,
      kind,
      JSON.stringify(except),
      limit,
    );
  }

  set(row: FragmentRow, state: FragmentState): void {
    const update = this.#db.prepare('UPDATE fragments SET state = ? WHERE seq = ? AND state = ?');
    if (this.#write(() => update.run(state, row.seq, row.state)).changes > 0) this.#move(row, state);
  }

  /** Offers what is stored or refused of a clip again, as far as its files are here. Returns how many. */
  requeue(clipId: string): number {
    const kept = this.#all(`clipId = ? AND state IN ('stored', 'refused')`, clipId);
    const rows = kept.filter((row) => existsSync(row.path));
    for (const row of rows) this.set(row, 'waiting');
    return rows.length;
  }

  /** Deletes the oldest file that is not needed any more; returns its size, 0 when there is none. */
  dropOldestKept(): number {
    const oldest = (state: FragmentState) => this.#all('state = ? ORDER BY seq LIMIT 1', state)[0];
    const row = oldest('stored') ?? oldest('refused');
    if (!row) return 0;
    // The file first: on a disk that is full to the last byte the row can be written only after it.
    rmSync(row.path, { force: true });
    this.set(row, 'gone');
    this.#unlink();
    return row.size;
  }

  /** What is here of the clip with the oldest fragment of this state and kind. */
  oldestClip(state: 'waiting' | 'held', kind: FootageKind, except: string): FragmentRow[] {
    const oldest = 'state = ? AND kind = ? AND clipId <> ? ORDER BY seq LIMIT 1';
    const first = this.#all(oldest, state, kind, except)[0];
    return first ? this.#all(`clipId = ? AND state IN ('waiting', 'held') ORDER BY n`, first.clipId) : [];
  }

  /** Gives up fragments that wait: notes the loss and deletes the files, in this order. */
  lose(clipId: string, rows: FragmentRow[], reason: string): void {
    const update = this.#db.prepare(`UPDATE fragments SET state = 'gone' WHERE seq = ? AND state = ?`);
    // At once: a sync of the disk for each of a long clip's parts would hold up the box.
    const note = this.#db.transaction(() => {
      this.#db.prepare(NOTE_LOSS).run(clipId, reason);
      return rows.filter((row) => update.run(row.seq, row.state).changes > 0);
    });
    let lost: FragmentRow[];
    try {
      lost = this.#write(note);
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_FULL') throw error;
      // Nothing can be noted before there is room. Killed here, the files are missed when they are to be sent.
      for (const row of rows) rmSync(row.path, { force: true });
      lost = note();
    }
    for (const row of lost) this.#move(row, 'gone');
    this.#unlink();
  }

  noteLoss(clipId: string, reason: string): void {
    this.#write(() => this.#db.prepare(NOTE_LOSS).run(clipId, reason));
  }

  /** Losses that nobody has taken note of yet. */
  losses(): { clipId: string; reason: string }[] {
    return this.#db.prepare('SELECT clipId, reason FROM losses').all() as { clipId: string; reason: string }[];
  }

  forgetLoss(clipId: string): void {
    this.#db.prepare('DELETE FROM losses WHERE clipId = ?').run(clipId);
  }

  /** Writes; when the disk is full, files that the relay has make room. Throws `SQLITE_FULL` when there are none left. */
  #write<T>(fn: () => T): T {
    for (let seq = 0; ; ) {
      try {
        return fn();
      } catch (error) {
        if ((error as { code?: string }).code !== 'SQLITE_FULL') throw error;
        const row = this.#all(`state = 'stored' AND seq > ? ORDER BY seq LIMIT 1`, seq)[0];
        if (!row) throw error;
        rmSync(row.path, { force: true });
        seq = row.seq;
      }
    }
  }

  #all(where: string, ...values: (string | number)[]): FragmentRow[] {
    return this.#db.prepare(`SELECT * FROM fragments WHERE ${where}`).all(...values) as FragmentRow[];
  }

  #move(row: FragmentRow, to: FragmentState): void {
    this.#count(row.state, -1, row.size);
    this.#count(to, 1, row.size);
  }

  #count(state: FragmentState, files: number, bytes: number): void {
    const t = this.totals(state);
    this.#totals.set(state, { files: t.files + files, bytes: t.bytes + files * bytes });
  }

  #unlink(): void {
    const rows = this.#all(`state = 'gone'`);
    for (const row of rows) rmSync(row.path, { force: true });
    this.#write(() => this.#db.prepare(`DELETE FROM fragments WHERE state = 'gone'`).run());
    this.#totals.delete('gone');
  }
}
