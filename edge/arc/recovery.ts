import type { ArcJournal } from './types.ts';

/** A queue made anew sends again what the last hour's journal shows as unsettled; older alarms would only mislead. */
const BACK_MS = 3_600_000;

/** What the journal still knows of a queue file that was lost. */
export class Recovery {
  /** Read from behind this record again. */
  readonly sinceSeq: number;
  /** Ids of the messages whose end the journal holds. */
  readonly settled = new Set<string>();

  constructor(journal: Pick<ArcJournal, 'read' | 'lastSeq'>, nowMs: number) {
    let since = journal.lastSeq;
    for (let at = 0; ; ) {
      const records = journal.read(at, 1_000);
      const last = records.at(-1);
      if (!last) break;
      at = last.seq;
      for (const record of records) {
        if (Date.parse(record.at) < nowMs - BACK_MS) continue;
        since = Math.min(since, record.seq - 1);
        if (record.kind === 'alarm' && record.body.state !== 'waiting') this.settled.add(record.body.id);
      }
    }
    this.sinceSeq = since;
  }
}
