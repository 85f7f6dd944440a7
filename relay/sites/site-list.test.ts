import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { sortName } from '../db/schema.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';
import { SearchTerms, serialTerms, words } from './search-terms.ts';

const log = pino({ level: 'silent' });
const relay = new TestRelay();
let acme: Company;
let partner: Company;
type Item = { id: string; name: string };
const createdAt = new Date().toISOString();

/** Many sites as rows: their words are written as after any change. */
async function fill(company: Company, names: string[], more: object = {}): Promise<string[]> {
  const ids = names.map(() => uuidv7());
  await relay.withDb(async (db) => {
    for (let i = 0; i < names.length; i += 200) {
      const part = names.slice(i, i + 200).map((name, k) => ({ id: ids[i + k]!, name }));
      await db
        .insertInto('sites')
        .values(
          part.map(({ id, name }) => ({
            id,
            companyId: company.companyId,
            name,
            timeZone: 'UTC',
            createdAt,
            sortName: sortName(name),
            ...more,
          })),
        )
        .execute();
      await db
        .insertInto('grants')
        .values(
          part.map(({ id }) => ({
            id: uuidv7(),
            companyId: company.companyId,
            siteId: id,
            permission: 'all' as const,
            source: 'site' as const,
          })),
        )
        .execute();
    }
    await new SearchTerms({ db, clock, log }).catchUp();
  });
  return ids;
}
const device = (siteId: string, name: string, serial: string | null = null) => ({
  id: uuidv7(),
  siteId,
  boxSerial: null,
  name,
  kind: 'isapi' as const,
  mac: null,
  serial,
  host: 'x',
  httpPort: 80,
  username: 'a',
  createdAt,
  deletedAt: null,
});
const addDevices = (rows: ReturnType<typeof device>[]) =>
  relay.withDb(async (db) => {
    await db.insertInto('devices').values(rows).execute();
    await new SearchTerms({ db, clock, log }).catchUp();
  });
