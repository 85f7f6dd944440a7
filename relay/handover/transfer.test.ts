import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { SITE_STATUSES, STATUS_ALLOWS, VALIDITIES } from '../../protocol/wire/rights.ts';
import { type Call, type Company, TestRelay, until } from '../testing/relay.ts';
import { TRANSFERABLE } from './rules.ts';
import { Stage, tokenOf } from './testing.ts';

const DAY_MS = 86_400_000;
const clock = new ManualClock(Date.UTC(2026, 2, 2, 8));
const relay = new TestRelay({ clock });
const stage = new Stage(relay);
let acme: Company;
let count = 0;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

const EVERY = ['manage-all-sites', 'manage-devices', 'configure-devices', 'live-view', 'playback'] as const;
/** A site with one device that can be handed over. */
async function ready(more: Parameters<Stage['site']>[2] = {}) {
  const site = await stage.site(acme, `Site ${++count}`, more);
  return { site, device: await stage.device(site, 'Gate') };
}
const transfer = (site: string, body: object = {}, api: Call = acme.api) =>
  api('POST', `/sites/${site}/transfer`, { method: 'email', email: 'somebody@home.example', ...body });

describe('statuses', () => {
  const cells = SITE_STATUSES.flatMap((status) =>
    (
      [
        ['transfer', 'transfer', { method: 'qr' }],
        ['resend-transfer', 'transfer/resend', undefined],
        ['resend-transfer', 'transfer/cancel', undefined],
        ['apply-authorization', 'authorization-applications', {}],
        ['apply-permissions', 'permission-applications', { items: [] as object[] }],
      ] as const
    ).map(([operation, path, body]) => ({ status, operation, path, body })),
  );
  it.each(cells)('$status: $path as the matrix says (SITE-13, PERM-07, HAND-01)', async ({
    status,
    operation,
    path,
    body,
  }) => {
    const { site, device } = await ready();
    await stage.setStatus(site, status);
    if (body && 'items' in body) body.items.splice(0, 9, { deviceId: device, permission: 'live', validity: '1h' });
    const answer = await acme.api('POST', `/sites/${site}/${path}`, body);
    if (STATUS_ALLOWS[operation].includes(status)) expect(answer.body.code).not.toBe('site-status');
    else expect(answer).toMatchObject({ status: 409, body: { code: 'site-status' } });
  });
});

