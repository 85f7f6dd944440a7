import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { DeviceType } from '../../protocol/wire/rights.ts';
import { lastSentTo } from '../people/testing.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { Stage } from './testing.ts';

const DAY_MS = 86_400_000;
const clock = new ManualClock(Date.UTC(2026, 10, 20, 9));
const relay = new TestRelay({ clock });
const stage = new Stage(relay);
let acme: Company;
let clara: Omit<Company, 'siteId'>;
let carl: Omit<Company, 'siteId'>;
beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  clara = await relay.customer('Clara', { phone: '+4930111111' });
  carl = await relay.customer('Carl');
}, 60_000);
afterAll(() => relay.stop());

/** Lets time pass; sessions end in it. */
async function pass(ms: number): Promise<void> {
  clock.step(ms);
  for (const person of [acme, clara, carl]) person.api = await stage.signIn(person);
}
interface Made {
  siteId: string;
  devices: string[];
}
/** A site of acme with devices, without a box. */
async function site(
  count = 1,
  more: { type?: DeviceType; accessMode?: 'p2p' | 'ip'; team?: boolean } = {},
): Promise<Made> {
  const { team = false, ...kind } = more;
  const siteId = await stage.site(acme, uuidv7(), { team });
  const devices: string[] = [];
  for (let i = 0; i < count; i++) devices.push(await stage.device(siteId, `Camera ${i}`, kind));
  return { siteId, devices };
}
const resources = (deviceIds: string[], permissions = ['live', 'playback']) =>
  deviceIds.map((deviceId) => ({ deviceId, permissions }));
const to = (who: { email: string }, deviceIds: string[], more: object = {}) => ({
  email: who.email,
  name: 'Customer',
  resources: resources(deviceIds),
  ...more,
});
const stranger = (n: number, deviceIds: string[], more: object = {}) =>
  to({ email: `s${n}@home.example` }, deviceIds, more);
const share = (siteId: string, body: object) => acme.api('POST', `/sites/${siteId}/sharing`, { mode: 'B', ...body });
const statusOf = async (siteId: string) =>
  (
    await relay.withDb((db) =>
      db.selectFrom('sites').select('status').where('id', '=', siteId).executeTakeFirstOrThrow(),
    )
  ).status;
const grantsOf = (companyId: string, siteId: string) =>
  relay.withDb(async (db) =>
    (
      await db
        .selectFrom('grants')
        .select(['deviceId', 'permission', 'source'])
        .where('companyId', '=', companyId)
        .where('siteId', '=', siteId)
        .execute()
    )
      .map((grant) => `${grant.permission}${grant.deviceId ? ' device' : ''} ${grant.source}`)
      .sort(),
  );
const mine = async (who: Omit<Company, 'siteId'>, siteId: string) =>
  // biome-ignore lint/suspicious/noExplicitAny: as it came
  (await who.api('GET', '/shares')).body.items.find((item: any) => item.siteId === siteId);
/** Whether somebody sees the device at its site. */
const reaches = async (who: Pick<Company, 'api'>, { siteId, devices }: Made, n = 0): Promise<boolean> => {
  const { status, body } = await who.api('GET', `/sites/${siteId}/devices`);
  return status === 200 && body.items.some((device: { id: string }) => device.id === devices[n]);
};
const sees = async (who: Omit<Company, 'siteId'>, siteId: string) => (await who.api('GET', `/sites/${siteId}`)).status;

