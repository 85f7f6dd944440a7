import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import type { Health } from '../../protocol/wire/uplink.ts';
import { setupApp } from './app.ts';
import { SetupPassword } from './password.ts';

let dir: string;
let clock: ManualClock;
let claimed: boolean | null;
let app: Hono;
/** The switch of remote configuration. */
const remote = {
  allowed: true,
  allow(allowed: boolean) {
    this.allowed = allowed;
  },
};

function build(): Hono {
  return setupApp({
    identity: { serial: 'ACDEFGHJ3', code: 'ACDEFGHJ34' },
    password: new SetupPassword({ dir, clock }),
    discovery: { list: () => [], scan: async () => {} },
    uplink: { state: () => ({ connected: true, since: 0, lastError: null, claimed }), allowClaim: () => true },
    tunnel: { state: () => ({ connected: true }) },
    remote,
    restream: { info: () => null },
    relayUrl: 'https://relay.example/',
    health: () => ({ version: '1' }) as Health,
    ready: () => true,
    metrics: async () => 'gatepost 1\n',
    hosts: ['gatepost.local'],
    staticDir: dir,
    log: pino({ level: 'silent' }),
  });
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatepost-setup-'));
  clock = new ManualClock();
  claimed = false;
  app = build();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await app.request(`http://192.168.1.9${path}`, {
    method,
    headers: { host: '192.168.1.9', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return {
    status: response.status,
    cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '',
    body: await response.json().catch(() => null),
  };
}

describe('set-up page', () => {
  it('has no password to guess: the first visitor sets it, nobody sets it again', async () => {
    expect((await call('GET', '/api/setup/state')).body).toEqual({
      serial: 'ACDEFGHJ3',
      firstUse: true,
      signedIn: false,
    });
    expect((await call('GET', '/api/setup/status')).status).toBe(401);
    expect((await call('POST', '/api/setup/password', { password: 'short' })).status).toBe(400);
    const [first, second] = await Promise.all([
      call('POST', '/api/setup/password', { password: 'correct horse' }),
      call('POST', '/api/setup/password', { password: 'battery staple' }),
    ]);
    expect([first.status, second.status]).toEqual([200, 409]);
    expect((await call('GET', '/api/setup/status', undefined, { cookie: first.cookie })).status).toBe(200);
    expect((await call('POST', '/api/setup/password', { password: 'another one' })).status).toBe(409);
  });

  it('keeps the password over a restart, but no session', async () => {
    const { cookie } = await call('POST', '/api/setup/password', { password: 'correct horse' });
    app = build();
    expect((await call('GET', '/api/setup/status', undefined, { cookie })).status).toBe(401);
    expect((await call('POST', '/api/setup/login', { password: 'correct horse' })).status).toBe(200);
  });

  it('pauses after five wrong passwords, even for the right one', async () => {
    await call('POST', '/api/setup/password', { password: 'correct horse' });
    const wrong = await Promise.all(
      Array.from({ length: 6 }, () => call('POST', '/api/setup/login', { password: 'wrong one' })),
    );
    expect(wrong.map((r) => r.status).sort()).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await call('POST', '/api/setup/login', { password: 'correct horse' })).status).toBe(429);
    await clock.advance(61_000);
    expect((await call('POST', '/api/setup/login', { password: 'correct horse' })).status).toBe(200);
  });

  it('shows the code with a QR code until the box is claimed, then hides it', async () => {
    const { cookie } = await call('POST', '/api/setup/password', { password: 'correct horse' });
    const before = (await call('GET', '/api/setup/status', undefined, { cookie })).body;
    expect(before.claim.code).toBe('ACDEFGHJ34');
    expect(before.claim.qrSvg).toContain('<svg');
    claimed = true;
    const after = await call('GET', '/api/setup/status', undefined, { cookie });
    expect(after.body.claim).toBeNull();
    expect(JSON.stringify(after.body)).not.toContain('ACDEFGHJ34');
  });

  it.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '192.168.1.9.evil.example',
    '',
  ])('does not answer to the name %s', async (host) => {
    expect((await call('GET', '/api/setup/state', undefined, { host })).status).toBe(400);
  });

  it.each(['10.0.0.1:8081', 'localhost:8081', '[::1]:8081', 'gatepost.local'])('answers to %s', async (host) => {
    expect((await call('GET', '/api/setup/state', undefined, { host })).status).toBe(200);
  });

  it('takes no writing request from a page of another origin', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect((await call('POST', '/api/setup/password', { password: 'correct horse' }, headers)).status).toBe(403);
    expect(
      (await call('POST', '/api/setup/password', { password: 'correct horse' }, { 'content-type': 'text/plain' }))
        .status,
    ).toBe(400);
  });

  it('switches remote configuration off and on, for whoever is signed in at the box (RCFG-01)', async () => {
    const change = (allowed: unknown, cookie = '') =>
      call('POST', '/api/setup/remote-configuration', { allowed }, { cookie });
    expect([(await change(false)).status, remote.allowed]).toEqual([401, true]);
    const { cookie } = await call('POST', '/api/setup/password', { password: 'correct horse' });
    expect([(await change('no', cookie)).status, remote.allowed]).toEqual([400, true]);
    expect([(await change(false, cookie)).body, remote.allowed]).toEqual([{ allowed: false }, false]);
    expect([(await change(true, cookie)).body, remote.allowed]).toEqual([{ allowed: true }, true]);
  });

  it('gives metrics to loopback alone', async () => {
    const from = (remoteAddress: string) =>
      app.request(
        'http://127.0.0.1/metrics',
        { headers: { host: '127.0.0.1' } },
        { incoming: { socket: { remoteAddress } } },
      );
    expect((await from('127.0.0.1')).status).toBe(200);
    expect((await from('::ffff:127.0.0.1')).status).toBe(200);
    expect((await from('192.168.1.20')).status).toBe(403);
  });

  it('refuses a large body', async () => {
    expect((await call('POST', '/api/setup/login', { password: 'x'.repeat(10_000) })).status).toBe(413);
  });
});
