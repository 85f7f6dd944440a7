import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay } from '../testing/relay.ts';

const relay = new TestRelay({ allowInternal: ['127.0.9.0/24'] });
let acme: Company;
let owner: Omit<Company, 'siteId'>;
let siteId: string;
let serial: string;
let receiverId: string;
let accountId: string;
let n = 0;
const addresses = (host: string) => ({
  name: `ARC ${n}`,
  direct: { host, port: 12_000 },
  relay: { host: '127.0.9.1', port: 12_001 },
});

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  owner = await relay.customer('Mara');
});
afterAll(() => relay.stop());
/** A site with alarms at a receiver of the installer's, now the customer's, without any permission for the installer. */
beforeEach(async () => {
  n++;
  siteId = (await acme.api('POST', '/sites', { name: `Shop ${n}`, timeZone: 'UTC' })).body.id;
  const box = await new TestBox(relay).claimedBy({ ...acme, siteId });
  serial = box.serial;
  receiverId = (await acme.api('POST', '/receivers', addresses('arc.example'))).body.id;
  const account = { boxSerial: serial, receiverId, account: '00A1', protocol: 'SIA-DCS', events: ['motion'] };
  accountId = (await acme.api('POST', `/sites/${siteId}/arc`, account)).body.id;
  await relay.withDb(async (db) => {
    await db.deleteFrom('grants').where('siteId', '=', siteId).execute();
    const of = { siteId, source: 'transfer' as const };
    await db
      .insertInto('grants')
      .values([
        { ...of, id: uuidv7(), companyId: owner.companyId, permission: 'own' },
        { ...of, id: uuidv7(), companyId: acme.companyId, permission: 'list' },
      ])
      .execute();
    const change = { ownerId: owner.companyId, status: 'not-authorized' as const };
    await db.updateTable('sites').set(change).where('id', '=', siteId).execute();
  });
});
const wished = () =>
  relay.withDb(async (db) => {
    const row = await db
      .selectFrom('desired_states')
      .select('document')
      .where('serial', '=', serial)
      .executeTakeFirst();
    return JSON.parse(row?.document ?? '{}').sections.arc.items as { direct: { host: string } }[];
  });

describe('alarms of a site that a customer has taken over', () => {
  it('are not led elsewhere by the installer who no longer manages it', async () => {
    const moved = await acme.api('PUT', `/receivers/${receiverId}`, { ...addresses('evil.example'), transport: 'tcp' });
    expect([moved.status, moved.body.code]).toEqual([409, 'conflict']);
    expect((await wished()).map((item) => item.direct.host)).toEqual(['arc.example']);
    expect((await acme.api('DELETE', `/arc/${accountId}`)).status).not.toBe(204);
  });

  it('are ended by their owner', async () => {
    expect((await owner.api('DELETE', `/arc/${accountId}`)).status).toBe(204);
    expect(await wished()).toEqual([]);
  });

  it('end when the installer gives the site up for good', async () => {
    expect((await acme.api('DELETE', `/sites/${siteId}`)).status).toBe(204);
    expect(await wished()).toEqual([]);
    expect((await owner.api('GET', `/sites/${siteId}/arc`)).body.items).toEqual([]);
  });
});
