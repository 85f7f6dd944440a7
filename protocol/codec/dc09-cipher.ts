import { createCipheriv, createDecipheriv, randomInt } from 'node:crypto';

/*
 * The encrypted form of DC-09 (§5.4): AES-CBC with an IV of zero bytes, no PKCS padding. The pad in front of the text
 * makes it a multiple of 16 and is its only nonce. Nothing authenticates the text: confidentiality only.
 */

/** Reads a key as people have it: 32, 48 or 64 hex digits, or 16, 24 or 32 characters. null: neither. */
export function parseDc09Key(text: string, format: 'hex' | 'characters'): Buffer | null {
  if (format === 'hex' && !/^([0-9a-f]{2})+$/i.test(text)) return null;
  const key = Buffer.from(text, format === 'hex' ? 'hex' : 'latin1');
  const exact = format === 'hex' || key.toString('latin1') === text;
  return exact && [16, 24, 32].includes(key.length) ? key : null;
}

/**
 * A random pad. Any byte but `|`, `[` and `]` may stand in it; letters and digits are taken, because receivers in the field
 * read the whole text as UTF-8 and refuse what is none.
 */
export function randomPad(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => LETTERS.charCodeAt(randomInt(LETTERS.length))));
}
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `tail` is everything after the header's `[`; gives the ciphertext in upper-case hex. */
export function encryptTail(tail: Buffer, key: Buffer, pad: (count: number) => Buffer = randomPad): string {
  const count = 16 - ((tail.length + 1) % 16);
  const cipher = createCipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16)).setAutoPadding(false);
  const text = Buffer.concat([pad(count), Buffer.from('|'), tail]);
  return Buffer.concat([cipher.update(text), cipher.final()])
    .toString('hex')
    .toUpperCase();
}

const BLOCKS = /^[^[\]]*\](?:\[[^[\]]*\])*_[^[\]]*$/;
const TIME_AT_END = /\]_\d{1,2}:\d{1,2}:\d{1,2},\d{1,2}-\d{1,2}-\d{4}/g;

/**
 * Gives the text after the pad, up to its timestamp, one character a byte; null when it is not DC-09 (another key).
 * Tolerates what is seen in the field: lower-case hex, a closing bracket, up to a block of PKCS padding, zeros or line ends
 * behind the timestamp, a pad with brackets or bars in it, and no `|` at all (then there is no data).
 */
export function decryptTail(hex: string, key: Buffer): string | null {
  const digits = hex.endsWith(']') ? hex.slice(0, -1) : hex;
  if (!/^([0-9a-f]{32})+$/i.test(digits)) return null;
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, Buffer.alloc(16)).setAutoPadding(false);
  const text = Buffer.concat([decipher.update(digits, 'hex'), decipher.final()]).toString('latin1');
  const last = [...text.matchAll(TIME_AT_END)].at(-1);
  if (!last) return null;
  const end = last.index + last[0].length;
  if (text.length - end > 16) return null;
  for (let bar = text.indexOf('|'); bar >= 0 && bar < end; bar = text.indexOf('|', bar + 1)) {
    const blocks = text.slice(bar + 1, end);
    if (BLOCKS.test(blocks)) return blocks;
  }
  return last[0];
}
