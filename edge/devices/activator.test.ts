import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { failure, type Result } from '../isapi/answer.ts';
import { Activator } from './activator.ts';

const log = pino({ level: 'silent' });
const MAC = '02-00-00-00-00-01';
const password = 'Aa345678';
const device = (o: Partial<DiscoveredDevice> = {}) =>
  ({
    mac: MAC,
    serial: 'DS-1A00000001',
    model: 'DS-2CD',
    address: '127.0.0.1',
    httpPort: 1,
    activated: false,
    protocols: ['sadp'],
    addressConflict: false,
    reachable: true,
    issues: [],
    ...o,
  }) as DiscoveredDevice;

/** The ways that it took, in their order; each answers what it is told to. */
function activator(list: DiscoveredDevice[], o: { helps?: boolean; sadp?: Result<{ weak: boolean }> } = {}) {
  const ways: string[] = [];
  const made = new Activator({
    discovery: { list: () => list, scan: async () => {} },
    temporary: {
      helps: async () => o.helps ?? true,
      with: async (_, use) => {
        ways.push('temporary');
        return use();
      },
    },
    sadp: {
      activate: async () => {
        ways.push('sadp');
        return o.sadp ?? { ok: true, value: { weak: false } };
      },
    },
    refused: { forget: () => {} },
    clock,
    log,
  });
  return { ways, activate: (code?: string) => made.activate({ mac: MAC, password, verificationCode: code }) };
}

describe('the ways to a first password (INIT-02)', () => {
  it('goes on to SADP where nobody answers by ISAPI, and says so', async () => {
    const { ways, activate } = activator([device()]);
    const done = await activate('Code1234');
    // A code needs a login, which SADP has not.
    expect(done).toEqual({ ok: true, result: { mac: MAC, weak: false, way: 'sadp', code: 'failed', issues: [] } });
    expect(ways).toEqual(['sadp']);
  });

  it('reaches who is in a foreign subnet by an address for a moment, else over SADP', async () => {
    const foreign = device({ address: '127.0.0.9', reachable: false });
    const with_ = activator([foreign]);
    await with_.activate();
    expect(with_.ways).toEqual(['temporary', 'sadp']);
    const without = activator([foreign], { helps: false });
    await without.activate();
    expect(without.ways).toEqual(['sadp']);
  });

  it('never cuts off who is at work at the same address', async () => {
    const twins = (activated: boolean) => [
      device({ addressConflict: true }),
      device({ mac: '02-00-00-00-00-02', addressConflict: true, activated }),
    ];
    const fresh = activator(twins(false));
    await fresh.activate();
    expect(fresh.ways).toEqual(['temporary', 'sadp']);
    const working = activator(twins(true));
    await working.activate();
    expect(working.ways).toEqual(['sadp']);
  });

  it('sends no password a second way when the first may have brought it', async () => {
    let heard = 0;
    const server = createServer(async (req, res) => {
      if (req.url === '/SDK/activateStatus')
        return res.end('<ActivateStatus><Activated>false</Activated></ActivateStatus>');
      if (req.method === 'GET') return res.writeHead(403).end();
      const body = await text(req);
      if (req.url === '/ISAPI/System/activate') {
        // It takes the password and dies.
        heard++;
        return req.socket.destroy();
      }
      const hex = Buffer.from(/<key>([^<]+)/.exec(body)![1]!, 'base64').toString();
      const n = Buffer.from(hex, 'hex').toString('base64url');
      const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
      const random = Buffer.from('00112233445566778899aabbccddeeff');
      const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, random).toString('hex');
      return res.end(`<Challenge><key>${Buffer.from(sealed).toString('base64')}</key></Challenge>`);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { ways, activate } = activator([device({ httpPort: (server.address() as AddressInfo).port })]);
    expect(await activate()).toMatchObject({ ok: false, code: 'device-unreachable' });
    expect([heard, ways]).toEqual([1, []]);
  });

  it('tells the refusal of the first way when the second reaches nobody either', async () => {
    const silent = failure('device-unreachable', 'It does not answer the search.');
    const { activate } = activator([device()], { sadp: silent });
    expect(await activate()).toMatchObject({ ok: false, code: 'device-unreachable' });
    const gone = activator([device({ activated: true })]);
    expect(await gone.activate()).toMatchObject({ ok: false, code: 'conflict' });
  });
});
