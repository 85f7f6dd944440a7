import type { Alarm, EventItem } from '../../protocol/wire/api.ts';
import type { JournalRecord } from '../../protocol/wire/event.ts';
import type { ListedAlarm } from '../arc/centre.ts';
import type { Emitted } from '../isapi/events.ts';

/** A box did not run from `from` to `to` (Unix ms). */
export interface Downtime {
  from: number;
  to: number;
}
/** What a box may lose before it is killed: the time of one group commit. */
const KILL_GRACE_MS = 100;

/** The four accounts of the same happenings, each kept by somebody else. */
export interface Lists {
  emitted: Emitted[];
  journal: JournalRecord[];
  relayEvents: Pick<EventItem, 'id' | 'sourceRef'>[];
  relayAlarms: Pick<Alarm, 'id' | 'state'>[];
  received: ListedAlarm[];
  /** Event types for which some account of the site wants an alarm. */
  alarmTypes: string[];
}

export interface Entry {
  id: string;
  text: string;
}
export interface Step {
  from: string;
  to: string;
  expected: number;
  found: number;
  missing: Entry[];
  /** Missing, and that was to be expected. */
  excused: Entry[];
  double: (Entry & { times: number; because: string | null })[];
  /** There, and nobody knows why. */
  unknown: Entry[];
}
export interface Comparison {
  /** Nothing is missing unexpectedly. */
  ok: boolean;
  counts: Record<'emitted' | 'journalEvents' | 'journalAlarms' | 'relayEvents' | 'relayAlarms' | 'received', number>;
  steps: Step[];
}

/** Compares by id: lab event id = `sourceRef`, event id, alarm id, and (account, sequence, code) at the receiver. */
export function compareLists(input: Lists & { downtimes: Downtime[]; since?: number }): Comparison {
  const since = input.since ?? 0;
  const journal = input.journal.filter((r) => Date.parse(r.at) >= since);
  const emitted = input.emitted.filter((e) => Date.parse(e.emittedAt) >= since);
  const events = journal.filter((r) => r.kind === 'event').map((r) => r.body);
  const fromLab = events.filter((e) => e.sourceRef !== null);
  // Each report of an alarm replaces the former one.
  const alarms = [
    ...new Map(journal.flatMap((r) => (r.kind === 'alarm' ? [[r.body.id, r.body] as const] : []))).values(),
  ];
  const down = (at: string) =>
    input.downtimes.some((d) => Date.parse(at) >= d.from - KILL_GRACE_MS && Date.parse(at) <= d.to);

  const labToJournal = step({
    from: 'lab',
    to: 'journal',
    expected: emitted.map((e) => ({
      key: e.id,
      text: `${e.device} ${e.type} ${e.emittedAt}`,
      excused: down(e.emittedAt),
    })),
    found: fromLab.map((e) => ({ key: e.sourceRef!, text: `${e.type} ${e.occurredAt}` })),
    known: new Set(input.emitted.map((e) => e.id)),
  });
  const journalToRelay = step({
    from: 'journal',
    to: 'relay events',
    expected: events.map((e) => ({ key: e.id, text: `${e.type} ${e.occurredAt}` })),
    found: input.relayEvents.map((e) => ({ key: e.id, text: e.sourceRef ?? '' })),
    known: since > 0 ? null : new Set(events.map((e) => e.id)),
  });
  const eventToAlarm = step({
    from: 'journal events',
    to: 'journal alarms',
    expected: fromLab
      .filter((e) => input.alarmTypes.includes(e.type))
      .map((e) => ({ key: e.id, text: `${e.type} ${e.occurredAt}` })),
    found: [...new Set(alarms.map((a) => a.eventId))].map((key) => ({ key, text: '' })),
    known: null,
  });
  const acknowledged = new Set(input.relayAlarms.filter((a) => a.state === 'acknowledged').map((a) => a.id));
  const alarmToRelay = step({
    from: 'journal alarms',
    to: 'relay alarms (acknowledged)',
    expected: alarms.map((a) => ({ key: a.id, text: `${a.account} ${a.code} ${a.sequence}` })),
    found: [...acknowledged].map((key) => ({ key, text: '' })),
    known: null,
  });
  const key = (a: { account: string; sequence: number; code: string }) => `${a.account}/${a.sequence}/${a.code}`;
  const repeats = new Set(alarms.filter((a) => a.possibleRepeat).map(key));
  const swallowed = countBy(input.received.filter((a) => a.ackSwallowed).map(key));
  const alarmToReceiver = step({
    from: 'journal alarms',
    to: 'receiver',
    expected: alarms.map((a) => ({ key: key(a), text: `${a.kind} of ${a.eventId}, ${a.state}` })),
    found: input.received
      .filter((a) => Date.parse(a.acknowledgedAt) >= since)
      .map((a) => ({ key: key(a), text: `${a.via} ${a.acknowledgedAt}` })),
    known: null,
    because: (k, extra) => {
      if ((swallowed.get(k) ?? 0) >= extra) return 'its acknowledgement was swallowed by a fault';
      return repeats.has(k) ? 'the box could not know that it had arrived' : null;
    },
  });
  const steps = [labToJournal, journalToRelay, eventToAlarm, alarmToRelay, alarmToReceiver];
  return {
    ok: steps.every((s) => s.missing.length === 0),
    counts: {
      emitted: emitted.length,
      journalEvents: events.length,
      journalAlarms: alarms.length,
      relayEvents: input.relayEvents.length,
      relayAlarms: input.relayAlarms.length,
      received: input.received.length,
    },
    steps,
  };
}

interface StepInput {
  from: string;
  to: string;
  expected: { key: string; text: string; excused?: boolean }[];
  found: { key: string; text: string }[];
  /** What may be found; null: anything. */
  known: Set<string> | null;
  /** Why there may be `extra` more than expected. */
  because?: (key: string, extra: number) => string | null;
}

/** Compares two lists as multisets: a sequence number may rightly come again after 9999 others. */
function step({ from, to, expected, found, known, because }: StepInput): Step {
  const there = countBy(found.map((f) => f.key));
  const wanted = countBy(expected.map((e) => e.key));
  const left = new Map(there);
  const absent = expected.filter((e) => {
    const n = left.get(e.key) ?? 0;
    left.set(e.key, n - 1);
    return n <= 0;
  });
  const entry = ({ key, text }: { key: string; text: string }): Entry => ({ id: key, text });
  const texts = new Map(found.map((f) => [f.key, f.text]));
  return {
    from,
    to,
    expected: expected.length,
    found: [...wanted].reduce((sum, [key, n]) => sum + Math.min(n, there.get(key) ?? 0), 0),
    missing: absent.filter((e) => !e.excused).map(entry),
    excused: absent.filter((e) => e.excused).map(entry),
    double: [...there]
      .filter(([key, n]) => wanted.has(key) && n > wanted.get(key)!)
      .map(([key, times]) => ({
        id: key,
        text: texts.get(key)!,
        times,
        because: because?.(key, times - wanted.get(key)!) ?? null,
      })),
    unknown: known ? found.filter((f) => !known.has(f.key)).map(entry) : [],
  };
}

function countBy(keys: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
