import {
  answersDc09,
  type Dc09Message,
  decodeDc09,
  encodeDc09,
  formatDc09Time,
  openDc09,
} from '../../protocol/codec/dc09.ts';
import { cidData, dc09Text, siaData } from '../../protocol/codec/dc09-content.ts';
import { isReceipt, type SentBlocks } from '../../protocol/dc09/acknowledgement.ts';
import type { AlarmReport, ArcPathName } from '../../protocol/wire/event.ts';
import { codesOf, GENERIC, isStandard, type MessageType } from './codes.ts';
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

/** Room for text in a frame whose every block may be full: the whole still fits one datagram when encrypted. */
const MAX_TEXT = 128;
const MAX_BLOCK = 256;
/** `[J…]`: which way a message took. */
const PATH_NUMBERS: Record<ArcPathName, string> = { direct: '1', relay: '2', second: '3' };

type Header = Pick<ArcAccountConfig, 'account' | 'key'>;
type Account = Header & Pick<ArcAccountConfig, 'protocol' | 'partition' | 'codes' | 'extended'>;

/** `BA`, `1130`: what stands in the frame, without the zone. */
export function codeOf(
  message: Pick<QueuedMessage, 'type' | 'cid' | 'kind' | 'generic'>,
  protocol: AlarmReport['protocol'],
  overrides: ArcAccountConfig['codes'] = [],
): string {
  const codes = message.generic === 1 ? GENERIC : codesOf(message.type, message.cid, overrides);
  const restore = message.kind === 'restore';
  if (protocol === 'ADM-CID') return `${restore ? 3 : codes.begin}${codes.cid}`;
  return restore ? (codes.siaEnd ?? codes.sia) : codes.sia;
}

/**
 * The frame of a queued message as it leaves now: fresh time, fresh pad, same sequence number. ASCII only, because
 * Windows-1252 and UTF-8 readers disagree. `offsetMs`: how far the receiver's clock is ahead of ours.
 */
export function buildMessage(
  account: Account,
  message: QueuedMessage,
  nowMs: number,
  offsetMs = 0,
  path: ArcPathName = 'direct',
): Dc09Message {
  const protocol = message.protocol ?? account.protocol;
  const text = textOf(account, message, protocol);
  const code = codeOf(message, protocol, account.codes);
  const isCid = protocol === 'ADM-CID';
  // A panel's areas are the account's partitions, unless the whole account was given to one of them.
  const partition = account.partition === USUAL_PARTITION ? (areaOf(message) ?? account.partition) : account.partition;
  const occurred = Date.parse(message.occurredAt);
  const { extended } = account;
  // By weight: many receivers take one block only.
  const xdata: string[] = [];
  if (nowMs - occurred > DELAYED_AFTER_MS) xdata.push(`H${formatDc09Time(occurred + offsetMs)}`);
  const { link } = message;
  if (extended.picture && link && link.length < MAX_BLOCK) xdata.push(`V${link}`);
  if (isCid && text) xdata.push(`I${text}`);
  if (extended.path) xdata.push(`J${PATH_NUMBERS[path]}`);
  return {
    // Its own number: the account may have had another one when the message was first sent.
    ...header({ ...account, account: message.account }, protocol, message.sequence),
    data: isCid
      ? cidData(message.account, code.slice(1), code.startsWith('3'), partition, message.zone)
      : siaData(message.account, partition, code, message.zone, text),
    xdata: xdata.slice(0, extended.blocks),
    timestamp: nowMs + offsetMs,
  };
}

/** The frame has two digits for it; journals of earlier versions may hold more. */
const areaOf = ({ area }: QueuedMessage): number | null => (area !== null && area >= 1 && area <= 99 ? area : null);

/** What goes along in words: where no number says it, where the centre wants it, and for codes that it does not know. */
function textOf(account: Account, message: QueuedMessage, protocol: AlarmReport['protocol']): string | null {
  const { text, type, cid } = message;
  if (message.generic === 1) {
    const unknown = codeOf({ ...message, generic: 0 }, protocol, account.codes);
    return dc09Text(`${text ?? type} (${unknown})`, MAX_TEXT);
  }
  if (cid && !isStandard(cid)) return dc09Text(`${text ?? type} (${cid})`, MAX_TEXT);
  return text && (account.extended.text || WITH_TEXT.has(type)) ? dc09Text(text, MAX_TEXT) || null : null;
}

/** Link supervision (DC-09 §5.5.2). */
export function buildNull(account: Header, nowMs: number): Dc09Message {
  return { ...header(account, 'NULL', 0), data: '', xdata: [], timestamp: nowMs };
}

// `R` is optional in the standard, but receivers were seen to answer nonsense without it.
const header = (account: Header, id: string, sequence: number) => ({
  id,
  encrypted: account.key !== null,
  sequence,
  receiver: '0',
  line: '0',
  account: account.account,
});

export function encodeFor(account: Header, message: Dc09Message): Buffer {
  return encodeDc09(message, { key: account.key });
}

export type Verdict =
  | { is: 'acknowledged' }
  /** `timeMs`: the receiver's clock; null when it does not say. */
  | { is: 'nak'; timeMs: number | null }
  | { is: 'duh' }
  /** It says ACK but cannot have read the message: encrypted with another key, not at all, or no receipt of now. */
  | { is: 'other-key' };

/**
 * What a reply says about our message; null: it is none (broken, or about another message). An acknowledgement counts
 * only if CRC, sequence and account match and, encrypted, opens with our key: receivers with a wrong key acknowledge too. What
 * we have sent ourselves (`before`) is none; `sinceMs` as in {@link isReceipt}.
 */
export function judge(
  reply: Buffer,
  sent: Dc09Message,
  key: Buffer | null,
  { before, sinceMs }: { before?: SentBlocks; sinceMs?: number } = {},
): Verdict | null {
  const opened = openDc09(reply);
  if (!opened.ok || !answersDc09(opened.header, sent)) return null;
  if (opened.header.id === 'DUH') return { is: 'duh' };
  const decoded = decodeDc09(reply, key);
  if (opened.header.id === 'NAK') return { is: 'nak', timeMs: decoded.ok ? decoded.message.timestamp : null };
  const isGood = decoded.ok && isReceipt(decoded.message, sent, sinceMs) && !before?.in(reply);
  return { is: isGood ? 'acknowledged' : 'other-key' };
}
