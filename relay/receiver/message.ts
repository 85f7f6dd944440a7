import type { Selectable } from 'kysely';
import { iso } from '../../protocol/clock.ts';
import type { ReceivedEvent, ReceivedMessage } from '../../protocol/wire/receiver.ts';
import type { ReceiverTables } from './schema.ts';

export type MessageRow = Selectable<ReceiverTables['receiver_messages']>;

/** A message as taken, before it has its place in the order. */
export type NewMessage = Omit<
  MessageRow,
  'rowId' | 'id' | 'repeatOf' | 'events' | 'xdata' | 'pictures' | 'encrypted'
> & {
  id?: string;
  encrypted: boolean;
  events: ReceivedEvent[];
  xdata: string[];
  pictures: string[];
  /** A test is for this output alone. */
  only?: string;
};

/** A message on its way to an output. */
export interface Outgoing {
  /** Its place in the order. */
  rowId: number;
  message: ReceivedMessage;
  /** Tries before this one. */
  tries: number;
  /** DC-09: the number it has at this output; null: none yet. */
  sequence: number | null;
}

export function toMessage(row: MessageRow): ReceivedMessage {
  const { id, source, receiverId, accountId, account, protocol, sequence, line, data, repeatOf } = row;
  return {
    id,
    source,
    receiverId,
    accountId,
    account,
    protocol,
    sequence,
    line,
    encrypted: row.encrypted === 1,
    events: JSON.parse(row.events),
    data,
    extended: JSON.parse(row.xdata),
    pictures: JSON.parse(row.pictures),
    occurredAt: row.occurredMs === null ? null : iso(Number(row.occurredMs)),
    receivedAt: iso(Number(row.receivedMs)),
    repeatOf,
  };
}
