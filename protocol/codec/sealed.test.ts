import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SealedSecret } from '../wire/secret.ts';
import { open, rawPublicKey, seal } from './sealed.ts';

const box = generateKeyPairSync('x25519');
const boxKey = rawPublicKey(box.publicKey);

describe('sealed secrets', () => {
  it('opens what was sealed to it, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'grapheme' }), (text) => {
        const sealed = seal(text, boxKey, 'device:1');
        expect(open(SealedSecret.parse({ ...sealed }), box.privateKey, 'device:1')).toBe(text);
      }),
      { numRuns: 30 },
    );
  });

  it('refuses another key, another context and a changed ciphertext', () => {
    const sealed = seal('s3cret', boxKey, 'device:1');
    expect(() => open(sealed, generateKeyPairSync('x25519').privateKey, 'device:1')).toThrow();
    expect(() => open(sealed, box.privateKey, 'device:2')).toThrow();
    const changed = Buffer.from(sealed.ciphertext, 'base64url');
    changed[0]! ^= 1;
    expect(() => open({ ...sealed, ciphertext: changed.toString('base64url') }, box.privateKey, 'device:1')).toThrow();
  });

  it('never gives the same ciphertext twice', () => {
    expect(seal('x', boxKey, 'c').ciphertext).not.toBe(seal('x', boxKey, 'c').ciphertext);
  });
});
