import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type Company, TestRelay } from '../testing/relay.ts';

const clock = new ManualClock();
const relay = new TestRelay({ clock });
let acme: Company;
const create = (name: string, key: string, who = acme) =>
  who.api('POST', '/sites', { name, timeZone: 'UTC' }, { 'idempotency-key': key });
const sites = async () =>
  (await acme.api('GET', '/sites')).body.items.map((site: { name: string }) => site.name) as string[];

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

describe('Idempotency-Key', () => {
  it('does a request once and gives its answer again', async () => {
    const first = await create('Shop', 'k1');
    const again = await create('Shop', 'k1');
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await sites()).filter((name) => name === 'Shop')).toHaveLength(1);
  });

  it('is for one request of one user', async () => {
    expect((await create('Other', 'k1')).body.code).toBe('conflict');
    const rival = await relay.company('Rival');
    const theirs = await create('Theirs', 'k1', rival);
    expect(theirs).toMatchObject({ status: 201, body: { name: 'Theirs' } });
    expect(await sites()).not.toContain('Theirs');
  });

  it('keeps no failure', async () => {
    const bad = await acme.api('POST', '/sites', { name: 'Mars', timeZone: 'Mars/Base' }, { 'idempotency-key': 'k2' });
    expect(bad.status).toBe(400);
    expect((await create('Mars', 'k2')).status).toBe(201);
  });

  it('of two at once lets one through', async () => {
    const answers = await Promise.all([create('Twins', 'k3'), create('Twins', 'k3')]);
    const created = answers.filter((a) => a.status === 201);
    expect(created.length).toBeGreaterThanOrEqual(1);
    for (const other of answers.filter((a) => a.status !== 201)) expect(other.body.code).toBe('conflict');
    expect((await sites()).filter((name) => name === 'Twins')).toHaveLength(1);
  });

  it('is forgotten after a day', async () => {
    await create('Day one', 'k4');
    await clock.jump(24 * 3_600_000);
    acme = await relay.company('Acme');
    expect((await create('Day two', 'k4')).status).toBe(201);
  });

  it('keeps neither keys nor what was sent and answered in clear', async () => {
    const key = 'a-key-that-nobody-guesses';
    const body = { name: 'Program', permissions: ['manage-all-sites'], days: 1 };
    const made = await acme.api('POST', '/keys', body, { 'idempotency-key': key });
    const again = await acme.api('POST', '/keys', body, { 'idempotency-key': key });
    expect(again.body).toEqual(made.body);
    const rows = await relay.withDb((db) => db.selectFrom('idempotency_keys').selectAll().execute());
    const stored = JSON.stringify(rows);
    for (const secret of [key, made.body.token, 'Program']) expect(stored).not.toContain(secret);
    for (const row of rows)
      expect(Buffer.from(row.body.replace('a:', ''), 'base64').toString('latin1')).not.toContain('gp_live');
  });

  it('keeps no secret under a key that can be found by trying', async () => {
    const body = { name: 'Program', permissions: ['manage-all-sites'], days: 1 };
    const answers = [];
    for (let i = 0; i < 2; i++) answers.push(await acme.api('POST', '/keys', body, { 'idempotency-key': 'k5' }));
    expect(answers.map((answer) => answer.status)).toEqual([201, 201]);
    expect(answers[0]?.body.id).not.toBe(answers[1]?.body.id);
  });

  it('is one program’s own: another key of the same person does not get its answer', async () => {
    const asked = { name: 'Program', permissions: ['manage-all-sites'], days: 1, readOnly: false };
    const [one, other] = [await acme.api('POST', '/keys', asked), await acme.api('POST', '/keys', asked)];
    const body = { name: 'By program', timeZone: 'UTC' };
    const by = (token: string) =>
      relay.call('POST', '/api/v1/sites', body, { authorization: `Bearer ${token}`, 'idempotency-key': 'k6' });
    expect((await by(one.body.token)).status).toBe(201);
    expect((await by(other.body.token)).body.code).toBe('conflict');
  });

  it('is kept a thousand times for each user at most', async () => {
    const row = { userId: acme.userId, requestHash: '', status: 201, body: '' };
    await relay.withDb(async (db) => {
      for (let i = 0; i < 1_005; i++)
        await db
          .insertInto('idempotency_keys')
          .values({ ...row, key: `old ${i}`, createdMs: clock.now() - 1_000 + Math.min(i, 990) })
          .execute();
    });
    await create('The last', 'k7');
    const kept = await relay.withDb((db) =>
      db.selectFrom('idempotency_keys').select('key').where('userId', '=', acme.userId).execute(),
    );
    expect(kept.length).toBeLessThanOrEqual(1_000);
    expect((await create('The last', 'k7')).headers.get('idempotency-replayed')).toBe('true');
  });
});
