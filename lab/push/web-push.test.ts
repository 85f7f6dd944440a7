import { describe, expect, it } from 'vitest';
import { decryptPush, newBrowser } from './web-push.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
const point = Buffer.from(
  'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  'base64url',
);
/** RFC 8291, section 5 and appendix A. */
const EXAMPLE =
  'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';

describe('the browser’s side of web push', () => {
  it('opens RFC 8291’s example, and nothing that was changed or is for another', async () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      d: 'q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    };
    const ecdh = { name: 'ECDH', namedCurve: 'P-256' };
    const privateKey = await crypto.subtle.importKey('jwk', jwk, ecdh, false, ['deriveBits']);
    const keys = { privateKey, p256dh: point.toString('base64url'), auth: 'BTBZMqHH6r4Tts7J_aSIgg' };
    expect(Buffer.from(await decryptPush(bytes(EXAMPLE), keys)).toString()).toBe(
      'When I grow up, I want to be a watermelon',
    );
    const changed = bytes(EXAMPLE);
    changed[120]! ^= 1;
    await expect(decryptPush(changed, keys)).rejects.toThrow();
    await expect(decryptPush(bytes(EXAMPLE), await newBrowser())).rejects.toThrow();
    await expect(decryptPush(new Uint8Array(50), keys)).rejects.toThrow('too short');
  });
});
