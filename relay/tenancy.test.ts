import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../protocol/clock.ts';
import { uuidv7 } from '../protocol/wire/ids.ts';
import type { RolePermission } from '../protocol/wire/rights.ts';
import { activationFixture } from './activation/testing/fixture.ts';
import { deskFixture } from './arc/desk/testing/fixture.ts';
import { arcJoiningFixture } from './arc/joining/testing/fixture.ts';
import { arcServiceFixture } from './arc/service/testing/fixture.ts';
import { hashToken } from './auth/sessions.ts';
import { uplinkFixture } from './bandwidth/testing/fixture.ts';
import { clipFixture } from './clips/testing/fixture.ts';
import { cloudFixture } from './cloud/testing/fixture.ts';
import { firmwareFixture } from './firmware/testing/fixture.ts';
import { jobFixture } from './jobs/testing/fixture.ts';
import { lanFixture } from './lan/testing/fixture.ts';
import { operationFixture } from './operations/testing/fixture.ts';
import { panelFixture } from './panels/testing/fixture.ts';
import { receiverFixture } from './receiver/testing/fixture.ts';
import { remoteFixture } from './remote/testing/fixture.ts';
import { coreFixture } from './testing/core-fixture.ts';
import type { Fixture, Tenant } from './testing/fixture.ts';
import { handoverFixture } from './testing/handover-fixture.ts';
import { keyFixture } from './testing/key-fixture.ts';
import { notifyFixture } from './testing/notify-fixture.ts';
import { operatorFixture } from './testing/operator-fixture.ts';
import { peopleFixture } from './testing/people-fixture.ts';
import { type Call, TestRelay } from './testing/relay.ts';
import { sharingFixture } from './testing/sharing-fixture.ts';
import { siteFixture } from './testing/site-fixture.ts';
import { videoFixture } from './video/testing/fixture.ts';

/*
 * Two companies with one of everything, and every route that the API document lists, asked by everybody who might. A new
 * route is covered as soon as it is there; one with a new kind of id or body fails until a fixture gives it one.
 */
const FIXTURES: Fixture[] = [
  coreFixture,
  cloudFixture,
  clipFixture,
  deskFixture,
  activationFixture,
  operationFixture,
  panelFixture,
  jobFixture,
  lanFixture,
  firmwareFixture,
  remoteFixture,
  keyFixture,
  peopleFixture,
  siteFixture,
  handoverFixture,
  sharingFixture,
  notifyFixture,
  operatorFixture,
  arcServiceFixture,
  arcJoiningFixture,
  receiverFixture,
  uplinkFixture,
  videoFixture,
];

/** Parameters that are no ids but words, the same ones for everybody. */
const WORDS = ['section', 'list', 'channel'];

/** Ids that are no UUIDs, of nothing that there is. */
const NOBODYS: Record<string, string> = {
  serial: 'AAAAAAAA9',
  mac: '02-00-00-00-00-99',
  section: 'video',
  list: 'presets',
  channel: '1',
};

interface Operation {
  method: string;
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: a document from outside
  operation: any;
}

const HOUR_MS = 3_600_000;
const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
await relay.start();
const document = (await relay.call('GET', '/api/v1/openapi.json')).body;
const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods as object).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);
const name = (o: Operation) => `${o.method} ${o.path}`;
const isStream = (o: Operation) => o.path.endsWith('/stream');
const parametersOf = (o: Operation) => [...o.path.matchAll(/\{(\w+)\}/g)].map((m) => m[1] as string);
const closedOnes = operations.filter((o) => !(o.operation.security?.length === 0));
const withIds = closedOnes.filter((o) => o.path.includes('{'));
const lists = closedOnes.filter((o) => o.method === 'GET' && !o.path.includes('{') && !isStream(o));
const named = (list: Operation[]) => list.map((o) => [name(o), o] as const);
/** Parameters of what belongs to the company rather than to a site; filled by the fixtures. */
const companyWide = new Set<string>();
const ofSites = () => withIds.filter((o) => !parametersOf(o).some((parameter) => companyWide.has(parameter)));

const bodies = Object.assign({}, ...FIXTURES.map((f) => f.bodies)) as NonNullable<Fixture['bodies']>;
const queries = Object.assign({}, ...FIXTURES.map((f) => f.queries)) as NonNullable<Fixture['queries']>;
const notOk = Object.assign({}, ...FIXTURES.map((f) => f.notOk)) as NonNullable<Fixture['notOk']>;

