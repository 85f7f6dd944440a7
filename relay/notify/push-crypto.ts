import { createCipheriv, createECDH, createPrivateKey, hkdfSync, randomBytes, sign } from 'node:crypto';

/*
 * Web push: RFC 8291 (the message for one browser, with RFC 8188's aes128gcm) and RFC 8292 (VAPID: who sends it).
 */

export interface BrowserKeys {
  /** Uncompressed P-256 point, base64url. */
  p256dh: string;
  /** 16 bytes, base64url. */
  auth: string;
}
export interface VapidKeys {
  /** Uncompressed P-256 point, base64url: what browsers subscribe with. */
  publicKey: string;
  /** The private scalar, base64url. */
  privateKey: string;
}

const RECORD_SIZE = 4096;
/** What fits into one record beside header, padding mark and tag (RFC 8291 §4). */
export const MAX_PAYLOAD_BYTES = 3993;

/** Whether a message can be encrypted for these keys: a point on the curve and 16 bytes. */
export function usableKeys({ p256dh, auth }: BrowserKeys): boolean {
  try {
    const ecdh = createECDH('prime256v1');
    ecdh.generateKeys();
    ecdh.computeSecret(Buffer.from(p256dh, 'base64url'));
    return Buffer.from(auth, 'base64url').length === 16;
  } catch {
    return false;
  }
}

/** The body of a push for one browser. `fixed`: for the test vector of RFC 8291. */
export function encryptPush(payload: Buffer, keys: BrowserKeys, fixed?: { salt: Buffer; privateKey: Buffer }): Buffer {
  if (payload.length > MAX_PAYLOAD_BYTES) throw new Error(`a push of ${payload.length} bytes is too long`);
  const ecdh = createECDH('prime256v1');
  if (fixed) ecdh.setPrivateKey(fixed.privateKey);
  else ecdh.generateKeys();
  const salt = fixed?.salt ?? randomBytes(16);
  const own = ecdh.getPublicKey();
  const theirs = Buffer.from(keys.p256dh, 'base64url');
  const secret = ecdh.computeSecret(theirs);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), theirs, own]);
  const inputKey = hkdf(secret, Buffer.from(keys.auth, 'base64url'), info, 32);
  const key = hkdf(inputKey, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = hkdf(inputKey, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  // 2 marks the end of the last record.
  const sealed = [cipher.update(Buffer.concat([payload, Buffer.from([2])])), cipher.final(), cipher.getAuthTag()];
  const header = Buffer.alloc(21);
  salt.copy(header);
  header.writeUInt32BE(RECORD_SIZE, 16);
  header.writeUInt8(own.length, 20);
  return Buffer.concat([header, own, ...sealed]);
}

const hkdf = (key: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, info, length));

export function generateVapidKeys(): VapidKeys {
  const ecdh = createECDH('prime256v1');
  const publicKey = ecdh.generateKeys().toString('base64url');
  // Leading zeros are part of it.
  const privateKey = ecdh.getPrivateKey().toString('hex').padStart(64, '0');
  return { publicKey, privateKey: Buffer.from(privateKey, 'hex').toString('base64url') };
}

/** The `Authorization` of a push to an endpoint; `subject` is whom its push service can write to. */
export function vapidHeader(keys: VapidKeys, endpoint: string, subject: string, nowMs: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(nowMs / 1000) + 12 * 3600;
  const body = `${part({ typ: 'JWT', alg: 'ES256' })}.${part({ aud: new URL(endpoint).origin, exp, sub: subject })}`;
  const point = Buffer.from(keys.publicKey, 'base64url');
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: keys.privateKey,
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  const signature = sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  return `vapid t=${body}.${signature}, k=${keys.publicKey}`;
}
