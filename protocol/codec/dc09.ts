import { crc16 } from './crc16.ts';
import { decryptTail, encryptTail } from './dc09-cipher.ts';

/*
 * ANSI/SIA DC-09 (2013 edition): alarm messages from a site to an alarm receiving centre, over TCP or UDP.
 *
 *   LF crc 0LLL "id" seq [Rrcvr] Lline #acct [data] [xdata]… _HH:MM:SS,MM-DD-YYYY CR
 *
 *   crc    4 upper-case hex digits, CRC-16/ARC over first `"` … last byte before CR (§5.5.1.2). Readings of the 2007
 *          edition send 2 binary bytes instead; they are read here too.
 *   0LLL   `0` and 3 hex digits, byte count of the same region
 *   id     SIA-DCS, ADM-CID, NULL from a site; ACK, NAK, DUH, RSP from a receiver; `*` in front: encrypted (§5.4)
 *   seq    0001…9999, then 0001 again; NULL and NAK use 0000
 *   R L #  receiver, line, account; hex digits; leading zeros are significant
 *   time   UTC; must be there when encrypted
 *
 * Everything after the header's `[` is replaced by hex ciphertext when encrypted; CRC and length are over what is sent.
 * Text is one character a byte (Latin-1), so that lengths and CRC are over bytes whatever the alphabet.
 */

const MAX_DC09_BODY = 0xfff;
/** LF, CRC, length, body, CR. */
export const MAX_DC09_FRAME = 1 + 4 + 4 + MAX_DC09_BODY + 1;

export interface Dc09Header {
  /** Without the `*` of an encrypted message. */
  id: string;
  encrypted: boolean;
  sequence: number;
  /** Digits after `R`; null: no `R` at all. */
  receiver: string | null;
  /** Digits after `L`; null: no `L` at all. */
  line: string | null;
  /** null: none, as in a NAK. */
  account: string | null;
}

export interface Dc09Message extends Dc09Header {
  /** Between the first brackets: `#1234|Nri1/BA003`, or empty. */
  data: string;
  /** Extended data, each beginning with its identifier: `H03:04:00,01-02-2026`. */
  xdata: string[];
  /** UTC milliseconds, whole seconds; null: none, or not readable. */
  timestamp: number | null;
}

export type Dc09Error = 'format' | 'length' | 'crc' | 'key';
export type Dc09Decoded =
  | { ok: true; message: Dc09Message; binaryCrc: boolean }
  | { ok: false; code: Dc09Error; header: Dc09Header | null };

/** `HH:MM:SS,MM-DD-YYYY` in UTC, as in the timestamp and in `[H…]`. */
export function formatDc09Time(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(11, 19)},${iso.slice(5, 10)}-${iso.slice(0, 4)}`;
}

/** The reverse of {@link formatDc09Time}; null for what is no date. A leading zero may be missing, as in some receivers' replies. */
export function parseDc09Time(text: string): number | null {
  const m = /^(\d{1,2}):(\d{1,2}):(\d{1,2}),(\d{1,2})-(\d{1,2})-(\d{4})$/.exec(text);
  if (!m) return null;
  const [hour, minute, second, month, day] = m.slice(1, 6).map((part) => part.padStart(2, '0'));
  const full = `${hour}:${minute}:${second},${month}-${day}-${m[6]}`;
  const ms = Date.parse(`${m[6]}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes 30 February for 2 March.
  return Number.isNaN(ms) || formatDc09Time(ms) !== full ? null : ms;
}

/**
 * The frame as sent, LF to CR. With a key an `encrypted` message is encrypted; `pad` is for tests (default: random).
 * Throws on what no caller may hand over: brackets or line ends in the data, no key, no time, over 4095 bytes.
 */
export function encodeDc09(
  message: Dc09Message,
  options: { key?: Buffer | null; pad?: (count: number) => Buffer; binaryCrc?: boolean } = {},
): Buffer {
  const m = message;
  for (const part of [m.data, ...m.xdata]) {
    if (/[[\]\r\n]|[^\p{ASCII}\x80-\xff]/u.test(part))
      throw new RangeError('DC-09 data with a bracket, a line end or a wide character');
  }
  const receiver = m.receiver === null ? '' : `R${m.receiver}`;
  const line = m.line === null ? '' : `L${m.line}`;
  const account = m.account === null ? (m.id === 'NAK' ? 'A0' : '') : `#${m.account}`;
  const sequence = String(m.sequence).padStart(4, '0');
  const head = `"${m.encrypted ? '*' : ''}${m.id}"${sequence}${receiver}${line}${account}[`;
  const time = m.timestamp === null ? '' : `_${formatDc09Time(m.timestamp)}`;
  const tail = `${m.data}]${m.xdata.map((x) => `[${x}]`).join('')}${time}`;
  if (m.encrypted && (!options.key || !time)) throw new RangeError('an encrypted DC-09 message needs a key and a time');
  const rest = m.encrypted ? encryptTail(Buffer.from(tail, 'latin1'), options.key!, options.pad) : tail;
  const body = Buffer.from(head + rest, 'latin1');
  return frameOf(body, options.binaryCrc);
}

/** Puts CRC and length before a body, LF and CR around it. */
function frameOf(body: Buffer, binaryCrc = false): Buffer {
  if (body.length > MAX_DC09_BODY) throw new RangeError(`DC-09 message of ${body.length} bytes`);
  const crc = crc16(body);
  const crcBytes = binaryCrc ? Buffer.from([crc >>> 8, crc & 0xff]) : Buffer.from(hex4(crc));
  return Buffer.concat([Buffer.from('\n'), crcBytes, Buffer.from(hex4(body.length)), body, Buffer.from('\r')]);
}