describe('what can be shared', () => {
  it.each([
    ['a site without devices (SHAR-03)', {}, 0, { code: 'conflict', detail: /no device/ }],
    ['a team site (SHAR-03, HAND-01)', { team: true }, 1, { code: 'conflict', detail: /personal/ }],
    ['a device reached by address (SHAR-03)', { accessMode: 'ip' as const }, 1, { code: 'conflict', detail: /P2P/ }],
    ['a network device (HAND-04)', { type: 'network' as const }, 1, { code: 'conflict', detail: /cannot be shared/ }],
    ['a loudspeaker (HAND-04)', { type: 'audio' as const }, 1, { code: 'conflict', detail: /cannot be shared/ }],
  ])('refuses %s (SHAR-03)', async (_, more, count, { code, detail }) => {
    const { siteId, devices } = await site(count, more);
    const { status, body } = await share(siteId, { customers: [to(clara, devices)] });
    expect([status, body.code]).toEqual([409, code]);
    expect(body.detail).toMatch(detail);
    expect(await statusOf(siteId)).toBe('not-handed-over');
  });

  it.each([
    'panel',
    'access',
    'encoding',
    'intercom',
    'doorbell',
    'box',
    'radar',
  ] as const)('takes %s (HAND-04)', async (type) => {
    const { siteId, devices } = await site(1, { type });
    expect((await share(siteId, { customers: [to(clara, devices)] })).status).toBe(201);
    expect(await statusOf(siteId)).toBe('shared');
  });

  it('takes no device of another site, and nothing of a foreign one', async () => {
    const [one, other] = [await site(), await site()];
    expect((await share(one.siteId, { customers: [to(clara, other.devices)] })).body.code).toBe('not-found');
    const rival = await relay.company(`Rival${uuidv7().slice(-6)}`);
    expect(
      (await rival.api('POST', `/sites/${one.siteId}/sharing`, { mode: 'B', customers: [to(clara, [])] })).status,
    ).toBe(404);
  });
});

describe('the customer administrator (SHAR-08)', () => {
  it.each([
    ['an only customer is it', [false], 201, [true]],
    ['one of two is chosen', [false, true], 201, [false, true]],
    ['nobody of two', [false, false], 409, null],
    ['two of two', [true, true], 409, null],
  ])('%s', async (_, chosen, status, expected) => {
    const { siteId, devices } = await site();
    const customers = chosen.map((administrator, i) => stranger(i, devices, { administrator }));
    const made = await share(siteId, { mode: 'A', customers });
    expect(made.status).toBe(status);
    // biome-ignore lint/suspicious/noExplicitAny: as it came
    if (expected) expect(made.body.customers.map((c: any) => c.administrator)).toEqual(expected);
  });

  it('is not known in mode B, which asks for nothing (SHAR-06)', async () => {
    const { siteId, devices } = await site();
    const customers = [stranger(1, devices, { administrator: true })];
    expect((await share(siteId, { customers })).body.code).toBe('invalid-request');
    const requests = [{ permission: 'live', validity: '4h' }];
    expect((await share(siteId, { customers: [stranger(1, devices)], requests })).body.code).toBe('invalid-request');
  });

  it('gives what the installer asks for; without it he only manages (SHAR-05, ARC-27)', async () => {
    const { siteId, devices } = await site(2);
    const requests = [{ permission: 'live', validity: '4h', extras: ['pircam-gif', 'video-clips'] }];
    await share(siteId, {
      mode: 'A',
      customers: [to(clara, devices), stranger(1, devices)].map((c, i) => ({ ...c, administrator: i === 0 })),
      requests,
    });
    expect(await grantsOf(acme.companyId, siteId)).toEqual(['list sharing', 'manage sharing']);
    const offered = await mine(clara, siteId);
    expect(offered).toMatchObject({ administrator: true, state: 'to-be-accepted', requests });
    await clara.api('POST', `/shares/${offered.id}/accept`);
    const asked = (await clara.api('GET', '/requests')).body.items.find(
      (item: { siteId: string }) => item.siteId === siteId,
    );
    expect(asked.items).toHaveLength(2);
    const decided = await clara.api('POST', `/requests/${asked.id}/decide`, {
      items: asked.items.map((item: { id: string }) => ({ id: item.id, approve: true })),
    });
    expect(decided.status).toBe(200);
    const live = async () =>
      (await acme.api('GET', `/sites/${siteId}/permissions`)).body.items.filter(
        (item: { permission: string; state: string }) => item.permission === 'live' && item.state === 'granted',
      ).length;
    expect(await live()).toBe(2);
    await pass(4 * 3_600_000 - 1);
    expect(await live()).toBe(2);
    clock.step(1);
    expect(await live()).toBe(0);
  });

  it('cannot be got round once he has accepted; who leaves is followed by another', async () => {
    const { siteId, devices } = await site();
    const customers = [to(clara, devices, { administrator: true }), to(carl, devices), stranger(1, devices)];
    const made = (await share(siteId, { mode: 'A', customers })).body;
    const [first, second, third] = made.customers.map((c: { id: string }) => c.id);
    await clara.api('POST', `/shares/${first}/accept`);
    expect((await acme.api('POST', `/share-customers/${second}/administrator`)).body.code).toBe('conflict');
    expect((await acme.api('POST', `/share-customers/${first}/cancel`, {})).body.code).toBe('conflict');
    const left = await acme.api('POST', `/share-customers/${first}/cancel`, { administratorId: third });
    expect(left.body.sharing.customers.find((c: { id: string }) => c.id === third).administrator).toBe(true);
  });
});

