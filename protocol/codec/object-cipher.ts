import { createCipheriv, createDecipheriv, type Decipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';

/*
 * Footage is encrypted on the box, before it touches a disk, and stays so wherever it is stored:
 *
 *   object = "GPE1" · nonce (16 bytes) · AES-256-CTR(key, counter = nonce, content)
 *   key    = HKDF-SHA256(site key, salt = object's id, info = "gatepost-object-v1")
 *
 * Counter mode (NIST SP 800-38A §6.5) lets a player read any range of an object without the rest of it. It says nothing
 * of changed bytes: that is what the SHA-256 of the sealed object is for, which the box reports beside it. As each object
 * has a key of its own, a counter that overflows or repeats in another object harms nobody.
 */
const MAGIC = Buffer.from('GPE1', 'latin1');
const NONCE_BYTES = 16;
const BLOCK_BYTES = 16;
export const OBJECT_HEADER_BYTES = MAGIC.length + NONCE_BYTES;
const SITE_KEY_BYTES = 32;

/** What an object is called in its key: fragment `n` of a clip, wherever it is stored. */
export function clipObjectId(clipId: string, n: number): string {
  return `clips/${clipId}/${n}`;
}

/** A new key for a site's footage. */
export function newSiteKey(): Buffer {
  return randomBytes(SITE_KEY_BYTES);
}

/** A site's key as text: what DesiredRecording.key.secret holds, sealed to the box for `recording:{key id}`. */
export function siteKeyText(siteKey: Buffer): string {
  return siteKey.toString('base64url');
}

/** Throws for what is no key. */
export function siteKeyFromText(text: string): Buffer {
  const siteKey = Buffer.from(text, 'base64url');
  if (siteKey.length !== SITE_KEY_BYTES) throw new Error(`a site key has ${SITE_KEY_BYTES} bytes`);
  return siteKey;
}

/** Size of the sealed object of so many bytes of content. */
export function sealedSize(contentBytes: number): number {
  return contentBytes + OBJECT_HEADER_BYTES;
}

/** Size of the content of a sealed object; negative for what can be none. */
export function contentSize(sealedBytes: number): number {
  return sealedBytes - OBJECT_HEADER_BYTES;
}

/** Encrypts an object as it passes; the header goes first. */
export function sealObject(siteKey: Buffer, objectId: string, nonce = randomBytes(NONCE_BYTES)): Transform {
  const cipher = createCipheriv('aes-256-ctr', objectKey(siteKey, objectId), nonce);
  const out = new Transform({
    transform(chunk: Buffer, _, done) {
      done(null, cipher.update(chunk));
    },
    flush(done) {
      done(null, cipher.final());
    },
  });
  out.push(Buffer.concat([MAGIC, nonce]));
  return out;
}

/** The same at once, for what is in memory anyway. */
export function sealBytes(
  siteKey: Buffer,
  objectId: string,
  content: Uint8Array,
  nonce = randomBytes(NONCE_BYTES),
): Buffer {
  const cipher = createCipheriv('aes-256-ctr', objectKey(siteKey, objectId), nonce);
  return Buffer.concat([MAGIC, nonce, cipher.update(content), cipher.final()]);
}

/**
 * Decrypts an object's content from byte `offset` on: what is put in are the object's bytes from
 * `OBJECT_HEADER_BYTES + offset`. `header` are its first {@link OBJECT_HEADER_BYTES} bytes; throws when they are none.
 */
export function openRange(siteKey: Buffer, objectId: string, header: Uint8Array, offset: number): Decipheriv {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  if (bytes.length !== OBJECT_HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error('this is no sealed object');
  }
  const counter = counterAt(bytes.subarray(MAGIC.length), Math.floor(offset / BLOCK_BYTES));
  const decipher = createDecipheriv('aes-256-ctr', objectKey(siteKey, objectId), counter);
  decipher.update(Buffer.alloc(offset % BLOCK_BYTES));
  return decipher;
}

/** Content of a whole sealed object; throws when it is none. */
export function openObject(siteKey: Buffer, objectId: string, sealed: Buffer): Buffer {
  const decipher = openRange(siteKey, objectId, sealed.subarray(0, OBJECT_HEADER_BYTES), 0);
  return Buffer.concat([decipher.update(sealed.subarray(OBJECT_HEADER_BYTES)), decipher.final()]);
}

/** Whether bytes begin as a sealed object does. */
export function isSealedObject(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

function objectKey(siteKey: Buffer, objectId: string): Buffer {
  if (siteKey.length !== SITE_KEY_BYTES) throw new Error(`a site key has ${SITE_KEY_BYTES} bytes`);
  return Buffer.from(hkdfSync('sha256', siteKey, objectId, 'gatepost-object-v1', 32));
}

/** The counter is one big-endian number of 128 bits that wraps, as OpenSSL counts. */
function counterAt(nonce: Buffer, blocks: number): Buffer {
  const value = (BigInt(`0x${nonce.toString('hex')}`) + BigInt(blocks)) & ((1n << 128n) - 1n);
  return Buffer.from(value.toString(16).padStart(2 * NONCE_BYTES, '0'), 'hex');
}
