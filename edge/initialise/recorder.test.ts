import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { DiscoveredDevice } from '../../protocol/wire/box-api.ts';
import type { BoxRecorder } from '../../protocol/wire/initialise.ts';
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
  wanted = { do: 'read' };
  cameraAt = '127.0.0.9';
});
afterEach(() => scripted.stop());

const CAMERA = '44-19-b6-09-09-09';
/** What was asked for instead of reading. */
let wanted: BoxRecorder['ask'] = { do: 'read' };
/** Where the box sees the camera. */
let cameraAt = '127.0.0.9';

function work(added?: { driver: IsapiDriver | null; password: string }) {
  const device = { mac: MAC, model: 'NVR', address: '127.0.0.1', httpPort: port } as DiscoveredDevice;
  const camera = { mac: CAMERA, model: 'Camera', address: cameraAt, httpPort: 80 } as DiscoveredDevice;
  const both = [device, camera];
  const byMac = (mac: string) => both.find((one) => one.mac === mac);
  const discovery = {
    byMac,
    at: (address: string) => both.filter((one) => one.address === address),
    scan: async () => {},
    permits: () => true,
  };
  const devices = {
    idOf: (mac: string) => (mac === CAMERA ? 'camera' : added ? 'recorder' : null),
    loginOf: (id: string) => (id === 'camera' ? { username: 'operator', password: 'Of-the-box-1' } : null),
    passwordOf: () => added?.password ?? null,
    operate: (async (_: string, fn: (driver: IsapiDriver) => Promise<unknown>) =>
      added?.driver
        ? fn(added.driver)
        : { ok: false, code: 'device-refused-login', detail: '' }) as unknown as DeviceManager['operate'],
    rereadChannels: async () => {},
  };
  const recorders = new RecorderWork({ finder: new Finder({ discovery, clock }), devices, refused, clock, log });
  return (password: string) => recorders.ask({ mac: MAC, username: 'admin', password, ask: wanted }, signal);
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
  expect(scripted.seen.map((s) => s.url)).toEqual(Array(3).fill('/ISAPI/System/deviceInfo'));
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

const channels = (detect: string) => {
  const at = '<id>1</id><sourceInputPortDescriptor><ipAddress>127.0.0.9</ipAddress><userName>admin</userName>';
  const one = (root: string, more = '') => `<${root}>${at}</sourceInputPortDescriptor>${more}</${root}>`;
  const state = one('InputProxyChannelStatus', `<online>false</online><chanDetectResult>${detect}</chanDetectResult>`);
  const list = `<InputProxyChannelList>${one('InputProxyChannel')}</InputProxyChannelList>`;
  return { list, one: one('InputProxyChannel'), state, states: `<List>${state}</List>` };
};
const addCamera = (mac?: string): BoxRecorder['ask'] => ({
  do: 'add',
  cameras: [{ address: '127.0.0.9', port: 8000, protocol: 'HIKVISION', username: 'admin', ...(mac && { mac }) }],
});

it('a camera that was chosen is added with the login of the box, only where the box sees it (CHAN-09)', async () => {
  const documents = new Documents(scripted);
  const { list, states } = channels('errorUserNameOrPasswd');
  documents.set('/ContentMgmt/InputProxy/channels', '<InputProxyChannelList/>', () => list);
  documents.set('/ContentMgmt/InputProxy/channels/status', states);
  const needed = { ok: true, view: { added: [{ ok: false, code: 'password-needed' }] } };
  wanted = addCamera();
  expect(await work()('Correct-1')).toMatchObject(needed);
  wanted = addCamera(CAMERA);
  cameraAt = '127.0.0.8';
  expect(await work()('Correct-1')).toMatchObject(needed);
  expect(documents.written).toHaveLength(0);
  cameraAt = '127.0.0.9';
  // The camera's refusal is no success.
  const added = [{ address: '127.0.0.9', ok: false, code: 'camera-refused-login', channel: 1 }];
  expect(await work()('Correct-1')).toMatchObject({ ok: true, view: { added } });
  expect(documents.written[0]!.body).toContain('<userName>operator</userName><password>Of-the-box-1</password>');
});

it('a password that the camera refused is corrected, or its channel removed (CHAN-09)', async () => {
  const documents = new Documents(scripted);
  const root = '/ContentMgmt/InputProxy/channels';
  const { list, one, state } = channels('connect');
  documents.set(root, list);
  documents.set(`${root}/1/status`, state);
  documents.set(`${root}/1`, one, () => null);
  wanted = { do: 'edit', channel: 1, password: 'Right-camera-1' };
  const added = [{ address: '127.0.0.9', ok: true, channel: 1 }];
  expect(await work()('Correct-1')).toMatchObject({ ok: true, view: { added } });
  expect(documents.written[0]!.body).toContain('<password>Right-camera-1</password>');
  wanted = { do: 'edit', channel: 7, password: 'Right-camera-1' };
  expect(await work()('Correct-1')).toMatchObject({ ok: false, code: 'conflict' });
  scripted.routes.set(`/ISAPI${root}/1`, (_, res) => {
    documents.set(root, '<InputProxyChannelList/>');
    scripted.status(res, 200, 1, 'ok');
  });
  wanted = { do: 'remove', channel: 1 };
  expect(await work()('Correct-1')).toMatchObject({ ok: true, view: { channels: [] } });
});
