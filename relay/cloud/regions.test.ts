import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Call, Company } from '../testing/relay.ts';
import { TestRelay } from '../testing/relay.ts';
import { readCountries } from './regions.ts';

const relay = new TestRelay({ cloudNotIn: readCountries(['ng', 'JP, tw']) });
let operator: Call;
let acme: Company;
let elsewhere: Company;

beforeAll(async () => {
  await relay.start();
  operator = await relay.operator();
  acme = await relay.company('Acme');
  elsewhere = await relay.company('Lagos Security');
  await relay.withDb(async (db) => {
    await db.updateTable('companies').set({ country: 'NG' }).where('id', '=', elsewhere.companyId).execute();
    await db.updateTable('companies').set({ country: 'DE' }).where('id', '=', acme.companyId).execute();
  });
});
afterAll(() => relay.stop());

const setUp = (who: Company) =>
  who.api('POST', `/sites/${who.siteId}/cloud/setups`, {
    boxSerial: 'ACDEFGHJK',
    devices: [
      {
        device: { name: 'Old', host: '192.0.2.1', username: 'admin', password: 'x' },
        channels: [{ channel: 1, package: { retentionDays: 7, term: 'month' } }],
      },
    ],
  });

it('where cloud storage is not offered nobody redeems its keys or sets it up, and is told why (CLOUD-12)', async () => {
  const wanted = { content: 'cloud-storage', quantity: 2, package: { retentionDays: 7, term: 'month' } };
  const [key] = (await operator('POST', '/operator/service-keys', wanted)).body.keys;
  const refused = await elsewhere.api('POST', '/company/service-keys/redeem', { keys: key.key });
  expect([refused.status, refused.body.code]).toEqual([403, 'not-allowed']);
  expect(refused.body.detail).toContain('not offered in this country');
  expect((await setUp(elsewhere)).body).toMatchObject({ code: 'not-allowed', detail: refused.body.detail });
  expect((await elsewhere.api('GET', '/cloud/services')).body).toEqual({ items: [], stock: [], offered: false });
  expect((await elsewhere.api('GET', `/sites/${elsewhere.siteId}/cloud`)).body.offered).toBe(false);
  // The key was not used up.
  expect((await acme.api('POST', '/company/service-keys/redeem', { keys: key.key })).status).toBe(200);
  expect((await acme.api('GET', '/cloud/services')).body).toMatchObject({ stock: [{ remaining: 2 }], offered: true });
  // What it takes there is another matter.
  expect((await setUp(acme)).body.code).toBe('not-found');
});

it('the country of a site counts as well as that of who pays (CLOUD-12)', async () => {
  const set = (country: string) =>
    relay.withDb((db) => db.updateTable('sites').set({ country }).where('id', '=', acme.siteId).execute());
  await set('JP');
  expect((await setUp(acme)).body.code).toBe('not-allowed');
  expect((await acme.api('GET', `/sites/${acme.siteId}/cloud`)).body.offered).toBe(false);
  await set('FR');
  expect((await acme.api('GET', `/sites/${acme.siteId}/cloud`)).body.offered).toBe(true);
});

it('countries are given as two letters each', () => {
  expect(readCountries([])).toEqual([]);
  expect(readCountries('DE ng,jp')).toEqual(['DE', 'NG', 'JP']);
  expect(() => readCountries('XX')).toThrow('“XX” is no country');
});