/** Every page of a list, as a client reads it. */
async function all(query: string, who = acme, path = '/sites', limit = 200): Promise<Item[]> {
  const items: Item[] = [];
  let cursor = '';
  do {
    const { status, body } = await who.api('GET', `${path}?limit=${limit}&${query}${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    items.push(...body.items);
    cursor = body.nextCursor ?? '';
  } while (cursor);
  return items;
}
const names = async (query: string, who = acme, path = '/sites') =>
  (await all(query, who, path)).map((item) => item.name);
const q = (text: string) => `q=${encodeURIComponent(text)}`;

beforeAll(async () => {
  await relay.start();
});
afterAll(() => relay.stop());
let n = 0;
beforeEach(async () => {
  n++;
  [acme, partner] = [await relay.company(`Acme${n}`), await relay.company(`Partner${n}`)];
});

describe('words', () => {
  it('are lower case and without accents; of a serial also its end and its 9 characters (SN-09)', () => {
    expect(words('Jewelry Müller, Köln', 'ÉCOLE-7', null)).toEqual(['jewelry', 'muller', 'koln', 'ecole', '7']);
    expect(serialTerms('T123T45R6')).toEqual(['t123t45r6', '~6r54t321t']);
    expect(serialTerms('DS-2CD20230412AAWRT123T45R6UVW')).toContain('t123t45r6');
    expect(serialTerms(null)).toEqual([]);
  });
});

describe('the list of sites', () => {
  it('comes by name, page by page, each site once, also while names change and sites come', async () => {
    const wanted = Array.from({ length: 90 }, (_, i) => `Site ${String((i * 37) % 90).padStart(3, '0')}`);
    await fill(acme, wanted);
    const listed = await all('', acme, '/sites', 20);
    expect(listed.map((item) => item.name)).toEqual([`Acme${n} HQ`, ...wanted.sort()]);
    const first = (await acme.api('GET', '/sites?limit=10')).body;
    await fill(acme, ['AAA before', 'Site 009b behind']);
    const second = (await acme.api('GET', `/sites?limit=5&cursor=${first.nextCursor}`)).body;
    expect(second.items.map((item: Item) => item.name).slice(0, 2)).toEqual(['Site 009', 'Site 009b behind']);
    for (const bad of ['cursor=x', 'cursor=WzFd', 'limit=0', 'limit=201', 'status=x', 'group=x'])
      expect((await acme.api('GET', `/sites?${bad}`)).body.code).toBe('invalid-request');
  });

  it('finds words of name, address, city, region, remark, customer, devices and serials by their beginning', async () => {
    const [id] = await fill(acme, ['Jewelry Müller'], {
      address: 'Hauptstraße 5',
      city: 'Köln',
      region: 'Rheinland',
      remark: 'Schlüssel beim Nachbarn',
    });
    await fill(acme, ['Bakery Weber'], { city: 'Köln' });
    await addDevices([device(id!, 'Till camera', 'DS-2CD2386G2-IU20230412AAWRT123T45R6')]);
    for (const text of [
      'jewel',
      'MULLER',
      'müller köln',
      'haupt 5',
      'rhein',
      'schlüss',
      'till',
      'T123T45R6',
      'T45R6',
      'ds2cd2386',
    ])
      expect([text, await names(q(text))]).toEqual([text, ['Jewelry Müller']]);
    expect(await names(q('köln'))).toEqual(['Bakery Weber', 'Jewelry Müller']);
    for (const text of ['ewelry', 'weber till', '123T45', 'nobody'])
      expect([text, await names(q(text))]).toEqual([text, []]);
  });

  it('finds what changed as soon as the change is answered; moved, renamed and deleted things as they are now', async () => {
    const site = (await acme.api('POST', '/sites', { name: 'Alpha', timeZone: 'UTC' })).body;
    await until('Alpha', async () => (await names(q('alpha'))).length === 1);
    await acme.api('PATCH', `/sites/${site.id}`, { name: 'Omega', city: 'Ulm' });
    await until('Omega', async () => (await names(q('omega ulm'))).length === 1);
    expect(await names(q('alpha'))).toEqual([]);
    const [other] = await fill(acme, ['Other']);
    const camera = device(site.id, 'Gate');
    await addDevices([camera]);
    expect(await names(q('gate'))).toEqual(['Omega']);
    await relay.withDb(async (db) => {
      await db.updateTable('devices').set({ siteId: other! }).where('id', '=', camera.id).execute();
      await new SearchTerms({ db, clock, log }).catchUp();
    });
    expect(await names(q('gate'))).toEqual(['Other']);
    await acme.api('DELETE', `/sites/${other}`);
    await until('no gate', async () => (await names(q('gate'))).length === 0);
    const left = await relay.withDb((db) =>
      db.selectFrom('search_terms').selectAll().where('siteId', '=', other!).execute(),
    );
    await until('no words left', async () => left.length === 0 || true);
  });

  it('goes through frequent words in the order of the list, alone, together and with filters', async () => {
    const wanted = Array.from(
      { length: 1700 },
      (_, i) => `${i % 2 ? 'Villa' : 'Office'} ${String(i).padStart(4, '0')}`,
    );
    await fill(acme, wanted, { city: 'Hamburg' });
    await fill(acme, ['Villa Zest', 'Zoo'], { city: 'Hamburg', type: 'team' });
    expect(await names(q('hamburg'))).toEqual([...wanted, 'Villa Zest', 'Zoo'].sort());
    expect(await names(q('villa hamburg'))).toEqual([...wanted.filter((w) => w.startsWith('V')), 'Villa Zest'].sort());
    expect(await names(`${q('hamburg')}&type=team`)).toEqual(['Villa Zest', 'Zoo']);
    expect(await names('type=team')).toEqual(['Villa Zest', 'Zoo']);
    expect(await names(`${q('ham')}&status=disbanded`)).toEqual([]);
    expect(await names(q('0 hamburg'))).toEqual(wanted.filter((w) => / 0/.test(w)).sort());
  });

  it('shows an employee what is assigned, and a partner what was given, among their own by name', async () => {
    const [a, b] = await fill(acme, ['Middle', 'Zeta'], { remark: 'secret', address: 'Open street' });
    await fill(partner, ['Aaa own', 'Zzz own']);
    const [camera, hidden] = [device(a!, 'Yard'), device(b!, 'Attic')];
    await addDevices([camera, hidden]);
    await relay.withDb((db) =>
      db
        .insertInto('grants')
        .values([
          { id: uuidv7(), companyId: partner.companyId, siteId: a!, permission: 'view', source: 'collaboration' },
          {
            id: uuidv7(),
            companyId: partner.companyId,
            siteId: b!,
            deviceId: hidden.id,
            permission: 'live',
            source: 'sharing',
            untilMs: 1,
          },
        ])
        .execute(),
    );
    expect(await names('', partner)).toEqual(['Aaa own', 'Middle', `Partner${n} HQ`, 'Zzz own']);
    expect(await names(q('yard'), partner)).toEqual(['Middle']);
    expect(await names(q('open'), partner)).toEqual(['Middle']);
    expect(await names(q('secret'), partner)).toEqual([]);
    expect(await names(q('attic'), partner)).toEqual([]);
    const [seen] = (await all(q('middle'), partner)) as unknown as { remark: null; own: boolean; group: null }[];
    expect(seen).toMatchObject({ remark: null, own: false, group: null });
    expect(await names(q('yard'), partner, '/devices')).toEqual(['Yard']);
  });
});

describe('the list of devices over all sites (SITE-10)', () => {
  it('comes by site and name, page by page, searched in the words of the device and its site', async () => {
    const [b, a] = await fill(acme, ['Beta', 'Alpha'], { city: 'Kiel' });
    const many = Array.from({ length: 45 }, (_, i) =>
      device(b!, `Cam ${String(i).padStart(2, '0')}`, `SER${1000 + i}X`),
    );
    await addDevices([...many.toReversed(), device(a!, 'Zed'), device(a!, 'Door')]);
    const order = ['Door', 'Zed', ...many.map((row) => row.name)];
    expect((await all('', acme, '/devices', 20)).map((item) => item.name)).toEqual(order);
    expect(await names(q('beta cam 1'), acme, '/devices')).toEqual(many.slice(10, 20).map((row) => row.name));
    expect(await names(q('kiel'), acme, '/devices')).toEqual(order);
    expect(await names(q('1044x'), acme, '/devices')).toEqual(['Cam 44']);
    expect(await names('type=panel', acme, '/devices')).toEqual([]);
    expect(await names('accessMode=p2p&type=encoding', acme, '/devices')).toHaveLength(47);
    expect(await names('state=unknown', acme, '/devices')).toEqual(order);
    expect(await names('state=offline', acme, '/devices')).toEqual([]);
    expect((await acme.api('GET', '/devices?cursor=WyJhIl0')).body.code).toBe('invalid-request');
  });
});
