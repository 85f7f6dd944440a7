import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { Stage } from './testing.ts';

/*
 * Two journeys over HTTP, step by step, with the clock moved across every end: sharing with up to ten customers, and a
 * customer who invites his installer and sees a device moved.
 */
const DAY_MS = 86_400_000;
const clock = new ManualClock(Date.UTC(2026, 10, 20, 9));
const relay = new TestRelay({ clock });
const stage = new Stage(relay);
type Person = Omit<Company, 'siteId'>;
let acme: Company;
let customers: Person[];

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  customers = [];
  for (const n of [1, 2, 3]) customers.push(await relay.customer(`C${n}`));
}, 60_000);
afterAll(() => relay.stop());

async function pass(ms: number): Promise<void> {
  clock.step(ms);
  for (const person of [acme, ...customers]) person.api = await stage.signIn(person);
}
const seen = async (who: Pick<Person, 'api'>, siteId: string): Promise<string[]> => {
  const { status, body } = await who.api('GET', `/sites/${siteId}/devices`);
  return status === 200 ? body.items.map((device: { name: string }) => device.name).sort() : [];
};
const offer = async (who: Pick<Person, 'api'>, siteId: string) =>
  (await who.api('GET', '/shares')).body.items.find((item: { siteId: string }) => item.siteId === siteId);

