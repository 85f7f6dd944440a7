import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { KEY_PERMISSIONS, MAX_KEYS } from '../../protocol/wire/keys.ts';
import { type Colleague, colleague } from '../testing/colleague.ts';
import { type Answer, type Company, TestRelay, until } from '../testing/relay.ts';
import { TAGS_FOR_KEYS } from './for-keys.ts';
import { isToken, newToken } from './token.ts';

const DAY_MS = 86_400_000;
const clock = new ManualClock();
const relay = new TestRelay({ clock });
/** Capabilities that no key may use. A new one stands here or in TAGS_FOR_KEYS. */
const FOR_PEOPLE = new Set([
  'Activation',
  'API keys',
  'ARC application',
  'Company',
  'Company and people',
  'Customer',
  'Device invitations',
  'Firmware',
  'Installation',
  'LAN',
  'My account',
  'Notifications',
  'Operator',
  'Partners',
  'Registration',
  'Remote configuration',
  'Sign-in',
]);
let acme: Company;
let admin: Colleague;
let otherSite: string;

const make = async (more: object = {}, by = admin): Promise<{ id: string; token: string }> => {
  const made = await by.api('POST', '/keys', { name: 'Program', permissions: ['manage-all-sites'], days: 1, ...more });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
};
const use = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}` });
const status = async (token: string, method: string, path: string, body?: unknown) =>
  (await use(token, method, path, body)).status;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  const { companyId } = acme;
  admin = await colleague(relay, companyId, [...KEY_PERMISSIONS, 'manage-accounts'], { name: 'Ines Keller' });
  otherSite = (await admin.api('POST', '/sites', { name: 'Bakery', timeZone: 'UTC' })).body.id;
});
afterAll(() => relay.stop());

describe('the token of a key', () => {
  it('is known by its form, and found out when one character is wrong', () => {
    const token = newToken();
    expect(token).toMatch(/^gp_live_[0-9A-Za-z]{38}$/);
    expect(isToken(token)).toBe(true);
    for (let i = 8; i < token.length; i++) {
      const other = token[i] === 'a' ? 'b' : 'a';
      expect(isToken(token.slice(0, i) + other + token.slice(i + 1))).toBe(false);
    }
    expect(new Set(Array.from({ length: 100 }, newToken)).size).toBe(100);
  });

  it('is shown once, and stored hashed only', async () => {
    const { id, token } = await make({ name: 'Shown once' });
    expect(isToken(token)).toBe(true);
    const listed = await admin.api('GET', '/keys');
    expect(listed.body.items[0]).toMatchObject({
      id,
      name: 'Shown once',
      prefix: token.slice(0, 12),
      permissions: ['manage-all-sites'],
      readOnly: true,
      sites: null,
      createdBy: { userId: admin.userId, name: 'Ines Keller' },
      expiresAt: new Date(clock.now() + DAY_MS).toISOString(),
      lastUsedAt: null,
    });
    expect(JSON.stringify(listed.body)).not.toContain(token);
    const secret = token.slice(12);
    const stored = await relay.withDb(async (db) =>
      JSON.stringify([
        await db.selectFrom('api_keys').selectAll().execute(),
        await db.selectFrom('idempotency_keys').selectAll().execute(),
        await db.selectFrom('audit_people').selectAll().execute(),
        await db.selectFrom('audit_entries').selectAll().execute(),
      ]),
    );
    expect(stored).not.toContain(secret);
    expect(JSON.stringify(relay.logged)).not.toContain(secret);
  });
});

describe('what a key may do', () => {
  it('reads what its permissions reach; and changes something when it is not read-only', async () => {
    const reader = await make();
    expect(await status(reader.token, 'GET', `/sites/${acme.siteId}`)).toBe(200);
    expect((await use(reader.token, 'POST', '/sites', { name: 'New', timeZone: 'UTC' })).body).toMatchObject({
      code: 'not-allowed',
      detail: 'This key may only read.',
    });
    // Looking is reading, though WHEP asks for it by POST: these are not there, and that is what it is told.
    const [none, view] = [`/devices/${acme.siteId}/channels/1/whep`, `/viewings/${acme.siteId}`];
    expect(await status(reader.token, 'POST', none)).toBe(404);
    expect(await status(reader.token, 'DELETE', view)).toBe(404);
    // Its socket is asked for by GET, and what is said is heard.
    const talk = `/devices/${acme.siteId}/channels/1/talk/socket`;
    expect(await status(reader.token, 'GET', talk)).toBe(403);
    const writer = await make({ readOnly: false });
    expect(await status(writer.token, 'GET', talk)).toBe(404);
    expect(await status(writer.token, 'POST', '/sites', { name: 'New', timeZone: 'UTC' })).toBe(201);
    const log = (await admin.api('GET', '/log?limit=1')).body.items[0];
    expect(log).toMatchObject({ action: 'createSite', client: 'api-key', clientName: 'Program' });
    const lastUsed = await until(
      'the last use',
      async () =>
        (await admin.api('GET', '/keys')).body.items.find((key: { id: string }) => key.id === writer.id).lastUsedAt,
    );
    expect(lastUsed).toBe(new Date(clock.now()).toISOString());
  });

  it('reaches only its sites', async () => {
    const { token } = await make({ sites: [otherSite], readOnly: false });
    expect((await use(token, 'GET', '/sites')).body.items.map((site: { id: string }) => site.id)).toEqual([otherSite]);
    expect(await status(token, 'GET', `/sites/${otherSite}`)).toBe(200);
    expect(await status(token, 'GET', `/sites/${acme.siteId}`)).toBe(404);
    expect(await status(token, 'POST', '/sites', { name: 'Beyond', timeZone: 'UTC' })).toBe(403);
  });

  it('reads of the log what was done at its sites', async () => {
    // The same person did something at both.
    for (const site of [acme.siteId, otherSite])
      await admin.api('POST', `/sites/${site}/boxes`, { serial: 'AAAAAAAA9', code: 'AAAAAAAAAA' });
    const { token } = await make({ sites: [otherSite] });
    for (const query of ['', `?siteId=${acme.siteId}`]) {
      const { items } = (await use(token, 'GET', `/log${query}`)).body;
      expect(items.filter((entry: { site: { id: string } | null }) => entry.site?.id !== otherSite)).toEqual([]);
      expect(items.length > 0).toBe(query === '');
    }
  });

  const id = uuidv7();
  const decisions: [string, string, object?][] = [
    ['GET', '/collaborations'],
    ['POST', `/collaborations/${id}/accept`],
    ['POST', `/collaborations/${id}/decline`],
    ['POST', `/collaborations/${id}/end`],
    ['GET', '/device-invitations'],
    ['POST', '/device-invitations', { deviceId: id, email: 'ines@installer.example' }],
    ['POST', `/device-invitations/${id}/accept`],
    ['POST', `/device-invitations/${id}/withdraw`],
    ['GET', '/shares'],
    ['POST', '/shares/accept-link', { token: 'x'.repeat(43) }],
    ['POST', `/shares/${id}/accept`],
    ['POST', `/shares/${id}/reject`],
    ['GET', '/handovers'],
    ['POST', `/handovers/${id}/accept`, {}],
    ['POST', `/requests/${id}/decide`, { items: [{ id, approve: true }] }],
  ];
  it.each(decisions)('does not decide for people what they agree on: %s %s', async (method, path, body) => {
    const { token } = await make({ readOnly: false, permissions: KEY_PERMISSIONS });
    const answer = await use(token, method, path, body);
    expect(answer).toMatchObject({ status: 403, body: { detail: 'This is for people: sign in to do it.' } });
  });

  const people = [
    ['GET', '/keys'],
    ['POST', '/keys'],
    ['GET', '/auth/me'],
    ['POST', '/auth/logout'],
  ] as const;
  it.each(people)('never: %s %s', async (method, path) => {
    const { token } = await make({ readOnly: false, permissions: KEY_PERMISSIONS });
    const body = { name: 'More', permissions: ['manage-all-sites'], days: 1 };
    expect(await status(token, method, path, path === '/keys' && method === 'POST' ? body : undefined)).toBe(403);
  });

  it('every capability is for keys or for people only, by decision', async () => {
    const { paths } = (await relay.call('GET', '/api/v1/openapi.json')).body;
    const tags = new Set(
      Object.values(paths).flatMap((item) => Object.values(item as object).flatMap((o: { tags: string[] }) => o.tags)),
    );
    const forPeople = [...tags].filter((tag) => !TAGS_FOR_KEYS.has(tag)).sort();
    expect(forPeople).toEqual([...FOR_PEOPLE].sort());
    expect([...TAGS_FOR_KEYS].filter((tag) => !tags.has(tag))).toEqual([]);
  });

  it('holds no more than its maker, as long as they hold it', async () => {
    const { companyId } = acme;
    const small = await colleague(relay, companyId, ['manage-accounts', 'manage-all-sites', 'live-view']);
    const asked = { name: 'More', permissions: ['manage-all-sites', 'playback'], days: 1 };
    expect((await small.api('POST', '/keys', asked)).body).toMatchObject({ code: 'not-allowed' });
    expect((await small.api('POST', '/keys', { ...asked, permissions: ['manage-accounts'] })).status).toBe(400);
    const { token } = await make({}, small);
    expect(await status(token, 'GET', `/sites/${otherSite}`)).toBe(200);
    await relay.withDb((db) => db.deleteFrom('user_roles').where('userId', '=', small.userId).execute());
    expect(await status(token, 'GET', `/sites/${otherSite}`)).toBe(404);
    await relay.withDb((db) => db.updateTable('users').set({ enabled: 0 }).where('id', '=', small.userId).execute());
    expect(await status(token, 'GET', `/sites/${otherSite}`)).toBe(401);
  });

  it('is made and seen by who manages accounts only, for sites in reach only', async () => {
    const { companyId } = acme;
    const plain = await colleague(relay, companyId, ['manage-all-sites']);
    const asked = { name: 'More', permissions: ['manage-all-sites'], days: 1 };
    const { id } = await make();
    expect((await plain.api('POST', '/keys', asked)).status).toBe(403);
    expect((await plain.api('GET', '/keys')).status).toBe(403);
    expect((await plain.api('DELETE', `/keys/${id}`)).status).toBe(403);
    const rival = await relay.company('Rival');
    expect((await admin.api('POST', '/keys', { ...asked, sites: [rival.siteId] })).status).toBe(404);
    expect((await rival.api('DELETE', `/keys/${id}`)).status).toBe(404);
    expect((await rival.api('GET', '/keys')).body.items).toEqual([]);
  });
});

describe('the end of a key', () => {
  it('is its day, to the millisecond', async () => {
    const { id, token } = await make({ days: 2 });
    clock.step(2 * DAY_MS - 1);
    expect(await status(token, 'GET', '/sites')).toBe(200);
    clock.step(1);
    expect(await status(token, 'GET', '/sites')).toBe(401);
    expect((await admin.api('GET', '/keys')).body.items.map((key: { id: string }) => key.id)).not.toContain(id);
  });

  it('comes at once when it is revoked, also for what it has open', async () => {
    const { id, token } = await make();
    const stream = await fetch(`${relay.url}/api/v1/sites/${acme.siteId}/stream`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(stream.status).toBe(200);
    const ended = stream.text().catch(() => 'cut');
    expect((await admin.api('DELETE', `/keys/${id}`)).status).toBe(204);
    expect(await status(token, 'GET', '/sites')).toBe(401);
    await ended;
    expect((await admin.api('DELETE', `/keys/${id}`)).status).toBe(404);
    const log = (await admin.api('GET', '/log?limit=2')).body.items[1];
    expect(log).toMatchObject({ action: 'revokeApiKey', target: { kind: 'key', id, name: 'Program' }, result: 'ok' });
  });

  it(`leaves room for others: ${MAX_KEYS} at a time`, async () => {
    const { api } = await relay.company('Many');
    const asked = { name: 'One', permissions: ['manage-all-sites'], days: 1 };
    const answers = await Promise.all(Array.from({ length: MAX_KEYS + 1 }, () => api('POST', '/keys', asked)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([...Array(MAX_KEYS).fill(201), 409]);
    clock.step(DAY_MS);
    const { api: again } = await relay.company('Many');
    expect((await again('POST', '/keys', asked)).status).toBe(201);
  });
});
