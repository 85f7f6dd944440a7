import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { hashToken } from '../auth/sessions.ts';
import { TestBox } from '../testing/box.ts';
import { type Call, type Company, TestRelay, until } from '../testing/relay.ts';

const clock = new ManualClock(Date.now());
const relay = new TestRelay({ clock });
let operator: Call;
let acme: Company;
let rival: Company;

beforeAll(async () => {
  await relay.start();
  operator = await relay.operator();
  await clock.advance(1);
  acme = await relay.company('Acme');
  await clock.advance(1);
  rival = await relay.company('Rival');
});
afterAll(() => relay.stop());

const names = async (query: string) =>
  (await operator('GET', `/operator/companies?${query}`)).body.items.map((c: { name: string }) => c.name);
const issue = async (more: object = {}): Promise<{ id: string; key: string }[]> => {
  const wanted = { content: 'employee-slots', quantity: 5, ...more };
  const answer = await operator('POST', '/operator/service-keys', wanted);
  expect(answer.status).toBe(201);
  return answer.body.keys;
};
const redeem = (who: Company, keys: string) => who.api('POST', '/company/service-keys/redeem', { keys });

describe('the console', () => {
  it('is not there for anybody but the operator', async () => {
    const customer = await relay.customer('Paul');
    const [key] = await issue();
    const asked: [string, string, unknown?][] = [
      ['GET', '/operator/system'],
      ['GET', '/operator/companies'],
      ['GET', `/operator/companies/${acme.companyId}`],
      ['PUT', `/operator/companies/${acme.companyId}/decision`, { approved: true }],
      ['PUT', `/operator/companies/${rival.companyId}/suspended`, { suspended: true }],
      ['GET', '/operator/service-keys'],
      ['POST', '/operator/service-keys', { content: 'employee-slots', quantity: 1 }],
      ['POST', `/operator/service-keys/${key?.id}/withdraw`],
      ['GET', '/operator/boxes'],
      ['POST', '/operator/boxes/ACDEFGHJK/revoke'],
    ];
    for (const [method, path, body] of asked) {
      for (const who of [acme, customer])
        expect([path, (await who.api(method, path, body)).body.code]).toEqual([path, 'not-found']);
      expect([path, (await relay.call(method, `/api/v1${path}`, body)).status]).toEqual([path, 401]);
    }
  });

  it('is not there for employees in the operator’s own company either', async () => {
    const token = `${uuidv7()}-${uuidv7()}`;
    await relay.withDb(async (db) => {
      const { id: companyId } = await db
        .selectFrom('companies')
        .select('id')
        .where('type', '=', 'operator')
        .executeTakeFirstOrThrow();
      const [userId, now] = [uuidv7(), clock.now()];
      const person = { id: userId, companyId, email: 'clerk@operator.example', name: 'C', passwordHash: '' };
      await db
        .insertInto('users')
        .values({ ...person, createdAt: '' })
        .execute();
      const times = { createdMs: now, seenMs: now, expiresMs: now + 600_000 };
      await db
        .insertInto('sessions')
        .values({ id: uuidv7(), tokenHash: hashToken(token), userId, ...times, remote: '', userAgent: '' })
        .execute();
    });
    const clerk = (method: string, path: string, body?: unknown) =>
      relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}` });
    expect((await clerk('GET', '/auth/me')).status).toBe(200);
    expect((await clerk('GET', '/operator/companies')).status).toBe(404);
    const slots = { content: 'employee-slots', quantity: 100 };
    expect((await clerk('POST', '/operator/service-keys', slots)).status).toBe(404);
  });

  it('shows how the relay is doing', async () => {
    const { body } = await operator('GET', '/operator/system');
    expect(body).toMatchObject({ version: '0.1.0', companies: 2, sites: 2, boxesOnline: 0 });
    expect(body.database.bytes).toBeGreaterThan(10_000);
    expect(body.boxes).toContainEqual({ state: 'claimed', count: 0 });
  });
});

describe('companies', () => {
  it('are listed newest first, found by name and by address, page by page', async () => {
    expect(await names('')).toEqual(['Rival', 'Acme', 'Operator']);
    expect(await names('type=customer')).toEqual(['Paul']);
    expect(await names('q=ACM')).toEqual(['Acme']);
    expect(await names('q=owner@rival')).toEqual(['Rival']);
    const first = (await operator('GET', '/operator/companies?limit=2')).body;
    expect(first.items).toHaveLength(2);
    expect(await names(`limit=2&cursor=${first.nextCursor}`)).toEqual(['Operator']);
  });

  it('are approved, or rejected with a reason, when they asked for it', async () => {
    const decide = (body: object, id = acme.companyId) => operator('PUT', `/operator/companies/${id}/decision`, body);
    expect((await decide({ approved: true })).body.code).toBe('conflict');
    expect((await decide({ approved: true }, uuidv7())).body.code).toBe('not-found');
    const { asked } = (await acme.api('GET', '/company/authentication')).body;
    const fields = Object.fromEntries(asked.map(({ field }: { field: string }) => [field, 'HRB 1234']));
    const submit = () => acme.api('POST', '/company/authentication', { fields });
    expect((await submit()).status).toBeLessThan(300);
    expect(await names('authentication=submitted')).toEqual(['Acme']);
    expect((await operator('GET', '/operator/system')).body.waiting).toBe(1);
    expect((await decide({ approved: false })).status).toBe(400);
    const rejected = await decide({ approved: false, reason: 'The number is not readable.' });
    expect(rejected.body).toMatchObject({ authentication: 'rejected', submitted: fields });
    expect((await acme.api('GET', '/company/authentication')).body.reason).toBe('The number is not readable.');
    await submit();
    expect((await decide({ approved: true })).body.authentication).toBe('approved');
    expect((await decide({ approved: true })).body.code).toBe('conflict');
  });

  it('are suspended: their people are out at once and stay out until it ends', async () => {
    const own = await relay.company('Late');
    const set = (suspended: boolean, id = own.companyId) =>
      operator('PUT', `/operator/companies/${id}/suspended`, { suspended });
    const stream = await fetch(`${relay.url}/api/v1/sites/${own.siteId}/stream`, {
      headers: { authorization: `Bearer ${own.token}` },
    });
    expect((await set(true)).body.suspendedAt).not.toBeNull();
    expect((await own.api('GET', '/sites')).status).toBe(401);
    // However it ends: it does.
    await stream.text().catch(() => {});
    const { email, password } = own;
    const signIn = () => relay.call('POST', '/api/v1/auth/login', { email, password });
    const { token } = (await signIn()).body;
    const again = await relay.call('GET', '/api/v1/sites', undefined, { authorization: `Bearer ${token}` });
    expect(again.status).toBe(401);
    expect(await names('suspended=true')).toEqual(['Late']);
    expect((await set(false)).body.suspendedAt).toBeNull();
    expect((await signIn()).status).toBe(200);
    const [self] = (await operator('GET', '/operator/companies?type=operator')).body.items;
    expect((await set(true, self.id)).body.code).toBe('conflict');
  });
});

describe('service keys', () => {
  it('give packages of cloud storage by retention and duration, several kinds at once (CLOUD-19, CLOUD-23)', async () => {
    const buyer = await relay.company('Buyer');
    const week = { retentionDays: 7, term: 'month' };
    const more = { content: 'cloud-storage', quantity: 3 };
    const bad = await operator('POST', '/operator/service-keys', {
      ...more,
      package: { retentionDays: 8, term: 'month' },
    });
    expect(bad.status).toBe(400);
    expect((await operator('POST', '/operator/service-keys', more)).status).toBe(400);
    expect(
      (await operator('POST', '/operator/service-keys', { content: 'employee-slots', quantity: 1, package: week }))
        .status,
    ).toBe(400);
    const [a] = await issue({ ...more, package: week });
    const [b] = await issue({ ...more, quantity: 2, package: { retentionDays: 365, term: 'year' } });
    const [c] = await issue({ quantity: 1 });
    const answer = await redeem(buyer, [a, b, c].map((one) => one?.key).join(' '));
    expect(answer.body.added).toEqual([
      { content: 'cloud-storage', package: week, quantity: 3 },
      { content: 'cloud-storage', package: { retentionDays: 365, term: 'year' }, quantity: 2 },
      { content: 'employee-slots', package: null, quantity: 1 },
    ]);
    expect((await buyer.api('GET', '/company/service-keys')).body.items).toContainEqual(
      expect.objectContaining({ package: week }),
    );
    expect((await redeem(buyer, a?.key ?? '')).status).toBe(422);
    const stock = { purchased: 3, used: 0 };
    const rows = await relay.withDb((db) => db.selectFrom('cloud_stock').selectAll().execute());
    expect(rows).toContainEqual({ companyId: buyer.companyId, ...week, ...stock });
  });

  it('raise the slots of who redeems them, several at once, each key once (EMPL-06, PKG-02, PKG-01)', async () => {
    const [a, b] = (await issue({ count: 2, note: 'order 7' })) as [{ id: string; key: string }, { key: string }];
    const answer = await redeem(acme, ` ${a.key.toLowerCase()}, ${b.key.replaceAll('-', ' ')}`.replace(/ (?=\w)/g, ''));
    expect(answer.body).toEqual({
      added: [{ content: 'employee-slots', package: null, quantity: 10 }],
      slots: 10,
      slotsUsed: 0,
    });
    expect((await redeem(rival, a.key)).body.code).toBe('service-key-invalid');
    expect((await redeem(acme, a.key)).body.code).toBe('service-key-invalid');
    const listed = (await operator('GET', '/operator/service-keys?q=ORDER&state=redeemed')).body.items;
    expect(listed.map((k: { company: object }) => k.company)).toEqual(
      [1, 2].map(() => ({ id: acme.companyId, name: 'Acme' })),
    );
    expect((await operator('POST', `/operator/service-keys/${a.id}/withdraw`)).body.code).toBe('conflict');
    const own = (await acme.api('GET', '/company/service-keys')).body.items;
    expect(own).toHaveLength(2);
    expect(JSON.stringify(own)).not.toContain('order 7');
    expect((await rival.api('GET', '/company/service-keys')).body.items).toEqual([]);
  });

  it('change nothing when one of them is wrong', async () => {
    const [key] = await issue();
    expect((await redeem(rival, `${key?.key},AAAAA-AAAAA-AAAAA-AAAAA`)).body.code).toBe('service-key-invalid');
    expect((await redeem(rival, key?.key ?? '')).body.slots).toBe(5);
  });

  it('are no longer taken once withdrawn, or after their end', async () => {
    const [withdrawn, late] = (await issue({ count: 2 })) as { id: string; key: string }[];
    expect((await operator('POST', `/operator/service-keys/${withdrawn?.id}/withdraw`)).body.state).toBe('withdrawn');
    expect((await redeem(rival, withdrawn?.key ?? '')).status).toBe(422);
    const soon = { expiresMs: clock.now() + 1_000 };
    await relay.withDb((db) =>
      db
        .updateTable('service_keys')
        .set(soon)
        .where('id', '=', late?.id ?? '')
        .execute(),
    );
    await clock.advance(1_000);
    expect((await redeem(rival, late?.key ?? '')).status).toBe(422);
    const states = (await operator('GET', `/operator/service-keys?q=${late?.key.slice(-5)}`)).body.items;
    expect(states.map((k: { state: string }) => k.state)).toEqual(['expired']);
  });

  it('cannot be guessed: after ten wrong ones in an hour the company waits', async () => {
    const guesser = await relay.company('Guesser');
    const answers = [];
    for (let i = 0; i < 11; i++) answers.push(await redeem(guesser, `AAAAA-AAAAA-AAAAA-AAAA${'34679ACDEFG'[i]}`));
    expect(answers.map((a) => a.status).slice(-2)).toEqual([422, 429]);
    const [key] = await issue();
    expect((await redeem(guesser, key?.key ?? '')).body.code).toBe('too-many-tries');
    await clock.jump(3_600_000);
    expect((await redeem(guesser, key?.key ?? '')).status).toBe(200);
  });

  it('are for administrators of companies only', async () => {
    const customer = await relay.customer('Petra');
    const [key] = await issue();
    expect((await customer.api('POST', '/company/service-keys/redeem', { keys: key?.key })).status).toBe(403);
    expect((await operator('POST', '/company/service-keys/redeem', { keys: key?.key })).status).toBe(403);
  });
});

describe('boxes', () => {
  it('are found by serial, site and company, and cut for good when revoked', async () => {
    const own = await relay.company('Boxed');
    const box = await new TestBox(relay).claimedBy(own);
    const other = await new TestBox(relay).claimedBy(own);
    await box.connect();
    const serials = async (query: string) =>
      (await operator('GET', `/operator/boxes?${query}`)).body.items.map((b: { serial: string }) => b.serial);
    expect(await serials(`q=${box.serial.slice(0, 6).toLowerCase()}`)).toEqual([box.serial]);
    expect(await serials('q=boxed%20hq')).toEqual([box.serial, other.serial].sort());
    expect(await serials(`companyId=${own.companyId}&online=true`)).toEqual([box.serial]);
    expect(await serials(`companyId=${own.companyId}&online=false`)).toEqual([other.serial]);
    const gone = new Promise<void>((resolve) => box.mqtt?.once('close', () => resolve()));
    const revoked = await operator('POST', `/operator/boxes/${box.serial}/revoke`);
    expect(revoked.body).toMatchObject({ state: 'revoked', company: { name: 'Boxed' }, site: { name: 'Boxed HQ' } });
    await gone;
    expect(await serials('state=revoked')).toEqual([box.serial]);
    expect((await operator('POST', `/operator/boxes/${box.serial}/clear-duplicate`)).body.code).toBe('conflict');
    expect((await operator('POST', '/operator/boxes/AAAAAAAA9/revoke')).body.code).toBe('not-found');
  });

  it('revoked by another process are cut within seconds', async () => {
    const own = await relay.company('Elsewhere');
    const box = await new TestBox(relay).claimedBy(own);
    await box.connect();
    let closed = false;
    box.mqtt?.once('close', () => {
      closed = true;
    });
    await relay.withDb((db) =>
      db.updateTable('boxes').set({ state: 'revoked' }).where('serial', '=', box.serial).execute(),
    );
    await clock.advance(10_000);
    await until('the box is cut', () => closed);
  });
});
