/*
 * The browser's side of web push, on WebCrypto: RFC 8291 (opening a message), RFC 8188 (aes128gcm), RFC 8292 (VAPID).
 * Written from the RFCs, sharing nothing with who sends.
 */
const { subtle } = globalThis.crypto;
const P256 = { name: 'ECDH', namedCurve: 'P-256' } as const;
const utf8 = new TextEncoder();

export interface BrowserKeys {
  privateKey: CryptoKey;
  /** base64url */
  p256dh: string;
  auth: string;
}

export async function newBrowser(): Promise<BrowserKeys> {
  const { privateKey, publicKey } = await subtle.generateKey(P256, true, ['deriveBits']);
  const p256dh = base64url(new Uint8Array(await subtle.exportKey('raw', publicKey)));
  return { privateKey, p256dh, auth: base64url(crypto.getRandomValues(new Uint8Array(16))) };
}

/** What was sent. Throws when it was not for this browser, or was changed. */
export async function decryptPush(body: Uint8Array<ArrayBuffer>, keys: BrowserKeys): Promise<Uint8Array<ArrayBuffer>> {
  if (body.length < 21 + 65 + 17) throw new Error('too short for a push');
  const salt = body.slice(0, 16);
  const recordSize = new DataView(body.buffer, body.byteOffset).getUint32(16);
  const keyLength = body[20]!;
  if (keyLength !== 65) throw new Error('the sender’s key is no P-256 point');
  const senderKey = body.slice(21, 21 + keyLength);
  const record = body.slice(21 + keyLength);
  if (record.length > recordSize) throw new Error('more than one record');
  const sender = await subtle.importKey('raw', senderKey, P256, false, []);
  const shared = await subtle.deriveBits({ name: 'ECDH', public: sender }, keys.privateKey, 256);
  const info = concat(utf8.encode('WebPush: info\0'), fromBase64url(keys.p256dh), senderKey);
  const inputKey = await derive(new Uint8Array(shared), fromBase64url(keys.auth), info, 32);
  const key = await derive(inputKey, salt, utf8.encode('Content-Encoding: aes128gcm\0'), 16);
  const iv = await derive(inputKey, salt, utf8.encode('Content-Encoding: nonce\0'), 12);
  const aes = await subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']);
  const padded = new Uint8Array(await subtle.decrypt({ name: 'AES-GCM', iv }, aes, record));
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== 2) throw new Error('not the last record');
  return padded.slice(0, end);
}

/** The sender's key and claims. Throws when the token is not one for this push service, now. */
export async function verifyVapid(header: string, origin: string, nowMs: number) {
  const found = /^vapid\s+t=([\w-]+)\.([\w-]+)\.([\w-]+),\s*k=([\w-]+)$/.exec(header);
  if (!found) throw new Error('no VAPID authorization');
  const [, head, body, signature, key] = found as unknown as [string, string, string, string, string];
  const told = JSON.parse(new TextDecoder().decode(fromBase64url(head)));
  if (told.alg !== 'ES256') throw new Error(`the token is signed with ${told.alg}`);
  const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };
  const publicKey = await subtle.importKey('raw', fromBase64url(key), ecdsa, false, ['verify']);
  const right = await subtle.verify(
    { name: 'ECDSA', hash: 'SHA-256' },
    publicKey,
    fromBase64url(signature),
    utf8.encode(`${head}.${body}`),
  );
  if (!right) throw new Error('the token’s signature is wrong');
  const claims = JSON.parse(new TextDecoder().decode(fromBase64url(body))) as Record<string, unknown>;
  if (claims.aud !== origin) throw new Error(`the token is for ${claims.aud}`);
  if (typeof claims.exp !== 'number' || claims.exp * 1000 < nowMs) throw new Error('the token has expired');
  if (claims.exp * 1000 > nowMs + 86_400_000) throw new Error('the token lives longer than a day');
  if (typeof claims.sub !== 'string' || !/^(mailto|https):/.test(claims.sub))
    throw new Error('the token names no sender');
  return { key, claims };
}

async function derive(
  key: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  info: Uint8Array<ArrayBuffer>,
  length: number,
) {
  const material = await subtle.importKey('raw', key, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, material, length * 8));
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const fromBase64url = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'base64url'));
const concat = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat(parts));
