import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { openOrReplace } from '../sqlite.ts';
import type { ClipRow } from './clip-row.ts';

type Stored = { id: string; state: ClipRow['state']; reported: 0 | 1; body: string };

const KEEP_ROWS = 20_000;
const PRUNED_AT_ONCE = 20;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS clips (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    reported INTEGER NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS clips_open ON clips (id) WHERE reported = 0;
  CREATE TABLE IF NOT EXISTS events (id TEXT, channel INTEGER, clipId TEXT NOT NULL, PRIMARY KEY (id, channel));
  CREATE INDEX IF NOT EXISTS events_clip ON events (clipId);
`;

/** The recorder's own durable memory: one SQLite file, WAL, `synchronous=FULL`. */
export class Manifest {
  readonly #dir: string;
  #db!: Database;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Returns false when the file was damaged and had to be set aside. */
  open(): boolean {
    const { db, aside } = openOrReplace(join(this.#dir, 'recorder.sqlite'), SCHEMA);
    this.#db = db;
    return aside === null;
  }

  close(): void {
    this.#db.close();
  }

  get(id: string): ClipRow | null {
    const row = this.#db.prepare('SELECT * FROM clips WHERE id = ?').get(id) as Stored | undefined;
    return row ? read(row) : null;
  }

  /** Clips without a final report in the journal, oldest first. */
  unfinished(): ClipRow[] {
    return (this.#db.prepare('SELECT * FROM clips WHERE reported = 0 ORDER BY id').all() as Stored[]).map(read);
  }

  knowsEvent(eventId: string, channel: number): boolean {
    return this.#db.prepare('SELECT 1 FROM events WHERE id = ? AND channel = ?').get(eventId, channel) !== undefined;
  }

  save(row: ClipRow): void {
    const { id, state, reported, ...body } = row;
    this.#db.transaction(() => {
      this.#db
        .prepare('INSERT OR REPLACE INTO clips (id, state, reported, body) VALUES (?, ?, ?, ?)')
        .run(id, state, reported ? 1 : 0, JSON.stringify(body));
      const event = this.#db.prepare('INSERT OR IGNORE INTO events (id, channel, clipId) VALUES (?, ?, ?)');
      for (const eventId of row.eventIds) event.run(eventId, row.channel, id);
    })();
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM clips WHERE id = ?').run(id);
  }

  /**
   * Forgets the oldest of what is long done, but not what is `needed`: a loss of it is still to be told. Ids are UUIDv7:
   * they sort by time.
   */
  prune(needed: (id: string) => boolean, keep = KEEP_ROWS): void {
    const old = this.#db.prepare('SELECT id FROM clips WHERE reported = 1 AND id < ? ORDER BY id LIMIT ?');
    const newest = this.#db.prepare('SELECT id FROM clips WHERE reported = 1 ORDER BY id DESC LIMIT 1 OFFSET ?');
    const limit = (newest.get(keep - 1) as { id: string } | undefined)?.id;
    if (!limit) return;
    const ids = (old.all(limit, PRUNED_AT_ONCE) as { id: string }[]).map(({ id }) => id).filter((id) => !needed(id));
    this.#db.transaction(() => {
      for (const id of ids) {
        this.#db.prepare('DELETE FROM clips WHERE id = ?').run(id);
        this.#db.prepare('DELETE FROM events WHERE clipId = ?').run(id);
      }
    })();
  }
}

const read = ({ id, state, reported, body }: Stored): ClipRow => ({
  // Rows of earlier versions have none of these.
  ...({ stream: 'main', kind: 'event', held: false, twinId: null } as const),
  ...(JSON.parse(body) as Omit<ClipRow, 'id' | 'state' | 'reported'>),
  id,
  state,
  reported: reported === 1,
});
