import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { ROLE_PERMISSIONS } from '../../protocol/wire/rights.ts';
import { type Call, type Company, TestRelay } from '../testing/relay.ts';
import { anybody, as, employ, giveSlots, lastSentTo, sentTo } from './testing.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const password = 'zu viert im Regen';
const clock = new ManualClock(Date.UTC(2026, 5, 1, 8));
const relay = new TestRelay({ clock });
const call = anybody(relay);
let n = 0;
let acme: Company;
let rival: Company;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
  rival = await relay.company('Rival');
});
afterAll(() => relay.stop());

const newRole = async (permissions: string[], by: Call = acme.api) =>
  (await by('POST', '/roles', { name: uuidv7(), permissions })).body.id as string;
const newPerson = async (roles: string[] = []) => {
  const email = `person${++n}@acme.example`;
  return { email, ...(await employ(relay, acme.api, { email, name: `Person ${n}`, password, roles })) };
};
/** Somebody of acme with this in a role. */
const withPermissions = async (...permissions: string[]) => newPerson([await newRole(permissions)]);

describe('roles', () => {
  it('are added, changed at once for all who have them, and deleted when nobody has them (EMPL-03)', async () => {
    const made = await acme.api('POST', '/roles', { name: 'Watcher', permissions: ['live-view', 'live-view'] });
    expect(made).toMatchObject({ status: 201, body: { name: 'Watcher', permissions: ['live-view'], people: 0 } });
    const role = made.body.id;
    expect((await acme.api('POST', '/roles', { name: 'watcher', permissions: [] })).body.code).toBe('conflict');
    const ines = await newPerson([role]);
    expect((await ines.api('GET', '/auth/me')).body.permissions).toEqual(['live-view']);
    await acme.api('PUT', `/roles/${role}`, { name: 'Watcher', permissions: ['playback'] });
    expect((await ines.api('GET', '/auth/me')).body.permissions).toEqual(['playback']);
    expect((await acme.api('DELETE', `/roles/${role}`)).body).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('1 people have it'),
    });
    await acme.api('PUT', `/people/${ines.userId}/roles`, { roles: [] });
    const { body: invited } = await acme.api('POST', '/employee-invitations', {
      email: 'waiting@acme.example',
      roles: [role],
    });
    expect((await acme.api('DELETE', `/roles/${role}`)).body.detail).toContain('1 are invited with it');
    await acme.api('DELETE', `/employee-invitations/${invited.id}`);
    expect((await acme.api('DELETE', `/roles/${role}`)).status).toBe(204);
    expect((await acme.api('PUT', `/roles/${role}`, { name: 'x', permissions: [] })).status).toBe(404);
  });

  it('add up: a person has what any of them holds', async () => {
    const person = await newPerson([await newRole(['live-view']), await newRole(['playback', 'manage-devices'])]);
    expect((await person.api('GET', '/auth/me')).body.permissions.sort()).toEqual([
      'live-view',
      'manage-devices',
      'playback',
    ]);
  });

  it('know the permissions of the manual, and no others (EMPL-04)', async () => {
    const all = await acme.api('POST', '/roles', { name: 'All', permissions: [...ROLE_PERMISSIONS] });
    expect(all.body.permissions).toEqual([...ROLE_PERMISSIONS].sort());
    const unknown = await acme.api('POST', '/roles', { name: 'X', permissions: ['be-administrator'] });
    expect(unknown.body.code).toBe('invalid-request');
  });

  it('are at most a hundred', async () => {
    const big = await relay.company('Big');
    const answers = await Promise.all(
      Array.from({ length: 101 }, (_, i) => big.api('POST', '/roles', { name: `Role ${i}`, permissions: [] })),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(100);
    expect(answers.find((answer) => answer.status !== 201)?.body.code).toBe('limit-reached');
  });
});

