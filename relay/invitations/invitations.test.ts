import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { Stage } from '../handover/testing.ts';
import { type Call, type Company, TestRelay } from '../testing/relay.ts';

const DAY_MS = 86_400_000;
const clock = new ManualClock(Date.UTC(2026, 10, 20, 9));
const relay = new TestRelay({ clock });
const stage = new Stage(relay);
let acme: Company;
let rival: Company;
let clara: Omit<Company, 'siteId'>;
beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  rival = await relay.company('Rival');
  clara = await relay.customer('Clara');
}, 30_000);
afterAll(() => relay.stop());

async function pass(ms: number): Promise<void> {
  clock.step(ms);
  for (const person of [acme, rival, clara]) person.api = await stage.signIn(person);
}
/** A site of clara's own, with a device. */
async function home(): Promise<{ siteId: string; deviceId: string }> {
  const siteId = await stage.site(clara, uuidv7());
  const deviceId = await stage.device(siteId, 'Gate camera');
  await relay.withDb((db) =>
    db.updateTable('devices').set({ serial: 'F12345678' }).where('id', '=', deviceId).execute(),
  );
  return { siteId, deviceId };
}
const invite = (deviceId: string, email = acme.email, by: { api: Call } = clara) =>
  by.api('POST', '/device-invitations', { deviceId, email });
const sees = async ({ siteId, deviceId }: { siteId: string; deviceId: string }, who: { api: Call } = acme) => {
  const { status, body } = await who.api('GET', `/sites/${siteId}/devices`);
  return status === 200 && body.items.some((device: { id: string }) => device.id === deviceId);
};

