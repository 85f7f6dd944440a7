import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { HeldPermission } from '../../protocol/wire/handover.ts';
import { type Company, TestRelay, until } from '../testing/relay.ts';
import { Stage } from './testing.ts';

/* A site goes over to its customer, and what the installer may do there begins and ends. In order: one story. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const clock = new ManualClock(Date.UTC(2026, 2, 2, 8));
const relay = new TestRelay({ clock });
const stage = new Stage(relay);
type Customer = Omit<Company, 'siteId'>;
let acme: Company;
let mara: Customer;
let site: string;
const devices: Record<string, string> = {};

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  mara = await relay.customer('Mara');
  site = await stage.site(acme, 'Villa');
  for (const name of ['Gate', 'Yard', 'Hall']) devices[name] = await stage.device(site, name);
});
afterAll(() => relay.stop());

const status = async (api = acme.api) => (await api('GET', `/sites/${site}`)).body.status;
const held = async (permission: string, device?: string): Promise<HeldPermission> => {
  const { body } = await acme.api('GET', `/sites/${site}/permissions`);
  return body.items.find(
    (item: HeldPermission) => item.permission === permission && item.deviceId === (device ? devices[device] : null),
  );
};
/** Whether the device's picture is refused for want of permission; there is no box to ask for it. */
const watches = async (device: string) => (await acme.api('GET', `/devices/${devices[device]}/snapshot`)).body.code;
/** Only the wall clock moves, no timer runs: what is right then is right because every request sees what has ended. */
const pass = (ms: number) => clock.step(ms);

describe('a transfer by e-mail', () => {
  it('is sent with company, remark and link, and waits for its customer (HAND-05, HAND-08)', async () => {
    const sent = await acme.api('POST', `/sites/${site}/transfer`, {
      method: 'email',
      email: 'Mara@Home.example',
      customerName: 'Mara',
      remark: 'The code is yours to change.',
      requests: [
        { permission: 'manage', validity: 'permanent' },
        { permission: 'configure', deviceIds: [devices.Gate], validity: '4h' },
        { permission: 'live', validity: '1h' },
      ],
    });
    expect(sent).toMatchObject({ status: 201, body: { status: 'to-be-accepted', resendsLeft: 5, qr: null } });
    const [mail] = await stage.sentTo('mara@home.example');
    expect(mail).toMatchObject({ link: `/handovers/${sent.body.transfer.id}` });
    expect(`${mail?.subject} ${mail?.text}`).toMatch(/Acme.*Villa.*The code is yours to change\./s);
    const waiting = (await mara.api('GET', '/handovers')).body.items;
    expect(waiting).toMatchObject([
      {
        siteName: 'Villa',
        provider: { name: 'Acme' },
        remark: 'The code is yours to change.',
        requests: [
          { permission: 'manage', devices: null, validity: 'permanent' },
          { permission: 'configure', devices: [{ name: 'Gate' }], validity: '4h' },
          { permission: 'live', devices: null, validity: '1h' },
        ],
      },
    ]);
    expect((await mara.api('GET', `/sites/${site}`)).status).toBe(404);
  });

  it('can be sent again five times a day of the site; only the newest counts (HAND-11)', async () => {
    const first = (await mara.api('GET', '/handovers')).body.items[0].id;
    for (let left = 4; left >= 0; left--) {
      const again = await acme.api('POST', `/sites/${site}/transfer/resend`);
      expect(again).toMatchObject({ status: 201, body: { resendsLeft: left } });
    }
    expect(await acme.api('POST', `/sites/${site}/transfer/resend`)).toMatchObject({
      status: 409,
      body: { code: 'limit-reached' },
    });
    // Taking it back and beginning anew gives no further tries.
    expect((await acme.api('POST', `/sites/${site}/transfer/cancel`)).body.status).toBe('not-handed-over');
    const anew = { method: 'email', email: mara.email };
    expect((await acme.api('POST', `/sites/${site}/transfer`, anew)).body.code).toBe('limit-reached');
    expect(await status()).toBe('not-handed-over');
    expect(await mara.api('POST', `/handovers/${first}/accept`, {})).toMatchObject({
      status: 410,
      body: { code: 'link-invalid' },
    });

    pass(16 * HOUR_MS - 1);
    acme.api = await stage.signIn(acme);
    expect((await acme.api('POST', `/sites/${site}/transfer`, anew)).body.code).toBe('limit-reached');
    pass(1);
    const next = await acme.api('POST', `/sites/${site}/transfer`, {
      ...anew,
      requests: [
        { permission: 'manage', validity: 'permanent' },
        { permission: 'configure', deviceIds: [devices.Gate], validity: '4h' },
        { permission: 'live', validity: '1h' },
      ],
    });
    expect(next).toMatchObject({ status: 201, body: { resendsLeft: 5 } });
  });

  it('goes to the right person only (HAND-10)', async () => {
    mara.api = await stage.signIn(mara);
    const [handover] = (await mara.api('GET', '/handovers')).body.items;
    const other = await relay.customer('Otto');
    expect((await other.api('GET', '/handovers')).body.items).toEqual([]);
    for (const api of [other.api, acme.api])
      expect((await api('POST', `/handovers/${handover.id}/accept`, {})).status).toBe(404);
    expect(await status()).toBe('to-be-accepted');
  });

  it('accepted, the customer owns the site and the company has what it asked for, at once (HAND-07, HAND-02)', async () => {
    const [handover] = (await mara.api('GET', '/handovers')).body.items;
    expect((await mara.api('POST', `/handovers/${handover.id}/accept`, {})).body.state).toBe('accepted');
    expect(await mara.api('POST', `/handovers/${handover.id}/accept`, {})).toMatchObject({ status: 410 });
    expect(await status()).toBe('authorized');
    expect(await status(mara.api)).toBe('authorized');
    expect((await mara.api('GET', `/sites/${site}`)).body.permissions).toContain('own');
    expect((await mara.api('GET', `/sites/${site}/provider`)).body).toMatchObject({ name: 'Acme', email: acme.email });
    expect(await held('manage')).toMatchObject({ state: 'granted', until: null });
    expect(await held('configure', 'Gate')).toMatchObject({ state: 'granted' });
    expect(await held('configure', 'Yard')).toMatchObject({ state: 'none', mayApply: true });
    for (const name of ['Gate', 'Yard', 'Hall']) {
      expect(await held('live', name)).toMatchObject({ state: 'granted' });
      expect(await held('playback', name)).toMatchObject({ state: 'none' });
    }
    expect(await stage.notices(acme)).toContain('transfer-accepted');
  });
});

