import type { ColumnType, Generated } from 'kysely';
import type { ArcJoiningState } from '../../protocol/wire/arc-joining.ts';
import type { KeyFormat, ReceiverKind } from '../../protocol/wire/arc-receiver.ts';
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
    /** `hosted`: the relay itself receives. */
    kind: WithDefault<ReceiverKind>;
    /** JSON of ReceiverSettings; `{}`: all as usual. */
    settings: WithDefault<string>;
    keyFormat: WithDefault<KeyFormat>;
    /** Sealed by the vault. */
    key: ColumnType<string | null, string | null | undefined>;
  };
  /** How a company stands as an alarm receiving centre of the platform. */
  arc_profiles: {
    companyId: string;
    state: ArcJoiningState;
    /** JSON of ArcInformation. */
    information: string;
    /** Version of the agreement that was agreed to. */
    agreement: string;
    appliedBy: string;
    appliedMs: number;
    decidedMs: number | null;
    decidedBy: string | null;
    /** Why it was rejected or taken off the list. */
    reason: string;
    /** The key that is its ARC ID. */
    keyId: string | null;
    /** When it said that ID and key are entered. */
    configuredMs: number | null;
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
    /** Made of accepted services of this centre (relay/arc/service); null: entered by hand. */
    arcId: ColumnType<string | null, string | null | undefined>;
    createdAt: string;
    /** An account taken away keeps its row: its alarms keep their receiver's name. */
    deletedAt: string | null;
    /** The site's name when it was taken away. */
    endedSiteName: ColumnType<string | null, string | null | undefined>;
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
  /** Last sequence number of the relay's own line of an account; never started again. */
  arc_lines: {
    receiverId: string;
    account: string;
    line: string;
    last: number;
  };
  /** Accounts that the receiver was told have no path, until it is told that they have one again. */
  arc_losses: {
    accountId: string;
    eventId: string;
    sinceMs: number;
  };
  /** What the box says became of each message, and what the relay said itself. */
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
    /** `relay`: on the relay's own line; `eventId` is then its own number of the loss. */
    origin: WithDefault<'box' | 'relay'>;
    occurredAt: string;
    queuedAt: string;
    acknowledgedAt: string | null;
    possibleRepeat: number;
    reason: string | null;
  };
}