describe('preconditions (HAND-03)', () => {
  it('refuses a site without a device', async () => {
    const site = await stage.site(acme, 'Bare');
    expect(await transfer(site)).toMatchObject({ status: 409, body: { code: 'handover-blocked' } });
    expect((await acme.api('GET', `/sites/${site}/transfer`)).body.obstacles).toEqual([
      { code: 'no-device', device: null },
    ]);
  });

  it('refuses devices reached by address, and lists them to be added again (ADD-10)', async () => {
    const { site } = await ready();
    const [one, two] = [
      await stage.device(site, 'Shed', { accessMode: 'ip' }),
      await stage.device(site, 'Roof', { accessMode: 'ip' }),
    ];
    const refused = await transfer(site);
    expect(refused).toMatchObject({ status: 409, body: { code: 'handover-blocked' } });
    expect(refused.body.detail).toMatch(/Shed, Roof.*P2P/);
    const { obstacles } = (await acme.api('GET', `/sites/${site}/transfer`)).body;
    expect(obstacles).toEqual([
      { code: 'ip-device', device: { id: one, name: 'Shed' } },
      { code: 'ip-device', device: { id: two, name: 'Roof' } },
    ]);
  });

  const TYPES = ['encoding', 'panel', 'access', 'intercom', 'network', 'radar', 'audio', 'doorbell', 'box'] as const;
  it.each(TYPES)('type %s can be handed over, or is in the way (HAND-04)', async (type) => {
    const site = await stage.site(acme, `Type ${type}`);
    await stage.device(site, 'It', { type });
    expect((await transfer(site)).status).toBe(TRANSFERABLE.includes(type) ? 201 : 409);
  });

  const asks = (permission: string, deviceIds: string[] | null = null) => ({
    requests: [{ permission, deviceIds, validity: '1h' }],
  });
  it.each([
    { who: 'a limited account', roles: EVERY, limited: true, body: {}, code: 'account-limited' },
    { who: 'who manages no sites', roles: EVERY.slice(1), body: {}, code: 'not-found' },
    { who: 'who has other sites', roles: ['manage-assigned-sites'] as const, body: {}, code: 'not-found' },
    { who: 'a role without devices', roles: ['manage-all-sites'] as const, body: asks('live'), code: 'not-allowed' },
    { who: 'the same', roles: ['manage-all-sites'] as const, body: asks('playback'), code: 'not-allowed' },
    { who: 'the same', roles: ['manage-all-sites'] as const, body: asks('configure'), code: 'not-allowed' },
    {
      who: 'the same, for the site alone,',
      roles: ['manage-all-sites'] as const,
      body: asks('manage'),
      code: undefined,
    },
    { who: 'who manages devices', roles: EVERY, body: asks('configure'), code: undefined },
  ])('$who asking for $body.requests.0.permission gets $code (HAND-06, EMPL-07)', async (row) => {
    const { site } = await ready();
    const api = await stage.employee(acme, [...row.roles], row.limited);
    const answer = await transfer(site, row.body, api);
    expect(answer.body.code).toBe(row.code);
    expect(answer.status === 201).toBe(row.code === undefined);
  });

  it.each([
    { what: 'a team permission at a personal site', team: false, body: asks('services') },
    { what: 'a device permission at a team site', team: true, body: asks('live') },
    { what: 'a device of another site', team: false, body: asks('live', ['01940000-0000-7000-8000-000000000000']) },
    { what: 'a phone number without its country', team: false, body: { method: 'phone', phone: '030 1234' } },
    { what: 'an address with a line break', team: false, body: { email: 'a@b.example\nbcc: c@d.example' } },
    { what: 'another validity', team: false, body: { requests: [{ permission: 'live', validity: '3h' }] } },
  ])('refuses $what', async ({ team, body }) => {
    const { site } = await ready({ team });
    expect(await transfer(site, body)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });
});

describe('who it is sent to', () => {
  it('is Not Registered until the customer has an account, then To Be Accepted (HAND-10)', async () => {
    const { site } = await ready();
    const sent = await transfer(site, { email: 'nora@home.example', locale: 'de', remark: 'Viel Freude!' });
    expect(sent.body.status).toBe('not-registered');
    const [mail] = await stage.sentTo('nora@home.example');
    expect(mail?.link).toMatch(/^\/handover#[\w-]{43}$/);
    expect(mail?.text).toMatch(/Acme.*übergibt.*Viel Freude!/s);
    const nora = await relay.customer('Nora');
    await clock.advance(30_000);
    const status = async () => (await acme.api('GET', `/sites/${site}`)).body.status;
    await until('the status to follow', async () => (await status()) === 'to-be-accepted');
    expect(await stage.notices(nora)).toEqual(['transfer-received']);
    const opened = await nora.api('POST', '/handovers/open', { token: tokenOf(mail!.link) });
    expect(opened.body).toMatchObject({ siteName: `Site ${count}`, provider: { name: 'Acme' } });
    const other = await relay.customer('Ole');
    const foreign = await other.api('POST', '/handovers/open', { token: tokenOf(mail!.link) });
    expect(foreign).toMatchObject({ status: 403, body: { detail: expect.stringContaining('n…@home.example') } });
  });

  it('becomes To Be Accepted in the moment in which the customer registers (HAND-10)', async () => {
    const { site } = await ready();
    const email = 'zoe@home.example';
    expect((await transfer(site, { email })).body.status).toBe('not-registered');
    const password = 'seven quiet geese';
    const anybody = (path: string, body: object) => relay.call('POST', `/api/v1/auth${path}`, body);
    await anybody('/register', { kind: 'customer', country: 'DE', email, name: 'Zoe', password });
    const link = (await stage.sentTo(email)).find((mail) => mail.code === 'registration')!.link;
    const { body } = await anybody('/register/link', { token: tokenOf(link), password });
    expect((await acme.api('GET', `/sites/${site}`)).body.status).toBe('to-be-accepted');
    const headers = { authorization: `Bearer ${body.token}` };
    const [handover] = (await relay.call('GET', '/api/v1/handovers', undefined, headers)).body.items;
    const path = `/api/v1/handovers/${handover.id}/accept`;
    expect((await relay.call('POST', path, {}, headers)).body.state).toBe('accepted');
  });

  it('goes by text message too (HAND-08)', async () => {
    const { site } = await ready();
    const pia = await relay.customer('Pia', { phone: '+493012345' });
    const sent = await transfer(site, { method: 'phone', phone: '+49 30 123-45' });
    expect(sent.body.status).toBe('to-be-accepted');
    expect((await stage.sentTo('+493012345'))[0]).toMatchObject({ code: 'transfer-message' });
    const [handover] = (await pia.api('GET', '/handovers')).body.items;
    expect((await pia.api('POST', `/handovers/${handover.id}/accept`, {})).status).toBe(200);
    expect((await acme.api('GET', `/sites/${site}`)).body.status).toBe('not-authorized');
  });

  it('by QR code is for who has seen it, and for nobody else (HAND-09)', async () => {
    const { site } = await ready();
    const sent = await transfer(site, { method: 'qr' });
    expect(sent.body).toMatchObject({ status: 'to-be-accepted', qr: { svg: expect.stringContaining('<svg') } });
    const { id } = sent.body.transfer;
    const token = new URL(sent.body.qr.url).hash.slice(1);
    const [seen, unseen] = [await relay.customer('Quinn'), await relay.customer('Rita')];
    for (const wrong of [undefined, 'x'.repeat(43)])
      expect((await unseen.api('POST', `/handovers/${id}/accept`, { token: wrong })).status).toBe(404);
    expect((await acme.api('POST', '/handovers/open', { token })).body.code).toBe('not-allowed');
    const again = await acme.api('POST', `/sites/${site}/transfer/resend`);
    expect(await seen.api('POST', '/handovers/open', { token })).toMatchObject({ status: 410 });
    const newest = new URL(again.body.qr.url).hash.slice(1);
    expect((await seen.api('POST', '/handovers/open', { token: newest })).body.id).toBe(again.body.transfer.id);
    const path = `/handovers/${again.body.transfer.id}/accept`;
    expect((await seen.api('POST', path, { token: newest })).body.state).toBe('accepted');
    expect(JSON.stringify((await acme.api('GET', `/sites/${site}/transfer`)).body)).not.toContain(newest);
  });

  it('tells the customer of the owning company only, also when a partner sends it (HAND-16)', async () => {
    const { site } = await ready();
    const partner = await relay.company('Helpers');
    await stage.grant(partner, site, 'manage', 'collaboration');
    const sent = await transfer(site, { email: 'sara@home.example' }, partner.api);
    expect(sent.status).toBe(201);
    const [mail] = await stage.sentTo('sara@home.example');
    expect(JSON.stringify(mail)).toContain('Acme');
    const sara = await relay.customer('Sara');
    const view = JSON.stringify((await sara.api('GET', '/handovers')).body);
    for (const text of [JSON.stringify(mail), view]) expect(text).not.toMatch(/Helpers|helpers/);
  });
});

describe('what becomes of it', () => {
  it('rejected or taken back, the site is not handed over', async () => {
    const tom = await relay.customer('Tom');
    for (const end of ['reject', 'cancel']) {
      const { site } = await ready();
      await transfer(site, { email: tom.email });
      const [handover] = (await tom.api('GET', '/handovers')).body.items;
      if (end === 'reject') expect((await tom.api('POST', `/handovers/${handover.id}/reject`, {})).status).toBe(200);
      else expect((await acme.api('POST', `/sites/${site}/transfer/cancel`)).status).toBe(200);
      expect((await acme.api('GET', `/sites/${site}`)).body.status).toBe('not-handed-over');
      expect(await tom.api('POST', `/handovers/${handover.id}/accept`, {})).toMatchObject({ status: 410 });
      expect((await tom.api('GET', `/sites/${site}`)).status).toBe(404);
    }
    expect(await stage.notices(acme)).toContain('transfer-rejected');
    expect(await stage.notices(tom)).toContain('transfer-cancelled');
  });

  it('tells who it was sent to by mistake nothing of the site afterwards', async () => {
    const [eve, mara] = [await relay.customer('Eve'), await relay.customer('Marta')];
    const { site } = await ready();
    await transfer(site, { email: eve.email });
    const [wrong] = (await eve.api('GET', '/handovers')).body.items;
    expect((await eve.api('GET', `/handovers/${wrong.id}`)).body.devices).toMatchObject([{ name: 'Gate' }]);
    await acme.api('POST', `/sites/${site}/transfer/cancel`);
    expect(await eve.api('GET', `/handovers/${wrong.id}`)).toMatchObject({
      status: 410,
      body: { code: 'link-invalid' },
    });
    await transfer(site, { email: mara.email });
    const [right] = (await mara.api('GET', '/handovers')).body.items;
    expect((await mara.api('POST', `/handovers/${right.id}/accept`, {})).status).toBe(200);
    await stage.device(site, 'Bedroom');
    expect((await eve.api('GET', `/handovers/${wrong.id}`)).status).toBe(410);
    expect(await mara.api('GET', `/handovers/${right.id}`)).toMatchObject({ status: 200, body: { state: 'accepted' } });
    // Nor who has the address after its owner.
    await relay.withDb(async (db) => {
      const set = (of: typeof eve, email: string) =>
        db.updateTable('users').set({ email }).where('id', '=', of.userId).execute();
      await set(mara, 'moved@home.example');
      await set(eve, mara.email);
    });
    expect((await eve.api('GET', `/handovers/${right.id}`)).status).toBe(410);
    expect((await mara.api('GET', `/handovers/${right.id}`)).status).toBe(200);
  });

  it('is not accepted with a device in the way that was added meanwhile', async () => {
    const uwe = await relay.customer('Uwe');
    const { site } = await ready();
    await transfer(site, { email: uwe.email });
    await stage.device(site, 'Late', { accessMode: 'ip' });
    const [handover] = (await uwe.api('GET', '/handovers')).body.items;
    expect((await uwe.api('POST', `/handovers/${handover.id}/accept`, {})).body.code).toBe('handover-blocked');
    expect((await uwe.api('GET', '/handovers')).body.items).toHaveLength(1);
  });

  it('ends at its time: thirty days, three for a QR code', async () => {
    const [mail, qr] = [await ready(), await ready()];
    const vera = await relay.customer('Vera');
    await transfer(mail.site, { email: vera.email });
    await transfer(qr.site, { method: 'qr' });
    const status = async (site: string) => (await acme.api('GET', `/sites/${site}`)).body.status;
    for (const [site, days] of [
      [qr.site, 3],
      [mail.site, 27],
    ] as const) {
      clock.step(days * DAY_MS - 1);
      acme.api = await stage.signIn(acme);
      expect(await status(site)).toBe('to-be-accepted');
      clock.step(1);
      expect(await status(site)).toBe('not-handed-over');
    }
    vera.api = await stage.signIn(vera);
    expect((await vera.api('GET', '/handovers')).body.items).toEqual([]);
    expect(await stage.notices(acme)).toContain('transfer-expired');
  });
});

describe('validities', () => {
  const HOURS = { permanent: null, '1h': 1, '2h': 2, '4h': 4, '8h': 8 };
  it.each(VALIDITIES)('%s counts from the acceptance (PERM-03)', async (validity) => {
    const { site } = await ready();
    const customer = await relay.customer(`Validity${validity}`);
    await transfer(site, { email: customer.email, requests: [{ permission: 'live', validity }] });
    await clock.advance(60_000);
    const [handover] = (await customer.api('GET', '/handovers')).body.items;
    await customer.api('POST', `/handovers/${handover.id}/accept`, {});
    const { items } = (await acme.api('GET', `/sites/${site}/permissions`)).body;
    const hours = HOURS[validity];
    expect(items.find((item: { permission: string }) => item.permission === 'live')).toMatchObject({
      state: 'granted',
      until: hours === null ? null : new Date(clock.now() + hours * 3_600_000).toISOString(),
    });
  });
});

describe('a team site', () => {
  it('has two permissions instead: Service Management and System Access (HAND-15, PERM-10, HAND-14)', async () => {
    const { site, device } = await ready({ team: true });
    const wim = await relay.customer('Wim');
    const requests = [
      { permission: 'services', validity: '8h' },
      { permission: 'system', validity: '1h' },
    ];
    await transfer(site, { email: wim.email, requests });
    const [handover] = (await wim.api('GET', '/handovers')).body.items;
    expect(handover).toMatchObject({ siteType: 'team', devices: [{ name: 'Gate', type: 'encoding' }] });
    await wim.api('POST', `/handovers/${handover.id}/accept`, {});
    const status = async () => (await acme.api('GET', `/sites/${site}`)).body.status;
    const watch = async () => (await acme.api('GET', `/devices/${device}/snapshot`)).body.code;
    expect(await status()).toBe('authorized');
    expect(await watch()).not.toBe('permission-needed');
    clock.step(3_600_000);
    expect(await watch()).toBe('permission-needed');
    clock.step(7 * 3_600_000);
    expect(await status()).toBe('not-authorized');
    const items = [{ permission: 'system', validity: '2h' }];
    const asked = await acme.api('POST', `/sites/${site}/permission-applications`, { items });
    expect(asked.status).toBe(201);
    const apply = (permission: string) =>
      acme.api('POST', `/sites/${site}/permission-applications`, {
        items: [{ deviceId: device, permission, validity: '1h' }],
      });
    expect((await apply('live')).status).toBe(400);
  });
});

describe('applications', () => {
  it('are for who may use what they ask for, and for companies only (PERM-01)', async () => {
    const { site, device } = await ready();
    const xena = await relay.customer('Xena');
    await transfer(site, { email: xena.email });
    const [handover] = (await xena.api('GET', '/handovers')).body.items;
    await xena.api('POST', `/handovers/${handover.id}/accept`, {});
    const path = `/sites/${site}/permission-applications`;
    const ask = (permission: string) => ({ items: [{ deviceId: device, permission, validity: '1h' }] });
    const watcher = await stage.employee(acme, ['manage-all-sites', 'live-view']);
    expect((await watcher('POST', path, ask('playback'))).body.code).toBe('not-allowed');
    const limited = await stage.employee(acme, [...EVERY], true);
    expect((await limited('POST', path, ask('live'))).body.code).toBe('account-limited');
    expect((await xena.api('POST', path, ask('live'))).body.code).toBe('not-allowed');
    expect((await watcher('POST', path, ask('live'))).status).toBe(201);

    const [request] = (await xena.api('GET', '/requests')).body.items;
    const decide = { items: [{ id: request.items[0].id, approve: true }] };
    for (const api of [acme.api, (await relay.customer('Yuri')).api])
      expect((await api('POST', `/requests/${request.id}/decide`, decide)).status).toBe(404);
    expect((await acme.api('POST', `/permission-applications/${request.id}/cancel`)).body.open).toBe(false);
    expect((await xena.api('POST', `/requests/${request.id}/decide`, decide)).status).toBe(409);
    expect(await stage.notices(xena)).toContain('permissions-request-cancelled');
    const [own] = (await acme.api('GET', `/permission-applications?siteId=${site}&limit=1`)).body.items;
    expect(own).toMatchObject({ id: request.id, items: [{ state: 'withdrawn' }] });
  });

  it('of a company that has left the site give it nothing any more', async () => {
    const { site, device } = await ready();
    const bea = await relay.customer('Bea');
    await transfer(site, { email: bea.email });
    const [handover] = (await bea.api('GET', '/handovers')).body.items;
    await bea.api('POST', `/handovers/${handover.id}/accept`, {});
    const items = [{ deviceId: device, permission: 'live', validity: 'permanent' }];
    await acme.api('POST', `/sites/${site}/permission-applications`, { items });
    expect((await acme.api('DELETE', `/sites/${site}`)).status).toBe(204);
    const [request] = (await bea.api('GET', '/requests?open=true')).body.items;
    const decide = (approve: boolean) =>
      bea.api('POST', `/requests/${request.id}/decide`, { items: [{ id: request.items[0].id, approve }] });
    expect((await decide(true)).body.code).toBe('conflict');
    expect((await acme.api('GET', `/sites/${site}`)).status).toBe(404);
    expect((await decide(false)).body.open).toBe(false);
  });

  it('decided one after the other are told as they stand, not as granted altogether', async () => {
    const { site, device } = await ready();
    const dora = await relay.customer('Dora');
    await transfer(site, { email: dora.email });
    const [handover] = (await dora.api('GET', '/handovers')).body.items;
    await dora.api('POST', `/handovers/${handover.id}/accept`, {});
    const before = (await stage.notices(acme)).length;
    const items = ['live', 'playback', 'configure'].map((permission) => ({
      deviceId: device,
      permission,
      validity: 'permanent',
    }));
    await acme.api('POST', `/sites/${site}/permission-applications`, { items });
    const [request] = (await dora.api('GET', '/requests?open=true')).body.items;
    const kinds = (await acme.api('GET', '/home')).body.items.map((item: { kind: string }) => item.kind);
    expect(kinds).toContain('permission-asked');
    const told = async () =>
      (await stage.notices(acme)).slice(before).filter((code) => code.startsWith('permissions-'));
    const codes = [];
    for (const { id } of request.items) {
      await dora.api('POST', `/requests/${request.id}/decide`, { items: [{ id, approve: true }] });
      codes.push((await told()).at(-1));
    }
    expect(codes).toEqual(['permissions-decided', 'permissions-decided', 'permissions-approved']);
  });
});
