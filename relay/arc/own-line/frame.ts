import { answersDc09, type Dc09Message, decodeDc09, formatDc09Time, openDc09 } from '../../../protocol/codec/dc09.ts';
import { cidData, siaData } from '../../../protocol/codec/dc09-content.ts';
import { isReceipt, type SentBlocks } from '../../../protocol/dc09/acknowledgement.ts';
import type { AlarmReport, ArcTry } from '../../../protocol/wire/event.ts';

type Protocol = AlarmReport['protocol'];

/** Of all paths together; the box's own faults of a single path carry 001 and up. */
export const ALL_PATHS = '000';
/** What happened this long ago must not look fresh: its own time goes along in `[H…]`. */
const DELAYED_AFTER_MS = 120_000;

/** "Communication lost" and "communication restored": Contact ID 350, SIA YC and YK. */
export function codeOf(kind: 'alarm' | 'restore', protocol: Protocol): string {
  if (protocol === 'ADM-CID') return kind === 'alarm' ? '1350' : '3350';
  return kind === 'alarm' ? 'YC' : 'YK';
}

export interface LineMessage {
  account: string;
  protocol: Protocol;
  code: string;
  zone: string;
  sequence: number;
  occurredAt: string;
}

/** The message as it leaves now: fresh time, same sequence number. `offsetMs`: how far the receiver's clock is ahead. */
export function lineMessage(
  line: { line: string; partition: number; key: Buffer | null },
  message: LineMessage,
  nowMs: number,
  offsetMs: number,
): Dc09Message {
  const { account, protocol, code, zone, sequence } = message;
  const occurred = Date.parse(message.occurredAt);
  return {
    id: protocol,
    encrypted: line.key !== null,
    sequence,
    receiver: '0',
    line: line.line,
    account,
    data:
      protocol === 'ADM-CID'
        ? cidData(account, code.slice(1), code.startsWith('3'), line.partition, zone)
        : siaData(account, line.partition, code, zone, null),
    xdata: nowMs - occurred > DELAYED_AFTER_MS ? [`H${formatDc09Time(occurred + offsetMs)}`] : [],
    timestamp: nowMs + offsetMs,
  };
}

export type Verdict = {
  is: Extract<ArcTry['outcome'], 'acknowledged' | 'nak' | 'duh' | 'other-key'>;
  timeMs: number | null;
};

/**
 * What a reply says; `timeMs`: the receiver's clock in a NAK. An encrypted message's ACK counts when our key opens it and it
 * is a receipt, nothing that we have sent ourselves (`before`).
 */
export function judge(reply: Buffer, sent: Dc09Message, key: Buffer | null, before: SentBlocks): Verdict {
  const opened = openDc09(reply);
  const decoded = decodeDc09(reply, key);
  const id = opened.ok ? opened.header.id : '';
  const timeMs = decoded.ok ? decoded.message.timestamp : null;
  if (id === 'NAK') return { is: 'nak', timeMs };
  if (id === 'DUH') return { is: 'duh', timeMs };
  const isGood = decoded.ok && isReceipt(decoded.message, sent) && !before.in(reply);
  return { is: isGood ? 'acknowledged' : 'other-key', timeMs };
}

/** Is this frame an answer to the message at all? */
export function answers(reply: Buffer, sent: Dc09Message): boolean {
  const opened = openDc09(reply);
  return opened.ok && answersDc09(opened.header, sent);
}
