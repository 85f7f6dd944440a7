import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DesiredArcAccount } from '../../../protocol/wire/desired.ts';
import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { DeviceType } from '../../../protocol/wire/rights.ts';
import { TestBox } from '../../testing/box.ts';
import { deviceRow } from '../../testing/device-row.ts';
import { type Answer, type Company, TestRelay, until } from '../../testing/relay.ts';
import { addReceiver, makeCentre } from './testing/centre.ts';

const relay = new TestRelay();
let inst: Company;
let arco: Company;
let receiverId: string;
let siteId: string;
let box: TestBox;
let n = 0;

beforeAll(async () => {
  await relay.start();
  inst = await relay.company('Inst');
  arco = await relay.company('Arco');
  await relay.withDb((db) =>
    db.updateTable('companies').set({ country: 'DE' }).where('id', '=', inst.companyId).execute(),
  );
  ({ receiverId } = await makeCentre(relay, arco));
});
afterAll(() => relay.stop());
beforeEach(async () => {
  n++;
  siteId = (await inst.api('POST', '/sites', { name: `Shop ${n}`, timeZone: 'UTC', type: 'personal' })).body.id;
  box = await new TestBox(relay).claimedBy({ ...inst, siteId });
});

async function device(name: string, type: DeviceType, more: object = {}): Promise<string> {
  const id = uuidv7();
  await relay.withDb((db) =>
    db
      .insertInto('devices')
      .values(
        deviceRow({
          id,
          siteId,
          name,
          type,
          boxSerial: box.serial,
          createdAt: String(n),
          channelCount: type === 'encoding' ? 1 : 0,
          ...more,
        }),
      )
      .execute(),
  );
  return id;
}
const authorize = (of = siteId) => inst.api('PUT', `/sites/${of}/arc-service`, { arcId: arco.companyId });
const enable = (id: string, account = String(1000 + n), more: object = {}) =>
  inst.api('PUT', `/sites/${siteId}/arc-service/devices/${id}`, { account, events: ['zoneAlarm', 'motion'], ...more });
const serviceOf = async (id: string) =>
  (await inst.api('GET', `/sites/${siteId}/arc-service`)).body.devices.find(
    (d: { deviceId: string }) => d.deviceId === id,
  ).service;
const act = (word: string, services: string[], more: object = {}): Promise<Answer> =>
  arco.api('POST', `/arc/services/${word}`, { services, ...more });
/** Authorised, enabled and accepted. */
async function active(id: string, account?: string, more: object = {}): Promise<string> {
  await authorize();
  expect((await enable(id, account, more)).status).toBe(200);
  const { id: serviceId } = await serviceOf(id);
  expect((await act('accept', [serviceId])).body.items).toMatchObject([{ done: true }]);
  return serviceId;
}
/** Whether the centre reaches the device through its own lists. */
const sees = async (id: string): Promise<boolean> => {
  const { status, body } = await arco.api('GET', `/sites/${siteId}/devices`);
  return status === 200 && body.items.some((found: { id: string }) => found.id === id);
};
const wished = (): Promise<DesiredArcAccount[]> =>
  relay.withDb(async (db) => {
    const row = await db
      .selectFrom('desired_states')
      .select('document')
      .where('serial', '=', box.serial)
      .executeTakeFirst();
    return row ? JSON.parse(row.document).sections.arc.items : [];
  });
const messages = async (of: Pick<Company, 'api'>, code: string) =>
  (await of.api('GET', '/notifications?category=arc&limit=100')).body.items.filter(
    (notice: { code: string }) => notice.code === code,
  );

