import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clipObjectId,
  contentSize,
  isSealedObject,
  newSiteKey,
  OBJECT_HEADER_BYTES,
  openObject,
  openRange,
  sealBytes,
  sealedSize,
  sealObject,
  siteKeyFromText,
  siteKeyText,
} from './object-cipher.ts';

const key = newSiteKey();
const id = clipObjectId('0198c2a8-0000-7000-8000-000000000001', 3);

describe('sealed objects (CLOUD-02)', () => {
  it('are opened from any byte on, without what stands before', () => {
    const content = randomBytes(1000);
    // A counter that is about to overflow.
    for (const nonce of [randomBytes(16), Buffer.alloc(16, 0xff)]) {
      const sealed = sealBytes(key, id, content, nonce);
      fc.assert(
        fc.property(fc.nat(1000), fc.nat(1000), (from, length) => {
          const head = sealed.subarray(0, OBJECT_HEADER_BYTES);
          const part = sealed.subarray(OBJECT_HEADER_BYTES + from, OBJECT_HEADER_BYTES + from + length);
          expect(openRange(key, id, head, from).update(part)).toEqual(content.subarray(from, from + length));
        }),
        { numRuns: 200 },
      );
    }
  });

  it('are the same as a stream and at once, and as the format says', async () => {
    const content = randomBytes(100_000);
    const nonce = randomBytes(16);
    const sealed = sealBytes(key, id, content, nonce);
    const chunks = [content.subarray(0, 1), content.subarray(1, 70_001), content.subarray(70_001)];
    expect(await buffer(Readable.from(chunks).pipe(sealObject(key, id, nonce)))).toEqual(sealed);
    expect(openObject(key, id, sealed)).toEqual(content);
    expect([sealedSize(content.length), contentSize(sealed.length)]).toEqual([sealed.length, content.length]);

    expect([sealed.toString('latin1', 0, 4), sealed.subarray(4, 20)]).toEqual(['GPE1', nonce]);
    const derived = Buffer.from(hkdfSync('sha256', key, id, 'gatepost-object-v1', 32));
    expect(createDecipheriv('aes-256-ctr', derived, nonce).update(sealed.subarray(20))).toEqual(content);
  });

  it('say nothing under another key or name, and are never the same twice', () => {
    const content = randomBytes(64);
    const sealed = sealBytes(key, id, content);
    expect(openObject(newSiteKey(), id, sealed)).not.toEqual(content);
    expect(openObject(key, clipObjectId('0198c2a8-0000-7000-8000-000000000001', 4), sealed)).not.toEqual(content);
    expect(sealBytes(key, id, content).subarray(20)).not.toEqual(sealed.subarray(20));
  });

  it('are told from what is none', () => {
    expect(isSealedObject(sealBytes(key, id, Buffer.alloc(0)))).toBe(true);
    expect(isSealedObject(Buffer.from('\0\0\0\x18ftypisom'))).toBe(false);
    expect(() => openObject(key, id, Buffer.from('\0\0\0\x18ftypisom, and some more of it'))).toThrow('no sealed');
    expect(() => openObject(key, id, Buffer.from('GPE1 cut'))).toThrow('no sealed');
    expect(siteKeyFromText(siteKeyText(key))).toEqual(key);
    expect(() => siteKeyFromText('short')).toThrow('32 bytes');
    expect(() => sealBytes(Buffer.alloc(16), id, Buffer.alloc(0))).toThrow('32 bytes');
  });
});
