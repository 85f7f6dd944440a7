import {
  answersDc09,
  type Dc09Message,
  decodeDc09,
  encodeDc09,
  formatDc09Time,
  openDc09,
} from '../../protocol/codec/dc09.ts';
import { cidData, dc09Text, siaData } from '../../protocol/codec/dc09-content.ts';
import type { AlarmReport } from '../../protocol/wire/event.ts';
import { codesOf, type MessageType } from './codes.ts';
import type { QueuedMessage } from './queue.ts';
import type { ArcAccountConfig } from './types.ts';

/** Of these the text says what no number does. */
const WITH_TEXT: ReadonlySet<MessageType> = new Set<MessageType>([
  'other',
  'areaArmedAway',
  'areaArmedStay',
  'areaDisarmed',
  'armFailed',
  'panelFault',
]);
/** What an account's partition is while nobody has chosen one. */
const USUAL_PARTITION = 1;
/** An event this old must not look fresh: its own time goes along in `[H…]`. */
const DELAYED_AFTER_MS = 60_000;

type Account = Pick<ArcAccountConfig, 'account' | 'protocol' | 'key' | 'partition'>;

/** `BA`, `1130`: what stands in the frame, without the zone. */
export function codeOf(message: QueuedMessage, protocol: AlarmReport['protocol']): string {
  const codes = codesOf(message.type, message.cid);
  const restore = message.kind === 'restore';
  if (protocol === 'ADM-CID') return `${restore ? 3 : codes.begin}${codes.cid}`;
  return restore ? (codes.siaEnd ?? codes.sia) : codes.sia;
}

/**
 * The frame of a queued message as it leaves now: fresh time, fresh pad, same sequence number. At most one block of
 * extended data and ASCII only, because receivers in the field break on more: `H` when the event is old, else the text
 * where Contact ID has no other place for it. `offsetMs`: how far the receiver's clock is ahead of ours.
 */
export function buildMessage(account: Account, message: QueuedMessage, nowMs: number, offsetMs = 0): Dc09Message {
  const protocol = message.protocol ?? account.protocol;
  const text = message.text && WITH_TEXT.has(message.type) ? dc09Text(message.text, 128) : null;
  const code = codeOf(message, protocol);
  const isCid = protocol === 'ADM-CID';
  // A panel's areas are the account's partitions, unless the whole account was given to one of them.
  const partition = account.partition === USUAL_PARTITION ? (message.area ?? account.partition) : account.partition;
  const occurred = Date.parse(message.occurredAt);
  const xdata: string[] = [];
  if (nowMs - occurred > DELAYED_AFTER_MS) xdata.push(`H${formatDc09Time(occurred + offsetMs)}`);
  else if (isCid && text) xdata.push(`I${text}`);
  return {
    ...header(account, protocol, message.sequence),
    data: isCid
      ? cidData(account.account, code.slice(1), code.startsWith('3'), partition, message.zone)
      : siaData(account.account, partition, code, message.zone, text),
    xdata,
    timestamp: nowMs + offsetMs,
  };
}

/** Link supervision (DC-09 §5.5.2). */
export function buildNull(account: Account, nowMs: number): Dc09Message {
  return { ...header(account, 'NULL', 0), data: '', xdata: [], timestamp: nowMs };
}

// `R` is optional in the standard, but receivers were seen to answer nonsense without it.
const header = (account: Account, id: string, sequence: number) => ({
  id,
  encrypted: account.key !== null,
  sequence,
  receiver: '0',
  line: '0',
  account: account.account,
});

export function encodeFor(account: Account, message: Dc09Message): Buffer {
  return encodeDc09(message, { key: account.key });
}

export type Verdict =
  | { is: 'acknowledged' }
  /** `timeMs`: the receiver's clock; null when it does not say. */
  | { is: 'nak'; timeMs: number | null }
  | { is: 'duh' }
  /** It says ACK but cannot have read the message: encrypted with another key, or not at all. */
  | { is: 'other-key' };

/**
 * What a reply says about our message; null: it is none (broken, or about another message). An acknowledgement counts
 * only if CRC, sequence and account match and, encrypted, opens with our key: receivers with a wrong key acknowledge too.
 */
export function judge(reply: Buffer, sent: Dc09Message, key: Buffer | null): Verdict | null {
  const opened = openDc09(reply);
  if (!opened.ok || !answersDc09(opened.header, sent)) return null;
  if (opened.header.id === 'DUH') return { is: 'duh' };
  const decoded = decodeDc09(reply, key);
  if (opened.header.id === 'NAK') return { is: 'nak', timeMs: decoded.ok ? decoded.message.timestamp : null };
  return decoded.ok && opened.header.encrypted === sent.encrypted ? { is: 'acknowledged' } : { is: 'other-key' };
}