describe('a customer’s invitation to a device', () => {
  it('tells the five things by mail and as a message, and gives the device (INVT-01, INVT-03, INVT-04, INVT-06)', async () => {
    const at = await home();
    const other = await stage.device(at.siteId, 'Bedroom camera');
    const made = (await invite(at.deviceId)).body;
    const name = (await clara.api('GET', `/sites/${at.siteId}`)).body.name;
    const five = ['Gate camera', 'F12345678', name, clara.email, '2026-11-20 09:00 (UTC)'];
    const mail = (await stage.sentTo(acme.email)).find((message) => message.code === 'device-invitation')!;
    for (const part of five) expect(mail.text).toContain(part);
    expect(mail.link).toBe(`/invitations/devices/${made.id}`);
    const { items } = (await acme.api('GET', '/notifications')).body;
    const message = items.find((item: { code: string }) => item.code === 'device-invitation');
    expect(message).toMatchObject({ category: 'business', link: mail.link });
    for (const part of five) expect(message.text).toContain(part);

    expect(await sees(at)).toBe(false);
    expect((await acme.api('POST', `/device-invitations/${made.id}/accept`)).body.state).toBe('accepted');
    expect(await sees(at)).toBe(true);
    expect(await sees({ ...at, deviceId: other })).toBe(false);
    const held = await relay.withDb((db) =>
      db
        .selectFrom('grants')
        .select(['permission', 'deviceId'])
        .where('companyId', '=', acme.companyId)
        .where('siteId', '=', at.siteId)
        .execute(),
    );
    expect(held.map((grant) => grant.permission).sort()).toEqual(['configure', 'live', 'playback']);
    expect(held.every((grant) => grant.deviceId === at.deviceId)).toBe(true);
    expect(await stage.notices(clara)).toContain('device-invitation-accepted');
    expect((await invite(at.deviceId)).body.code).toBe('conflict');
    // And takes it back.
    await clara.api('POST', `/device-invitations/${made.id}/withdraw`);
    expect(await sees(at)).toBe(false);
    expect(await stage.notices(acme)).toContain('device-invitation-withdrawn');
  });

  it('is valid for three days to the millisecond, and can then be sent again (INVT-05)', async () => {
    const [inTime, late] = [await home(), await home()];
    const [one, two] = [(await invite(inTime.deviceId)).body, (await invite(late.deviceId)).body];
    await pass(3 * DAY_MS - 1);
    expect((await acme.api('POST', `/device-invitations/${one.id}/accept`)).status).toBe(200);
    await pass(1);
    expect((await acme.api('GET', `/device-invitations/${two.id}`)).body.state).toBe('expired');
    expect((await acme.api('POST', `/device-invitations/${two.id}/accept`)).body.code).toBe('link-invalid');
    expect(await sees(late)).toBe(false);
    expect((await invite(late.deviceId)).status).toBe(201);
    await clock.advance(60_000);
    await expect.poll(() => stage.notices(clara), { timeout: 10_000 }).toContain('device-invitation-expired');
  });

  it.each([
    ['declined', (id: string) => acme.api('POST', `/device-invitations/${id}/decline`)],
    ['withdrawn', (id: string) => clara.api('POST', `/device-invitations/${id}/withdraw`)],
  ])('gives nothing once it was %s', async (state, end) => {
    const at = await home();
    const { id } = (await invite(at.deviceId)).body;
    expect((await end(id)).body.state).toBe(state);
    expect((await acme.api('POST', `/device-invitations/${id}/accept`)).status).toBe(409);
    expect(await sees(at)).toBe(false);
    expect((await invite(at.deviceId)).status).toBe(201);
  });

  it.each([
    ['declined', (id: string) => acme.api('POST', `/device-invitations/${id}/decline`)],
    ['withdrawn', (id: string) => clara.api('POST', `/device-invitations/${id}/withdraw`)],
    [
      'accepted',
      async (id: string, { siteId, deviceId }: Awaited<ReturnType<typeof home>>) => {
        await acme.api('POST', `/device-invitations/${id}/accept`);
        expect((await acme.api('GET', `/device-invitations/${id}`)).body.deviceName).toBe('Gate camera');
        const items = ['configure', 'live', 'playback'].map((permission) => ({ deviceId, permission }));
        await acme.api('POST', `/sites/${siteId}/permissions/release`, { items });
      },
    ],
  ] as const)('tells the installer nothing of the device once it was %s and he has none of it', async (state, end) => {
    const at = await home();
    const { id } = (await invite(at.deviceId)).body;
    expect((await acme.api('GET', `/device-invitations/${id}`)).body.deviceName).toBe('Gate camera');
    await end(id, at);
    const listed = (await acme.api('GET', '/device-invitations')).body.items.find((i: { id: string }) => i.id === id);
    const nothing = { state, deviceName: '', deviceSerial: null, siteName: '' };
    expect(listed).toMatchObject(nothing);
    expect((await acme.api('GET', `/device-invitations/${id}`)).body).toMatchObject(nothing);
    expect((await clara.api('GET', `/device-invitations/${id}`)).body.deviceName).toBe('Gate camera');
  });

  it('goes to accounts of installers who manage sites (INVT-02), only from the owner, and is nobody else’s', async () => {
    const at = await home();
    const unknown = await invite(at.deviceId, 'nobody@nowhere.example');
    expect(unknown.body.code).toBe('cannot-be-invited');
    expect((await invite(at.deviceId, clara.email)).body.detail).toBe(unknown.body.detail);
    const { id } = (await invite(at.deviceId)).body;
    expect((await rival.api('POST', `/device-invitations/${id}/accept`)).status).toBe(404);
    expect((await clara.api('POST', `/device-invitations/${id}/accept`)).status).toBe(403);
    await acme.api('POST', `/device-invitations/${id}/accept`);
    expect((await invite(at.deviceId, rival.email, acme)).status).toBe(403);
    expect((await invite(at.deviceId, acme.email, rival)).status).toBe(404);
  });

  it('reaches an employee with assigned sites only when it was he', async () => {
    const at = await home();
    const employee = await stage.employee(acme, ['manage-assigned-sites']);
    const other = await stage.employee(acme, ['manage-assigned-sites']);
    const row = await relay.withDb((db) =>
      db
        .selectFrom('users')
        .select(['email'])
        .where('companyId', '=', acme.companyId)
        .where('admin', '=', 0)
        .orderBy('id')
        .executeTakeFirstOrThrow(),
    );
    const { id } = (await invite(at.deviceId, row.email!)).body;
    const [one, two] = [await sees(at, { api: employee }), await sees(at, { api: other })];
    expect([one, two]).toEqual([false, false]);
    await employee('POST', `/device-invitations/${id}/accept`);
    expect(await sees(at, { api: employee })).toBe(true);
    expect(await sees(at, { api: other })).toBe(false);
  });
});