describe('who manages accounts', () => {
  it('gives nobody more than they hold themselves', async () => {
    const manager = await withPermissions('manage-accounts', 'live-view');
    const more = await newRole(['configure-devices']);
    const same = await newRole(['live-view']);
    const person = await newPerson();
    const refused = [
      await manager.api('POST', '/roles', { name: 'Mine', permissions: ['playback'] }),
      await manager.api('PUT', `/roles/${same}`, { name: 'Mine', permissions: ['live-view', 'playback'] }),
      await manager.api('PUT', `/people/${person.userId}/roles`, { roles: [more] }),
      await manager.api('PUT', `/people/${manager.userId}/roles`, { roles: [more] }),
      await manager.api('POST', '/employee-invitations', { email: 'x@acme.example', roles: [more] }),
    ];
    expect(refused.map((answer) => answer.body.code)).toEqual(refused.map(() => 'not-allowed'));
    expect((await manager.api('PUT', `/people/${person.userId}/roles`, { roles: [same] })).status).toBe(200);
    // What the administrator gave may stay, or be taken away.
    await acme.api('PUT', `/people/${person.userId}/roles`, { roles: [more] });
    expect((await manager.api('PUT', `/people/${person.userId}/roles`, { roles: [more, same] })).status).toBe(200);
    expect((await manager.api('PUT', `/roles/${more}`, { name: 'Less', permissions: [] })).status).toBe(200);
  });

  it('cannot disable, limit, remove or change the administrator, nor lock themselves out', async () => {
    const manager = await withPermissions('manage-accounts');
    const admin = `/people/${acme.userId}`;
    const answers = [
      await manager.api('PUT', `${admin}/enabled`, { enabled: false }),
      await manager.api('PUT', `${admin}/limited`, { limited: true }),
      await manager.api('PUT', `${admin}/roles`, { roles: [] }),
      await manager.api('DELETE', admin),
      await manager.api('DELETE', `/people/${manager.userId}`),
    ];
    expect(answers.map((answer) => answer.body.code)).toEqual(answers.map(() => 'conflict'));
    expect((await acme.api('GET', admin)).body).toMatchObject({ admin: true, enabled: true, limited: false });
  });

  it('changes nobody’s own account: not its limit, not whether it is enabled, not its roles', async () => {
    const manager = await withPermissions('manage-accounts', 'live-view');
    const own = `/people/${manager.userId}`;
    await giveSlots(relay, acme.companyId, 100);
    const refused = [
      await manager.api('PUT', `${own}/limited`, { limited: false }),
      await manager.api('PUT', `${own}/enabled`, { enabled: false }),
      await manager.api('PUT', `${own}/roles`, { roles: [] }),
      await acme.api('PUT', `/people/${acme.userId}/enabled`, { enabled: false }),
    ];
    expect(refused.map((answer) => answer.body.code)).toEqual(refused.map(() => 'not-allowed'));
    expect((await manager.api('GET', '/auth/me')).body).toMatchObject({ limited: true });
    expect((await acme.api('PUT', `${own}/limited`, { limited: false })).status).toBe(200);
    await acme.api('PUT', `${own}/limited`, { limited: true });
    await giveSlots(relay, acme.companyId, 0);
  });

  it.each([
    ['GET', '/people'],
    ['GET', '/roles'],
    ['POST', '/roles', { name: 'x', permissions: [] }],
    ['GET', '/employee-invitations'],
    ['POST', '/employee-invitations', { email: 'y@acme.example' }],
    ['GET', '/join-requests'],
    ['GET', '/company/authentication'],
    ['PUT', '/company', { name: 'x', address: '', phone: '' }],
    ['POST', '/company/authentication', { fields: {} }],
  ])('others do not: %s %s', async (method, path, body?: object) => {
    const person = await withPermissions('manage-assigned-sites', 'manage-devices');
    expect((await person.api(method, path, body)).body.code).toBe('not-allowed');
    expect((await person.api('PUT', `/people/${acme.userId}/limited`, { limited: true })).body.code).toBe(
      'not-allowed',
    );
    expect((await person.api('GET', '/company')).status).toBe(200);
  });

  it('reaches nobody of another company, and no role of it', async () => {
    const foreign = await newRole(['live-view'], rival.api);
    const person = await newPerson();
    expect((await acme.api('PUT', `/people/${person.userId}/roles`, { roles: [foreign] })).status).toBe(404);
    expect((await acme.api('PUT', `/people/${rival.userId}/enabled`, { enabled: false })).status).toBe(404);
    const invited = await acme.api('POST', '/employee-invitations', { email: 'z@acme.example', roles: [foreign] });
    expect(invited.status).toBe(404);
  });
});

