import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open } from './browser.ts';
import { startEveryone } from './stack.ts';

const [PHONE, DESKTOP] = [LOOKS[0]!, LOOKS.find((look) => look.width === 1440)!];
let relay: Awaited<ReturnType<typeof startEveryone>>;
let browser: Browser;

beforeAll(async () => {
  [relay, browser] = await Promise.all([startEveryone(), launch()]);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
}, 30_000);

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
const signIn = async (page: Page, who: 'operator' | 'installer') => {
  await page.goto(relay.url);
  await page.getByLabel('E-mail or phone').fill(relay.people[who]);
  await page.getByLabel('Password', { exact: true }).fill(relay.password);
  await page.keyboard.press('Enter');
};

describe('the operator', () => {
  it('issues a service key that a company redeems on a phone, and sees who did', { timeout: 120_000 }, async () => {
    const { page, complaints } = await open(browser, DESKTOP);
    await signIn(page, 'operator');
    await heading(page, 'System');
    await check(page, 'operator, system');
    await page.getByRole('link', { name: 'Service keys' }).click();
    await heading(page, 'Service keys');
    await page.getByRole('link', { name: 'Issue service keys' }).click();
    await page.getByLabel('How much each key gives').fill('3');
    await page.getByLabel('Note').fill('order 7');
    await page.getByRole('button', { name: 'Issue service keys' }).click();
    await heading(page, 'Service keys issued');
    await check(page, 'operator, keys issued');
    const key = (await page.locator('main li').first().textContent()) ?? '';
    expect(key).toMatch(/^(\w{5}-){3}\w{5}$/);

    const phone = await open(browser, PHONE);
    await signIn(phone.page, 'installer');
    await heading(phone.page, 'Home');
    await phone.page.goto(`${relay.url}/company/service-keys`);
    await phone.page.getByRole('textbox', { name: 'Service keys' }).fill('AAAAA-AAAAA');
    await phone.page.getByRole('button', { name: 'Redeem service keys' }).click();
    await phone.page.getByText('This service key cannot be used').waitFor();
    await phone.page.getByRole('textbox', { name: 'Service keys' }).fill(key.toLowerCase());
    await phone.page.getByRole('button', { name: 'Redeem service keys' }).click();
    await phone.page.getByText('Added: 3 employee account add-ons.').waitFor();
    await check(phone.page, 'operator, key redeemed');

    await page.getByRole('link', { name: 'All service keys' }).click();
    await page.getByText('Redeemed:').waitFor();
    await page.getByRole('link', { name: 'Companies' }).click();
    await heading(page, 'Companies');
    await page.getByRole('searchbox').fill('no such company');
    await page.getByText('No company fits').waitFor();
    await check(page, 'operator, companies');
    expect([...complaints, ...phone.complaints]).toEqual([]);
  });
});
