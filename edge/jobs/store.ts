import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { iso } from '../../protocol/clock.ts';
import type { ItemState, Job, JobItem, JobKind, JobStep, JobSummary } from '../../protocol/wire/jobs.ts';
import { openOrReplace } from '../sqlite.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    siteNote TEXT,
    createdMs INTEGER NOT NULL,
    endedMs INTEGER
  );
  CREATE TABLE IF NOT EXISTS items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    jobId TEXT NOT NULL REFERENCES jobs (id),
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    runs INTEGER NOT NULL DEFAULT 0,
    steps TEXT NOT NULL,
    secret BLOB,
    note BLOB,
    UNIQUE (jobId, key)
  );
  CREATE INDEX IF NOT EXISTS items_state ON items (state, kind, seq);
`;

interface JobRow {
  id: string;
  kind: JobKind;
  siteNote: string | null;
  createdMs: number;
  endedMs: number | null;
}
export interface ItemRow {
  seq: number;
  jobId: string;
  kind: JobKind;
  key: string;
  name: string;
  state: ItemState;
  /** How often it was begun. */
  runs: number;
  steps: string;
  secret: Buffer | null;
  note: Buffer | null;
}

/** The jobs' memory: one SQLite file; what items are made of is encrypted in it with a key of this box. */
export class JobStore {
  readonly #path: string;
  readonly #key: Buffer;
  #db!: Database;

  /** `key`: 32 bytes. */
  constructor(o: { path: string; key: Buffer }) {
    this.#path = o.path;
    this.#key = o.key;
  }

  /** Returns false when the file was damaged and had to be set aside: the jobs in it are gone. */
  open(): boolean {
    const { db, aside } = openOrReplace(this.#path, SCHEMA);
    this.#db = db;
    // Secrets that are deleted are overwritten, not only unlinked.
    db.pragma('secure_delete = ON');
    db.prepare(`UPDATE items SET state = 'waiting' WHERE state = 'running'`).run();
    return aside === null;
  }

  close(): void {
    this.#db.close();
  }

  insert(
    job: Omit<JobRow, 'endedMs'>,
    items: { key: string; name: string; steps: JobStep[]; secret: unknown }[],
    keep: number,
  ): void {
    const newJob = this.#db.prepare(
      'INSERT INTO jobs (id, kind, siteNote, createdMs) VALUES (@id, @kind, @siteNote, @createdMs)',
    );
    const newItem = this.#db.prepare(
      `INSERT INTO items (jobId, kind, key, name, state, steps, secret)
       VALUES (@jobId, @kind, @key, @name, 'waiting', @steps, @secret)`,
    );
    this.#db.transaction(() => {
      this.#prune(keep - 1);
      newJob.run(job);
      for (const { key, name, steps, secret } of items) {
        const sealed = this.#seal(JSON.stringify(secret), `${job.id}:${key}:item`);
        newItem.run({ jobId: job.id, kind: job.kind, key, name, steps: JSON.stringify(steps), secret: sealed });
      }
    })();
  }

  /** Forgets ended jobs beyond `keep`, the oldest first. */
  #prune(keep: number): void {
    const old = `SELECT id FROM jobs WHERE endedMs IS NOT NULL ORDER BY createdMs, rowid
                 LIMIT max(0, (SELECT count(*) FROM jobs) - ${Math.max(0, keep)})`;
    this.#db.prepare(`DELETE FROM items WHERE jobId IN (${old})`).run();
    this.#db.prepare(`DELETE FROM jobs WHERE id IN (${old})`).run();
  }

  running(): number {
    return this.#db.prepare('SELECT count(*) FROM jobs WHERE endedMs IS NULL').pluck().get() as number;
  }

  /** Of these keys, the ones that some unfinished job works on. */
  busy(keys: string[]): string[] {
    const sql = `SELECT DISTINCT key FROM items
                 WHERE state IN ('waiting', 'running') AND key IN (SELECT value FROM json_each(?))`;
    return this.#db.prepare(sql).pluck().all(JSON.stringify(keys)) as string[];
  }

  /** The oldest item of a kind that waits, which is running from now on. */
  take(kind: JobKind): ItemRow | undefined {
    return this.#db
      .prepare(
        `UPDATE items SET state = 'running', runs = runs + 1
         WHERE seq = (SELECT seq FROM items WHERE state = 'waiting' AND kind = ? ORDER BY seq LIMIT 1) RETURNING *`,
      )
      .get(kind) as ItemRow | undefined;
  }

  saveItem(seq: number, { name, steps }: Pick<JobItem, 'name' | 'steps'>): void {
    this.#db.prepare('UPDATE items SET name = ?, steps = ? WHERE seq = ?').run(name, JSON.stringify(steps), seq);
  }

  saveNote(row: ItemRow, note: unknown): void {
    const sealed = this.#seal(JSON.stringify(note), `${row.jobId}:${row.key}:note`);
    this.#db.prepare('UPDATE items SET note = ? WHERE seq = ?').run(sealed, row.seq);
  }

  /** Its secrets are not needed any more. Returns whether the job has ended by it. */
  endItem(row: ItemRow, state: 'done' | 'failed', steps: JobStep[], nowMs: number): boolean {
    return this.#db.transaction(() => {
      this.#db
        .prepare('UPDATE items SET state = ?, steps = ?, secret = NULL, note = NULL WHERE seq = ?')
        .run(state, JSON.stringify(steps), row.seq);
      const left = `SELECT 1 FROM items WHERE jobId = ? AND state IN ('waiting', 'running') LIMIT 1`;
      if (this.#db.prepare(left).get(row.jobId)) return false;
      this.#db.prepare('UPDATE jobs SET endedMs = ? WHERE id = ?').run(nowMs, row.jobId);
      return true;
    })();
  }

  /** Throws when it was written by a box with another identity, or changed. */
  secretOf(row: ItemRow): unknown {
    return JSON.parse(this.#open(row.secret, `${row.jobId}:${row.key}:item`));
  }

  noteOf(row: ItemRow): unknown {
    return row.note === null ? undefined : JSON.parse(this.#open(row.note, `${row.jobId}:${row.key}:note`));
  }

  get(id: string): Job | null {
    const row = this.#db.prepare('SELECT * FROM jobs WHERE id = ?').get(id) as JobRow | undefined;
    if (!row) return null;
    const items = this.#db
      .prepare('SELECT key, name, state, steps FROM items WHERE jobId = ? ORDER BY seq')
      .all(id) as Pick<ItemRow, 'key' | 'name' | 'state' | 'steps'>[];
    return { ...head(row), items: items.map((item) => ({ ...item, steps: JSON.parse(item.steps) })) };
  }

  /** Newest first. */
  list(): JobSummary[] {
    const count = (state: ItemState) => `count(*) FILTER (WHERE i.state = '${state}') AS ${state}`;
    const rows = this.#db
      .prepare(
        `SELECT j.*, ${count('waiting')}, ${count('running')}, ${count('done')}, ${count('failed')}
         FROM jobs j JOIN items i ON i.jobId = j.id GROUP BY j.id ORDER BY j.createdMs DESC, j.rowid DESC`,
      )
      .all() as (JobRow & JobSummary['counts'])[];
    return rows.map((row) => {
      const { waiting, running, done, failed } = row;
      return { ...head(row), counts: { waiting, running, done, failed } };
    });
  }

  #seal(text: string, context: string): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  #open(sealed: Buffer | null, context: string): string {
    if (!sealed) throw new Error('nothing is kept');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, 12)).setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('utf8');
  }
}

const head = ({ id, kind, siteNote, createdMs, endedMs }: JobRow): Omit<JobSummary, 'counts'> => ({
  id,
  kind,
  siteNote,
  state: endedMs === null ? 'running' : 'done',
  createdAt: iso(createdMs),
  endedAt: endedMs === null ? null : iso(endedMs),
});
