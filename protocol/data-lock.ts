import { join } from 'node:path';
import Database from 'better-sqlite3';

/**
 * Keeps a data directory to one process: two boxes would send everything twice, two relays would each know half of the boxes. The lock is the
 * operating system's and ends with the process, however it ends. Returns false when another process holds it.
 */
export function lockDataDirectory(dir: string): boolean {
  const db = new Database(join(dir, 'lock'), { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
    held.push(db);
    return true;
  } catch {
    db.close();
    return false;
  }
}

/** Kept from garbage collection, which would close them. */
const held: Database.Database[] = [];
