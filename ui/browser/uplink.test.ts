import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startLan } from './stack.ts';

let lan: Awaited<ReturnType<typeof startLan>>;
let browser: Browser;
let page: Page;
let complaints: string[];
beforeAll(async () => {
  [lan, browser] = await Promise.all([startLan('nvr:unactivated'), launch()]);
  ({ page, complaints } = await open(browser, LOOKS[0]!));
  await page.goto(lan.relay);
  await page.getByLabel('E-mail or phone').fill(lan.login.email);
  await page.getByLabel('Password', { exact: true }).fill(lan.login.password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1 }).filter({ hasNotText: 'Sign in' }).waitFor();
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await lan?.stop();
}, 30_000);

it('an uplink held to 9 Mbit/s is tested over a reload, and channels are recommended (CLOUD-05, CLOUD-14, BOX-14)', async () => {
  await page.goto(`${lan.relay}/sites/${lan.siteId}`);
  await page.getByRole('link', { name: 'Uplink and uploads' }).click();
  await page.getByRole('heading', { name: `Uplink of box ${lan.boxSerial}` }).waitFor();
  await settled(page);
  await page.getByLabel(/Most that uploads may take/).fill('9');
  await page.getByLabel(/certain hours only/).check();
  await page.getByLabel('From').fill('22:30');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').waitFor();
  await page.getByRole('button', { name: 'Test the uplink' }).click();
  await page.getByText('Measuring').waitFor();
  await check(page, 'uplink test running');
  await page.reload();
  await page.getByText('Measuring').waitFor();
  await page.getByText('Recommended', { exact: true }).waitFor();
  const rate = await page
    .getByText(/^\d+(\.\d)? Mbit\/s$/)
    .first()
    .textContent();
  // Less on a busy machine, never more than allowed.
  expect(Number.parseFloat(rate ?? '')).toBeGreaterThan(3);
  expect(Number.parseFloat(rate ?? '')).toBeLessThan(9.9);
  // No device yet: one channel, as good as the line allows.
  await page.getByText(/^1 channel, \d+ × \d+$/).waitFor();
  expect(await page.getByLabel(/Most that uploads may take/).inputValue()).toBe('9');
  expect(await page.getByLabel('From').inputValue()).toBe('22:30');
  await check(page, 'uplink test result');
  // The wizard of cloud storage says it too (J8 3).
  await page.goto(`${lan.relay}/sites/${lan.siteId}/cloud/setup?box=${lan.boxSerial}`);
  await page.getByText(/Mbit\/s of uplink: one channel with \d+ × \d+ is recommended/).waitFor();
});

it('the compatibility list is searched, filtered and downloaded (CLOUD-13, PLAT-25…27)', async () => {
  await page.goto(`${lan.relay}/compatibility`);
  await settled(page);
  await page.getByLabel('Search a model').fill('7608');
  await page.getByText('DS-7604NI-K1(C)', { exact: true }).waitFor({ state: 'detached' });
  await page.getByText('DS-7608NI-K1(D)', { exact: true }).waitFor();
  await page.getByLabel('Cloud channels').selectOption('2');
  await page.getByText('DS-7608NI-K1(D)', { exact: true }).waitFor({ state: 'detached' });
  await page.getByText('DS-7608NI-K1(C)', { exact: true }).waitFor();
  await check(page, 'compatibility list');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download as CSV' }).click();
  expect((await download).suggestedFilename()).toMatch(/^compatibility-.*\.csv$/);
  await page.getByRole('link', { name: /Co-branding \(8\)/ }).click();
  await page.getByText('DS-7608NXI-K1', { exact: true }).waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
  await check(page, 'compatibility list of brands');
  expect(complaints).toEqual([]);
});