async function tenant(companyName: string): Promise<Tenant> {
  const company = await relay.company(companyName);
  const made: Tenant = { relay, company, ids: { siteId: company.siteId } };
  for (const { companyIds, ids } of FIXTURES) {
    const own = (await companyIds?.(made)) ?? {};
    for (const parameter of Object.keys(own)) companyWide.add(parameter);
    Object.assign(made.ids, own);
    Object.assign(made.ids, await ids?.(made));
  }
  return made;
}

function request(o: Operation, target: Record<string, string>, own: Record<string, string>): [string, string, unknown] {
  const path = o.path.replace('/api/v1', '').replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
    const id = target[parameter];
    if (!id) throw new Error(`${name(o)}: let a fixture say what ${parameter} is`);
    return id;
  });
  const make = bodies[name(o)];
  if (o.operation.requestBody?.required && !make) throw new Error(`${name(o)}: let a fixture give it a body`);
  const query = queries[name(o)];
  return [o.method, query ? `${path}?${query}` : path, make?.(own)];
}

/** A further employee of a company, signed in. */
async function colleague(
  of: Tenant,
  roles: RolePermission[],
  more: { limited?: boolean; untilMs?: number } = {},
): Promise<Call> {
  const userId = uuidv7();
  const token = `${uuidv7()}-${uuidv7()}`;
  const { companyId } = of.company;
  const now = clock.now();
  await relay.withDb(async (db) => {
    const person = {
      id: userId,
      companyId,
      email: `${userId}@acme.example`,
      name: 'Colleague',
      passwordHash: '',
      createdAt: '',
    };
    await db
      .insertInto('users')
      .values({ ...person, limited: more.limited ? 1 : 0 })
      .execute();
    const role = { id: uuidv7(), companyId, name: userId, permissions: JSON.stringify(roles) };
    await db.insertInto('roles').values(role).execute();
    await db.insertInto('user_roles').values({ userId, roleId: role.id }).execute();
    if (more.untilMs)
      await db
        .insertInto('site_managers')
        .values({ siteId: of.company.siteId, userId, untilMs: more.untilMs })
        .execute();
    const session = { id: uuidv7(), tokenHash: hashToken(token), userId, createdMs: now, seenMs: now };
    await db
      .insertInto('sessions')
      .values({ ...session, expiresMs: now + 11 * HOUR_MS, remote: '127.0.0.1', userAgent: 'test' })
      .execute();
  });
  return (method, path, body, headers) =>
    relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}`, ...headers });
}

let acme: Tenant;
let rival: Tenant;
/** Employees of acme, and a partner, whose rights have ended or never were. */
const outside: Record<string, Call> = {};
let limited: Call;
let reader: Call;

beforeAll(async () => {
  acme = await tenant('Acme');
  rival = await tenant('Rival');
  const EVERY_DEVICE: RolePermission[] = ['manage-devices', 'configure-devices', 'live-view', 'playback'];
  outside['an employee without sites'] = await colleague(acme, EVERY_DEVICE);
  outside['an employee to whom another site is assigned'] = await colleague(acme, [
    'manage-assigned-sites',
    ...EVERY_DEVICE,
  ]);
  outside['a former manager'] = await colleague(acme, ['manage-assigned-sites', ...EVERY_DEVICE], {
    untilMs: clock.now() + HOUR_MS,
  });
  limited = await colleague(acme, ['manage-all-sites', ...EVERY_DEVICE], { limited: true });
  reader = await colleague(acme, ['manage-all-sites']);
  const partner = await relay.company('Partner');
  await relay.withDb((db) =>
    db
      .insertInto('grants')
      .values({
        id: uuidv7(),
        companyId: partner.companyId,
        siteId: acme.company.siteId,
        permission: 'all',
        untilMs: clock.now() + HOUR_MS,
        source: 'collaboration',
      })
      .execute(),
  );
  // While it lasts it lets in: what ends below is really the time.
  expect((await outside['a former manager']!('GET', `/sites/${acme.ids.siteId}`)).status).toBe(200);
  expect((await partner.api('GET', `/sites/${acme.ids.siteId}`)).status).toBe(200);
  await clock.jump(HOUR_MS);
  outside['a partner whose permission has ended'] = partner.api;
}, 60_000);
afterAll(() => relay.stop());

describe('the API document', () => {
  it('lists routes of every capability, each with its problems', () => {
    expect(operations.length).toBeGreaterThanOrEqual(18);
    for (const o of operations) {
      const codes = Object.keys(o.operation.responses);
      expect([name(o), codes]).toEqual([name(o), expect.arrayContaining(['400', '500'])]);
      if (closedOnes.includes(o)) expect([name(o), codes]).toEqual([name(o), expect.arrayContaining(['401'])]);
      expect([name(o), o.operation.summary, o.operation.tags]).toEqual([
        name(o),
        expect.any(String),
        [expect.any(String)],
      ]);
      if (o.path.includes('{')) expect([name(o), codes]).toEqual([name(o), expect.arrayContaining(['404'])]);
    }
  });
});

describe('nobody', () => {
  it.each(named(closedOnes))('%s: 401', async (_, o) => {
    const [method, path, body] = request(o, acme.ids, acme.ids);
    expect(await relay.call(method, `/api/v1${path}`, body)).toMatchObject({
      status: 401,
      body: { code: 'not-signed-in' },
    });
    const forged = await relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${'x'.repeat(43)}` });
    expect(forged.status).toBe(401);
  });
});

