import { afterEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { DeviceType } from '../../protocol/wire/rights.ts';
import { deviceRow } from '../testing/device-row.ts';
import { TestRelay } from '../testing/relay.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

async function started() {
  const relay = new TestRelay();
  await relay.start();
  cleanUp.push(() => relay.stop());
  const company = await relay.company('Acme');
  const device = async (name: string, type: DeviceType, more: { siteId?: string; channelCount?: number } = {}) => {
    const id = uuidv7();
    await relay.withDb((db) =>
      db
        .insertInto('devices')
        .values(
          deviceRow({ id, siteId: company.siteId, name, type, channelCount: type === 'encoding' ? 1 : 0, ...more }),
        )
        .execute(),
    );
    return id;
  };
  const { api } = company;
  return { relay, company, api, device };
}

describe('a radar and its camera', () => {
  it('are linked, one camera a radar, and unlinked again (RADR-04)', async () => {
    const { api, device } = await started();
    const [radar, one, two] = [
      await device('Bed', 'radar'),
      await device('Hall', 'encoding'),
      await device('Room', 'encoding'),
    ];
    const linked = async () => (await api('GET', `/devices/${radar}/linked-camera`)).body.camera;
    expect(await linked()).toBeNull();
    for (const cameraId of [one, two]) {
      expect((await api('PUT', `/devices/${radar}/linked-camera`, { cameraId, channel: 1 })).status).toBe(204);
    }
    expect(await linked()).toEqual({ cameraId: two, channel: 1, name: 'Room' });
    expect((await api('DELETE', `/devices/${radar}/linked-camera`)).status).toBe(204);
    expect(await linked()).toBeNull();
  });

  it('belong to one site, and each is what it should be (RADR-04)', async () => {
    const { relay, company, api, device } = await started();
    const [radar, camera, speaker] = [
      await device('Bed', 'radar'),
      await device('Hall', 'encoding'),
      await device('Horn', 'audio'),
    ];
    const siteId = (await api('POST', '/sites', { name: 'Other', type: 'personal', timeZone: 'Europe/Berlin' })).body
      .id;
    expect(siteId).toBeTruthy();
    const elsewhere = await device('Far', 'encoding', { siteId });
    const link = (cameraId: string, of = radar) => api('PUT', `/devices/${of}/linked-camera`, { cameraId, channel: 1 });
    expect((await link(elsewhere)).body).toMatchObject({ code: 'conflict' });
    expect((await link(speaker)).body).toMatchObject({ code: 'conflict' });
    expect((await link(radar, camera)).body).toMatchObject({ code: 'conflict' });
    expect((await link(uuidv7())).status).toBe(404);
    await link(camera);
    // A camera that was moved away is linked no more.
    await relay.withDb((db) => db.updateTable('devices').set({ siteId }).where('id', '=', camera).execute());
    expect((await api('GET', `/devices/${radar}/linked-camera`)).body).toEqual({ camera: null });
    const rival = await relay.company('Rival');
    expect((await rival.api('GET', `/devices/${radar}/linked-camera`)).status).toBe(404);
    expect(company.siteId).not.toBe(siteId);
  });
});

describe('arming several panels', () => {
  it('has a result for each, and one that cannot holds up no other (PANL-09)', async () => {
    const { company, api, device } = await started();
    const [panel, camera] = [await device('House', 'panel'), await device('Hall', 'encoding')];
    const body = { devices: [panel, camera, panel], arm: 'away' };
    const done = await api('POST', `/sites/${company.siteId}/arming`, body);
    expect(done.status).toBe(200);
    expect(done.body.items).toEqual([
      {
        deviceId: panel,
        name: 'House',
        done: false,
        code: 'conflict',
        text: expect.stringContaining('by its address'),
      },
      { deviceId: camera, name: 'Hall', done: false, code: 'conflict', text: expect.stringContaining('no areas') },
    ]);
    expect((await api('POST', `/sites/${company.siteId}/arming`, { devices: [], arm: 'away' })).status).toBe(400);
    expect((await api('POST', `/sites/${company.siteId}/arming`, { devices: [uuidv7()], arm: 'away' })).status).toBe(
      404,
    );
  });
});
