import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

/**
 * Opens one of the box's files and makes its tables and directory: WAL with `synchronous=FULL`, because with NORMAL the last
 * transactions may be lost on a power cut. Throws what {@link isDamage} knows when the file is not intact.
 */
export function openDatabase(path: string, schema: string): Database.Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = new Database(path);
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    const found = db.pragma('quick_check(1)', { simple: true });
    if (found !== 'ok') throw Object.assign(new Error(String(found)), { code: 'SQLITE_CORRUPT' });
    db.exec(schema);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** As {@link openDatabase}; a damaged file is set aside and begun anew, `aside` is its new path and `damage` what was found. */
export function openOrReplace(
  path: string,
  schema: string,
): { db: Database.Database; aside: string | null; damage?: unknown } {
  try {
    return { db: openDatabase(path, schema), aside: null };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const aside = setAside(path);
    return { db: openDatabase(path, schema), aside, damage: error };
  }
}

/** Whether the file is damaged; a full disk or a lock is not. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '');
}

/** Only the last one is kept: a disk that goes bad must not fill with them. */
function setAside(path: string): string {
  const aside = `${path}.damaged`;
  for (const suffix of ['', '-wal', '-shm']) {
    rmSync(aside + suffix, { force: true });
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}