describe('another company', () => {
  it.each(named(withIds))('%s: 404, as if it were not there', async (_, o) => {
    const foreign = await acme.company.api(...request(o, rival.ids, acme.ids));
    expect(foreign).toMatchObject({ status: 404, body: { code: 'not-found' } });
    const nowhere = Object.fromEntries(Object.keys(rival.ids).map((key) => [key, NOBODYS[key] ?? uuidv7()]));
    expect((await acme.company.api(...request(o, nowhere, acme.ids))).body).toEqual(foreign.body);
  });

  it.each(named(lists))('%s: nothing of the other', async (_, o) => {
    const text = JSON.stringify((await acme.company.api(...request(o, {}, acme.ids))).body);
    for (const [parameter, id] of Object.entries(rival.ids))
      if (!WORDS.includes(parameter)) expect(text).not.toContain(id);
  });

  it('cannot be reached by naming its box, or its events, in a route of one’s own', async () => {
    const body = bodies['POST /api/v1/sites/{siteId}/devices']?.({ serial: rival.ids.serial as string });
    const answer = await acme.company.api('POST', `/sites/${acme.ids.siteId}/devices`, body);
    expect(answer).toMatchObject({ status: 404 });
    const events = await acme.company.api('GET', `/sites/${acme.ids.siteId}/events?cursor=999999999&limit=200`);
    expect(events.body.items.map((e: { id: string }) => e.id)).toEqual([acme.ids.eventId]);
  });
});

describe('who reaches nothing of the site', () => {
  const cells = [
    'an employee without sites',
    'an employee to whom another site is assigned',
    'a former manager',
    'a partner whose permission has ended',
  ].flatMap((person) => withIds.map((o) => [person, name(o), o] as const));
  it.each(cells)('%s: %s', async (person, _, o) => {
    const { status } = await outside[person]!(...request(o, acme.ids, acme.ids));
    if (ofSites().includes(o) || person.startsWith('a partner')) expect(status).toBe(404);
    // Of the company itself an employee may see what is there, and change nothing.
    else if (o.method === 'GET') expect([200, 403, 404]).toContain(status);
    else expect([403, 404]).toContain(status);
  });

  it.each(named(lists))('%s: nothing of it', async (_, o) => {
    const ofSite = Object.entries(acme.ids).filter(
      ([parameter]) => !companyWide.has(parameter) && !WORDS.includes(parameter),
    );
    for (const [person, api] of Object.entries(outside)) {
      const text = JSON.stringify((await api(...request(o, {}, acme.ids))).body);
      for (const [, id] of ofSite) expect([person, text]).toEqual([person, expect.not.stringContaining(id)]);
    }
  });
});

describe('who may only look', () => {
  const changes = named(withIds.filter((o) => o.method !== 'GET'));
  it.each(changes)('a limited account, %s: refused', async (_, o) => {
    const { status } = await limited(...request(o, acme.ids, acme.ids));
    expect([403, 404, 409]).toContain(status);
  });
  it('a role without devices sees them, and neither their pictures nor their clips', async () => {
    const { deviceId, clipId } = acme.ids;
    expect((await reader('GET', `/sites/${acme.ids.siteId}/devices`)).body.items).toHaveLength(1);
    expect((await reader('GET', `/devices/${deviceId}/snapshot`)).body.code).toBe('not-allowed');
    expect((await reader('GET', `/clips/${clipId}/video`)).status).toBe(403);
    expect((await reader('DELETE', `/devices/${deviceId}`)).status).toBe(403);
  });
});

describe('the company itself', () => {
  const readable = withIds.filter((o) => o.method === 'GET' && !isStream(o));
  it.each(named(readable))('%s: is there', async (_, o) => {
    const { status, body } = await acme.company.api(...request(o, acme.ids, acme.ids));
    const expected = notOk[name(o)] ?? { status: 200, why: '' };
    expect([status, JSON.stringify(body)]).toEqual([expected.status, expect.stringContaining(expected.why)]);
  });
});
