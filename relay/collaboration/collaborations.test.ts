import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { type RolePermission, SITE_STATUSES } from '../../protocol/wire/rights.ts';
import { Stage } from '../handover/testing.ts';
import { type Answer, type Call, type Company, TestRelay } from '../testing/relay.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
const stage = new Stage(relay);
let acme: Company;
let partner: Company;
let third: Company;
let clara: Omit<Company, 'siteId'>;
const country = (company: { companyId: string }, code: string) =>
  relay.withDb((db) =>
    db.updateTable('companies').set({ country: code }).where('id', '=', company.companyId).execute(),
  );

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  partner = await relay.company('Partner');
  clara = await relay.customer('Clara');
  third = await relay.company('Third');
  for (const company of [acme, partner, third]) await country(company, 'DE');
}, 30_000);
afterAll(() => relay.stop());

/** A site of acme that clara owns, which acme may manage. */
async function transferred(): Promise<string> {
  const siteId = await stage.site(acme, uuidv7());
  await relay.withDb(async (db) => {
    await db
      .updateTable('sites')
      .set({ ownerId: clara.companyId, status: 'authorized' })
      .where('id', '=', siteId)
      .execute();
    await db.deleteFrom('grants').where('siteId', '=', siteId).execute();
  });
  await stage.grant(acme, siteId, 'manage', 'authorization');
  await stage.grant(clara, siteId, 'own', 'transfer');
  return siteId;
}
const invite = (siteId: string, more: object = {}): Promise<Answer> =>
  acme.api('POST', `/sites/${siteId}/partners`, { stage: 'isp', email: partner.email, ...more });
const msp = { stage: 'msp', permissions: ['manage', 'configure'] };
const may = async (who: { api: Call }, siteId: string) => (await who.api('GET', `/sites/${siteId}`)).status;

describe('who can be invited (COLL-04, COLL-05)', () => {
  const suitable = async (of: Company, permissions: RolePermission[], limited = false): Promise<string> => {
    await stage.employee(of, permissions, limited);
    const row = await relay.withDb((db) =>
      db
        .selectFrom('users')
        .select('email')
        .where('companyId', '=', of.companyId)
        .where('admin', '=', 0)
        .orderBy('id', 'desc')
        .executeTakeFirstOrThrow(),
    );
    return row.email!;
  };
  const admin = async () => partner.email;
  const own = async () => acme.email;
  const customer = async () => clara.email;
  const nobody = async () => 'nobody@nowhere.example';
  it.each([
    ['isp', 'an Installer Admin', admin, 201],
    ['isp', 'who manages all sites', () => suitable(partner, ['manage-all-sites']), 201],
    ['isp', 'who manages assigned sites', () => suitable(partner, ['manage-assigned-sites']), 201],
    ['isp', 'who manages no sites', () => suitable(partner, ['live-view']), 422],
    ['isp', 'a limited account', () => suitable(partner, ['manage-all-sites'], true), 422],
    ['isp', 'somebody of the own company', own, 422],
    ['isp', 'a customer', customer, 422],
    ['isp', 'nobody', nobody, 422],
    ['msp', 'an Installer Admin', admin, 201],
    ['msp', 'who manages all sites', () => suitable(partner, ['manage-all-sites']), 422],
  ] as const)('%s: %s', async (stageName, _, email, status) => {
    const siteId = stageName === 'isp' ? await stage.site(acme, uuidv7()) : await transferred();
    const more = stageName === 'isp' ? {} : msp;
    const made: Answer = await invite(siteId, { ...more, email: await email() });
    expect([made.status, made.body.code]).toEqual([status, status === 201 ? undefined : 'cannot-be-invited']);
  });

  it.each([
    ['the same country', 'DE', 'DE', 201],
    ['another country', 'DE', 'FR', 422],
    ['no country', '', '', 422],
  ])('%s', async (_, ours, theirs, status) => {
    const siteId = await stage.site(acme, uuidv7());
    await country(acme, ours);
    await country(partner, theirs);
    expect((await invite(siteId)).status).toBe(status);
    for (const company of [acme, partner]) await country(company, 'DE');
  });
});

