import pino from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { Documents } from '../isapi/testing/documents.ts';
import { ScriptedDevice } from '../isapi/testing/scripted-device.ts';
import { DeviceManager } from './manager.ts';
import type { DeviceConfig } from './types.ts';

const ID = '0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d';
let clock: ManualClock;
let scripted: ScriptedDevice;
let manager: DeviceManager;
let config: DeviceConfig;

beforeEach(async () => {
  clock = new ManualClock(Date.now());
  scripted = new ScriptedDevice();
  const documents = new Documents(scripted);
  documents.set('/Security/users', '<UserList><User><id>1</id><userName>admin</userName></User></UserList>');
  documents.set('/Security/users/1', '', (body) => {
    scripted.script.password = /<password>([^<]*)</.exec(body)![1]!;
    scripted.forgetNonces();
    // As devices do: who was in is out.
    scripted.cut();
    return null;
  });
  const httpPort = await scripted.start();
  config = {
    id: ID,
    kind: 'isapi',
    name: 'Entrance',
    mac: '44-19-b6-01-02-03',
    serial: null,
    host: '127.0.0.1',
    httpPort,
    username: 'admin',
    password: 'Correct-1',
    credentialVersion: 1,
  };
  const log = pino({ level: 'silent' });
  manager = new DeviceManager({
    journal: { append: async () => [] as never, read: () => [], lastSeq: 0 } as never,
    discovery: {
      byMac: () => undefined,
      bySerial: () => undefined,
      at: () => [],
      permits: () => true,
      onChange: () => () => {},
    },
    clock,
    log,
    warnables: { raise: () => {}, clear: () => {} } as never,
  });
  manager.apply([config]);
  manager.start();
  await online();
});
afterEach(async () => {
  await manager.stop();
  await scripted.stop();
});
const online = () =>
  vi.waitFor(() => expect(manager.health()[0]?.state).toBe('online'), { timeout: 5_000, interval: 10 });

it('after a change nothing logs in with the old password, and the new one is taken up (PWD-03, PWD-06)', async () => {
  expect(await manager.changePassword(ID, null, 'Other-22')).toEqual({
    ok: true,
    value: { outcome: 'changed', text: null },
  });
  // The event stream broke; the box knows better than to come back with what it has.
  await clock.advance(60_000);
  expect(manager.health()[0]?.state).not.toBe('online');
  expect(scripted.wrongLogins).toBe(0);
  manager.apply([{ ...config, password: 'Other-22', credentialVersion: 2 }]);
  await online();
  expect(scripted.wrongLogins).toBe(0);
});

it('a wrong old password costs one try and leaves the box where it was', async () => {
  expect(await manager.changePassword(ID, 'Wrong-1', 'Other-22')).toMatchObject({
    ok: false,
    code: 'device-refused-login',
  });
  expect([scripted.wrongLogins, scripted.script.password]).toEqual([1, 'Correct-1']);
  await online();
});