describe('an employee’s account', () => {
  it('is limited at first; removing the limit takes a slot, and enabling does not (EMPL-05, EMPL-07)', async () => {
    const [first, second] = [await newPerson(), await newPerson()];
    const set = (person: { userId: string }, limited: boolean) =>
      acme.api('PUT', `/people/${person.userId}/limited`, { limited });
    expect((await set(first, false)).body).toMatchObject({ code: 'limit-reached' });
    await giveSlots(relay, acme.companyId, 1);
    const both = await Promise.all([set(first, false), set(second, false)]);
    expect(both.map((answer) => answer.status).sort()).toEqual([200, 409]);
    const [open, shut] = both[0].status === 200 ? [first, second] : [second, first];
    expect((await open.api('GET', '/auth/me')).body.limited).toBe(false);
    expect((await acme.api('GET', '/company')).body).toMatchObject({ slots: 1, slotsUsed: 1 });

    // Disabled, the account keeps its slot; enabled, it has what it had.
    await acme.api('PUT', `/people/${open.userId}/enabled`, { enabled: false });
    expect((await set(shut, false)).body.code).toBe('limit-reached');
    const again = await acme.api('PUT', `/people/${open.userId}/enabled`, { enabled: true });
    expect(again.body).toMatchObject({ enabled: true, limited: false });
    await set(open, true);
    expect((await set(shut, false)).body).toMatchObject({ limited: false });
    expect((await lastSentTo(relay, shut.email)).code).toBe('limit-removed');
    expect((await lastSentTo(relay, open.email)).code).toBe('account-limited');
    await giveSlots(relay, acme.companyId, 0);
  });

  it('that is disabled is signed out at once, cannot sign in, and looks like none to who tries', async () => {
    const person = await newPerson();
    await acme.api('PUT', `/people/${person.userId}/enabled`, { enabled: false });
    expect((await person.api('GET', '/auth/me')).status).toBe(401);
    const login = () => call('POST', '/auth/login', { email: person.email, password });
    expect((await login()).body.code).toBe('wrong-credentials');
    const mails = (await sentTo(relay, person.email)).length;
    await call('POST', '/auth/forgotten', { account: person.email });
    expect(await sentTo(relay, person.email)).toHaveLength(mails);
    await acme.api('PUT', `/people/${person.userId}/enabled`, { enabled: true });
    expect((await login()).status).toBe(200);
  });

  it('is found in the list by name and address, page by page, each once', async () => {
    const search = (await acme.api('GET', '/people?search=PERSON1%40')).body.items;
    expect(search.map((person: { email: string }) => person.email)).toEqual(['person1@acme.example']);
    expect((await acme.api('GET', '/people?search=%25')).body.items).toEqual([]);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await acme.api('GET', `/people?limit=3${cursor && `&cursor=${cursor}`}`);
      seen.push(...body.items.map((person: { id: string }) => person.id));
      cursor = body.nextCursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength((await acme.api('GET', '/company')).body.people);
  });

  it('may become the administrator’s, who becomes an employee', async () => {
    const firm = await relay.company('Handover');
    const email = 'next@handover.example';
    const person = await employ(relay, firm.api, { email, name: 'Next', password });
    const wrong = await firm.api('PUT', '/company/administrator', { userId: person.userId, password: 'wrong' });
    expect(wrong.body.code).toBe('wrong-password');
    const done = await firm.api('PUT', '/company/administrator', { userId: person.userId, password: firm.password });
    expect(done.body.me).toMatchObject({ admin: false, limited: true, permissions: [] });
    expect((await firm.api('GET', '/auth/me')).status).toBe(401);
    expect((await person.api('GET', '/auth/me')).body).toMatchObject({ admin: true, limited: false });
    const former = as(relay, done);
    expect((await former('PUT', '/company/administrator', { userId: firm.userId, password: 'x' })).status).toBe(403);
  });
});

