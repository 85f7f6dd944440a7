import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * gp_live_ + 32 random characters + 6 of their CRC-32: a scanner of sources or logs tells such a key from other text
 * without asking anybody, and one that was mistyped is refused without looking it up.
 */
const PREFIX = 'gp_live_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM = 32;
const CHECK = 6;
/** What is shown of a key after it was made. */
export const SHOWN = PREFIX.length + 4;

export function newToken(): string {
  const random = Array.from({ length: RANDOM }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return PREFIX + random + check(random);
}

export function isToken(text: string): boolean {
  if (!text.startsWith(PREFIX) || text.length !== PREFIX.length + RANDOM + CHECK) return false;
  const random = text.slice(PREFIX.length, -CHECK);
  return text.endsWith(check(random));
}

function check(random: string): string {
  let rest = crc32(random);
  let text = '';
  for (let i = 0; i < CHECK; i++) {
    text = ALPHABET[rest % ALPHABET.length] + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}