describe('accepting', () => {
  it('is for whoever has the address or the link, once, within seven days (SHAR-10)', async () => {
    const { siteId, devices } = await site();
    const made = await share(siteId, {
      customers: [{ phone: '+4930111111', name: 'By phone', resources: resources(devices) }, { name: 'By QR' }],
    });
    const token = new URL(made.body.customers[1].qr.url, relay.url).hash.slice(1);
    expect((await carl.api('POST', '/shares/open-link', { token })).body).toMatchObject({ siteId, devices: [] });
    expect((await acme.api('POST', '/shares/accept-link', { token })).status).toBe(403);
    expect((await carl.api('POST', '/shares/accept-link', { token })).body.state).toBe('accepted');
    expect((await clara.api('POST', '/shares/accept-link', { token })).body.code).toBe('link-invalid');
    expect(await sees(carl, siteId)).toBe(404);
    expect(await reaches(carl, { siteId, devices })).toBe(false);
    const offered = await mine(clara, siteId);
    expect((await carl.api('POST', `/shares/${offered.id}/accept`)).status).toBe(404);
    await pass(7 * DAY_MS - 1);
    expect((await mine(clara, siteId)).state).toBe('to-be-accepted');
    clock.step(1);
    expect((await mine(clara, siteId)).state).toBe('expired');
    expect((await clara.api('POST', `/shares/${offered.id}/accept`)).body.code).toBe('link-invalid');
  });

  it('is waiting for a customer who registers with the address, and the installer sees that he has (SHAR-10)', async () => {
    const { siteId, devices } = await site();
    const email = 'new@home.example';
    const made = await share(siteId, { customers: [to({ email }, devices)] });
    expect(made.body.customers[0]).toMatchObject({ registered: false, state: 'to-be-accepted' });
    const call = (path: string, body: object) => relay.call('POST', `/api/v1/auth/${path}`, body);
    await call('register', { kind: 'customer', name: 'Nina', country: 'DE', email });
    const { secret: token } = await lastSentTo(relay, email);
    const password = 'a rather long password';
    expect((await call('register/link', { token, password })).status).toBe(201);
    const nina = { api: await stage.signIn({ email, password }) };
    const { sharing } = (await acme.api('GET', `/sites/${siteId}/sharing`)).body;
    expect(sharing.customers[0].registered).toBe(true);
    const [offered] = (await nina.api('GET', '/shares')).body.items;
    expect((await nina.api('POST', `/shares/${offered.id}/accept`)).body.state).toBe('accepted');
    expect(await reaches(nina, { siteId, devices })).toBe(true);
  });

  it('stays with who accepted it, not with the address that it went to', async () => {
    const { siteId, devices } = await site();
    const [old, next] = [await relay.customer('Olaf'), await relay.customer('Nele')];
    await share(siteId, { customers: [to(old, devices)] });
    const { id } = await mine(old, siteId);
    await old.api('POST', `/shares/${id}/accept`);
    await relay.withDb(async (db) => {
      const set = (of: typeof old, email: string) =>
        db.updateTable('users').set({ email }).where('id', '=', of.userId).execute();
      await set(old, 'elsewhere@home.example');
      await set(next, old.email);
    });
    expect(await mine(next, siteId)).toBeUndefined();
    expect((await next.api('POST', `/shares/${id}/reject`)).status).toBe(404);
    expect(await reaches(old, { siteId, devices })).toBe(true);
    // And once he has given it back, he is told nothing of the site any more.
    await old.api('POST', `/shares/${id}/reject`);
    const [left] = (await old.api('GET', '/shares')).body.items;
    expect(left).toMatchObject({ id, state: 'rejected', siteName: '', devices: [] });
  });

  it('is not for an address that nobody has confirmed', async () => {
    const { siteId, devices } = await site();
    await share(siteId, { customers: [to(carl, devices)] });
    const confirm = (ms: number | null) =>
      relay.withDb((db) =>
        db.updateTable('users').set({ emailVerifiedMs: ms }).where('id', '=', carl.userId).execute(),
      );
    await confirm(null);
    await relay.withDb((db) =>
      db.updateTable('share_customers').set({ customerId: null }).where('siteId', '=', siteId).execute(),
    );
    expect(await mine(carl, siteId)).toBeUndefined();
    await confirm(1);
    expect(await mine(carl, siteId)).toBeDefined();
  });

  it('ends with the service period, to the millisecond (SHAR-01)', async () => {
    const { siteId, devices } = await site();
    await pass(0);
    const end = clock.now() + 3_600_000;
    await share(siteId, { customers: [to(carl, devices, { until: new Date(end).toISOString() })] });
    const { id } = await mine(carl, siteId);
    await carl.api('POST', `/shares/${id}/accept`);
    await pass(3_600_000 - 1);
    expect(await reaches(carl, { siteId, devices })).toBe(true);
    clock.step(1);
    expect(await reaches(carl, { siteId, devices })).toBe(false);
    expect(await sees(carl, siteId)).toBe(404);
    expect((await mine(carl, siteId)).state).toBe('expired');
    await clock.advance(60_000);
    await expect.poll(() => stage.notices(carl), { timeout: 10_000 }).toContain('share-ended');
    expect(await stage.notices(acme)).toContain('share-over');
  });
});

