import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import type { DeviceManager } from '../devices/manager.ts';
import { RefusedLogins } from '../devices/refused-logins.ts';
import { IsapiDriver } from '../isapi/driver.ts';
import { Documents } from '../isapi/testing/documents.ts';
import { ScriptedDevice } from '../isapi/testing/scripted-device.ts';
import { Finder } from './finder.ts';
import { IsapiHands } from './isapi-hands.ts';
import { RecorderWork } from './recorder.ts';

const MAC = '44-19-b6-01-02-03';
const clock = new ManualClock();
const log = pino({ level: 'silent' });
const signal = new AbortController().signal;
let scripted: ScriptedDevice;
let port: number;
let refused: RefusedLogins;

beforeEach(async () => {
  scripted = new ScriptedDevice({ model: 'DS-7608NI-K2', deviceType: 'NVR' });
  port = await scripted.start();
  const documents = new Documents(scripted);
  documents.set('/ContentMgmt/InputProxy/channels', '<InputProxyChannelList/>');
  documents.set('/ContentMgmt/InputProxy/search', '<InputProxyChannelList/>');
  refused = new RefusedLogins({ clock });
});
afterEach(() => scripted.stop());

function work(added?: { driver: IsapiDriver | null; password: string }) {
  const device = { mac: MAC, model: 'NVR', address: '127.0.0.1', httpPort: port } as DiscoveredDevice;
  const discovery = { byMac: () => device, at: () => [device], scan: async () => {}, permits: () => true };
  const devices = {
    idOf: () => (added ? 'recorder' : null),
    passwordOf: () => added?.password ?? null,
    operate: (async (_: string, fn: (driver: IsapiDriver) => Promise<unknown>) =>
      added?.driver
        ? fn(added.driver)
        : { ok: false, code: 'device-refused-login', detail: '' }) as unknown as DeviceManager['operate'],
    rereadChannels: async () => {},
  };
  const recorders = new RecorderWork({ finder: new Finder({ discovery, clock }), devices, refused, clock, log });
  return (password: string) => recorders.ask({ mac: MAC, username: 'admin', password, ask: { do: 'read' } }, signal);
}
const login = (guard = new LoginGuard(), password = 'Correct-1') =>
  new IsapiDriver({ host: '127.0.0.1', port, username: 'admin', password, guard, clock, log });

it('a refused password is not sent again by reading once more; another one is (CHAN-09)', async () => {
  const ask = work();
  for (let i = 0; i < 3; i++) expect(await ask('Wrong-1')).toMatchObject({ ok: false, code: 'device-refused-login' });
  expect(scripted.wrongLogins).toBe(1);
  expect(await ask('Correct-1')).toMatchObject({ ok: true, view: { channels: [] } });
});

it('what a recorder refused is not sent by a job either, nor the other way round', async () => {
  const sadp = { inquire: async () => ({}) as never, setAddressing: async () => ({}) as never };
  const hands = new IsapiHands({ sadp, refused, clock, log });
  const at = { mac: MAC, model: 'NVR', host: '127.0.0.1', port, sadp: false, username: 'admin', password: 'Wrong-1' };
  for (let i = 0; i < 2; i++) expect(await hands.connect(at, signal)).toMatchObject({ code: 'device-refused-login' });
  expect(await work()('Wrong-1')).toMatchObject({ code: 'device-refused-login' });
  expect(scripted.wrongLogins).toBe(1);
});

it('another device at its address is told nothing and changes nothing (CHAN-09)', async () => {
  scripted.script.mac = '66:66:66:66:66:66';
  expect(await work()('Correct-1')).toMatchObject({ ok: false, code: 'conflict' });
  expect(scripted.seen.map((s) => s.url)).toEqual(Array(2).fill('/ISAPI/System/deviceInfo'));
});

it('a recorder that is added is asked over its own connection, whatever password is kept elsewhere (CHAN-09)', async () => {
  const driver = login();
  expect(await driver.identify()).toMatchObject({ ok: true });
  const ask = work({ driver, password: 'Correct-1' });
  expect(await ask('Old-1')).toMatchObject({ ok: true, view: { name: 'NVR at 127.0.0.1' } });
  expect(scripted.wrongLogins).toBe(0);
  driver.close();
});

it('of one that is added and refuses its login, only another password is tried', async () => {
  const ask = work({ driver: null, password: 'Wrong-1' });
  expect(await ask('Wrong-1')).toMatchObject({ ok: false, code: 'device-refused-login' });
  expect(scripted.seen).toHaveLength(0);
  expect(await ask('Correct-1')).toMatchObject({ ok: true });
});
