import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import type { SealedSecret } from '../wire/secret.ts';

/*
 * Sealing a secret to a box: X25519 with a fresh key, HKDF-SHA256 over both public keys, AES-256-GCM. Only the holder of
 * the box's private key opens it; the context (`device:{id}`, `arc:{id}`) is authenticated, so that one secret cannot be
 * put in the place of another.
 */

/** Raw 32-byte public key, base64url, as in EnrolRequest.sealKey. */
export function rawPublicKey(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x as string;
}

export function publicKeyFromRaw(curve: 'X25519' | 'Ed25519', raw: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x: raw }, format: 'jwk' });
}

function deriveKey(shared: Buffer, ephemeral: string, recipient: string): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, `${ephemeral}${recipient}`, 'gatepost-sealed-v1', 32));
}

export function seal(plaintext: string, recipientRaw: string, context: string): SealedSecret {
  const pair = generateKeyPairSync('x25519');
  const ephemeralKey = rawPublicKey(pair.publicKey);
  const shared = diffieHellman({ privateKey: pair.privateKey, publicKey: publicKeyFromRaw('X25519', recipientRaw) });
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', deriveKey(shared, ephemeralKey, recipientRaw), nonce);
  cipher.setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { v: 1, ephemeralKey, nonce: nonce.toString('base64url'), ciphertext: body.toString('base64url') };
}

/** Throws when the secret was sealed to another key, for another context, or was changed. */
export function open(sealed: SealedSecret, privateKey: KeyObject, context: string): string {
  const recipientRaw = rawPublicKey(createPublicKey(privateKey));
  const shared = diffieHellman({ privateKey, publicKey: publicKeyFromRaw('X25519', sealed.ephemeralKey) });
  const body = Buffer.from(sealed.ciphertext, 'base64url');
  const key = deriveKey(shared, sealed.ephemeralKey, recipientRaw);
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.nonce, 'base64url'));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(body.subarray(-16));
  return Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]).toString('utf8');
}