describe('ten customers a device (SHAR-09)', () => {
  it('refuses the eleventh, also when two come at once, and takes another after one is cancelled', async () => {
    const { siteId, devices } = await site(2);
    const customers = Array.from({ length: 9 }, (_, i) => stranger(i, devices));
    await share(siteId, { customers });
    const add = (n: number, deviceIds = devices) =>
      acme.api('POST', `/sites/${siteId}/sharing/customers`, { customers: [stranger(n, deviceIds)] });
    const both = await Promise.all([add(20), add(21)]);
    expect(both.map((answer) => answer.status).sort()).toEqual([201, 409]);
    expect(both.find((answer) => answer.status === 409)!.body.code).toBe('limit-reached');
    expect((await add(22, [])).status).toBe(201);
    const { customers: now } = (await acme.api('GET', `/sites/${siteId}/sharing`)).body.sharing;
    const idOf = (n: number) => now.find((c: { email: string }) => c.email === `s${n}@home.example`).id;
    const last = idOf(22);
    const card = { resources: resources([devices[0]!]), until: null };
    expect((await acme.api('PUT', `/share-customers/${last}/card`, card)).body.code).toBe('limit-reached');
    const batch = { deviceIds: devices, customerIds: [last], permissions: ['view'] };
    const result = (await acme.api('POST', `/sites/${siteId}/sharing/batch`, batch)).body.items;
    expect(result.map((item: { result: string }) => item.result)).toEqual(['limit-reached', 'limit-reached']);
    await acme.api('POST', `/share-customers/${idOf(0)}/cancel`, {});
    expect((await acme.api('PUT', `/share-customers/${last}/card`, card)).status).toBe(200);
  });

  it('refuses eleven at once', async () => {
    const { siteId, devices } = await site();
    const customers = Array.from({ length: 11 }, (_, i) => stranger(i, devices));
    expect((await share(siteId, { customers })).body.code).toBe('limit-reached');
    expect(await statusOf(siteId)).toBe('not-handed-over');
  });
});

