import { createHash } from 'node:crypto';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { type Stack, startStack } from './stack.ts';

/* Remote configuration (J10): a camera's own page through the tunnel, in a real browser. */

interface Camera {
  name: string;
  address: string;
  username: string;
  password: string;
}

describe('a device’s own page', () => {
  let stack: Stack;
  let browser: Browser;
  let context: BrowserContext;
  let portal: Page;
  let page: Page;
  let complaints: string[];
  let camera: Camera;
  let deviceUrl: string;
  const lab = async () => ((await (await fetch(stack.lab)).json()) as { devices: Camera[] }).devices;

  beforeAll(async () => {
    [stack, browser] = await Promise.all([startStack(), launch()]);
    ({ context, page: portal, complaints } = await open(browser, LOOKS.find((one) => one.width === 1440)!));
    await portal.request.post(`${stack.portal}/api/v1/auth/login`, { data: stack.login });
    const api = async <T>(path: string) =>
      (await (await portal.request.get(`${stack.portal}/api/v1${path}`)).json()) as T;
    const { items: sites } = await api<{ items: { id: string }[] }>('/sites');
    const { items } = await api<{ items: { id: string; host: string }[] }>(`/sites/${sites[0]!.id}/devices`);
    camera = (await lab()).find((one) => items.some((device) => device.host === one.address))!;
    const device = items.find((one) => one.host === camera.address)!;
    deviceUrl = `${stack.portal}/sites/${sites[0]!.id}/devices/${device.id}`;
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  }, 60_000);

  it('opens in a new window, on an origin of its own, with its links, pictures and WebSocket (RCFG-01)', async () => {
    await portal.goto(deviceUrl);
    await settled(portal);
    await check(portal, 'remote closed 1440');
    [page] = await Promise.all([
      context.waitForEvent('page'),
      portal.getByRole('button', { name: 'Open its own page' }).click(),
    ]);
    await page.waitForURL(/\.localhost:\d+\/doc\/page\/login\.asp/);
    const { hostname } = new URL(page.url());
    expect(hostname).toMatch(/^[a-z2-7]{26}\.localhost$/);
    // Its script has talked to the device, and the style came from an absolute address.
    await page.locator('#echo', { hasText: 'hello from the page' }).waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.body).fontFamily)).toBe('sans-serif');
    expect(await page.locator('#absolute').getAttribute('href')).toBe(
      `${new URL(page.url()).origin}/doc/page/config.asp`,
    );
    await page.locator('#redirect').click();
    await page.waitForURL(/login\.asp\?_=1$/);
    expect(new URL(page.url()).hostname).toBe(hostname);
    // Nothing of the portal's is there.
    expect(await page.evaluate(() => [window.opener, document.cookie])).toEqual([null, 'language=en']);
    const cookies = await context.cookies(page.url());
    expect(cookies.map((one) => one.name).sort()).toEqual(['gp_device', 'language']);
    expect(complaints.filter((text) => !text.includes('.localhost'))).toEqual([]);
  });

  it('takes the device’s digest login in the browser, and an upload', async () => {
    const signedIn = await browser.newContext({
      storageState: await context.storageState(),
      httpCredentials: { username: camera.username, password: camera.password, send: 'unauthorized' },
    });
    const own = await signedIn.newPage();
    await own.goto(`${new URL(page.url()).origin}/doc/page/config.asp`);
    await own.getByRole('heading', { name: 'Configuration of' }).waitFor();
    expect(await own.locator('#host').textContent()).toMatch(new RegExp(`^${camera.address.replaceAll('.', '\\.')}`));
    expect(await own.locator('#cookie').textContent()).toBe('en');
    await own.goto(`${new URL(page.url()).origin}/doc/page/login.asp`);
    const firmware = Buffer.alloc(20_000_000, 'firmware');
    await own
      .locator('input[type=file]')
      .setInputFiles({ name: 'f.dav', mimeType: 'application/octet-stream', buffer: firmware });
    const answer = await own.evaluate(async () => {
      const file = document.querySelector<HTMLInputElement>('input[type=file]')!.files![0]!;
      const { status } = await fetch('/doc/page/upload', { method: 'POST', body: file });
      return status;
    });
    expect(answer).toBe(200);
    const state = (await (await fetch(`${stack.lab}/devices/${camera.name}`)).json()) as {
      page: { uploads: { bytes: number; sha256: string }[] };
    };
    expect(state.page.uploads).toEqual([
      { bytes: firmware.length, sha256: createHash('sha256').update(firmware).digest('hex') },
    ]);
    await signedIn.close();
  });

  it('is listed and ended in the portal; the window says so', async () => {
    await portal.reload();
    await settled(portal);
    const list = portal.getByRole('list', { name: 'Open pages of this device' });
    await list.getByText('You').first().waitFor();
    await check(portal, 'remote open 1440');
    await portal.setViewportSize({ width: 375, height: 812 });
    await check(portal, 'remote open 375');
    await list.getByRole('button', { name: 'End' }).click();
    await list.waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('heading', { name: 'This page was closed' }).waitFor();
    expect((await context.cookies(page.url())).map((one) => one.name)).toEqual([]);
  });

  it('opens nothing in another browser', async () => {
    await portal.getByRole('button', { name: 'Open its own page' }).click();
    const url = await portal.getByRole('link', { name: 'Open again' }).getAttribute('href');
    const stranger = await (await browser.newContext()).newPage();
    await stranger.goto(url!);
    await stranger.getByRole('heading', { name: 'Sign in first' }).waitFor();
  });
});
