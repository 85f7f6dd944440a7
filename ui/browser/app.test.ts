import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOOKS, launch, open, settled } from './browser.ts';
import { startRelay } from './stack.ts';

/* The portal as an application: its size, installed, without a network, and replaced by a newer version. */

const user = { email: 'tess@example.org', password: 'a good password', site: 'Garage' };
const BUDGET_BYTES = 100_000;
let relay: Awaited<ReturnType<typeof startRelay>>;
let browser: Browser;
beforeAll(async () => {
  [relay, browser] = await Promise.all([startRelay(user), launch()]);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
}, 30_000);

const installed = (page: Page) => page.evaluate(async () => void (await navigator.serviceWorker.ready));
const scriptBytes = (page: Page) =>
  page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
      .filter((entry) => entry.name.endsWith('.js') && !entry.name.endsWith('/worker.js'))
      .map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize] as const),
  );

describe('the portal as an application', () => {
  it('takes at most 100 KB of compressed script to sign in and see the first page', async () => {
    const { page, context } = await open(browser, LOOKS[0]!);
    await page.goto(relay.url);
    await page.getByLabel('E-mail').fill(user.email);
    await page.getByLabel('Password').fill(user.password);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: user.site }).waitFor();
    const scripts = await scriptBytes(page);
    const total = scripts.reduce((sum, [, bytes]) => sum + bytes, 0);
    console.log(JSON.stringify({ bench: 'ui-first-page', scripts: scripts.length, bytes: total }));
    expect(scripts.every(([, bytes]) => bytes > 0)).toBe(true);
    expect(total, JSON.stringify(scripts)).toBeLessThanOrEqual(BUDGET_BYTES);
    await context.close();
  });

  it('can be installed (PLAT-02)', async () => {
    const { page, context, complaints } = await open(browser, LOOKS[0]!);
    await page.goto(relay.url);
    await settled(page);
    await installed(page);
    const cdp = await context.newCDPSession(page);
    const manifest = await cdp.send('Page.getAppManifest');
    expect(manifest.errors).toEqual([]);
    const { icons, name } = JSON.parse(manifest.data!) as {
      name: string;
      icons: { src: string; sizes: string; purpose: string }[];
    };
    expect(name).toBe('Gatepost');
    expect(icons.map((icon) => `${icon.sizes} ${icon.purpose}`).sort()).toEqual([
      '192x192 any',
      '192x192 maskable',
      '512x512 any',
      '512x512 maskable',
    ]);
    for (const icon of icons) {
      const size = await page.evaluate(async (src) => {
        const image = new Image();
        image.src = src;
        await image.decode();
        return `${image.naturalWidth}x${image.naturalHeight}`;
      }, icon.src);
      expect(size).toBe(icon.sizes);
    }
    const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
    // A private window, as tests use one, cannot install anything.
    expect(installabilityErrors.map((error) => error.errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('opens without a network, says so, keeps nothing of the API, and goes on by itself', async () => {
    const { page, context } = await open(browser, LOOKS[0]!);
    await page.goto(relay.url);
    await settled(page);
    await installed(page);
    await expect
      .poll(() => page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state))
      .toBe('activated');
    await context.setOffline(true);
    await page.goto(`${relay.url}/sites/anything`);
    await page.getByRole('heading', { name: 'No connection' }).waitFor();
    const kept = await page.evaluate(async () => {
      const names = await caches.keys();
      const all = await Promise.all(
        names.map(async (name) => (await (await caches.open(name)).keys()).map((r) => r.url)),
      );
      return all.flat().map((url) => new URL(url).pathname);
    });
    expect(kept).toContain('/');
    expect(kept.filter((path) => path !== '/' && path !== '/favicon.svg' && !path.startsWith('/assets/'))).toEqual([]);
    await context.setOffline(false);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await context.close();
  });
});

describe('a new version', () => {
  const dist = fileURLToPath(new URL('../dist/portal', import.meta.url));
  const types: Record<string, string> = {
    js: 'text/javascript',
    css: 'text/css',
    html: 'text/html',
    svg: 'image/svg+xml',
  };
  let server: Server;
  let newer = '';
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const path = new URL(request.url!, 'http://a').pathname;
      if (path.startsWith('/api/'))
        return void response
          .writeHead(401, { 'content-type': 'application/problem+json' })
          .end('{"code":"not-signed-in"}');
      const file = /\.\w+$/.test(path) ? path : '/index.html';
      const body = readFileSync(join(dist, file));
      response.writeHead(200, { 'content-type': types[file.split('.').at(-1)!] ?? 'application/octet-stream' });
      response.end(path === '/worker.js' ? `${body}\n${newer}` : body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is offered in a bar, and takes over when that is pressed', async () => {
    const { page, context } = await open(browser, LOOKS[3]!);
    await page.goto(url);
    await settled(page);
    await installed(page);
    const reload = page.getByRole('button', { name: 'Reload' });
    expect(await reload.count()).toBe(0);
    newer = '// newer';
    await page.reload();
    await settled(page);
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
    await reload.waitFor();
    await Promise.all([page.waitForEvent('load'), reload.click()]);
    await settled(page);
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.waiting)).toBeNull();
    await context.close();
  });
});
