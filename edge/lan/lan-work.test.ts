import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { RefusedLogins } from '../devices/refused-logins.ts';
import { SadpCommander } from '../discovery/sadp-commander.ts';
import { ScriptedSadp } from '../discovery/testing/scripted-sadp.ts';
import { Documents, eagerClock } from '../isapi/testing/documents.ts';
import { ScriptedDevice } from '../isapi/testing/scripted-device.ts';
import { LanWork } from './lan-work.ts';
import { lanRoutes } from './routes.ts';

const MAC = '68-6d-bc-ee-f8-f0';
const log = pino({ level: 'silent' });
const clock = eagerClock();
const STATIC = { dhcp: false, address: '127.0.0.9', subnetMask: '255.255.255.0', gateway: '127.0.0.1', dns: [] };
let isapi: ScriptedDevice;
let sadp: ScriptedSadp;
let seen: Partial<DiscoveredDevice>;
let app: ReturnType<typeof lanRoutes>;
let operated: unknown[];

beforeEach(async () => {
  isapi = new ScriptedDevice({ mac: MAC });
  const httpPort = await isapi.start();
  sadp = new ScriptedSadp();
  sadp.passwordElement = '<Password>';
  operated = [];
  seen = { mac: MAC, serial: '', model: 'Camera', address: '127.0.0.1', httpPort };
  const discovery = {
    byMac: (mac: string) => (mac === MAC ? (seen as DiscoveredDevice) : undefined),
    at: () => [seen as DiscoveredDevice],
    scan: async () => {},
    permits: () => true,
  };
  const devices = {
    operate: async (id: string) => {
      operated.push(id);
      return { ok: false as const, code: 'device-unreachable' as const, detail: 'It was not reached yet.' };
    },
  };
  const commander = new SadpCommander({ channel: sadp, clock, log });
  app = lanRoutes(
    new LanWork({ discovery, devices, sadp: commander, refused: new RefusedLogins({ clock }), clock, log }),
  );
});
afterEach(() => isapi.stop());

const post = async (path: string, body: unknown) => {
  const answer = await app.request(path, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const move = (to: unknown, password: string | null = 'Correct-1', deviceId: string | null = null) =>
  post('/addresses', { mac: MAC, deviceId, password, to });

describe('edit IP (INIT-21)', () => {
  it('by ISAPI where it answers there', async () => {
    const documents = new Documents(isapi);
    const ip =
      '<IPAddress><addressingType>static</addressingType><ipAddress>127.0.0.1</ipAddress><subnetMask>255.255.255.0</subnetMask><DefaultGateway><ipAddress>127.0.0.1</ipAddress></DefaultGateway></IPAddress>';
    documents.set(
      '/System/Network/interfaces',
      `<NetworkInterfaceList><NetworkInterface><id>1</id>${ip}</NetworkInterface></NetworkInterfaceList>`,
    );
    documents.set('/System/Network/interfaces/1/ipAddress', ip, (body) => {
      sadp.fields.IPv4Address = '127.0.0.9';
      return body;
    });
    expect(await move(STATIC)).toEqual({ status: 200, body: { address: '127.0.0.9', text: null } });
    expect(sadp.count('update')).toBe(0);
  });

  it('in a foreign subnet by its MAC over SADP', async () => {
    await isapi.stop();
    expect(await move(STATIC)).toEqual({ status: 200, body: { address: '127.0.0.9', text: null } });
    expect(sadp.count('update')).toBe(1);
  });

  it('a password that ISAPI refused is not tried again over SADP', async () => {
    expect(await move(STATIC, 'Wrong-1')).toMatchObject({ status: 502, body: { code: 'device-refused-login' } });
    expect([isapi.wrongLogins, sadp.count('update')]).toEqual([1, 0]);
  });

  it('another device at its address gets nothing', async () => {
    isapi.script.mac = '02:00:00:00:00:01';
    expect(await move(STATIC)).toMatchObject({ status: 502, body: { code: 'device-error' } });
    expect(sadp.count('update')).toBe(0);
  });

  it('of a device that is added, by its own login', async () => {
    const id = '0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d';
    expect(await move({ dhcp: true }, null, id)).toMatchObject({ status: 502, body: { code: 'device-unreachable' } });
    expect(operated).toEqual([id]);
  });

  it('a mask that is not of the list is refused (INIT-22)', async () => {
    for (const bad of [{ subnetMask: '255.255.255.1' }, { address: '127.0.0.255' }, { gateway: '10.0.0.1' }])
      expect((await move({ ...STATIC, ...bad })).body.code).toBe('invalid-request');
    expect(
      (await post('/addresses', { mac: '02-00-00-00-00-09', deviceId: null, password: 'x', to: STATIC })).status,
    ).toBe(404);
  });
});

describe('a forgotten password', () => {
  const answers = [1, 2, 3].map((id) => ({ id, answer: id === 2 ? 'Rex & Max' : 'x' }));

  it('answers and e-mail are kept, over SADP where ISAPI has no such thing (PWD-08)', async () => {
    const recovery = { email: 'owner@example.com', answers };
    expect(await post('/recovery', { mac: MAC, password: 'Correct-1', recovery })).toMatchObject({ status: 200 });
    expect([sadp.count('setsecurityquestion'), sadp.count('SetMailBox')]).toEqual([1, 1]);
    expect(sadp.heard.at(-1)!.xml).toContain('<MailBox>owner@example.com</MailBox>');
  });

  it('a new one for the right answers (PWD-07, PWD-11)', async () => {
    expect(await post('/reset', { mac: MAC, answers, newPassword: 'abcdefgh' })).toMatchObject({ status: 400 });
    expect(await post('/reset', { mac: MAC, answers: answers.slice(1), newPassword: 'Other-22' })).toMatchObject({
      status: 400,
    });
    expect(await post('/reset', { mac: MAC, answers, newPassword: 'Other-22' })).toMatchObject({ status: 200 });
    expect(sadp.password).toBe('Other-22');
  });
});
