import { expect, it } from 'vitest';
import type { Event, JournalRecord } from '../../protocol/wire/event.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { pastEvents } from './past-events.ts';

const deviceId = uuidv7();

/** A journal of these, with so much daily business behind them that they are long past. */
function journal(...bodies: ({ event: Partial<Event> } | { end: string })[]) {
  const records = bodies.map((b, i): JournalRecord => {
    const base = { seq: i + 1, id: 'end' in b ? uuidv7() : b.event.id!, at: '' };
    return 'end' in b
      ? { ...base, kind: 'eventEnd', body: { eventId: b.end, endedAt: '' } }
      : { ...base, kind: 'event', body: { deviceId, channel: null, text: null, sourceRef: null, ...b.event } as Event };
  });
  const lastSeq = records.length + 5_000;
  return {
    lastSeq,
    read: (after: number, limit: number) => {
      const found = records.filter((r) => r.seq > after).slice(0, limit);
      for (let seq = Math.max(after, records.length) + 1; seq <= lastSeq && found.length < limit; seq++) {
        found.push({ seq, id: uuidv7(), at: '', kind: 'eventEnd', body: { eventId: 'x', endedAt: '' } });
      }
      return found;
    },
  };
}

it('keeps what ends by its device only, however long ago it began, and nothing else of that time', () => {
  const [mains, tamper, motion, armed, offline] = ['1', '2', '3', '4', '5'];
  const past = pastEvents(
    journal(
      { event: { id: mains, type: 'mainsFail', cid: '1301' } },
      { event: { id: tamper, type: 'deviceTamper' } },
      { event: { id: motion, type: 'motion' } },
      { event: { id: armed, type: 'areaArmedAway', cid: '3401' } },
      { event: { id: offline, type: 'deviceOffline' } },
      { end: tamper! },
    ),
  );
  expect(past.get(deviceId)?.map(({ event, ended }) => [event.id, ended])).toEqual([
    [mains, false],
    [offline, false],
  ]);
});