describe('later changes', () => {
  it('edits customers who have not accepted, in mode A only (SHAR-13)', async () => {
    const [a, b] = [await site(), await site()];
    const person = { email: 'other@home.example', name: 'Other' };
    const inA = (await share(a.siteId, { mode: 'A', customers: [to(clara, a.devices)] })).body.customers[0].id;
    const inB = (await share(b.siteId, { customers: [to(clara, b.devices)] })).body.customers[0].id;
    expect((await acme.api('PUT', `/share-customers/${inA}`, person)).body.customers[0]).toMatchObject(person);
    expect(await mine(clara, a.siteId)).toBeUndefined();
    expect((await acme.api('PUT', `/share-customers/${inB}`, person)).body.code).toBe('conflict');
    await acme.api('PUT', `/share-customers/${inA}`, { email: clara.email, name: 'Clara' });
    await clara.api('POST', `/shares/${inA}/accept`);
    expect((await acme.api('PUT', `/share-customers/${inA}`, person)).body.code).toBe('conflict');
  });

  it('sends five invitations a day to a customer', async () => {
    const { siteId, devices } = await site();
    const { id } = (await share(siteId, { mode: 'A', customers: [to(clara, devices)] })).body.customers[0];
    const again = () => acme.api('PUT', `/share-customers/${id}`, { email: clara.email, name: 'Clara' });
    for (let i = 2; i <= 5; i++) expect((await again()).status).toBe(200);
    expect((await again()).body.code).toBe('limit-reached');
    await pass(DAY_MS);
    expect((await again()).status).toBe(200);
  });

  it.each([
    ['the last customer is cancelled', (id: string) => acme.api('POST', `/share-customers/${id}/cancel`, {})],
    ['the sharing is ended', (_: string, siteId: string) => acme.api('DELETE', `/sites/${siteId}/sharing`)],
  ])('is Not Handed Over again, with all permissions, when %s', async (_, end) => {
    const { siteId, devices } = await site();
    const { id } = (await share(siteId, { mode: 'A', customers: [to(clara, devices)] })).body.customers[0];
    await clara.api('POST', `/shares/${id}/accept`);
    expect(await reaches(clara, { siteId, devices })).toBe(true);
    await end(id, siteId);
    expect(await reaches(clara, { siteId, devices })).toBe(false);
    expect(await statusOf(siteId)).toBe('not-handed-over');
    expect(await grantsOf(acme.companyId, siteId)).toEqual(['all site']);
    expect((await acme.api('GET', `/sites/${siteId}/sharing`)).body.sharing).toBeNull();
    expect((await share(siteId, { customers: [to(clara, devices)] })).status).toBe(201);
  });

  it('ends with the site, and its customers are told', async () => {
    const { siteId, devices } = await site();
    const [one, two] = [await relay.customer('Dora'), await relay.customer('Dirk')];
    await share(siteId, { customers: [to(one, devices), to(two, devices)] });
    const { id } = await mine(one, siteId);
    await one.api('POST', `/shares/${id}/accept`);
    expect(await reaches(one, { siteId, devices })).toBe(true);
    expect((await acme.api('DELETE', `/sites/${siteId}`)).status).toBe(204);
    for (const who of [one, two]) {
      expect(await stage.notices(who)).toEqual(['share-invitation', 'share-ended']);
      expect(await mine(who, siteId)).toBeUndefined();
    }
    expect((await one.api('GET', '/notifications')).body.items[0].text).toContain('no longer shares devices');
    expect(await sees(one, siteId)).toBe(404);
    expect(await grantsOf(acme.companyId, siteId)).toEqual([]);
  });

  it('hands nothing over twice (SHAR-15)', async () => {
    const { siteId, devices } = await site();
    await share(siteId, { customers: [to(clara, devices)] });
    expect((await share(siteId, { customers: [to(carl, devices)] })).body.code).toBe('site-status');
    const transfer = { method: 'email', email: 'x@home.example' };
    expect((await acme.api('POST', `/sites/${siteId}/transfer`, transfer)).body.code).toBe('site-status');
  });
});
