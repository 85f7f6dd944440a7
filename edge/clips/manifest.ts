import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { ClipReport } from '../../protocol/wire/event.ts';
import type { FragmentInfo } from '../../protocol/wire/uploads.ts';
import { openOrReplace } from '../sqlite.ts';

/** What the recorder remembers of a clip over a crash. */
export interface ClipRow {
  id: string;
  deviceId: string;
  channel: number;
  /** `waiting` for a first picture; `recording`; `done`: the report is final. */
  state: 'waiting' | 'recording' | 'done';
  /** Whether the journal has the final report. */
  reported: boolean;
  /** An earlier clip shows the same event: nothing is missing if this one never begins. */
  chained: boolean;
  eventIds: string[];
  /** Wall time of the first event and of the end of the post-roll, milliseconds. */
  firstEventMs: number;
  endsAtMs: number;
  /** The last report made; null while waiting. */
  report: ClipReport | null;
  fragments: number;
  durationMs: number;
  /** The fragment that was handed to the upload queue last: maybe the queue never got it. */
  last: FragmentInfo | null;
}

type Stored = { id: string; state: ClipRow['state']; reported: 0 | 1; body: string };

const KEEP_ROWS = 20_000;
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

  /** Forgets the oldest of what is long done. Ids are UUIDv7: they sort by time. */
  prune(): void {
    const limit = this.#db.prepare('SELECT id FROM clips WHERE reported = 1 ORDER BY id DESC LIMIT 1 OFFSET ?');
    const oldest = limit.get(KEEP_ROWS) as { id: string } | undefined;
    if (!oldest) return;
    this.#db.transaction(() => {
      this.#db.prepare('DELETE FROM clips WHERE reported = 1 AND id <= ?').run(oldest.id);
      this.#db.prepare('DELETE FROM events WHERE clipId <= ?').run(oldest.id);
    })();
  }
}

const read = ({ id, state, reported, body }: Stored): ClipRow => ({
  ...(JSON.parse(body) as Omit<ClipRow, 'id' | 'state' | 'reported'>),
  id,
  state,
  reported: reported === 1,
});