describe('when (COLL-03)', () => {
  it.each(
    SITE_STATUSES.flatMap((status) => (['isp', 'msp'] as const).map((stageName) => [stageName, status] as const)),
  )('%s in %s', async (stageName, status) => {
    const siteId = await transferred();
    await stage.setStatus(siteId, status);
    const fits = { isp: 'not-handed-over', msp: 'authorized' }[stageName] === status;
    const made = await invite(siteId, stageName === 'msp' ? msp : {});
    expect([made.status, made.body.code]).toEqual(fits ? [201, undefined] : [409, 'site-status']);
  });

  it('is by the site’s company only, once for a partner', async () => {
    const siteId = await stage.site(acme, uuidv7());
    const { id } = (await invite(siteId)).body;
    expect((await invite(siteId)).body.code).toBe('conflict');
    await partner.api('POST', `/collaborations/${id}/accept`);
    const other = await partner.api('POST', `/sites/${siteId}/partners`, { stage: 'isp', email: acme.email });
    expect(other.body.code).toBe('not-allowed');
  });
});

describe('an ISP', () => {
  it('has all permissions for the devices until the site is handed over (COLL-01, HAND-16)', async () => {
    const siteId = await stage.site(acme, uuidv7());
    const deviceId = await stage.device(siteId, 'Camera');
    expect(await may(partner, siteId)).toBe(404);
    const { id } = (await invite(siteId)).body;
    expect(await may(partner, siteId)).toBe(404);
    expect(
      (await partner.api('GET', '/collaborations')).body.items.find((item: { id: string }) => item.id === id),
    ).toMatchObject({
      id,
      side: 'partner',
      stage: 'isp',
    });
    expect((await partner.api('POST', `/collaborations/${id}/accept`)).body.state).toBe('active');
    expect(await may(partner, siteId)).toBe(200);
    const held = await relay.withDb((db) =>
      db
        .selectFrom('grants')
        .select('permission')
        .where('companyId', '=', partner.companyId)
        .where('siteId', '=', siteId)
        .execute(),
    );
    expect(held.map((grant) => grant.permission).sort()).toEqual(['configure', 'live', 'manage', 'playback']);
    const customers = [{ email: clara.email, name: 'Clara', resources: [{ deviceId, permissions: ['live'] }] }];
    // The partner hands it over, and with that is out himself.
    expect((await partner.api('POST', `/sites/${siteId}/sharing`, { mode: 'B', customers })).status).toBe(201);
    const mail = (await stage.sentTo(clara.email)).find((message) => message.code === 'share-invitation');
    expect(mail!.text).toContain('Acme');
    expect(mail!.text).not.toContain('Partner');
    expect(await may(partner, siteId)).toBe(404);
    expect(
      (await partner.api('GET', '/collaborations')).body.items.find((item: { id: string }) => item.id === id).state,
    ).toBe('ended');
    expect(await stage.notices(partner)).toContain('partner-ended');
    const guests = await relay.withDb((db) =>
      db.selectFrom('site_managers').selectAll().where('siteId', '=', siteId).execute(),
    );
    expect(guests).toEqual([]);
  });

  it('is out the moment that a transfer is accepted (COLL-01)', async () => {
    const siteId = await stage.site(acme, uuidv7());
    await stage.device(siteId, 'Camera');
    const { id } = (await invite(siteId)).body;
    await partner.api('POST', `/collaborations/${id}/accept`);
    const sent = await partner.api('POST', `/sites/${siteId}/transfer`, { method: 'email', email: clara.email });
    expect(sent.status).toBe(201);
    expect(await may(partner, siteId)).toBe(200);
    const { items } = (await clara.api('GET', '/handovers')).body;
    const offered = items.find((item: { siteId: string }) => item.siteId === siteId);
    expect((await clara.api('POST', `/handovers/${offered.id}/accept`, {})).status).toBe(200);
    expect(await may(partner, siteId)).toBe(404);
  });

  it.each([
    ['the company', () => acme],
    ['the partner', () => partner],
  ])('ends when %s cancels', async (_, who) => {
    const siteId = await stage.site(acme, uuidv7());
    const { id } = (await invite(siteId)).body;
    await partner.api('POST', `/collaborations/${id}/accept`);
    expect((await who().api('POST', `/collaborations/${id}/end`)).body.state).toBe('ended');
    expect(await may(partner, siteId)).toBe(404);
    const { items } = (await partner.api('GET', '/collaborations?limit=200')).body;
    expect(items.find((item: { id: string }) => item.id === id)).toMatchObject({ state: 'ended', siteName: '' });
    expect((await invite(siteId)).status).toBe(201);
  });
});

