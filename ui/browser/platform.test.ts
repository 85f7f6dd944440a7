import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startEveryone } from './stack.ts';

/*
 * The pages of API keys and of the operation log, as an installer uses them.
 */

const [PHONE, , DESKTOP] = LOOKS as [(typeof LOOKS)[0], unknown, (typeof LOOKS)[0]];
let relay: Awaited<ReturnType<typeof startEveryone>>;
let browser: Browser;
let signedIn: Awaited<ReturnType<BrowserContext['storageState']>>;
let token = '';

beforeAll(async () => {
  [relay, browser] = await Promise.all([startEveryone(), launch()]);
  const answer = await fetch(`${relay.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: relay.people.installer, password: relay.password }),
  });
  expect(answer.status).toBe(200);
  const [name, value] = answer.headers.get('set-cookie')!.split(';')[0]!.split('=') as [string, string];
  const where = { domain: new URL(relay.url).hostname, path: '/', expires: -1 };
  signedIn = { cookies: [{ name, value, ...where, httpOnly: true, secure: false, sameSite: 'Lax' }], origins: [] };
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
}, 30_000);

const visit = async (path: string, look = DESKTOP) => {
  const opened = await open(browser, look, signedIn);
  await opened.page.goto(relay.url + path);
  await settled(opened.page);
  return opened;
};
const asKey = async (path: string) =>
  (await fetch(`${relay.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();

describe('API keys', () => {
  it('are made with what is chosen, shown once, and let a program in', async () => {
    const { page, context, complaints } = await visit('/company/api-keys', PHONE);
    await check(page, 'API keys none 375');
    await page.getByRole('link', { name: 'Make a key' }).click();
    await heading(page, 'Make an API key');
    await check(page, 'API key form 375');
    await page.getByLabel('All sites').uncheck();
    await page.getByLabel('Sites assigned to you').uncheck();
    await page.getByLabel('Name').fill('Central station');
    await page.getByRole('button', { name: 'Make a key' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('Choose at least one permission.');
    await page.getByLabel('All sites').check();
    await page.getByLabel('Only these sites').check();
    await page.getByLabel('Corner Shop').check();
    await page.getByRole('button', { name: 'Make a key' }).click();
    await heading(page, 'Central station');
    token = (await page.locator('code', { hasText: /^gp_live_/ }).textContent()) ?? '';
    expect(token).toMatch(/^gp_live_\w{38}$/);
    await check(page, 'API key made 375');
    expect([await asKey('/sites'), await asKey('/keys')]).toEqual([200, 403]);
    await page.getByRole('button', { name: 'I have stored it' }).click();
    await heading(page, 'API keys');
    await page.getByText('Corner Shop').waitFor();
    expect(await page.content()).not.toContain(token);
    await check(page, 'API keys 375');
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('are revoked, and not when that is undone', async () => {
    const { page, context } = await visit('/company/api-keys');
    await check(page, 'API keys 1440');
    const revoke = page.getByRole('button', { name: 'Revoke Central station' });
    await revoke.click();
    await page.getByRole('button', { name: 'Undo' }).click();
    await revoke.waitFor();
    expect(await asKey('/sites')).toBe(200);
    await revoke.click();
    await page.getByText('Central station revoked').waitFor();
    await context.close();
    // Leaving the page does it at once; closing the window, too, if its last request gets through.
    const again = await visit('/company/api-keys');
    if (await again.page.getByRole('button', { name: 'Revoke Central station' }).count()) {
      await again.page.getByRole('button', { name: 'Revoke Central station' }).click();
      await again.page.goto(`${relay.url}/company/log`);
      await settled(again.page);
    }
    expect(await asKey('/sites')).toBe(401);
    await again.context.close();
  });
});

describe('the operation log', () => {
  it('shows who did what, is searched, saved and checked (LOGS-04)', async () => {
    const { page, context, complaints } = await visit('/company/log');
    const rows = page.getByRole('row').filter({ has: page.getByRole('cell') });
    await rows.first().waitFor();
    await check(page, 'operation log 1440');
    const all = await rows.count();
    await page.getByLabel('Words').fill('central');
    await page.keyboard.press('Enter');
    await page.waitForURL(/text=central/);
    await settled(page);
    await rows.first().waitFor();
    expect(await rows.count()).toBeLessThan(all);
    const text = (await rows.allTextContents()).join('\n');
    for (const word of ['Made an API key', 'Revoked an API key', 'Ida Installer', 'Portal', 'Succeeded'])
      expect(text).toContain(word);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as CSV' }).click();
    const saved = readFileSync(await (await download).path(), 'utf8');
    expect(saved.split('\r\n').length - 2).toBe(await rows.count());
    await page.getByRole('button', { name: 'Check the log' }).click();
    await page.getByText(/Nothing was changed: \d+ entries checked/).waitFor();
    await check(page, 'operation log checked 1440');
    await page.getByRole('link', { name: 'Take filters away' }).click();
    await page.waitForURL((url) => url.search === '');
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('is a list of cards on a phone, for a customer too', async () => {
    const { page, context } = await visit('/company/log?text=nothing+of+this+kind', PHONE);
    await page.getByText('No operation found').waitFor();
    await check(page, 'operation log none 375');
    await page.getByRole('link', { name: 'Take filters away' }).click();
    await page.getByText('Signed in').first().waitFor();
    await page.getByText('Search the log').click();
    await page.getByLabel('Site').waitFor();
    await page.getByText('Search the log').click();
    await check(page, 'operation log 375');
    await context.close();
  });
});
