import { randomInt } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import {
  answersDc09,
  type Dc09Header,
  type Dc09Message,
  decodeDc09,
  encodeDc09,
  openDc09,
  printDc09,
} from '../../protocol/codec/dc09.ts';
import { parseDc09Key } from '../../protocol/codec/dc09-cipher.ts';
import { cidData, siaData } from '../../protocol/codec/dc09-content.ts';
import type { KeyFormat, ReceiverProfile, ReceiverTest, ReceiverTestResult } from '../../protocol/wire/arc-receiver.ts';
import type { DialGuard } from './dial-guard.ts';
import { sendOnce } from './send-once.ts';

interface Attempt {
  result: ReceiverTestResult;
  frame: Buffer;
  reply: Buffer | null;
  opened: string | null;
  offsetMs: number | null;
  ms: number;
}

/**
 * One message from the relay to a receiver, so that a key or an address that does not fit shows while somebody looks, with what
 * is wrong: no answer, a bad CRC, or a good CRC that our key does not open. A refused time is corrected once, and a key that
 * can be read two ways (32 hex digits are 32 characters) is tried the other way, to say so.
 */
export async function testReceiver(
  { guard, clock }: { guard: DialGuard; clock: Clock },
  profile: ReceiverProfile,
  key: { text: string; format: KeyFormat } | null,
  { account, message }: { account: string; message: 'null' | 'test' },
): Promise<ReceiverTest> {
  const begun = clock.mono();
  const target = await guard.resolve(profile.relay.host);
  const resolved = { step: 'resolve' as const, ok: target.ok, ms: Math.round(clock.mono() - begun) };
  const nothing = { address: null, sent: null, answer: null, opened: null, clockOffsetMs: null };
  if (!target.ok)
    return { result: target.reason === 'internal' ? 'not-allowed' : 'not-found', steps: [resolved], ...nothing };

  const { relay, transport, ackTimeoutMs } = profile;
  const to = { address: target.address, port: relay.port, transport };
  const attempt = async (bytes: Buffer | null, offsetMs: number): Promise<Attempt> => {
    const sent = testMessage(profile, account, message, bytes !== null, clock.now() + offsetMs);
    const frame = encodeDc09(sent, { key: bytes });
    const since = clock.mono();
    const got = await sendOnce(to, frame, (reply) => isAnswer(reply, sent), ackTimeoutMs, clock);
    const ms = Math.round(clock.mono() - since);
    if (!('reply' in got)) return { result: failureOf(got), frame, reply: null, opened: null, offsetMs: null, ms };
    return { ...judge(got.reply, sent, bytes, clock.now()), frame, reply: got.reply, ms };
  };

  const bytes = key && parseDc09Key(key.text, key.format);
  let last = await attempt(bytes, 0);
  const offsetMs = last.offsetMs;
  if (last.result === 'refused' && offsetMs !== null && Math.abs(offsetMs) > 1_000) {
    last = await attempt(bytes, offsetMs);
    if (last.result === 'refused') last.result = 'clock';
  }
  const other = key && parseDc09Key(key.text, key.format === 'hex' ? 'characters' : 'hex');
  if (other && ['refused', 'clock', 'no-answer', 'decrypt-bad'].includes(last.result)) {
    const opens = last.reply !== null && decodeDc09(last.reply, other).ok && last.result === 'decrypt-bad';
    if (opens || (await attempt(other, offsetMs ?? 0)).result === 'ok') last.result = 'key-format';
  }
  return {
    result: last.result,
    steps: [resolved, ...stepsOf(last, bytes !== null)],
    address: target.address,
    sent: printDc09(last.frame),
    answer: last.reply && printDc09(last.reply),
    opened: last.opened,
    clockOffsetMs: offsetMs ?? last.offsetMs,
  };
}

/** NULL (§5.5.2), or a test message: RP, Contact ID 602. */
function testMessage(
  profile: ReceiverProfile,
  account: string,
  kind: 'null' | 'test',
  encrypted: boolean,
  timestamp: number,
): Dc09Message {
  const { protocol, partition, ownLine } = profile;
  const sia = protocol === 'SIA-DCS';
  const data = sia ? siaData(account, partition, 'RP', '', null) : cidData(account, '602', false, partition, '000');
  return {
    id: kind === 'null' ? 'NULL' : protocol,
    encrypted,
    sequence: kind === 'null' ? 0 : randomInt(1, 10_000),
    receiver: '0',
    line: ownLine.enabled ? ownLine.line : '0',
    account,
    data: kind === 'null' ? '' : data,
    xdata: [],
    timestamp,
  };
}

/** A frame that cannot be read is an answer too: it says what is wrong. */
function isAnswer(reply: Buffer, sent: Dc09Header): boolean {
  const opened = openDc09(reply);
  return !opened.ok || answersDc09(opened.header, sent);
}

function judge(
  reply: Buffer,
  sent: Dc09Header,
  key: Buffer | null,
  nowMs: number,
): Pick<Attempt, 'result' | 'opened' | 'offsetMs'> {
  const opened = openDc09(reply);
  const none = { opened: null, offsetMs: null };
  if (!opened.ok) return { result: 'crc-bad', ...none };
  const decoded = decodeDc09(reply, key);
  const timestamp = decoded.ok ? decoded.message.timestamp : null;
  const offsetMs = timestamp === null ? null : timestamp - Math.floor(nowMs / 1000) * 1000;
  const { id, encrypted } = opened.header;
  if (id === 'NAK') return { result: 'refused', opened: null, offsetMs };
  if (id === 'DUH') return { result: 'unsupported', ...none };
  if (!sent.encrypted) return { result: 'ok', opened: null, offsetMs };
  if (!encrypted) return { result: 'plain-answer', ...none };
  if (!decoded.ok || timestamp === null) return { result: 'decrypt-bad', ...none };
  const { data, xdata } = decoded.message;
  const inside = `[${data}]${xdata.map((x) => `[${x}]`).join('')}`.replace(/\[K[^\]]*/gi, '[K***');
  return { result: 'ok', opened: inside.replace(/[^\x20-\x7e]/g, '?'), offsetMs };
}

function failureOf({ code, sent }: { code: string; sent: boolean }): ReceiverTestResult {
  if (!sent) return 'no-connection';
  return code === 'timeout' ? 'no-answer' : 'reset';
}

function stepsOf({ result, ms }: Attempt, encrypted: boolean): ReceiverTest['steps'] {
  const connected = result !== 'no-connection';
  const answered = connected && result !== 'no-answer' && result !== 'reset';
  const steps: ReceiverTest['steps'] = [{ step: 'connect', ok: connected, ms: null }];
  if (connected) steps.push({ step: 'answer', ok: answered, ms: answered ? ms : null });
  if (answered) steps.push({ step: 'crc', ok: result !== 'crc-bad', ms: null });
  if (answered && encrypted && ['ok', 'decrypt-bad', 'plain-answer', 'key-format'].includes(result))
    steps.push({ step: 'key', ok: result === 'ok', ms: null });
  return steps;
}