describe('sharing with up to ten customers (J7)', () => {
  let siteId: string;
  let camera: string;
  let shares: { id: string; state: string; email: string }[];
  const reread = async () => {
    shares = (await acme.api('GET', `/sites/${siteId}/sharing`)).body.sharing.customers;
  };
  const shareOf = (who: Person) => shares.find((share) => share.email === who.email)!;
  const both = (deviceId: string) => [{ deviceId, permissions: ['live', 'playback'] }];

  it('shares a camera; each customer gets a mail with a link (SHAR-04, SHAR-07)', async () => {
    siteId = await stage.site(acme, 'S2');
    camera = await stage.device(siteId, 'CAM1');
    const made = await acme.api('POST', `/sites/${siteId}/sharing`, {
      mode: 'B',
      customers: customers.map(({ email }) => ({ email, name: email, remark: 'As agreed', resources: both(camera) })),
    });
    expect(made.status).toBe(201);
    expect((await acme.api('GET', `/sites/${siteId}`)).body.status).toBe('shared');
    for (const { email } of customers) {
      const mail = (await stage.sentTo(email)).find((message) => message.code === 'share-invitation')!;
      expect(mail.text).toContain('Acme');
      expect(mail.text).toContain('As agreed');
      expect(mail.link).toMatch(/^\/shared-with-me#[\w-]{43}$/);
    }
  });

  it('is accepted, rejected, or expires; then only the latter two are shared again (SHAR-10, SHAR-11)', async () => {
    const [one, two, three] = customers as [Person, Person, Person];
    await one.api('POST', `/shares/${(await offer(one, siteId)).id}/accept`);
    await two.api('POST', `/shares/${(await offer(two, siteId)).id}/reject`);
    await pass(7 * DAY_MS);
    await reread();
    expect(customers.map((who) => shareOf(who).state)).toEqual(['accepted', 'rejected', 'expired']);
    expect(await seen(one, siteId)).toEqual(['CAM1']);
    expect(await seen(two, siteId)).toEqual([]);
    const again = async (who: Person) => (await acme.api('POST', `/share-customers/${shareOf(who).id}/again`)).status;
    expect([await again(one), await again(two), await again(three)]).toEqual([409, 200, 200]);
    await reread();
    expect(customers.map((who) => shareOf(who).state)).toEqual(['accepted', 'to-be-accepted', 'to-be-accepted']);
    const codes = await stage.notices(acme);
    expect(codes).toEqual(expect.arrayContaining(['share-accepted', 'share-rejected']));
    await clock.advance(60_000);
  });

  it('takes ten customers and refuses the eleventh (SHAR-09)', async () => {
    const add = (n: number) =>
      acme.api('POST', `/sites/${siteId}/sharing/customers`, {
        customers: [{ email: `more${n}@home.example`, name: `More ${n}`, resources: both(camera) }],
      });
    for (let n = 4; n <= 10; n++) expect((await add(n)).status).toBe(201);
    expect((await add(11)).body.code).toBe('limit-reached');
  });

  it('shares a new device with nobody, then by the card without a new acceptance (SHAR-14)', async () => {
    const [one] = customers as [Person];
    const door = await stage.device(siteId, 'DOOR');
    expect(await seen(one, siteId)).toEqual(['CAM1']);
    const { id } = shareOf(one);
    const card = { resources: [...both(camera), { deviceId: door, permissions: ['view'] }], until: null };
    expect((await acme.api('PUT', `/share-customers/${id}/card`, card)).status).toBe(200);
    expect(await seen(one, siteId)).toEqual(['CAM1', 'DOOR']);
    expect((await offer(one, siteId)).state).toBe('accepted');
    const [two, three] = customers.slice(1) as [Person, Person];
    const ids = [two, three].map((who) => shareOf(who).id);
    const batch = { deviceIds: [door], customerIds: ids, permissions: ['view'] };
    const { body } = await acme.api('POST', `/sites/${siteId}/sharing/batch`, batch);
    expect(body.items.map((item: { result: string }) => item.result)).toEqual(['shared', 'shared']);
  });

  it('cannot be transferred, nor can its devices be moved (SHAR-15, SHAR-16)', async () => {
    const transfer = { method: 'email', email: 'x@home.example' };
    expect((await acme.api('POST', `/sites/${siteId}/transfer`, transfer)).body.code).toBe('site-status');
    const move = { devices: [{ deviceId: camera }], target: { name: 'Elsewhere', timeZone: 'UTC' } };
    const { body } = await acme.api('POST', `/sites/${siteId}/move-devices`, move);
    expect(body).toMatchObject({ siteId: null, items: [{ moved: false, code: 'shared' }] });
  });

  it('ends at once when it is cancelled, also what is open then (SHAR-12)', async () => {
    const [one] = customers as [Person];
    const stream = await fetch(`${relay.url}/api/v1/sites/${siteId}/stream`, {
      headers: { authorization: `Bearer ${(await relay.call('POST', '/api/v1/auth/login', one)).body.token}` },
    });
    expect(stream.status).toBe(200);
    const over = (async () => {
      for await (const _ of stream.body!) {
        // Whatever comes until it is closed.
      }
    })().catch(() => {});
    await acme.api('POST', `/share-customers/${shareOf(one).id}/cancel`, {});
    expect(await seen(one, siteId)).toEqual([]);
    expect(await stage.notices(one)).toContain('share-ended');
    for (let s = 0; s < 60; s += 10) {
      await clock.advance(10_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await over;
  });
});

describe('a customer invites the installer; a device is moved (J13)', () => {
  let home: string;
  let camera: string;
  it('gives the device on acceptance within three days, and nothing on day four (INVT-03…06)', async () => {
    await pass(0);
    const [one] = customers as [Person];
    home = await stage.site(one, 'Home of C1');
    camera = await stage.device(home, 'Porch');
    const invite = async () =>
      (await one.api('POST', '/device-invitations', { deviceId: camera, email: acme.email })).body.id;
    const late = await invite();
    await pass(3 * DAY_MS);
    expect((await acme.api('POST', `/device-invitations/${late}/accept`)).body.code).toBe('link-invalid');
    expect(await seen(acme, home)).toEqual([]);
    const id = await invite();
    await pass(3 * DAY_MS - 1);
    expect((await acme.api('POST', `/device-invitations/${id}/accept`)).body.state).toBe('accepted');
    expect(await seen(acme, home)).toEqual(['Porch']);
    const { items } = (await acme.api('GET', '/sites?limit=200')).body;
    expect(items.map((site: { name: string }) => site.name)).toContain('Home of C1');
  });

  it('moves a device between sites of one owner, refuses every other (MOVE-01, SHAR-17)', async () => {
    const [from, to] = [await stage.site(acme, 'S1'), await stage.site(acme, 'S3')];
    const [device, byAddress] = [await stage.device(from, 'A'), await stage.device(from, 'B', { accessMode: 'ip' })];
    const move = (deviceId: string, siteId: string) =>
      acme.api('POST', `/sites/${from}/move-devices`, { devices: [{ deviceId }], target: { siteId } });
    expect((await move(byAddress, to)).body.items[0].code).toBe('not-p2p');
    const shared = await stage.site(acme, 'Shared one');
    await stage.setStatus(shared, 'shared');
    expect((await move(device, shared)).body.code).toBe('site-status');
    // What C1 gave is one device: his site is not authorised to the installer.
    expect((await move(device, home)).status).toBe(403);
    expect((await move(device, to)).body.items[0]).toMatchObject({ moved: true });
    expect(await seen(acme, to)).toEqual(['A']);
    const zone = await acme.api('PATCH', `/sites/${to}`, { timeZone: 'Europe/Berlin' });
    expect(zone.status).toBeGreaterThanOrEqual(400);
  });
});
