import type { Event } from '../../protocol/wire/event.ts';
import { endOf } from '../isapi/event-end.ts';
import type { Journal } from '../journal/journal.ts';

/** So many of the journal's last records are looked at for events that were under way when the box went down. */
const PAST_RECORDS = 2_000;
/** As far back for events that last until their device says otherwise: a mains failure goes on for hours. */
const OPEN_RECORDS = 20_000;

/** Ends only by word of somebody. */
const lasts = ({ type, cid }: Event): boolean => type === 'deviceOffline' || endOf(type, cid) === 'said';

/**
 * Events of each device among the journal's last records, oldest first, and whether they have ended; of the records before
 * these only what has not ended and ends by itself never.
 */
export function pastEvents(
  journal: Pick<Journal, 'read' | 'lastSeq'>,
): Map<string, { event: Event; ended: boolean }[]> {
  const byId = new Map<string, { event: Event; ended: boolean }>();
  const recent = journal.lastSeq - PAST_RECORDS;
  for (let at = Math.max(0, journal.lastSeq - OPEN_RECORDS); at < journal.lastSeq; ) {
    const records = journal.read(at, PAST_RECORDS);
    for (const record of records) {
      const isOld = record.seq <= recent;
      if (record.kind === 'event') {
        if (!isOld || lasts(record.body)) byId.set(record.id, { event: record.body, ended: false });
      } else if (record.kind === 'eventEnd') {
        const ended = byId.get(record.body.eventId);
        if (ended && isOld) byId.delete(record.body.eventId);
        else if (ended) ended.ended = true;
      }
    }
    const last = records.at(-1);
    if (!last) break;
    at = last.seq;
  }
  return Map.groupBy(byId.values(), (past) => past.event.deviceId ?? '');
}
