/*
 * The data blocks inside a DC-09 message: SIA (DC-03) and Contact ID (DC-05). Written here; read in dc09-parse.ts.
 *
 *   SIA-DCS   #acct|Nri<area>/<code><number>[|A<text>]
 *   ADM-CID   #acct|QEEE GG ZZZ        Q: 1 new or opening, 3 restore or closing
 */

/** One event of a message that was received, in the words of its protocol. */
export interface Dc09Event {
  protocol: 'SIA-DCS' | 'ADM-CID';
  /** As sent, without its number: `1130`, `BA`. */
  code: string;
  /** Contact ID's 1, 3 and 6; in SIA `end` where the code itself is a restore, unbypass or end. */
  qualifier: 'begin' | 'end' | 'still';
  /** Three digits of Contact ID, or two letters of SIA. */
  event: string;
  /** Partition; null: none. */
  area: number | null;
  /** The number at the end as sent, leading zeros and all: zone, or user where the code speaks of one; null: none (or 000). */
  zone: string | null;
  /** Who: the number of a code that speaks of users, or SIA's `id`. */
  user: string | null;
  /** SIA's `^…^` and `|A…`, and `[I…]`. */
  text: string | null;
  /** SIA's `O`: an old event, perhaps told before. */
  old: boolean;
  /** From `[H…]`, UTC milliseconds; null: it is not said. */
  occurredAt: number | null;
  /** Addresses in `[V…]`. */
  pictures: string[];
  /** The account named inside the block; null: none. */
  account: string | null;
}

/** All events of one message; most senders put one into each. */
export type Dc09Content = Dc09Event[];

/** Of a text like this its `A` would make an event code: `AR001`. */
const LIKE_CODE = /^[A-Z]\d*$/;

/** `code` two letters, `area` 0–99, `number` zone or user 0–999, `text` already cleaned. */
export function siaData(account: string, area: number, code: string, number: string, text: string | null): string {
  return `#${account}|Nri${area}/${code}${number}${text ? `|A${LIKE_CODE.test(text) ? ' ' : ''}${text}` : ''}`;
}

/** `event` three digits; `restore` makes the qualifier 3. */
export function cidData(account: string, event: string, restore: boolean, area: number, number: string): string {
  return `#${account}|${restore ? 3 : 1}${event} ${String(area).padStart(2, '0')} ${number}`;
}

const GERMAN: Record<string, string> = { ä: 'ae', ö: 'oe', ü: 'ue', Ä: 'Ae', Ö: 'Oe', Ü: 'Ue', ß: 'ss' };

/**
 * Makes a text fit for any receiver: ASCII only (Windows-1252 and UTF-8 readers disagree on the length, and so on the CRC),
 * nothing that ends a block, at most `max` characters.
 */
export function dc09Text(text: string, max = 256): string {
  return text
    .replace(/[äöüÄÖÜß]/g, (c) => GERMAN[c]!)
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[[\]|^"\p{Cc}]/gu, ' ')
    .replace(/[^\x20-\x7e]/gu, '?')
    .replace(/ +/g, ' ')
    .trim()
    .slice(0, max);
}
