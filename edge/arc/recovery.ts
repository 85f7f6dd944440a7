import type { AlarmReport } from '../../protocol/wire/event.ts';
import type { ArcJournal } from './types.ts';

/** A queue made anew sends again what the last hour's journal shows as unsettled; older alarms would only mislead. */
const BACK_MS = 3_600_000;
/** Numbers given to messages that no report speaks of yet are passed over. */
const UNREPORTED = 200;

/** What the journal still knows of a queue file that was lost. */
export class Recovery {
  /** Read from behind this record again. */
  readonly sinceSeq: number;
  /** Ids of the messages whose end the journal holds. */
  readonly settled = new Set<string>();
  /** The newest report of each line. */
  readonly #lines = new Map<string, Pick<AlarmReport, 'receiverId' | 'account' | 'sequence' | 'queuedAt'>>();

  constructor(journal: Pick<ArcJournal, 'read' | 'lastSeq'>, nowMs: number) {
    let since = journal.lastSeq;
    for (let at = 0; ; ) {
      const records = journal.read(at, 1_000);
      const last = records.at(-1);
      if (!last) break;
      at = last.seq;
      for (const record of records) {
        if (record.kind === 'alarm') this.#line(record.body);
        if (Date.parse(record.at) < nowMs - BACK_MS) continue;
        since = Math.min(since, record.seq - 1);
        if (record.kind === 'alarm' && record.body.state !== 'waiting') this.settled.add(record.body.id);
      }
    }
    this.sinceSeq = since;
  }

  /** Where each line's sequence numbers go on, so that none is used again for other content. */
  sequences(): { line: { receiverId: string; account: string }; last: number }[] {
    return [...this.#lines.values()].map((line) => ({ line, last: ((line.sequence + UNREPORTED - 1) % 9999) + 1 }));
  }

  #line(report: AlarmReport): void {
    const key = `${report.receiverId} ${report.account}`;
    const known = this.#lines.get(key);
    // Numbers are given in the order of queueing, and reports come in that of ending.
    if (!known || report.queuedAt >= known.queuedAt) this.#lines.set(key, report);
  }
}