/**
 * The frame of a receiver's reply (§5.5.3): ACK and DUH repeat sequence, receiver, line and account as they were sent
 * (`prefix` of {@link openDc09}); with a key the ACK is encrypted, which only an encrypted message may get. NAK names nobody
 * and carries the receiver's clock.
 */
export function replyDc09(
  reply: { id: 'ACK' | 'DUH'; prefix: string; key?: Buffer | null } | { id: 'NAK' },
  nowMs: number,
  options: { binaryCrc?: boolean; pad?: (count: number) => Buffer } = {},
): Buffer {
  const time = `]_${formatDc09Time(nowMs)}`;
  let body = `"NAK"0000R0L0A0[${time}`;
  if (reply.id !== 'NAK') {
    body =
      reply.id === 'ACK' && reply.key
        ? `"*ACK"${reply.prefix}[${encryptTail(Buffer.from(time), reply.key, options.pad)}`
        : `"${reply.id}"${reply.prefix}[]`;
  }
  return frameOf(Buffer.from(body, 'latin1'), options.binaryCrc);
}

/** A frame as it may be shown and kept: without LF and CR, a key handed over in it (`[K…]`) masked, no ASCII as `?`. */
export function printDc09(frame: Buffer): string {
  const start = bodyStart(frame);
  const text = frame.toString('latin1', start === 7 ? 3 : 1).replace(/[\r\0]+$/, '');
  const crc = start === 7 ? frame.toString('hex', 1, 3).toUpperCase() : '';
  return (crc + text).replace(/\[K[^\]]*/gi, '[K***').replace(/[^\x20-\x7e]/g, '?');
}

const hex4 = (n: number): string => n.toString(16).toUpperCase().padStart(4, '0');

// The line is matched lazily: a NAK has `L0A0[`, where `A0` stands in the account's place. A receiver in the field writes
// `RNone` where it got no `R`.
const HEAD =
  /^"(\*?)([A-Z][A-Z0-9-]{1,15})"(\d{4})(?:R([0-9a-f]{0,6}|None))?(?:L([0-9a-f]{0,6}?))?(?:#([0-9a-f]{1,16})|A0)?\[/i;
const TAIL = /^([^[\]]*)\]((?:\[[^[\]]*\])*)(?:_([^\r\n]*))?$/;

type Opened =
  | { ok: true; header: Dc09Header; prefix: string; tail: string; binaryCrc: boolean }
  | { ok: false; code: Dc09Error; header: null };

/**
 * Checks length and CRC and reads the header; needs no key. As sent: `prefix` from sequence to account, which a reply
 * repeats letter for letter, and `tail`, all that follows the header's `[`.
 */
export function openDc09(frame: Buffer): Opened {
  const fail = (code: Dc09Error): Opened => ({ ok: false, code, header: null });
  let end = frame.length;
  while (end > 0 && frame[end - 1] === 0) end--;
  const start = bodyStart(frame);
  if (frame[0] !== 0x0a || frame[end - 1] !== 0x0d || start === null) return fail('format');
  const body = frame.subarray(start, end - 1);
  const lengthDigits = frame.toString('latin1', start - 4, start);
  if (!/^0[0-9a-f]{3}$/i.test(lengthDigits)) return fail('format');
  if (Number.parseInt(lengthDigits, 16) !== body.length) return fail('length');
  const sent = start === 9 ? frame.toString('latin1', 1, 5) : frame.toString('hex', 1, 3);
  if (sent.toUpperCase() !== hex4(crc16(body))) return fail('crc');
  const text = body.toString('latin1');
  const m = HEAD.exec(text);
  if (!m) return fail('format');
  return {
    ok: true,
    header: {
      id: m[2]!.toUpperCase(),
      encrypted: m[1] === '*',
      sequence: Number(m[3]),
      receiver: m[4] ?? null,
      line: m[5] ?? null,
      account: m[6]?.toUpperCase() ?? null,
    },
    prefix: text.slice(m[1]!.length + m[2]!.length + 2, m[0].length - 1),
    tail: text.slice(m[0].length),
    binaryCrc: start === 7,
  };
}

/** Where the body begins: 9 after an ASCII CRC, 7 after a binary one; null: neither. */
export function bodyStart(frame: Buffer): 9 | 7 | null {
  if (frame[5] === 0x30 && frame[9] === 0x22) return 9;
  if (frame[3] === 0x30 && frame[7] === 0x22) return 7;
  return null;
}

/** Reads a whole frame; an encrypted one needs the key (`key` error without it, or with another one). */
export function decodeDc09(frame: Buffer, key: Buffer | null = null): Dc09Decoded {
  const opened = openDc09(frame);
  if (!opened.ok) return opened;
  const { header } = opened;
  const tail = header.encrypted ? key && decryptTail(opened.tail, key) : opened.tail;
  if (tail === null) return { ok: false, code: 'key', header };
  const m = TAIL.exec(tail);
  if (!m) return { ok: false, code: header.encrypted ? 'key' : 'format', header };
  const timestamp = m[3] === undefined ? null : parseDc09Time(m[3]);
  if (header.encrypted && timestamp === null) return { ok: false, code: 'key', header };
  const xdata = m[2] ? m[2].slice(1, -1).split('][') : [];
  return { ok: true, message: { ...header, data: m[1]!, xdata, timestamp }, binaryCrc: opened.binaryCrc };
}

/** Is `reply` the answer to `message`? NAK has no number; everything else must carry ours and our account. */
export function answersDc09(reply: Dc09Header, message: Pick<Dc09Header, 'sequence' | 'account'>): boolean {
  if (reply.id === 'NAK') return true;
  return (
    ['ACK', 'DUH', 'RSP'].includes(reply.id) && reply.sequence === message.sequence && reply.account === message.account
  );
}
