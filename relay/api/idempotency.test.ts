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
    await clock.advance(24 * 3_600_000);
    acme = await relay.company('Acme');
    expect((await create('Day two', 'k4')).status).toBe(201);
  });
});
