import { afterEach, describe, expect, it } from 'vitest';
import { open } from '../../protocol/codec/sealed.ts';
import { DesiredState } from '../../protocol/wire/desired.ts';
import { TestBox } from '../testing/box.ts';
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
  const box = await new TestBox(relay).claimedBy(company);
  const add = (more: object = {}) =>
    company.api('POST', `/sites/${company.siteId}/alarm-panels`, {
      boxSerial: box.serial,
      name: 'House',
      account: '00a1',
      key: null,
      ...more,
    });
  const desired = async () => {
    const row = await relay.withDb((db) =>
      db.selectFrom('desired_states').select('document').executeTakeFirstOrThrow(),
    );
    return DesiredState.parse(JSON.parse(row.document)).sections.devices.items;
  };
  return { relay, company, api: company.api, box, add, desired };
}

describe('an alarm panel that sends to a box', () => {
  it('is added with a key that only the box can read, shown, changed and taken away', async () => {
    const { api, box, add, desired } = await started();
    const key = 'ABCDEFGHIJKLMNOP';
    const added = await add({ key, keyFormat: 'characters', supervisionMs: 90_000 });
    expect([added.status, added.body.kind, added.body.type, added.body.username]).toEqual([
      201,
      'dc09',
      'panel',
      '00A1',
    ]);
    const { id } = added.body;
    const [item] = await desired();
    expect(item).toMatchObject({
      id,
      kind: 'dc09',
      panel: { account: '00A1', localTime: false, supervisionMs: 90_000 },
    });
    expect(Buffer.from(open(item!.password, box.sealKey, `device:${id}`), 'hex').toString()).toBe(key);
    const shown = await api('GET', `/devices/${id}/alarm-panel`);
    expect(shown.body).toEqual({
      deviceId: id,
      account: '00A1',
      encrypted: true,
      localTime: false,
      supervisionMs: 90_000,
      // The box cannot be asked.
      port: null,
      addresses: [],
    });
    expect(JSON.stringify(shown.body)).not.toContain(key);
    const change = { account: '0A11', localTime: true, supervisionMs: null };
    expect((await api('PUT', `/devices/${id}/alarm-panel`, change)).status).toBe(204);
    expect((await api('GET', `/devices/${id}/alarm-panel`)).body).toMatchObject({ ...change, encrypted: true });
    expect((await api('PUT', `/devices/${id}/alarm-panel`, { ...change, key: null })).status).toBe(204);
    expect((await api('GET', `/devices/${id}/alarm-panel`)).body).toMatchObject({ encrypted: false });
    expect(open((await desired())[0]!.password, box.sealKey, `device:${id}`)).toBe('');
    expect((await api('DELETE', `/devices/${id}`)).status).toBe(204);
    expect(await desired()).toEqual([]);
  });

  it('is refused with a number that is taken or none, and with a key that is none', async () => {
    const { api, add, company } = await started();
    const { id } = (await add()).body;
    expect((await add({ name: 'Shed' })).body).toMatchObject({ code: 'conflict' });
    expect((await add({ account: '12' })).status).toBe(400);
    expect((await add({ account: 'XYZ1' })).status).toBe(400);
    expect((await add({ account: '2222', key: 'abc' })).body).toMatchObject({ code: 'invalid-request' });
    expect((await add({ account: '2222', boxSerial: 'AAAAAAAA9' })).status).toBe(404);
    const other = (await add({ account: '2222', name: 'Shed' })).body.id;
    const change = { account: '00A1', localTime: false, supervisionMs: null };
    expect((await api('PUT', `/devices/${other}/alarm-panel`, change)).body).toMatchObject({ code: 'conflict' });
    const login = { username: 'admin', password: 'secret' };
    expect((await api('PUT', `/devices/${id}/credentials`, login)).body).toMatchObject({ code: 'conflict' });
    expect((await api('GET', `/sites/${company.siteId}/devices`)).body.items).toHaveLength(2);
  });
});