describe('a site and its centre', () => {
  it('lists what can have the service only once it is authorised, and why the rest cannot (ARC-04, ARC-05, ARC-06, ARC-13)', async () => {
    const ids = {
      camera: await device('Camera', 'encoding', { model: 'DS-2CD2386G2-IU' }),
      nvr: await device('Recorder', 'encoding', { model: 'DS-7608NI-I2', channelCount: 8 }),
      hub: await device('AX HUB', 'panel', { model: 'DS-PWA64-L-WE' }),
      hybrid: await device('AX HYBRID', 'panel', { model: 'DS-PHA64-W4M' }),
      without: await device('Model without', 'encoding', { model: 'DS-7608NXI-K2/8P', channelCount: 8 }),
      dvr: await device('Hybrid recorder', 'encoding', { model: 'iDS-7208HQHI-M1/S', channelCount: 8 }),
      radar: await device('Radar', 'radar'),
      address: await device('By address', 'encoding', { accessMode: 'ip', boxSerial: null }),
    };
    expect((await inst.api('GET', `/sites/${siteId}/arc-service`)).body).toEqual({
      authorization: null,
      available: true,
      devices: [],
    });
    const { body } = await authorize();
    expect(body.authorization.arc).toEqual({ id: arco.companyId, name: 'Arco' });
    const obstacle = (id: string) => body.devices.find((d: { deviceId: string }) => d.deviceId === id).obstacle;
    expect(Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, obstacle(id)]))).toEqual({
      camera: null,
      nvr: null,
      hub: null,
      hybrid: null,
      without: 'model',
      dvr: 'type',
      radar: 'type',
      address: 'not-p2p',
    });
    for (const id of [ids.without, ids.dvr, ids.radar, ids.address])
      expect((await enable(id)).body).toMatchObject({ code: 'conflict' });
  });

  it('is for personal sites, one centre at a time, of the list only (ARC-01, ARC-13)', async () => {
    const team = (await inst.api('POST', '/sites', { name: `Team ${n}`, timeZone: 'UTC', type: 'team' })).body.id;
    expect((await authorize(team)).body).toMatchObject({ code: 'conflict' });
    expect((await inst.api('GET', `/sites/${team}/arc-service`)).body.available).toBe(false);
    const other = await relay.company(`Other${n}`);
    const put = (arcId: string) => inst.api('PUT', `/sites/${siteId}/arc-service`, { arcId });
    expect((await put(other.companyId)).status).toBe(404);
    expect((await authorize()).status).toBe(200);
    expect((await authorize()).status).toBe(200);
    await makeCentre(relay, other);
    expect((await put(other.companyId)).body).toMatchObject({ code: 'conflict' });
    await relay.withDb((db) => db.updateTable('sites').set({ country: 'FR' }).where('id', '=', siteId).execute());
    await inst.api('DELETE', `/sites/${siteId}/arc-service`);
    expect((await authorize()).body).toMatchObject({ code: 'conflict' });
  });
});

