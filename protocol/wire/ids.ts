import { z } from 'zod';

/** UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits; sorts by time of creation. */
export function uuidv7(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = nowMs;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const Uuid = z.uuid();

/** Times on the wire are UTC ISO 8601 with milliseconds. */
export const Instant = z.iso.datetime();

/** Letters and digits that cannot be mistaken for one another (no 0/O, 1/I/L, 2/Z, 5/S, 8/B). */
export const SERIAL_ALPHABET = '34679ACDEFGHJKMNPQRTUVWXY';

/** A box's serial: 9 characters of {@link SERIAL_ALPHABET}; other software insists on at most 9 (SN rows). */
export const Serial = z
  .string()
  .regex(/^[34679ACDEFGHJKMNPQRTUVWXY]{9}$/, 'a serial has 9 characters')
  .meta({ example: 'GATEPXTK7' });

/** Verification code printed on the set-up page: 10 characters of {@link SERIAL_ALPHABET} (about 46 bits). */
export const VerificationCode = z
  .string()
  .regex(/^[34679ACDEFGHJKMNPQRTUVWXY]{10}$/, 'a code has 10 characters')
  .meta({ example: 'K7M4PQ9RTX' });

/** Name or address of something that is dialled: no blanks, and no control characters, on which Node's sockets throw. */
export const Host = z
  .string()
  .max(255)
  .regex(/^[^\s\p{Cc}]+$/u, 'a name or an address, without blanks')
  .meta({ example: '192.0.2.10' });
