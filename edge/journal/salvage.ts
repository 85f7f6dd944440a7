import Database from 'better-sqlite3';

type Row = { seq: number; id: string; kind: string; at: string; body: string };

/** Reads what can be read of a damaged journal: from the front and from the back, up to where each meets damage. */
export function salvage(path: string): Omit<Row, 'seq'>[] {
  const found = new Map<number, Row>();
  let db: Database.Database;
  try {
    db = new Database(path, { readonly: true });
  } catch {
    return [];
  }
  for (const order of ['ASC', 'DESC']) {
    try {
      const rows = db.prepare<[], Row>(`SELECT seq, id, kind, at, body FROM records NOT INDEXED ORDER BY seq ${order}`);
      for (const row of rows.iterate()) {
        if (found.has(row.seq)) break;
        JSON.parse(row.body);
        found.set(row.seq, row);
      }
    } catch {
      // The damage was reached.
    }
  }
  try {
    db.close();
  } catch {
    // Nothing more is wanted of it.
  }
  const ids = new Set<string>();
  return [...found.values()]
    .sort((a, b) => a.seq - b.seq)
    .filter((r) => (ids.has(r.id) ? false : ids.add(r.id)))
    .map(({ id, kind, at, body }) => ({ id, kind, at, body }));
}