describe('the service of a device', () => {
  it('reaches the box only when the centre has accepted, with account, event types and zones (ARC-15, ARC-16, ARC-17)', async () => {
    const [panel, nvr] = [await device('Panel', 'panel'), await device('Recorder', 'encoding', { channelCount: 2 })];
    await authorize();
    const account = '00A1';
    expect((await enable(panel, account)).status).toBe(200);
    expect((await enable(nvr, account)).status).toBe(200);
    expect(await serviceOf(panel)).toMatchObject({ state: 'waiting', account, path: null });
    expect(await wished()).toEqual([]);
    expect(await sees(panel)).toBe(false);
    expect(await messages(arco, 'arc-service-requested')).toEqual(
      expect.arrayContaining([expect.objectContaining({ category: 'arc', text: expect.stringContaining('00A1') })]),
    );
    const entrusted = (await arco.api('GET', '/arc/services?state=waiting')).body.items;
    const ids = entrusted.filter((s: { siteId: string }) => s.siteId === siteId).map((s: { id: string }) => s.id);
    expect(ids).toHaveLength(2);
    expect((await act('accept', ids)).body.items).toMatchObject([{ done: true }, { done: true }]);
    expect(await wished()).toMatchObject([
      {
        receiverId,
        account,
        mode: 'direct-or-relay',
        direct: { host: '127.0.9.1', port: 12_000 },
        devices: [
          { deviceId: panel, events: ['zoneAlarm', 'motion'], offlineDelayMs: 0 },
          { deviceId: nvr, events: ['zoneAlarm', 'motion'] },
        ],
        zones: [
          { deviceId: nvr, channel: 1, zone: 501 },
          { deviceId: nvr, channel: 2, zone: 502 },
        ],
      },
    ]);
    expect(await serviceOf(nvr)).toMatchObject({ state: 'active', zones: [{ channel: 1, zone: 501 }, { zone: 502 }] });
    expect((await inst.api('GET', `/sites/${siteId}/arc`)).body.items).toMatchObject([{ arcId: arco.companyId }]);
    expect((await messages(inst, 'arc-service-accepted')).length).toBeGreaterThanOrEqual(2);
    expect(await sees(panel)).toBe(true);
    expect((await act('accept', [ids[0]])).body.items).toMatchObject([{ done: false, code: 'conflict' }]);
  });

  it('that is rejected is told with the reason, and can be enabled again (ARC-17)', async () => {
    const panel = await device('Panel', 'panel');
    await authorize();
    await enable(panel);
    const { id } = await serviceOf(panel);
    expect((await act('reject', [id], { note: 'No keyholder named' })).body.items).toMatchObject([{ done: true }]);
    expect(await serviceOf(panel)).toMatchObject({ state: 'rejected', note: 'No keyholder named' });
    expect(await messages(inst, 'arc-service-rejected')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ text: expect.stringContaining('No keyholder named'), siteId }),
      ]),
    );
    expect((await enable(panel)).status).toBe(200);
    expect(await serviceOf(panel)).toMatchObject({ state: 'waiting', note: '' });
  });

  it('is suspended and resumed, one or many, under the same account id (ARC-18, ARC-19)', async () => {
    const [one, two] = [await device('One', 'encoding'), await device('Two', 'encoding')];
    const ids = [await active(one, `20${n}0`), await active(two, `20${n}1`)];
    const before = await wished();
    expect(before).toHaveLength(2);
    expect((await act('suspend', [...ids, uuidv7()], { note: 'Works' })).body.items).toMatchObject([
      { done: true },
      { done: true },
      { done: false, code: 'not-found' },
    ]);
    expect(await wished()).toEqual([]);
    expect(await serviceOf(one)).toMatchObject({ state: 'suspended', note: 'Works', path: null });
    expect(await sees(one)).toBe(false);
    expect((await act('resume', ids)).body.items).toMatchObject([{ done: true }, { done: true }]);
    expect((await wished()).map((item) => item.id).sort()).toEqual(before.map((item) => item.id).sort());
    expect((await messages(inst, 'arc-service-resumed')).length).toBeGreaterThanOrEqual(2);
  });

  it('keeps its event types until somebody of the site approves others; of a panel none are asked for (ARC-20)', async () => {
    const [camera, panel] = [await device('Camera', 'encoding'), await device('Panel', 'panel')];
    const ids = [await active(camera, `30${n}0`), await active(panel, `30${n}1`)];
    expect((await act('events', ids, { events: ['intrusion'] })).body.items).toMatchObject([
      { done: true },
      { done: false, code: 'conflict' },
    ]);
    const types = async () => (await wished()).flatMap((item) => item.devices ?? []).find((d) => d.deviceId === camera);
    expect(await types()).toMatchObject({ events: ['zoneAlarm', 'motion'] });
    const pending = async () =>
      (await inst.api('GET', `/arc-requests?pending=true&siteId=${siteId}`)).body.items as { id: string }[];
    const [request] = await pending();
    expect(request).toMatchObject({ kind: 'events', events: { wanted: ['intrusion'] }, arc: { name: 'Arco' } });
    expect((await arco.api('POST', `/arc-requests/${request!.id}/decide`, { approve: true })).status).toBe(404);
    await inst.api('POST', `/arc-requests/${request!.id}/decide`, { approve: false });
    expect(await types()).toMatchObject({ events: ['zoneAlarm', 'motion'] });
    expect((await messages(arco, 'arc-events-refused')).length).toBeGreaterThanOrEqual(1);
    await act('events', [ids[0]!], { events: ['intrusion'] });
    await act('events', [ids[0]!], { events: ['lineCrossing'] });
    const [again, ...none] = await pending();
    expect(none).toEqual([]);
    expect((await inst.api('POST', `/arc-requests/${again!.id}/decide`, { approve: true })).status).toBe(200);
    expect(await types()).toMatchObject({ events: ['lineCrossing'] });
    expect((await inst.api('POST', `/arc-requests/${again!.id}/decide`, { approve: true })).status).toBe(409);
  });

  it('gets another account number at once, unless another box has it (ARC-21)', async () => {
    const camera = await device('Camera', 'encoding');
    const id = await active(camera, `40${n}0`);
    const put = (account: string) => arco.api('PUT', `/arc/services/${id}/account`, { account });
    expect((await put(`40${n}A`)).body).toMatchObject({ account: `40${n}A`, state: 'active' });
    expect((await wished()).map((item) => item.account)).toEqual([`40${n}A`]);
    expect((await put('zz')).status).toBe(400);
    const [first, firstSite] = [box, siteId];
    siteId = (await inst.api('POST', '/sites', { name: `Far ${n}`, timeZone: 'UTC', type: 'personal' })).body.id;
    box = await new TestBox(relay).claimedBy({ ...inst, siteId });
    const far = await device('Far', 'encoding');
    const farId = await active(far, `41${n}0`);
    expect((await arco.api('PUT', `/arc/services/${farId}/account`, { account: `40${n}A` })).body).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('another box'),
    });
    await enable(far, `40${n}A`);
    expect((await serviceOf(far)).account).toBe(`41${n}0`);
    [box, siteId] = [first, firstSite];
    const panel = await device('Panel', 'panel');
    const second = await device('Second panel', 'panel');
    expect((await enable(panel, `40${n}A`)).status).toBe(200);
    expect((await enable(second, `40${n}A`)).body).toMatchObject({ code: 'conflict' });
  });

  it('keeps its account, and what waits under it, when the number alone changes; what is shared splits (ARC-21)', async () => {
    const [first, second] = [await device('First', 'encoding'), await device('Second', 'encoding')];
    const [one, two] = [await active(first, `42${n}0`), await active(second, `42${n}0`)];
    const [{ id: shared } = { id: '' }] = await wished();
    const put = (id: string, account: string) => arco.api('PUT', `/arc/services/${id}/account`, { account });
    // One of two leaves: the account stays with the other, and the box sends what waits under it.
    await put(one, `42${n}1`);
    const ids = async () => Object.fromEntries((await wished()).map((item) => [item.account, item.id]));
    const split = await ids();
    expect(split).toEqual({ [`42${n}0`]: shared, [`42${n}1`]: expect.not.stringMatching(shared) });
    await put(two, `42${n}2`);
    expect(await ids()).toEqual({ [`42${n}2`]: shared, [`42${n}1`]: split[`42${n}1`] });
    // Back to a number that it had.
    await put(two, `42${n}0`);
    expect(await ids()).toEqual({ [`42${n}0`]: shared, [`42${n}1`]: split[`42${n}1`] });
    const rows = () =>
      relay.withDb((db) =>
        db
          .selectFrom('arc_accounts')
          .select(['account', 'deletedAt'])
          .where('boxSerial', '=', box.serial)
          .orderBy('account')
          .execute(),
      );
    expect(await rows()).toEqual([
      { account: `42${n}0`, deletedAt: null },
      { account: `42${n}1`, deletedAt: null },
    ]);
    // Onto the other's number: not while something may wait that no account would send any more.
    expect((await put(two, `42${n}1`)).body).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('not connected'),
    });
    await box.connect();
    const heard = async (waiting: number) => {
      const since = new Date().toISOString();
      const path = { path: 'direct', since, direct: 'up', relay: 'up', second: 'absent', waiting } as const;
      await box.publish(box.topics.health, box.health({ arc: [{ ...path, accountId: shared }] }));
    };
    await heard(1);
    await until('the box has said so', async () => (await put(two, `42${n}1`)).body.detail?.includes('messages wait'));
    await heard(0);
    await until('it is sent', async () => (await put(two, `42${n}1`)).status === 200);
    expect(await ids()).toEqual({ [`42${n}1`]: split[`42${n}1`] });
    box.disconnect();
  });

  it('goes the other way only while the panel says that it is disarmed (ARC-23)', async () => {
    const [panel, camera] = [await device('Panel', 'panel'), await device('Camera', 'encoding')];
    const [ofPanel, ofCamera] = [await active(panel, `50${n}0`), await active(camera, `50${n}1`)];
    const put = (id: string) => arco.api('PUT', `/arc/services/${id}/connection`, { mode: 'relay' });
    // Its box is away, so nobody knows.
    expect((await put(ofPanel)).body).toMatchObject({ code: 'box-unreachable' });
    expect((await put(ofCamera)).body).toMatchObject({ mode: 'relay' });
    expect((await wished()).map((item) => [item.account, item.mode])).toEqual([
      [`50${n}0`, 'direct-or-relay'],
      [`50${n}1`, 'relay'],
    ]);
  });

  it('tells the box how long a device may be away first (ARC-26, EXC-16, EXC-18)', async () => {
    const panel = await device('Panel', 'panel');
    await active(panel, `60${n}0`, { events: ['deviceOffline'], offlineDelayMs: 300_000 });
    const delay = async () => (await wished())[0]?.devices?.[0]?.offlineDelayMs;
    expect(await delay()).toBe(300_000);
    const change = (offlineDelayMs: number | null) =>
      enable(panel, `60${n}0`, { events: ['deviceOffline'], offlineDelayMs });
    for (const wrong of [4 * 60_000, 25 * 3_600_000]) expect((await change(wrong)).status).toBe(400);
    expect((await change(86_400_000)).status).toBe(200);
    expect(await delay()).toBe(86_400_000);
    expect((await enable(panel, `60${n}1`, { events: ['deviceOffline'] })).body).toMatchObject({ code: 'conflict' });
    expect((await serviceOf(panel)).state).toBe('active');
  });

  it('ends when the installer turns it off, withdraws the site, or takes the device away (ARC-14)', async () => {
    const [one, two, three] = [
      await device('1', 'encoding'),
      await device('2', 'encoding'),
      await device('3', 'encoding'),
    ];
    for (const [i, id] of [one, two, three].entries()) await active(id, `70${n}${i}`);
    expect((await inst.api('DELETE', `/sites/${siteId}/arc-service/devices/${one}`)).status).toBe(204);
    expect((await wished()).map((item) => item.account)).toEqual([`70${n}1`, `70${n}2`]);
    expect((await inst.api('DELETE', `/sites/${siteId}/arc-service/devices/${one}`)).status).toBe(409);
    expect((await inst.api('DELETE', `/devices/${two}`)).status).toBe(204);
    expect((await wished()).map((item) => item.account)).toEqual([`70${n}2`]);
    expect((await inst.api('DELETE', `/sites/${siteId}/arc-service`)).status).toBe(204);
    expect(await wished()).toEqual([]);
    expect((await inst.api('GET', `/sites/${siteId}/arc-service`)).body.authorization).toBeNull();
    for (const id of [one, two, three]) expect(await sees(id)).toBe(false);
    expect((await messages(arco, 'arc-service-ended')).length).toBeGreaterThanOrEqual(3);
    const log = (await inst.api('GET', '/log?limit=20')).body.items.map((entry: { action: string }) => entry.action);
    expect(log).toContain('withdrawSiteFromArc');
    expect(log).toContain('authorizeSiteToArc');
  });

  it('is lost by a device that moves to another site (ARC-29)', async () => {
    const camera = await device('Camera', 'encoding');
    const stays = await device('Stays', 'panel', { boxSerial: null, accessMode: 'p2p' });
    expect(stays).toBeTruthy();
    await active(camera, `80${n}0`);
    const candidates = (await inst.api('GET', `/sites/${siteId}/movable-devices`)).body.items;
    expect(candidates.find((d: { deviceId: string }) => d.deviceId === camera).settings).toContain('arc');
    const moved = await inst.api('POST', `/sites/${siteId}/move-devices`, {
      devices: [{ deviceId: camera }],
      target: { name: `Elsewhere ${n}`, timeZone: 'UTC' },
    });
    expect(moved.body.items).toMatchObject([{ moved: true, dropped: ['arc'] }]);
    expect(await wished()).toEqual([]);
    expect(await sees(camera)).toBe(false);
    expect((await arco.api('GET', '/arc/services')).body.items).not.toEqual(
      expect.arrayContaining([expect.objectContaining({ siteId })]),
    );
  });

  it('asks a customer before alarms bring pictures or clips along (ARC-27, SHAR-05)', async () => {
    const camera = await device('Camera', 'encoding');
    const media = { picture: true, clip: true };
    await active(camera, `90${n}0`, { media });
    expect((await serviceOf(camera)).media).toEqual(media);
    const customer = await relay.customer(`Clara${n}`);
    const grants = () =>
      relay.withDb(async (db) => {
        const rows = await db
          .selectFrom('grants')
          .select('permission')
          .where('source', '=', 'arc')
          .where('siteId', '=', siteId)
          .execute();
        return rows.map((row) => row.permission).sort();
      });
    expect(await grants()).toEqual(['playback', 'view']);
    const sharing = await inst.api('POST', `/sites/${siteId}/sharing`, {
      mode: 'A',
      customers: [{ email: customer.email, name: 'Clara', administrator: true }],
    });
    expect(sharing.status, JSON.stringify(sharing.body)).toBe(201);
    const share = (await customer.api('GET', '/shares')).body.items[0];
    const accepted = await customer.api('POST', `/shares/${share.id}/accept`, {});
    expect(accepted.status, JSON.stringify(accepted.body)).toBe(200);
    expect(await grants()).toEqual(['view']);
    expect(await messages(customer, 'arc-media-requested')).toHaveLength(1);
    const [request] = (await customer.api('GET', '/arc-requests?pending=true')).body.items;
    expect(request).toMatchObject({ kind: 'media', media, deviceName: 'Camera' });
    expect((await inst.api('POST', `/arc-requests/${request.id}/decide`, { approve: true })).status).toBe(404);
    expect((await customer.api('POST', `/arc-requests/${request.id}/decide`, { approve: true })).status).toBe(200);
    expect(await grants()).toEqual(['playback', 'view']);
  });

  it('goes on after a transfer; pictures and clips are the new owner’s to give (ARC-27)', async () => {
    const camera = await device('Camera', 'encoding');
    await active(camera, `B0${n}0`, { media: { picture: true, clip: true } });
    const owner = await relay.customer(`Olga${n}`);
    const sent = await inst.api('POST', `/sites/${siteId}/transfer`, {
      method: 'email',
      email: owner.email,
      customerName: 'Olga',
      requests: [],
    });
    expect(sent.status, JSON.stringify(sent.body)).toBeLessThan(300);
    const accepted = await owner.api('POST', `/handovers/${sent.body.transfer.id}/accept`, {});
    expect(accepted.status, JSON.stringify(accepted.body)).toBe(200);
    const { devices } = (await owner.api('GET', `/sites/${siteId}/arc-service`)).body;
    expect(devices[0].service).toMatchObject({
      state: 'active',
      media: { picture: false, clip: false },
      pendingMedia: { picture: true, clip: true },
    });
    expect((await wished()).map((item) => item.account)).toEqual([`B0${n}0`]);
    expect(await sees(camera)).toBe(true);
    expect((await owner.api('GET', '/arc-requests?pending=true')).body.items).toMatchObject([{ kind: 'media' }]);
    expect((await owner.api('DELETE', `/sites/${siteId}/arc-service`)).status).toBe(204);
    expect(await wished()).toEqual([]);
  });

  it('needs one of several receivers to be chosen', async () => {
    const centre = await relay.company(`Centre${n}`);
    await makeCentre(relay, centre);
    const second = await addReceiver(relay, centre, 'Second');
    await inst.api('PUT', `/sites/${siteId}/arc-service`, { arcId: centre.companyId });
    const camera = await device('Camera', 'encoding');
    await enable(camera);
    const { id } = await serviceOf(camera);
    const accept = (more: object) => centre.api('POST', '/arc/services/accept', { services: [id], ...more });
    expect((await accept({})).body.items).toMatchObject([{ done: false, code: 'conflict' }]);
    expect((await accept({ receiverId })).body.items).toMatchObject([{ done: false, code: 'not-found' }]);
    expect((await accept({ receiverId: second })).body.items).toMatchObject([{ done: true }]);
    expect((await wished())[0]?.receiverId).toBe(second);
  });
});

describe('a centre with devices of its own', () => {
  it('makes sites, adds boxes and shares them with tenants (ARC-31)', async () => {
    const own = (await arco.api('POST', '/sites', { name: `Flat ${n}`, timeZone: 'UTC', type: 'personal' })).body.id;
    box = await new TestBox(relay).claimedBy({ ...arco, siteId: own });
    siteId = own;
    const camera = await device('Hall', 'encoding');
    expect((await arco.api('PUT', `/sites/${own}/arc-service`, { arcId: arco.companyId })).status).toBe(200);
    const wanted = { account: `A0${n}0`, events: ['motion'] };
    expect((await arco.api('PUT', `/sites/${own}/arc-service/devices/${camera}`, wanted)).status).toBe(200);
    const shared = await arco.api('POST', `/sites/${own}/sharing`, {
      mode: 'B',
      customers: [{ email: `tenant${n}@home.example`, name: 'Tenant' }],
    });
    expect(shared.status, JSON.stringify(shared.body)).toBe(201);
  });
});
