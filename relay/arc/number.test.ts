import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { deviceRow } from '../testing/device-row.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { makeCentre } from './service/testing/centre.ts';

const relay = new TestRelay();
let inst: Company;
let arco: Company;
let receiverId: string;
let siteId: string;
let deviceId: string;

beforeAll(async () => {
  await relay.start();
  inst = await relay.company('Inst');
  arco = await relay.company('Arco');
  ({ receiverId } = await makeCentre(relay, arco));
  siteId = (await inst.api('POST', '/sites', { name: 'Shop', timeZone: 'UTC', type: 'personal' })).body.id;
  const box = await new TestBox(relay).claimedBy({ ...inst, siteId });
  deviceId = uuidv7();
  await relay.withDb(async (db) => {
    await db.updateTable('companies').set({ country: 'DE' }).where('id', '=', inst.companyId).execute();
    await db.updateTable('arc_receivers').set({ kind: 'hosted' }).where('id', '=', receiverId).execute();
    await db
      .insertInto('devices')
      .values(deviceRow({ id: deviceId, siteId, name: 'Panel', type: 'panel', boxSerial: box.serial, channelCount: 0 }))
      .execute();
  });
  await inst.api('PUT', `/sites/${siteId}/arc-service`, { arcId: arco.companyId });
});
afterAll(() => relay.stop());

const enable = (account: string) =>
  inst.api('PUT', `/sites/${siteId}/arc-service/devices/${deviceId}`, { account, events: ['zoneAlarm'] });
const accept = async () => {
  const { devices } = (await inst.api('GET', `/sites/${siteId}/arc-service`)).body;
  const answer = await arco.api('POST', '/arc/services/accept', { services: [devices[0].service.id] });
  return answer.body.items[0];
};
const enter = (account: string, of = receiverId) =>
  arco.api('POST', '/arc-senders', { receiverId: of, account, name: 'Old panel' });

describe('an account number at a hosted receiver', () => {
  it('of a device that the centre entered is taken by no box, and the reverse (ARC-22)', async () => {
    const sender = await enter('00A1');
    expect(sender.status).toBe(201);
    expect((await enable('00A1')).status).toBe(200);
    expect(await accept()).toMatchObject({ done: false });
    expect(await relay.withDb((db) => db.selectFrom('arc_accounts').selectAll().execute())).toEqual([]);
    expect((await arco.api('DELETE', `/arc-senders/${sender.body.id}`)).status).toBe(204);
    expect(await accept()).toMatchObject({ done: true });
    expect((await enter('00A1')).body).toMatchObject({ code: 'conflict' });
    const other = await enter('00A2');
    const change = { receiverId, account: '00A1', name: 'Old panel' };
    expect((await arco.api('PUT', `/arc-senders/${other.body.id}`, change)).body).toMatchObject({ code: 'conflict' });
    expect((await arco.api('PUT', `/arc-senders/${other.body.id}`, { ...change, account: '00A2' })).status).toBe(200);
  });
});
