import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { AlarmReport, Event } from '../../../protocol/wire/event.ts';

export interface Audit {
  events: number;
  /** Of these, such as have a whole audit line. */
  complete: number;
  /** What is missing in whose audit line (G1), the first few. */
  incomplete: string[];
  /** Sequence number → tries through the relay that the box gave up, though the receiver may have had them. */
  gaveUp: Map<number, number>;
  /** Files that a key was found in (G3). */
  leaks: string[];
}

const MOST = 20;

/** What a stopped box has written: an audit line for each event, and a key nowhere but sealed. */
export function audit(dir: string, key: Buffer | null): Audit {
  const db = new Database(join(dir, 'journal.db'), { readonly: true });
  const read = <T>(kind: string): T[] =>
    db
      .prepare<[string], { body: string }>('SELECT body FROM records WHERE kind = ? ORDER BY seq')
      .all(kind)
      .map((row) => JSON.parse(row.body));
  const events = read<Event>('event');
  // A later report replaces an earlier one of the same message.
  const reports = new Map(read<AlarmReport>('alarm').map((r) => [r.id, r]));
  db.close();
  const byEvent = Map.groupBy(reports.values(), (r) => r.eventId);
  const incomplete: string[] = [];
  let complete = 0;
  for (const event of events) {
    const all = byEvent.get(event.id) ?? [];
    const before = incomplete.length;
    if (!all.some((r) => r.kind === 'alarm')) incomplete.push(`event ${event.id} has no report`);
    for (const report of all) {
      const missing = missingIn(report);
      if (missing) incomplete.push(`${report.kind} of event ${event.id}: ${missing}`);
    }
    if (incomplete.length === before) complete++;
  }
  const gaveUp = new Map<number, number>();
  for (const { sequence, log } of reports.values()) {
    const late = log.filter((t) => t.path === 'relay' && (t.outcome === 'timeout' || t.outcome === 'reset')).length;
    if (late > 0) gaveUp.set(sequence, (gaveUp.get(sequence) ?? 0) + late);
  }
  return {
    gaveUp,
    events: events.length,
    complete,
    incomplete: incomplete.slice(0, MOST),
    leaks: key ? leaksOf(dir, key) : [],
  };
}

function missingIn(r: AlarmReport): string | null {
  if (r.state !== 'acknowledged') return `is ${r.state}`;
  if (!r.path || !r.acknowledgedAt || r.tries < 1) return 'path, time or tries';
  const last = r.log.at(-1);
  if (!last) return 'no try is kept';
  if (last.outcome !== 'acknowledged' || !last.frame || !last.reply || !last.receiver) return 'its last try';
  return null;
}

function leaksOf(dir: string, key: Buffer): string[] {
  const forms = [
    key.toString('latin1'),
    key.toString('hex'),
    key.toString('hex').toUpperCase(),
    key.toString('base64'),
  ];
  return files(dir).filter((file) => {
    const text = readFileSync(file).toString('latin1');
    return forms.some((form) => text.includes(form));
  });
}

function files(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
