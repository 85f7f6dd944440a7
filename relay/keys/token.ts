import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * gp_live_ (a key, or its secret) or gp_access_ (what both are exchanged for) + 32 random characters + 6 of their CRC-32: a scanner of sources or logs tells such a key from other text
 * without asking anybody, and one that was mistyped is refused without looking it up.
 */
const LIVE = 'gp_live_';
export const ACCESS = 'gp_access_';
type Prefix = typeof LIVE | typeof ACCESS;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM = 32;
const CHECK = 6;
/** What is shown of a key after it was made. */
export const SHOWN = LIVE.length + 4;

export function newToken(prefix: Prefix = LIVE): string {
  const random = Array.from({ length: RANDOM }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return prefix + random + check(random);
}

export function isToken(text: string, prefix: Prefix = LIVE): boolean {
  if (!text.startsWith(prefix) || text.length !== prefix.length + RANDOM + CHECK) return false;
  const random = text.slice(prefix.length, -CHECK);
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