describe('permissions', () => {
  it('end by themselves at their time, not a millisecond later (PERM-03)', async () => {
    expect(await watches('Yard')).not.toBe('permission-needed');
    pass(HOUR_MS - 1);
    expect(await watches('Yard')).not.toBe('permission-needed');
    pass(1);
    expect(await watches('Yard')).toBe('permission-needed');
    expect(await held('live', 'Yard')).toMatchObject({ state: 'none', until: null, mayApply: true });
    expect(await held('configure', 'Gate')).toMatchObject({ state: 'granted' });
    expect(await stage.notices(acme)).toContain('permissions-ended');
    expect(await stage.notices(mara)).toContain('permissions-ended-owner');
    pass(3 * HOUR_MS - 1);
    expect(await held('configure', 'Gate')).toMatchObject({ state: 'granted' });
    pass(1);
    expect(await held('configure', 'Gate')).toMatchObject({ state: 'none', mayApply: true });
  });

  it('are asked for together, each with its validity, and decided one by one (PERM-01, PERM-02, PERM-04)', async () => {
    const items = [
      { deviceId: devices.Gate, permission: 'playback', validity: '2h' },
      { deviceId: devices.Yard, permission: 'playback', validity: '8h' },
    ];
    const path = `/sites/${site}/permission-applications`;
    const asked = await acme.api('POST', path, { items, remark: 'Somebody climbed over.' });
    expect(asked).toMatchObject({ status: 201, body: { open: true } });
    expect(await acme.api('POST', path, { items })).toMatchObject({ status: 409 });
    expect(await held('playback', 'Gate')).toMatchObject({ state: 'applied', mayApply: false });
    expect(await stage.notices(mara)).toContain('permissions-requested');

    const [request] = (await mara.api('GET', '/requests?open=true')).body.items;
    expect(request).toMatchObject({ applicant: { name: 'Acme' }, remark: 'Somebody climbed over.' });
    const item = (name: string) => request.items.find((i: { deviceName: string }) => i.deviceName === name).id;
    pass(5 * MINUTE_MS);
    const decided = await mara.api('POST', `/requests/${request.id}/decide`, {
      items: [
        { id: item('Gate'), approve: true },
        { id: item('Yard'), approve: false },
      ],
    });
    expect(decided).toMatchObject({ status: 200, body: { open: false } });
    // The time counts from the approval.
    expect(await held('playback', 'Gate')).toMatchObject({
      state: 'granted',
      until: new Date(clock.now() + 2 * HOUR_MS).toISOString(),
    });
    expect(await held('playback', 'Yard')).toMatchObject({ state: 'none' });
    expect(await stage.notices(acme)).toContain('permissions-decided');
    const again = { items: [{ id: item('Yard'), approve: true }] };
    expect((await mara.api('POST', `/requests/${request.id}/decide`, again)).status).toBe(409);
    pass(2 * HOUR_MS);
    expect(await held('playback', 'Gate')).toMatchObject({ state: 'none' });
  });

  it('are released by hand, also permanent ones, and are gone at once (PERM-05, PERM-06)', async () => {
    mara.api = await stage.signIn(mara);
    acme.api = await stage.signIn(acme);
    await grant(['live', 'configure'], 'Hall', 'permanent');
    expect(await held('live', 'Hall')).toMatchObject({ state: 'granted', until: null, mayApply: false });
    const items = [{ deviceId: devices.Hall, permission: 'live' }];
    expect((await acme.api('POST', `/sites/${site}/permissions/release`, { items })).status).toBe(200);
    expect(await watches('Hall')).toBe('permission-needed');
    expect(await held('live', 'Hall')).toMatchObject({ state: 'none', mayApply: true });
    expect(await held('configure', 'Hall')).toMatchObject({ state: 'granted' });
    expect((await acme.api('POST', `/sites/${site}/permissions/release`, { items })).status).toBe(409);
    expect(await stage.notices(mara)).toContain('permissions-released');
  });

  it('are seen and taken back by the owner', async () => {
    const access = (await mara.api('GET', `/sites/${site}/access`)).body.items;
    expect(access).toMatchObject([
      { company: { name: 'Acme' }, permission: 'list', mayWithdraw: false },
      { company: { name: 'Acme' }, permission: 'manage', mayWithdraw: true },
      { company: { name: 'Acme' }, permission: 'configure', deviceName: 'Hall', mayWithdraw: true },
    ]);
    const take = { companyId: acme.companyId, items: [{ deviceId: devices.Hall, permission: 'configure' }] };
    expect((await mara.api('POST', `/sites/${site}/access/withdraw`, take)).status).toBe(200);
    expect((await mara.api('POST', `/sites/${site}/access/withdraw`, take)).status).toBe(409);
    expect(await held('configure', 'Hall')).toMatchObject({ state: 'none' });
    expect(await stage.notices(acme)).toContain('permissions-withdrawn');
  });
});