describe('an invitation', () => {
  const accept = (token: string, pass = password) =>
    call('POST', '/auth/invitation/accept', { token, name: 'Ines Keller', password: pass, locale: 'de' });

  it('makes an employee with its roles by a link, once, within seven days (EMPL-01)', async () => {
    const email = 'invited@acme.example';
    const role = await newRole(['playback']);
    const made = await acme.api('POST', '/employee-invitations', { email, name: 'Ines', roles: [role], locale: 'de' });
    expect(made).toMatchObject({ status: 201, body: { email, state: 'open', invitedBy: 'Owner' } });
    const message = await lastSentTo(relay, email);
    expect(message).toMatchObject({ code: 'employee-invitation', locale: 'de', values: { company: 'Acme' } });
    const token = message.secret;
    clock.step(7 * DAY_MS - 1);
    const shown = await call('POST', '/auth/invitation', { token });
    expect(shown.body).toMatchObject({ company: 'Acme', email, name: 'Ines' });
    expect((await accept(token, 'password12')).body.code).toBe('weak-password');
    const both = await Promise.all([accept(token), accept(token)]);
    expect(both.map((answer) => answer.status).sort()).toEqual([201, 410]);
    const done = both.find((answer) => answer.status === 201);
    expect(done?.body.me).toMatchObject({
      email,
      admin: false,
      limited: true,
      permissions: ['playback'],
      locale: 'de',
    });
    expect((await accept(token)).body.code).toBe('link-invalid');
    acme = { ...acme, ...(await relay.company('Acme')) };
    const { items } = (await acme.api('GET', '/employee-invitations')).body;
    expect(items).toContainEqual(expect.objectContaining({ id: made.body.id, state: 'accepted' }));
    const twice = await acme.api('POST', '/employee-invitations', { email });
    expect(twice.body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('your people already') });
  });

  it('is not held up by another company that invites the same person', async () => {
    const email = 'wanted@elsewhere.example';
    for (const name of ['One', 'Another']) {
      const company = await relay.company(name);
      expect((await company.api('POST', '/employee-invitations', { email })).status).toBe(201);
    }
  });

  it('ends after seven days, is sent again with a new link, and is withdrawn', async () => {
    const email = 'slow@acme.example';
    const { body: made } = await acme.api('POST', '/employee-invitations', { email });
    const { secret: first } = await lastSentTo(relay, email);
    const resend = () => acme.api('POST', `/employee-invitations/${made.id}/resend`);
    expect((await resend()).body.code).toBe('too-many-tries');
    clock.step(7 * DAY_MS);
    acme = { ...acme, ...(await relay.company('Acme')) };
    expect((await accept(first)).body.code).toBe('link-invalid');
    const { items } = (await acme.api('GET', '/employee-invitations')).body;
    expect(items).toContainEqual(expect.objectContaining({ id: made.id, state: 'expired' }));
    expect((await resend()).body.state).toBe('open');
    for (let i = 0; i < 4; i++) {
      clock.step(MINUTE_MS);
      expect((await resend()).status).toBe(200);
    }
    clock.step(MINUTE_MS);
    expect((await resend()).status).toBe(429);
    const sent = await sentTo(relay, email);
    expect(new Set(sent.map((message) => message.secret)).size).toBe(6);
    for (const { secret } of sent.slice(0, -1)) expect((await accept(secret)).body.code).toBe('link-invalid');
    expect((await acme.api('DELETE', `/employee-invitations/${made.id}`)).status).toBe(204);
    expect((await accept(sent.at(-1)?.secret ?? '')).body.code).toBe('link-invalid');
    expect((await acme.api('DELETE', `/employee-invitations/${made.id}`)).body.code).toBe('conflict');
    expect((await resend()).body.code).toBe('conflict');
  });

  it('of somebody with an account elsewhere tells that to nobody but them', async () => {
    const sent = await acme.api('POST', '/employee-invitations', { email: rival.email });
    expect(sent.status).toBe(201);
    const { secret: token } = await lastSentTo(relay, rival.email);
    expect((await accept(token)).body.code).toBe('conflict');
    const again = await acme.api('POST', '/employee-invitations', { email: rival.email });
    expect(again.body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('invited already') });
  });
});
