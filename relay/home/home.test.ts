import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { Home } from '../../protocol/wire/home.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { deviceRow } from '../testing/device-row.ts';
import { type Company, TestRelay } from '../testing/relay.ts';

const clock = new ManualClock(Date.parse('2026-11-22T12:00:00Z'));
const relay = new TestRelay({ clock });
let acme: Company;
let other: Company;
const HOUR = 3_600_000;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  other = await relay.company('Other');
});
afterAll(() => relay.stop());

const home = async (who: Company, query = '') => {
  const answer = await who.api('GET', `/home${query}`);
  expect(answer.status).toBe(200);
  return answer.body as Home;
};
const kinds = (found: Home) => found.items.map((item) => item.kind);
const box = (serial: string, seenMs: number | null, more: { state?: 'duplicate' | 'revoked' } = {}) =>
  relay.withDb((db) =>
    db
      .insertInto('boxes')
      .values({
        serial,
        publicKey: serial,
        sealKey: serial,
        codeHash: serial,
        version: null,
        boot: null,
        epoch: null,
        state: more.state ?? 'claimed',
        siteId: acme.siteId,
        companyId: acme.companyId,
        enrolledMs: 0,
        seenMs,
      })
      .execute(),
  );

describe('home', () => {
  it('asks a new company to prove itself, and shows its first site', async () => {
    const found = await home(acme);
    expect(kinds(found)).toEqual(['company-unproven']);
    expect(found.sites.map((site) => site.name)).toEqual(['Acme HQ']);
    expect(found.anySite).toBe(true);
  });

  it('tells of boxes that are gone, the longest first, at most five, and of none that was just heard', async () => {
    await box('ACMEBOX01', clock.now() - HOUR);
    await box('ACMEBOX02', clock.now() - 2 * HOUR);
    await box('ACMEBOX03', clock.now() - 5_000);
    await box('ACMEBOX04', clock.now() - HOUR, { state: 'revoked' });
    await box('ACMEBOX05', clock.now() - 3 * HOUR, { state: 'duplicate' });
    const gone = (found: Home) => found.items.filter((item) => item.kind === 'box-gone').map((item) => item.name);
    const found = await home(acme);
    expect(gone(found)).toEqual(['ACMEBOX02', 'ACMEBOX01']);
    expect(found.items[0]).toMatchObject({ kind: 'box-duplicate', name: 'ACMEBOX05', site: { name: 'Acme HQ' } });
    expect(found.items[1]?.at).toBe(new Date(clock.now() - 2 * HOUR).toISOString());
    expect(found.more).toEqual([]);
    for (let i = 0; i < 4; i++) await box(`ACMEBOX1${i}`, clock.now() - 4 * HOUR);
    const full = await home(acme);
    expect(gone(full)).toHaveLength(5);
    expect(full.more).toEqual(['box-gone']);
  });

  it('shows nobody what is of another tenant', async () => {
    expect(kinds(await home(other))).toEqual(['company-unproven']);
    const found = await home(other, `?sites=${acme.siteId}`);
    expect(found.sites.map((site) => site.name)).toEqual(['Other HQ']);
    const customer = await relay.customer('Carla');
    expect(await home(customer as Company)).toEqual({ items: [], more: [], sites: [], anySite: false });
  });

  it('shows the sites that were opened last, in their order; ids that are none are no matter', async () => {
    const made = await acme.api('POST', '/sites', { name: 'Second', timeZone: 'UTC' });
    expect(made.status).toBe(201);
    const found = await home(acme, `?sites=${acme.siteId},nonsense,${made.body.id}`);
    expect(found.sites.map((site) => site.name)).toEqual(['Acme HQ', 'Second']);
    expect((await acme.api('GET', `/home?sites=${'x'.repeat(400)}`)).status).toBe(400);
  });

  it('warns of assignments and permissions before they end, and no second longer', async () => {
    const deviceId = uuidv7(clock.now());
    const until = clock.now() + HOUR;
    await relay.withDb(async (db) => {
      await db
        .insertInto('devices')
        .values(deviceRow({ id: deviceId, siteId: acme.siteId, host: 'gate.example' }))
        .execute();
      for (const permission of ['live', 'playback'] as const)
        await db
          .insertInto('grants')
          .values({
            id: uuidv7(clock.now()),
            companyId: acme.companyId,
            siteId: acme.siteId,
            deviceId,
            permission,
            untilMs: until,
            source: 'application',
          })
          .execute();
      const assignment = { siteId: acme.siteId, userId: acme.userId, untilMs: until };
      await db.insertInto('site_managers').values(assignment).execute();
    });
    const ends = async () => (await home(acme)).items.filter((item) => item.kind.endsWith('-ends'));
    expect((await ends()).map(({ kind, name, at }) => [kind, name, at])).toEqual([
      ['assignment-ends', 'Acme HQ', new Date(until).toISOString()],
      ['permission-ends', 'Gate', new Date(until).toISOString()],
    ]);
    await clock.jump(HOUR);
    expect(await ends()).toEqual([]);
  });

  it('tells who may decide it that somebody wants to join', async () => {
    await relay.withDb((db) =>
      db
        .insertInto('join_requests')
        .values({
          id: uuidv7(clock.now()),
          companyId: acme.companyId,
          email: 'new@acme.example',
          name: 'Nora New',
          locale: 'en',
          passwordHash: '',
          message: '',
          createdMs: clock.now(),
          expiresMs: clock.now() + HOUR,
        })
        .execute(),
    );
    expect((await home(acme)).items.find((item) => item.kind === 'join-request')?.name).toBe('Nora New');
    await clock.jump(HOUR);
    expect(kinds(await home(acme))).not.toContain('join-request');
  });
});