describe('the site authorisation', () => {
  it('taken back, the site is Handed Over, Not Authorized and no longer managed (SITE-13, PERM-08)', async () => {
    const take = { companyId: acme.companyId, items: [{ permission: 'manage' }] };
    expect((await mara.api('POST', `/sites/${site}/access/withdraw`, take)).status).toBe(200);
    expect(await status()).toBe('not-authorized');
    const discovery = await acme.api('GET', `/sites/${site}/discovery`);
    expect(discovery.body.code).toBe('site-status');
  });

  it('is applied for only then, and approved with a validity that ends to the second (HAND-13, PERM-07, PERM-09)', async () => {
    const path = `/sites/${site}/authorization-applications`;
    const asked = await acme.api('POST', path, { validity: '8h', remark: 'Yearly service' });
    expect(asked.status).toBe(201);
    expect((await acme.api('POST', path, {})).status).toBe(409);
    const { id, items } = (await mara.api('GET', `/requests/${asked.body.id}`)).body;
    const approve = { items: [{ id: items[0].id, approve: true, validity: '1h' }] };
    expect((await mara.api('POST', `/requests/${id}/decide`, approve)).status).toBe(200);
    expect(await status()).toBe('authorized');
    expect((await acme.api('POST', path, {})).body.code).toBe('site-status');
    pass(HOUR_MS - 1);
    expect(await status()).toBe('authorized');
    pass(1);
    expect(await status()).toBe('not-authorized');
    expect(await held('manage')).toMatchObject({ state: 'none', mayApply: true });
    expect(await stage.notices(acme)).toContain('authorization-ended');
  });

  it('ends also while nobody asks', async () => {
    acme.api = await stage.signIn(acme);
    mara.api = await stage.signIn(mara);
    const asked = await acme.api('POST', `/sites/${site}/authorization-applications`, { validity: '1h' });
    await mara.api('POST', `/requests/${asked.body.id}/decide`, {
      items: [{ id: asked.body.items[0].id, approve: true }],
    });
    pass(HOUR_MS);
    await clock.advance(MINUTE_MS);
    const stored = () =>
      relay.withDb((db) => db.selectFrom('sites').select('status').where('id', '=', site).executeTakeFirstOrThrow());
    await until('the status to follow', async () => (await stored()).status === 'not-authorized');
  });

  it('can be refused', async () => {
    const asked = await acme.api('POST', `/sites/${site}/authorization-applications`, {});
    const refuse = { items: [{ id: asked.body.items[0].id, approve: false }] };
    await mara.api('POST', `/requests/${asked.body.id}/decide`, refuse);
    expect(await status()).toBe('not-authorized');
    expect(await stage.notices(acme)).toContain('permissions-refused');
  });
});

/** Asks, and approves all of it. */
async function grant(permissions: string[], device: string, validity: string): Promise<void> {
  const items = permissions.map((permission) => ({ deviceId: devices[device], permission, validity }));
  const asked = await acme.api('POST', `/sites/${site}/permission-applications`, { items });
  const all = asked.body.items.map(({ id }: { id: string }) => ({ id, approve: true }));
  expect((await mara.api('POST', `/requests/${asked.body.id}/decide`, { items: all })).status).toBe(200);
}
