import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encryptPush, generateVapidKeys, MAX_PAYLOAD_BYTES, usableKeys, vapidHeader } from './push-crypto.ts';
import { vapidKeys } from './vapid-file.ts';

const bytes = (text: string) => Buffer.from(text, 'base64url');
/** RFC 8291, section 5 and appendix A. */
const browser = {
  p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
};
const fixed = {
  salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
  privateKey: bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'),
};

describe('encryption of a push', () => {
  it('is that of RFC 8291’s example', () => {
    const body = encryptPush(Buffer.from('When I grow up, I want to be a watermelon'), browser, fixed);
    expect(body.toString('base64url')).toBe(
      'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
    );
  });

  it('refuses what does not fit into one record', () => {
    expect(() => encryptPush(Buffer.alloc(MAX_PAYLOAD_BYTES + 1), browser)).toThrow('too long');
    expect(encryptPush(Buffer.alloc(MAX_PAYLOAD_BYTES), browser).length).toBeLessThanOrEqual(4096 + 86);
  });

  it.each([
    ['those of a browser', browser, true],
    ['a point that is not on the curve', { ...browser, p256dh: `BA${'A'.repeat(85)}` }, false],
    ['a compressed point', { ...browser, p256dh: browser.p256dh.slice(0, 44) }, false],
    ['a short secret', { ...browser, auth: 'AAAA' }, false],
    ['nothing', { p256dh: '', auth: '' }, false],
  ])('says whether keys are usable: %s', (_, keys, usable) => {
    expect(usableKeys(keys)).toBe(usable);
  });
});

describe('VAPID', () => {
  it('names the push service, an end within a day and whom to write to, signed with ES256', () => {
    const keys = generateVapidKeys();
    const now = Date.UTC(2026, 5, 1);
    const header = vapidHeader(keys, 'https://push.example.net:8443/send/abc?x=1', 'mailto:ops@relay.example', now);
    const [, head, claims, signature, key] = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(header)!;
    expect(key).toBe(keys.publicKey);
    expect(JSON.parse(bytes(head!).toString())).toEqual({ typ: 'JWT', alg: 'ES256' });
    const told = JSON.parse(bytes(claims!).toString());
    expect(told).toMatchObject({ aud: 'https://push.example.net:8443', sub: 'mailto:ops@relay.example' });
    expect(told.exp * 1000 - now).toBeGreaterThan(0);
    expect(told.exp * 1000 - now).toBeLessThanOrEqual(86_400_000);
    const point = bytes(keys.publicKey);
    const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')];
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const signed = Buffer.from(`${head}.${claims}`);
    expect(verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes(signature!))).toBe(true);
  });

  it('keeps its keys over restarts, for nobody else to read, and refuses damaged ones', () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatepost-vapid-'));
    try {
      const first = vapidKeys(dir);
      expect(statSync(join(dir, 'vapid.json')).mode & 0o777).toBe(0o600);
      expect(vapidKeys(dir)).toEqual(first);
      writeFileSync(join(dir, 'vapid.json'), '{}');
      expect(() => vapidKeys(dir)).toThrow('damaged');
      expect(readFileSync(join(dir, 'vapid.json'), 'utf8')).toBe('{}');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
