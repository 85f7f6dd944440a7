import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type Company, TestRelay } from '../testing/relay.ts';

const QUARTER_MS = 15 * 60_000;
const clock = new ManualClock(Date.UTC(2026, 5, 1, 8));
const relay = new TestRelay({ clock, proxies: 1 });
let acme: Company;
beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

const signIn = (password: string, address: string) =>
  relay.call('POST', '/api/v1/auth/login', { email: acme.email, password }, { 'x-forwarded-for': address });

it('counts failed sign-ins over a restart, and forgets them after a quarter of an hour', async () => {
  for (let i = 0; i < 5; i++) expect((await signIn('wrong', '192.0.2.1')).status).toBe(401);
  await relay.halt();
  await relay.start();
  expect((await signIn(acme.password, '192.0.2.1')).body.code).toBe('too-many-tries');
  await clock.advance(QUARTER_MS - 1);
  expect((await signIn(acme.password, '192.0.2.1')).status).toBe(429);
  await clock.advance(1);
  expect((await signIn(acme.password, '192.0.2.1')).status).toBe(200);
}, 60_000);

it('does not let strangers lock an account for its owner', { timeout: 60_000 }, async () => {
  await clock.advance(QUARTER_MS);
  await signIn(acme.password, '192.0.2.7');
  for (let i = 0; i < 100; i++) expect((await signIn('guess', `198.51.100.${i}`)).status).toBe(401);
  // From the hundred and first address nobody gets in, from the owner's own address they do.
  expect((await signIn(acme.password, '198.51.100.200')).status).toBe(429);
  expect((await signIn(acme.password, '192.0.2.7')).status).toBe(200);
  const rows = await relay.withDb((db) => db.selectFrom('sign_in_failures').selectAll().execute());
  expect(JSON.stringify(rows)).not.toContain('198.51.100.1');
  expect(JSON.stringify(rows)).not.toContain(acme.email);
});
