import type { ColumnType, Generated } from 'kysely';
import type { ArcPathName } from '../../protocol/wire/event.ts';

type WithDefault<T> = ColumnType<T, T | undefined>;

/** Tables of this folder, part of the relay's Database. */
export interface ArcTables {
  /** A receiver of an alarm receiving centre, as a company knows it: what boxes dial and what the relay dials. */
  arc_receivers: {
    id: string;
    companyId: string;
    name: string;
    directHost: string;
    directPort: number;
    relayHost: string;
    relayPort: number;
    transport: 'tcp' | 'udp';
    createdAt: string;
  };
  /** The key itself is in no table of the relay: sealed to the box, in its desired state. */
  arc_accounts: {
    id: string;
    siteId: string;
    boxSerial: string;
    receiverId: string;
    account: string;
    protocol: 'SIA-DCS' | 'ADM-CID';
    encrypted: number;
    mode: 'direct-or-relay' | 'relay';
    /** JSON */
    events: string;
    /** JSON */
    zones: string;
    supervisionKind: 'null' | 'test' | 'off';
    supervisionIntervalMs: number;
    createdAt: string;
    /** An account taken away keeps its row: its alarms keep their receiver's name. */
    deletedAt: string | null;
  };
  /** One row for each frame that went to a receiver for a box; written before it is sent. */
  arc_attempts: {
    rowId: Generated<number>;
    boxSerial: string;
    accountId: string;
    messageId: string;
    attempt: number;
    startedMs: number;
    endedMs: number | null;
    /** `sending` also when the relay died in between: nobody knows. `answered`: NAK, DUH. */
    state: 'sending' | 'acknowledged' | 'answered' | 'failed';
    code: string | null;
    /** The receiver's frame, base64. */
    reply: string | null;
  };
  /** What the box says became of each message. */
  alarms: {
    /** The relay's own order; the cursor of lists. */
    rowId: Generated<number>;
    id: string;
    siteId: string;
    boxSerial: string;
    eventId: string;
    kind: 'alarm' | 'restore' | 'test';
    accountId: string;
    receiverId: string;
    account: string;
    protocol: 'SIA-DCS' | 'ADM-CID';
    code: string;
    zone: string;
    sequence: number;
    state: 'waiting' | 'acknowledged' | 'failed';
    path: ArcPathName | null;
    tries: number;
    /** JSON: the last tries, each with its frame. */
    log: WithDefault<string>;
    occurredAt: string;
    queuedAt: string;
    acknowledgedAt: string | null;
    possibleRepeat: number;
    reason: string | null;
  };
}
