import {
  constants,
  createDecipheriv,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { devicePasswordFault } from '../../protocol/wire/device-password.ts';
import { activate, encryptPassword, openChallenge } from './activation.ts';

describe('the password on its way', () => {
  it('is encrypted as in the published vector', () => {
    expect(encryptPassword('0123456789abcdeffedcba9876543210', 'Abc12345')).toBe(
      'ZGMyYzIzMjZlNGFjYTI3MmE4MDNmMGUxMTQyNmMxOGNiMTI0ZGExNTQxYzMwODQ0MzYyNjQyMDU1ZjgzMmU5ZA==',
    );
  });

  it('takes what a challenge holds, with bytes in front of it too, and nothing that is none', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const seal = (data: string) =>
      Buffer.from(
        publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(data)).toString('hex'),
      ).toString('base64');
    expect(openChallenge(seal('00112233445566778899aabbccddeeff'), privateKey)).toBe(
      '00112233445566778899aabbccddeeff',
    );
    expect(openChallenge(seal('xx00112233445566778899aabbccddeeff'), privateKey)).toBe(
      '00112233445566778899aabbccddeeff',
    );
    for (const wrong of [
      '',
      'AAAA',
      seal('short'),
      Buffer.from('f'.repeat(256)).toString('base64'),
      seal('z'.repeat(32)),
    ])
      expect(openChallenge(wrong, privateKey)).toBeNull();
  });
});

describe('the rule for passwords (INIT-24)', () => {
  it.each([
    ['Aa345678', null],
    ['abcdefgh', 'classes'],
    ['Abcdef1', 'length'],
    ['Abcdefgh12345678', null],
    ['Abcdefgh123456789', 'length'],
    ['12345678 ', null],
    ['pässword1', 'characters'],
    ['xadmin12', 'user-name'],
    ['12Nimda!', 'user-name'],
  ])('%s: %s', (password, fault) => expect(devicePasswordFault(password)).toBe(fault));
});

/** A device that nobody has given a password yet, written from the protocol's description alone. */
class NewDevice {
  password: string | null = null;
  wants: 'plain' | 'nested' | 'base64' = 'plain';
  challengeRoot = 'PublicKey';
  refuses: string | null = null;
  challenges = 0;
  readonly #server: Server = createServer((req, res) => {
    this.#answer(req).then((body) =>
      res
        .writeHead(body.includes('<statusCode>1<') ? 200 : body.includes('ResponseStatus') ? 400 : 200, {
          'content-type': 'text/html',
        })
        .end(body),
    );
  });
  #random: string | null = null;

  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }
  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(req: IncomingMessage): Promise<string> {
    const body = await readAll(req);
    const status = (sub: string) =>
      `<ResponseStatus><statusCode>${sub === 'ok' ? 1 : 6}</statusCode><subStatusCode>${sub}</subStatusCode></ResponseStatus>`;
    if (req.url === '/SDK/activateStatus')
      return `<ActivateStatus><Activated>${this.password !== null}</Activated></ActivateStatus>`;
    if (this.password !== null) return status('hasActivated');
    if (req.url === '/ISAPI/Security/challenge') {
      const key = new RegExp(`<${this.challengeRoot}[^>]*><key>([^<]+)</key>`).exec(body)?.[1];
      if (!key) return status('badXmlContent');
      const n = Buffer.from(Buffer.from(key, 'base64').toString(), 'hex').toString('base64url');
      this.challenges++;
      this.#random = randomBytes(16).toString('hex');
      const publicKey = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
      const sealed = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(this.#random));
      return `<Challenge><key>${Buffer.from(sealed.toString('hex')).toString('base64')}</key></Challenge>`;
    }
    const nested = body.includes('<Activate ');
    const given = /<password>([^<]+)</.exec(body)?.[1];
    const random = this.#random;
    this.#random = null;
    if (req.url !== '/ISAPI/System/activate' || !given || !random || nested !== (this.wants === 'nested'))
      return status('MessageParametersLack');
    const cipher = createDecipheriv('aes-128-ecb', Buffer.from(random, 'hex'), null).setAutoPadding(false);
    const bytes = Buffer.from(Buffer.from(given, 'base64').toString(), 'hex');
    const plain = Buffer.concat([cipher.update(bytes), cipher.final()])
      .toString('latin1')
      .replace(/\0+$/, '');
    if (!plain.startsWith(random.slice(0, 16))) return status('badXmlContent');
    const password = plain.slice(16);
    const readable = this.wants === 'base64' ? Buffer.from(password, 'base64').toString() : password;
    if (this.wants === 'base64' && Buffer.from(readable).toString('base64') !== password)
      return status('badXmlContent');
    if (this.refuses) return status(this.refuses);
    this.password = readable;
    return status('ok');
  }
}

describe('activation', () => {
  const devices: NewDevice[] = [];
  afterEach(async () => {
    for (const device of devices.splice(0)) await device.stop();
  });
  const device = async (change: Partial<NewDevice> = {}) => {
    const made = Object.assign(new NewDevice(), change);
    devices.push(made);
    return { made, o: { host: '127.0.0.1', port: await made.start(), password: 'Aa345678', clock } };
  };

  it.each([
    'plain',
    'nested',
    'base64',
  ] as const)('sets the password as the firmware wants it written: %s', async (wants) => {
    const { made, o } = await device({ wants });
    expect(await activate(o)).toEqual({ ok: true, value: { weak: false } });
    expect(made.password).toBe('Aa345678');
  });

  it('writes the challenge the other way where it must', async () => {
    const { made, o } = await device({ challengeRoot: 'Challenge' });
    expect((await activate(o)).ok).toBe(true);
    expect(made.password).toBe('Aa345678');
  });

  it('never changes the password of an activated device', async () => {
    const { made, o } = await device({ password: 'Former-1' });
    expect(await activate(o)).toMatchObject({ ok: false, subStatus: 'hasActivated' });
    expect([made.password, made.challenges]).toEqual(['Former-1', 0]);
  });

  it('says why a device refuses, and tries no further', async () => {
    const { made, o } = await device({ refuses: 'riskPassword' });
    expect(await activate(o)).toMatchObject({
      ok: false,
      subStatus: 'riskPassword',
      text: expect.stringContaining('weak'),
    });
    expect(made.challenges).toBe(1);
  });

  it('gives up on who does not answer, and on nonsense', async () => {
    expect(await activate({ host: '127.0.0.1', port: 9, password: 'Aa345678', clock })).toMatchObject({
      code: 'device-unreachable',
    });
    const noise = createServer((_, res) => res.end(Buffer.alloc(100_000, '<a>')));
    noise.listen(0, '127.0.0.1');
    await once(noise, 'listening');
    const { port } = noise.address() as AddressInfo;
    expect(await activate({ host: '127.0.0.1', port, password: 'Aa345678', clock })).toMatchObject({
      code: 'device-error',
    });
    noise.close();
  });
});
