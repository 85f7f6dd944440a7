import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { seal } from '../../protocol/codec/sealed.ts';
import { Device } from '../../protocol/wire/api.ts';
import type { ShownTls } from '../../protocol/wire/device-tls.ts';
import type { Db } from '../db/database.ts';
import { DesiredStates } from '../desired/desired.ts';
import { TestBox } from '../testing/box.ts';
import { openTestDatabase } from '../testing/database.ts';
import { deviceRow } from '../testing/device-row.ts';
import { type Company, TestRelay } from '../testing/relay.ts';

/* Which certificate a device has to show: kept with it, told to its box, changed by who may configure it. */

const print = (byte: string) => Array(32).fill(byte).join(':');
const shown = (certificate: string): ShownTls => ({ certificate, old: false, httpPort: 8443 });
let relay: TestRelay;
let acme: Company;
let box: TestBox;
let db: Db;
let deviceId: string;

beforeAll(async () => {
  relay = await new TestRelay().start();
  acme = await relay.company('Acme');
  box = await new TestBox(relay).claimedBy(acme);
  db = await openTestDatabase(relay.dir);
  deviceId = '019ab000-0000-7000-8000-0000000000aa';
  const row = deviceRow({ id: deviceId, siteId: acme.siteId, boxSerial: box.serial, host: '192.168.1.64' });
  await db
    .insertInto('devices')
    .values({ ...row, httpPort: 443, certificate: print('AA'), oldTls: 1 })
    .execute();
  const { sealKey } = await db
    .selectFrom('boxes')
    .select('sealKey')
    .where('serial', '=', box.serial)
    .executeTakeFirstOrThrow();
  const item = {
    ...{ id: deviceId, kind: 'isapi' as const, name: 'Gate', mac: null, serial: null, host: '192.168.1.64' },
    ...{ httpPort: 443, tls: { certificate: print('AA'), old: true } },
    username: 'admin',
    password: seal('hunter22', sealKey, `device:${deviceId}`),
    credentialVersion: 4,
  };
  await new DesiredStates({ db }).change(box.serial, 'devices', () => [item]);
});
afterAll(async () => {
  box?.disconnect();
  await db?.destroy();
  await relay?.stop();
});
const wished = async () => (await new DesiredStates({ db }).get(box.serial)).sections.devices.items[0];

it('is shown with the device', async () => {
  const { body } = await acme.api('GET', `/sites/${acme.siteId}/devices`);
  const [device] = z.array(Device).parse(body.items);
  expect(device).toMatchObject({ certificate: print('AA'), oldTls: true, httpPort: 443 });
  const everywhere = await acme.api('GET', '/devices');
  expect(Object.keys(everywhere.body.items[0])).not.toEqual(expect.arrayContaining(['certificate']));
});

it('is accepted anew by its fingerprint: the box learns it with the port, the login is not tried again', async () => {
  const accepted = await acme.api('PUT', `/devices/${deviceId}/certificate`, shown(print('BB')));
  expect([accepted.status, accepted.body]).toEqual([
    200,
    expect.objectContaining({ certificate: print('BB'), oldTls: false, httpPort: 8443 }),
  ]);
  expect(await wished()).toMatchObject({
    httpPort: 8443,
    tls: { certificate: print('BB'), old: false },
    credentialVersion: 4,
  });
  const { body } = await acme.api('GET', '/log?limit=5');
  expect(JSON.stringify(body)).toContain(`${print('AA')} → ${print('BB')}`);
});

it('is refused when it is none, and where nothing is spoken over HTTPS', async () => {
  const bad = await acme.api('PUT', `/devices/${deviceId}/certificate`, shown('AA:BB'));
  expect([bad.status, bad.body.code]).toEqual([400, 'invalid-request']);
  const id = '019ab000-0000-7000-8000-0000000000ab';
  await db
    .insertInto('devices')
    .values(deviceRow({ id, siteId: acme.siteId }))
    .execute();
  const far = await acme.api('PUT', `/devices/${id}/certificate`, shown(print('CC')));
  expect([far.status, far.body.code]).toEqual([409, 'conflict']);
  // Of a device that was added with its certificate, not whatever comes next.
  const forget = await acme.api('POST', `/devices/${deviceId}/certificate/forget`);
  expect([forget.status, forget.body.code]).toEqual([409, 'conflict']);
});
