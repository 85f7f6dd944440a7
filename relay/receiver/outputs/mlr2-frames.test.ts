import { describe, expect, it } from 'vitest';
import { sample } from '../testing/centre.ts';
import { Mlr2Accounts } from './mlr2-accounts.ts';
import { cidFrame, heartbeatFrame, siaFrame } from './mlr2-frames.ts';
import { newWebhookSecret, signatureHeaders, webhookSecret } from './webhook-signature.ts';

const source = { receiver: '01', line: '1' };
const event = { qualifier: 'begin' as const, area: 1, zone: '001', text: null };
const accounts = (list: { from: string; to: string }[] = []) =>
  new Mlr2Accounts({ accounts: list, otherAccount: '0000' });
const frames = (map: Mlr2Accounts, account: string, more = {}) =>
  map
    .frames(source, {
      ...sample(account, 1),
      id: '',
      repeatOf: null,
      extended: [],
      occurredAt: null,
      receivedAt: '',
      ...more,
    } as never)
    .map(String);

describe('Sur-Gard MLR2', () => {
  it('is written as the automation software expects it', () => {
    // The sample of the protocol's description.
    expect(String(cidFrame(source, '1234', { ...event, event: '121' }))).toBe('5011 181234E12101001\x14');
    expect(String(cidFrame(source, '1234', { ...event, event: '401', qualifier: 'end', zone: '12' }))).toBe(
      '5011 181234R40101012\x14',
    );
    expect(
      String(cidFrame(source, '1234', { ...event, event: '302', qualifier: 'still', area: null, zone: null })),
    ).toBe('5011 181234P30200000\x14');
    expect(String(siaFrame(source, '1234', { ...event, event: 'BA' }))).toBe('3011      1234BA0001\x14');
    expect(String(heartbeatFrame(source))).toBe('1011           @    \x14');
    // Nothing is left out because it cannot be read.
    expect(String(cidFrame(source, '1234', { ...event, event: 'zz' }))).toBe('5011 181234E15001001\x14');
  });

  it('maps accounts that do not fit, and never cuts one to a number that may be somebody else’s', () => {
    const map = accounts([{ from: '0012345678', to: 'A001' }]);
    expect(frames(map, '0012345678')).toEqual(['5011 18A001E13000001\x14']);
    expect(frames(map, '123')).toEqual(['5011 180123E13000001\x14']);
    expect(frames(map, '99991234')).toEqual(['5011 180000E13000001\x14']);
    // What another account was mapped to belongs to that one.
    expect(frames(map, 'A001')).toEqual(['5011 180000E13000001\x14']);
    expect(map.unmapped).toEqual(['99991234', 'A001']);
    const sia = {
      protocol: 'SIA-DCS',
      events: [
        { ...event, event: 'BA' },
        { ...event, event: 'BR', zone: '17' },
      ],
    };
    expect(frames(map, '123456', sia)).toEqual(['3011    123456BA0001\x14', '3011    123456BR0017\x14']);
  });
});

describe('the signature of webhooks', () => {
  it('is that of Standard Webhooks', () => {
    const secret = webhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')!;
    const headers = signatureHeaders(
      secret,
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1_614_265_330_000,
      Buffer.from('{"test": 2432232314}'),
    );
    // The example of its reference libraries.
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('needs a secret of 24 to 64 bytes', () => {
    expect(webhookSecret(newWebhookSecret())).toHaveLength(32);
    for (const wrong of ['', 'whsec_', 'whsec_abc', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_!!!!'])
      expect(webhookSecret(wrong)).toBeNull();
  });
});
