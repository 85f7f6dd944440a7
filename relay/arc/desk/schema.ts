import type { Generated } from 'kysely';
import type { DeskNote, DeskSource, DeskTest } from '../../../protocol/wire/arc-desk.ts';
import type { AlarmReport, ArcPathName, EventType } from '../../../protocol/wire/event.ts';

/** Tables of this folder, part of the relay's Database. */
export interface DeskTables {
  /**
   * What an alarm receiving centre was sent, one row a message. It stands alone, without joins to what lists it: whom a
   * message was for is decided when it comes in, and stays.
   */
  desk_alarms: {
    /** The relay's own order; the cursor of lists. */
    rowId: Generated<number>;
    id: string;
    companyId: string;
    receiverId: string;
    accountId: string | null;
    account: string;
    siteId: string | null;
    boxSerial: string | null;
    deviceId: string | null;
    channel: number | null;
    eventId: string | null;
    eventType: EventType | null;
    text: string | null;
    source: DeskSource;
    kind: AlarmReport['kind'];
    protocol: AlarmReport['protocol'];
    code: string;
    zone: string;
    sequence: number;
    urgency: number;
    /** 1: waits for somebody. */
    open: number;
    test: number;
    state: AlarmReport['state'];
    path: ArcPathName | null;
    tries: number;
    /** JSON of ArcTry[] */
    log: string;
    possibleRepeat: number;
    reason: string | null;
    occurredAt: string;
    queuedAt: string;
    acknowledgedAt: string | null;
    takenMs: number;
    handledMs: number | null;
    handledBy: string | null;
    handledName: string | null;
    notes: number;
    restoredAt: string | null;
  };
  /** What people said and did about an alarm; never changed. */
  desk_notes: {
    rowId: Generated<number>;
    alarmId: string;
    userId: string;
    name: string;
    atMs: number;
    kind: DeskNote['kind'];
    text: string;
  };
  /** Test modes of accounts. */
  desk_tests: {
    rowId: Generated<number>;
    id: string;
    accountId: string;
    companyId: string;
    startedMs: number;
    startedBy: string;
    untilMs: number;
    /** When its end was noticed; it is over at `untilMs` whether or not. */
    endedMs: number | null;
    endedBy: string | null;
    note: string;
    beginTold: DeskTest['beginTold'];
    endTold: DeskTest['endTold'];
  };
  /** Changes of an account's paths, by the box's clock; path `all`: the box itself was off (0) and on again (1). */
  desk_paths: {
    rowId: Generated<number>;
    accountId: string;
    path: ArcPathName | 'all';
    atMs: number;
    up: number;
  };
  /** From when to when an account's paths are known, by the relay's clock. */
  desk_heard: { accountId: string; sinceMs: number; heardMs: number };
  /** Short addresses of pictures; the second half of an address is a signature and stands nowhere. */
  desk_links: {
    id: string;
    companyId: string;
    eventId: string;
    /** The box that asked for it: it must be its event. Null: a person did, who saw the event. */
    boxSerial: string | null;
    madeMs: number;
    expiresMs: number;
    opened: number;
    openedMs: number | null;
  };
  /** Secrets of the desk, sealed by the vault. */
  desk_keys: { name: string; sealed: string };
}
