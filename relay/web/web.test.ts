import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestRelay } from '../testing/relay.ts';

const portalDir = mkdtempSync(join(tmpdir(), 'gatepost-portal-'));
const relay = new TestRelay({ portalDir, publicUrl: 'https://relay.example' });

beforeAll(async () => {
  mkdirSync(join(portalDir, 'assets'));
  writeFileSync(join(portalDir, 'index.html'), '<!doctype html><title>Portal</title>');
  writeFileSync(join(portalDir, 'assets', 'index-Ab3_xY9-.js'), 'export {};');
  writeFileSync(join(portalDir, 'assets', 'index-Ab3_xY9-.js.br'), brotliCompressSync('export {};'));
  writeFileSync(join(portalDir, '..', 'outside.txt'), 'secret');
  await relay.start();
});
afterAll(async () => {
  await relay.stop();
  rmSync(portalDir, { recursive: true, force: true });
  rmSync(join(portalDir, '..', 'outside.txt'), { force: true });
});

describe('pages', () => {
  it('serves the portal, also below its own addresses', async () => {
    for (const path of ['/', '/sites/abc', '/sites/abc/events']) {
      const page = await relay.call('GET', path);
      expect([path, page.status, page.body]).toEqual([path, 200, expect.stringContaining('<title>Portal</title>')]);
      expect(page.headers.get('cache-control')).toBe('no-cache');
    }
  });

  it('lets browsers keep what has its hash in its name', async () => {
    const script = await relay.call('GET', '/assets/index-Ab3_xY9-.js');
    expect(script.headers.get('content-type')).toContain('javascript');
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  });

  it('sends what the build compressed, and a page that did not change not again', async () => {
    const encoded = async (accept: string) => {
      const { headers, body } = await relay.call('GET', '/assets/index-Ab3_xY9-.js', undefined, {
        'accept-encoding': accept,
      });
      return [headers.get('content-encoding'), headers.get('vary'), body];
    };
    expect(await encoded('gzip, br')).toEqual(['br', 'Accept-Encoding', 'export {};']);
    expect(await encoded('identity')).toEqual([null, null, 'export {};']);
    const tag = (await relay.call('GET', '/sites/abc')).headers.get('etag') ?? '';
    expect(tag).toMatch(/^"/);
    const again = await relay.call('GET', '/sites/abc', undefined, { 'if-none-match': tag });
    expect([again.status, again.body, again.headers.get('cache-control')]).toEqual([304, '', 'no-cache']);
    expect(again.headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  it('gives no file outside of the portal, and no page for a missing file', async () => {
    for (const path of ['/..%2foutside.txt', '/%2e%2e/outside.txt', '/assets/..%5c..%5coutside.txt', '/missing.js']) {
      const answer = await relay.call('GET', path);
      expect([path, answer.status]).toEqual([path, 404]);
    }
    expect((await relay.call('POST', '/')).status).toBe(404);
  });

  it('allow nothing from elsewhere, and cannot be framed', async () => {
    for (const path of ['/', '/docs', '/api/v1/sites', '/healthz', '/api/v1/openapi.json']) {
      const { headers } = await relay.call('GET', path);
      const csp = String(headers.get('content-security-policy'));
      expect([path, csp]).toEqual([path, expect.stringContaining("default-src 'self'")]);
      expect(csp).not.toContain('unsafe');
      expect(csp).toContain("frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('strict-transport-security')).toContain('max-age=');
    }
  });

  it('the documentation of the API is served from here alone', async () => {
    const { body } = await relay.call('GET', '/docs');
    const addresses = [...String(body).matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1]!);
    expect(addresses.length).toBeGreaterThan(2);
    for (const address of addresses.filter((a) => a !== 'data:,')) {
      expect(address).toMatch(/^\/docs\//);
      expect((await relay.call('GET', address)).status).toBe(200);
    }
  });
});

describe('the program', () => {
  it('says that it runs, that it can serve, and what it counts', async () => {
    expect((await relay.call('GET', '/healthz')).status).toBe(200);
    expect((await relay.call('GET', '/readyz')).body).toEqual({ status: 'ok' });
    const metrics = await relay.call('GET', '/metrics');
    expect(metrics.body).toContain('gatepost_boxes_online 0');
    expect(metrics.body).toContain('process_resident_memory_bytes');
  });

  it('keeps its counters for loopback, or for who has the token', async () => {
    const behind = await new TestRelay({ portalDir, proxies: 1, metricsToken: undefined }).start();
    expect((await behind.call('GET', '/metrics', undefined, { 'x-forwarded-for': '192.0.2.1' })).status).toBe(403);
    await behind.stop();
    const guarded = await new TestRelay({ portalDir, metricsToken: 'm' }).start();
    expect((await guarded.call('GET', '/metrics')).status).toBe(403);
    expect((await guarded.call('GET', '/metrics', undefined, { authorization: 'Bearer m' })).status).toBe(200);
    await guarded.stop();
  });

  it('makes cookies secure where browsers come by https', async () => {
    await relay.company('Acme');
    const login = await relay.call('POST', '/api/v1/auth/login', {
      email: 'owner@acme.example',
      password: 'password of Acme',
    });
    const cookie = login.headers.get('set-cookie') as string;
    expect(cookie).toMatch(/^__Host-gp_session=[^;]+; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/);
    const me = (sent: string) => relay.call('GET', '/api/v1/auth/me', undefined, { cookie: sent });
    const value = cookie.split(';')[0] as string;
    expect((await me(value)).status).toBe(200);
    // One that a neighbouring host could plant.
    expect((await me(value.replace('__Host-', ''))).status).toBe(401);
  });
});

describe('limits', () => {
  it('takes no large body, and none that does not say its length', async () => {
    const large = await relay.call('POST', '/api/v1/auth/login', { email: 'x'.repeat(300_000), password: 'x' });
    expect(large).toMatchObject({ status: 413, body: { code: 'payload-too-large' } });
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{}'));
        controller.close();
      },
    });
    const chunked = await fetch(`${relay.url}/api/v1/auth/login`, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it('answers what is no JSON, or not what was asked for, field by field', async () => {
    const login = (body: string) =>
      fetch(`${relay.url}/api/v1/auth/login`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
    const broken = await login('{"email":');
    expect([broken.status, (await broken.json()).code]).toEqual([400, 'invalid-request']);
    const partial = await (await login('{"email":"a@b.c"}')).json();
    expect(partial).toMatchObject({ code: 'invalid-request', errors: [{ path: 'password' }] });
    const text = await fetch(`${relay.url}/api/v1/auth/login`, { method: 'POST', body: '{}' });
    expect([text.status, (await text.json()).detail]).toEqual([400, 'Send the body as application/json.']);
  });

  it('takes who hangs up in the middle of a request for no fault of its own', async () => {
    const socket = connect(Number(new URL(relay.url).port), '127.0.0.1');
    const head =
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    await new Promise((resolve) => socket.write(head, resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(relay.logged.filter((line) => line.msg === 'request failed')).toEqual([]);
  });
});
