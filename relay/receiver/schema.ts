import type { Generated } from 'kysely';
import type { OutputKind, ReceivedSource } from '../../protocol/wire/receiver.ts';

/**
 * Tables of this folder, part of the relay's Database; alone (relay/receiver-main.ts) the receiver has these and no others,
 * so nothing here refers to other tables. `owner` is the company; alone there is one.
 */
export interface ReceiverTables {
  /** Everything that was taken. Committed before the sender gets its acknowledgement. */
  receiver_messages: {
    /** The order in which it was taken; the cursor of the pull API. */
    rowId: Generated<number>;
    id: string;
    owner: string;
    receiverId: string;
    /** The box's account (arc_accounts). */
    accountId: string | null;
    account: string;
    source: ReceivedSource;
    protocol: string;
    sequence: number;
    line: string | null;
    encrypted: number;
    data: string;
    /** JSON */
    xdata: string;
    /** JSON: ReceivedEvent[] */
    events: string;
    /** JSON */
    pictures: string;
    occurredMs: number | null;
    receivedMs: number;
    repeatOf: string | null;
    peer: string;
    /** The frame as it came, without LF and CR; encrypted where it was. */
    frame: string;
  };
  receiver_outputs: {
    id: string;
    owner: string;
    name: string;
    kind: OutputKind;
    /** JSON: OutputConfig */
    config: string;
    /** The key or secret, sealed. */
    sealed: string | null;
    enabled: number;
    repeats: number;
    createdMs: number;
    /** Pull: everything up to this row was committed. */
    cursor: number;
    acknowledgedMs: number | null;
  };
  /** One row for each message and output; made with the message, in its transaction. */
  receiver_deliveries: {
    outputId: string;
    messageRowId: number;
    account: string;
    state: 'waiting' | 'acknowledged' | 'refused';
    tries: number;
    /** DC-09: kept over all tries. */
    sequence: number | null;
    endedMs: number | null;
    reason: string | null;
  };
  /** DC-09: the last sequence number of an account at an output. */
  receiver_sequences: { outputId: string; account: string; last: number };
  /** Devices that speak to a hosted receiver by themselves. */
  receiver_senders: {
    id: string;
    owner: string;
    receiverId: string;
    account: string;
    name: string;
    sealed: string | null;
    keyFormat: 'hex' | 'characters';
    localTime: number;
    supervisionMs: number | null;
    createdMs: number;
  };
  /** When an account was heard last. */
  receiver_heard: {
    receiverId: string;
    account: string;
    lastMs: number;
    /** Since when "no heartbeat" is raised. */
    silentMs: number | null;
    protocol: string;
  };
  /** Ports of hosted receivers: each has its own, so that account numbers are its own. */
  receiver_ports: { port: number; receiverId: string };
}