describe('an MSP (COLL-02)', () => {
  it.each([
    [['partner', 'clara'], 'active', 200],
    [['clara', 'partner'], 'active', 200],
    [['partner', 'clara no'], 'refused', 404],
    [['clara', 'partner no'], 'declined', 404],
  ])('%j: %s', async (answers, state, status) => {
    const siteId = await transferred();
    const { id } = (await invite(siteId, msp)).body;
    let last = '';
    for (const answer of answers) {
      const who = answer.startsWith('clara') ? clara : partner;
      const word = answer.endsWith('no') ? 'decline' : 'accept';
      last = (await who.api('POST', `/collaborations/${id}/${word}`)).body.state;
    }
    expect(last).toBe(state);
    expect(await may(partner, siteId)).toBe(status);
    if (status !== 200) return;
    const held = await relay.withDb((db) =>
      db
        .selectFrom('grants')
        .select('permission')
        .where('companyId', '=', partner.companyId)
        .where('siteId', '=', siteId)
        .execute(),
    );
    expect(held.map((grant) => grant.permission).sort()).toEqual(['configure', 'manage']);
    // Who approved can take it back.
    expect((await clara.api('POST', `/collaborations/${id}/end`)).body.state).toBe('ended');
    expect(await may(partner, siteId)).toBe(404);
  });

  /** An MSP that helps at a site of clara's, and one that was only asked to; acme's own right may have an end. */
  const helping = async (untilMs: number | null = null) => {
    const siteId = await transferred();
    await relay.withDb((db) =>
      db
        .updateTable('grants')
        .set({ untilMs })
        .where('siteId', '=', siteId)
        .where('companyId', '=', acme.companyId)
        .execute(),
    );
    await stage.grant(acme, siteId, 'list', 'transfer');
    // What was written past the relay is found when it looks again.
    await clock.advance(30_000);
    const { id } = (await invite(siteId, msp)).body;
    await partner.api('POST', `/collaborations/${id}/accept`);
    expect((await clara.api('POST', `/collaborations/${id}/accept`)).body.state).toBe('active');
    const asked = (await invite(siteId, { ...msp, email: third.email })).body.id;
    expect(await may(partner, siteId)).toBe(200);
    return { siteId, id, asked };
  };
  const isOut = async ({ siteId, id, asked }: Awaited<ReturnType<typeof helping>>) => {
    expect(await may(partner, siteId)).toBe(404);
    const state = async (who: { api: Call }, one: string) =>
      (await who.api('GET', '/collaborations?limit=200')).body.items.find((item: { id: string }) => item.id === one)
        .state;
    expect([await state(partner, id), await state(third, asked)]).toEqual(['ended', 'ended']);
    expect((await stage.notices(partner)).at(-1)).toBe('partner-ended');
    const left = await relay.withDb((db) =>
      db
        .selectFrom('grants')
        .select('id')
        .where('siteId', '=', siteId)
        .where('companyId', '=', partner.companyId)
        .execute(),
    );
    expect(left).toEqual([]);
  };

  it.each([
    ['the owner takes it back', () => clara, 'access/withdraw'],
    ['the company gives it back', () => acme, 'permissions/release'],
  ])('is out with the company’s authorisation: %s', async (_, who, path) => {
    const at = await helping();
    const body = { companyId: acme.companyId, items: [{ permission: 'manage' }] };
    expect((await who().api('POST', `/sites/${at.siteId}/${path}`, body)).status).toBe(200);
    await isOut(at);
  });

  it('is out with the company’s authorisation, to the millisecond', async () => {
    const end = clock.now() + 3_600_000;
    const at = await helping(end);
    const ends = await relay.withDb((db) =>
      db
        .selectFrom('grants')
        .select('untilMs')
        .where('siteId', '=', at.siteId)
        .where('companyId', '=', partner.companyId)
        .execute(),
    );
    expect(ends.map((grant) => Number(grant.untilMs))).toEqual([end, end]);
    clock.step(end - 1 - clock.now());
    expect(await may(partner, at.siteId)).toBe(200);
    clock.step(1);
    await isOut(at);
  });

  it('is out when the company deletes the site from its list', async () => {
    const at = await helping();
    expect((await acme.api('DELETE', `/sites/${at.siteId}`)).status).toBe(204);
    await isOut(at);
  });

  it('is told what it may do, and cannot be given nothing', async () => {
    expect((await invite(await transferred(), { stage: 'msp' })).body.code).toBe('invalid-request');
  });
});

it('nobody else hears of an invitation', async () => {
  const { id } = (await invite(await stage.site(acme, uuidv7()))).body;
  const rival = await relay.company('Rival');
  for (const word of ['accept', 'decline', 'end'])
    expect((await rival.api('POST', `/collaborations/${id}/${word}`)).status).toBe(404);
  expect((await acme.api('POST', `/collaborations/${id}/accept`)).status).toBe(409);
});
