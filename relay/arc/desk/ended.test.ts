import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Company, TestRelay } from '../../testing/relay.ts';
import { endAccounts } from '../end-accounts.ts';
import { alarmRecord } from './testing/alarms.ts';
import { centreWith } from './testing/centre.ts';

const relay = new TestRelay();
let acme: Company;
let made: Awaited<ReturnType<typeof centreWith>>;
const account = async () => (await made.centre.api('GET', `/arc-desk/accounts/${made.accountId}`)).body;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  made = await centreWith(relay, acme, 'Centre');
  await made.box.connect();
});
afterAll(async () => {
  made.box.disconnect();
  await relay.stop();
});

describe('an account that has ended', () => {
  it('tells its centre nothing new: no presence, no paths, no new name of the site (ARC-22)', async () => {
    const at = new Date().toISOString();
    const record = alarmRecord(made.box, {
      accountId: made.accountId,
      occurredAt: at,
      queuedAt: at,
      acknowledgedAt: at,
    });
    await made.box.journal([record]);
    await made.box.publish(made.box.topics.health, made.box.health({ at, uptimeMs: 1_000, arc: [] }));
    expect(await account()).toMatchObject({ online: true, ended: false, site: { name: 'Acme HQ' } });
    expect((await account()).heardAt).not.toBeNull();

    await relay.withDb((db) => endAccounts(db, 'id', made.accountId, at));
    await relay.withDb((db) =>
      db.updateTable('sites').set({ name: 'Their new shop' }).where('id', '=', acme.siteId).execute(),
    );
    expect(await account()).toMatchObject({
      ended: true,
      online: false,
      heardAt: null,
      paths: null,
      site: { name: 'Acme HQ' },
    });
    const { body } = await made.centre.api('GET', `/arc-desk/alarms/${record.body.id}`);
    expect(body).toMatchObject({ id: record.body.id, site: { name: 'Acme HQ' }, channelName: null });
    expect((await made.centre.api('GET', `/arc-desk/accounts/${made.accountId}/report`)).body).toMatchObject({
      account: { site: { name: 'Acme HQ' } },
    });
  });
});
