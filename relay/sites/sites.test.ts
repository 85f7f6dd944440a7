import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import {
  SITE_OPERATIONS,
  SITE_STATUSES,
  type SiteOperation,
  type SiteStatus,
  STATUS_ALLOWS,
} from '../../protocol/wire/rights.ts';
import { TestBox } from '../testing/box.ts';
import { type Call, type Company, TestRelay, until } from '../testing/relay.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let acme: Company;
let rival: Company;
const make = async (fields: object = {}, api: Call = acme.api) =>
  (await api('POST', '/sites', { name: uuidv7(), timeZone: 'Europe/Berlin', ...fields })).body;
const inStatus = (id: string, status: SiteStatus) =>
  relay.withDb((db) => db.updateTable('sites').set({ status }).where('id', '=', id).execute());

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  rival = await relay.company('Rival');
});
afterAll(() => relay.stop());

describe('a site', () => {
  it('is made with all that is told of it, in a group that is new or there (SITE-01, SITE-02, SITE-07, SITE-08, GRP-02)', async () => {
    const text = {
      scene: 'shop',
      address: 'Hauptstraße 5',
      city: 'Köln',
      region: 'NRW',
      country: 'DE',
      remark: 'ring twice',
    };
    const place = { latitude: 50.9, longitude: 6.9 };
    const site = await make({ name: 'Jewelry Müller', ...text, ...place, syncTime: false, group: { name: 'Köln' } });
    expect(site).toMatchObject({
      name: 'Jewelry Müller',
      timeZone: 'Europe/Berlin',
      type: 'personal',
      ...text,
      ...place,
    });
    expect(site).toMatchObject({ syncTime: false, status: 'not-handed-over', own: true, group: { name: 'Köln' } });
    expect(site).toMatchObject({ companyName: 'Acme', ownerName: null, managers: { count: 1 }, deviceCount: 0 });
    const same = await make({ group: { id: site.group.id } });
    expect(same.group).toEqual(site.group);
    expect((await make({ group: { name: 'Köln' } })).group).toEqual(site.group);
    expect((await make({ type: 'team' })).type).toBe('team');
    const team = await acme.api('POST', '/sites', {
      name: 'T',
      timeZone: 'UTC',
      type: 'team',
      group: { name: 'Köln' },
    });
    expect(team).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  it('has a name that no other of the company has, and may have one that another company uses (SITE-05)', async () => {
    await make({ name: 'Same' });
    const again = await acme.api('POST', '/sites', { name: 'Same', timeZone: 'UTC' });
    expect(again).toMatchObject({ status: 409, body: { code: 'conflict', errors: [{ path: 'name' }] } });
    expect((await rival.api('POST', '/sites', { name: 'Same', timeZone: 'UTC' })).status).toBe(201);
    const other = await make();
    expect((await acme.api('PATCH', `/sites/${other.id}`, { name: 'Same' })).body.code).toBe('conflict');
    expect((await acme.api('PATCH', `/sites/${other.id}`, { name: other.name })).status).toBe(200);
  });

  it('keeps its time zone for ever; all else can be changed (SITE-06)', async () => {
    const site = await make();
    const zone = await acme.api('PATCH', `/sites/${site.id}`, { timeZone: 'UTC', name: 'Moved' });
    expect(zone).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(zone.body.detail).toContain('time zone');
    const changes = {
      name: 'Renamed',
      syncTime: false,
      scene: 'villa',
      address: 'A 1',
      city: 'Ulm',
      region: 'BW',
      country: 'DE',
    };
    const more = { remark: 'dog', latitude: 1.5, longitude: -2 };
    const changed = await acme.api('PATCH', `/sites/${site.id}`, { ...changes, ...more });
    expect(changed.body).toMatchObject({ ...changes, ...more, timeZone: 'Europe/Berlin' });
    expect((await acme.api('PATCH', `/sites/${site.id}`, {})).body).toEqual(changed.body);
    for (const bad of [
      { country: 'Germany' },
      { latitude: 91 },
      { longitude: 181 },
      { name: ' ' },
      { remark: 'x'.repeat(501) },
    ])
      expect((await acme.api('PATCH', `/sites/${site.id}`, bad)).status).toBe(400);
  });

  it('is deleted: its box can be claimed by others and wishes nothing more, its events are out of reach (SITE-16)', async () => {
    const site = await make();
    const box = await new TestBox(relay).claimedBy({ ...acme, siteId: site.id });
    await box.connect();
    const event = box.event();
    await box.journal([event]);
    expect((await acme.api('GET', `/events/${event.id}`)).status).toBe(200);
    expect((await acme.api('DELETE', `/sites/${site.id}`)).status).toBe(204);
    for (const path of [`/sites/${site.id}`, `/events/${event.id}`, `/sites/${site.id}/events`])
      expect((await acme.api('GET', path)).status).toBe(404);
    await until('the box to hear of it', () => box.last(box.topics.hello)?.claimed === false);
    await until('an empty wish', () => (box.last(box.topics.desired)?.version as number) > 0);
    box.disconnect();
    await box.claimedBy(rival);
    expect((await rival.api('GET', `/sites/${rival.siteId}/boxes`)).body.items).toMatchObject([{ serial: box.serial }]);
    expect((await acme.api('POST', '/sites', { name: site.name, timeZone: 'UTC' })).status).toBe(201);
  });

  it('that a customer owns stays with them when the installer deletes it', async () => {
    const site = await make();
    const home = uuidv7();
    await relay.withDb(async (db) => {
      const createdAt = new Date().toISOString();
      await db.insertInto('companies').values({ id: home, name: 'Family', createdAt, type: 'customer' }).execute();
      await db
        .updateTable('sites')
        .set({ ownerId: home, status: 'not-authorized' })
        .where('id', '=', site.id)
        .execute();
      await db
        .insertInto('grants')
        .values({ id: uuidv7(), companyId: home, siteId: site.id, permission: 'own', source: 'transfer' })
        .execute();
    });
    expect((await acme.api('GET', `/sites/${site.id}`)).body.ownerName).toBe('Family');
    expect((await acme.api('DELETE', `/sites/${site.id}`)).status).toBe(204);
    expect((await acme.api('GET', `/sites/${site.id}`)).status).toBe(404);
    const left = await relay.withDb((db) =>
      db.selectFrom('grants').select(['companyId', 'permission', 'guest']).where('siteId', '=', site.id).execute(),
    );
    expect(left).toEqual([{ companyId: home, permission: 'own', guest: 0 }]);
  });
});

/** Requests that only ask whether the status lets them: what they ask for is valid and mostly changes nothing. */
const REQUESTS: Partial<Record<SiteOperation, (id: string) => [method: string, path: string, body?: object]>> = {
  search: (id) => ['GET', `/sites/${id}`],
  assign: (id) => ['PUT', `/sites/${id}/managers/${acme.userId}`, { until: null }],
  'manage-devices': (id) => [
    'POST',
    `/sites/${id}/additions`,
    { devices: [{ method: 'serial', serial: 'T123T45R6' }] },
  ],
  edit: (id) => ['PATCH', `/sites/${id}`, { city: 'Kiel' }],
  group: (id) => ['POST', '/site-groups/moves', { siteIds: [id], group: null }],
  delete: (id) => ['DELETE', `/sites/${id}`],
};

describe('the matrix of statuses and operations (SITE-11, SITE-13, GRP-04)', () => {
  const cells = SITE_STATUSES.flatMap((status) => SITE_OPERATIONS.map((operation) => [operation, status] as const));

  it.each(cells)('%s of a site that is %s', async (operation, status) => {
    const allowed = STATUS_ALLOWS[operation].includes(status);
    const site = await make();
    await inStatus(site.id, status);
    const { operations } = (await acme.api('GET', `/sites/${site.id}`)).body;
    expect(operations.includes(operation)).toBe(allowed);
    const request = REQUESTS[operation];
    if (!request) return;
    const { status: answer, body } = await acme.api(...request(site.id));
    const code = body?.failed?.[0]?.code ?? (answer >= 400 ? body.code : null);
    expect(code).toBe(allowed ? null : 'site-status');
    if (!body?.failed) expect(answer < 400).toBe(allowed);
  });

  it('has a cell for each of the manual’s', () => {
    // Twelve operations; sending a transfer again is Gatepost's thirteenth.
    expect(cells).toHaveLength(13 * 7);
  });
});

describe('groups', () => {
  it('are made, renamed, filled by batch, and deleted without their sites (GRP-01, GRP-03)', async () => {
    const [a, b, team] = [await make(), await make(), await make({ type: 'team' })];
    const made = await acme.api('POST', '/site-groups', { name: 'Chain' });
    expect(made).toMatchObject({ status: 201, body: { name: 'Chain', siteCount: 0 } });
    expect((await acme.api('POST', '/site-groups', { name: 'Chain' })).body.code).toBe('conflict');
    const group = { id: made.body.id };
    const move = await acme.api('POST', '/site-groups/moves', { siteIds: [a.id, b.id, team.id, rival.siteId], group });
    expect(move.body.done).toEqual([a.id, b.id]);
    expect(move.body.failed).toMatchObject([
      { siteId: team.id, code: 'conflict' },
      { siteId: rival.siteId, code: 'not-found' },
    ]);
    const other = await acme.api('POST', '/site-groups/moves', { siteIds: [b.id], group: { name: 'South' } });
    expect(other.body.done).toEqual([b.id]);
    const groups = (await acme.api('GET', '/site-groups')).body.items;
    expect(groups.filter((g: { name: string }) => ['Chain', 'South'].includes(g.name))).toMatchObject([
      { name: 'Chain', siteCount: 1 },
      { name: 'South', siteCount: 1 },
    ]);
    expect((await acme.api('PUT', `/site-groups/${group.id}`, { name: 'South' })).body.code).toBe('conflict');
    expect((await acme.api('PUT', `/site-groups/${group.id}`, { name: 'North' })).body.siteCount).toBe(1);
    const listed = (await acme.api('GET', `/sites?group=${group.id}`)).body.items;
    expect(listed.map((s: { id: string }) => s.id)).toEqual([a.id]);
    expect((await rival.api('PUT', `/site-groups/${group.id}`, { name: 'Mine' })).status).toBe(404);
    expect((await acme.api('DELETE', `/site-groups/${group.id}`)).status).toBe(204);
    expect((await acme.api('GET', `/sites/${a.id}`)).body.group).toBeNull();
  });
});
