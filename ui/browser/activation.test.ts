import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startLan } from './stack.ts';

/* First passwords on a phone: from what the LAN shows by itself to a result for each device. */

let lan: Awaited<ReturnType<typeof startLan>>;
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
  lan = await startLan('nvr:unactivated,camera:unactivated,camera:unactivated,camera,ax-pro:unactivated');
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await lan?.stop();
}, 30_000);

describe('first passwords on a phone', () => {
  it('are asked for by themselves, given to those chosen and to the rest, with the code and the defaults (DISC-09, DISC-12, INIT-03, INIT-04)', async () => {
    const { page } = await open(browser, LOOKS[0]!);
    await page.goto(`${lan.relay}/sites/${lan.siteId}/devices`);
    await page.getByLabel('E-mail').fill(lan.login.email);
    await page.getByLabel('Password').fill(lan.login.password);
    await page.keyboard.press('Enter');
    // Devices and their ping values appear without a reload; of the control panel no word is said.
    await page.getByText('DS-PWA96-M-WE').first().waitFor({ timeout: 20_000 });
    await page.getByText('3 new devices have no password yet').waitFor({ timeout: 20_000 });
    await page
      .getByText(/^Good, /)
      .first()
      .waitFor({ timeout: 20_000 });
    await check(page, 'found devices 375');

    await page.getByRole('checkbox', { name: /^Choose: DS-7/ }).check();
    await page.getByText('1 device chosen').waitFor();
    await check(page, 'chosen devices 375');
    await page.getByRole('link', { name: 'Set first passwords' }).last().click();
    await settled(page);
    expect(await page.getByRole('checkbox', { checked: true }).count()).toBe(1);
    await page.getByRole('radio', { name: /^One that I choose The same/ }).check();
    await page.getByLabel('Password for these devices').fill('Aa345678');
    await page.getByLabel('Keep it as the default password').check();
    await page.getByRole('radio', { name: 'One that I choose', exact: true }).check();
    await page.getByLabel('Verification code for these devices').fill('Code1234');
    await page.getByLabel('Keep it as the default verification code').check();
    await check(page, 'first passwords 375');
    await page.getByRole('button', { name: 'Set the password of 1 device' }).click();
    await page.getByText(/^DS-7.*: activated/).waitFor({ timeout: 20_000 });

    // The rest with both defaults; the code is chosen by itself where there is one.
    expect(await page.getByRole('radio', { name: 'The default verification code' }).isChecked()).toBe(true);
    await page.getByRole('radio', { name: /^The default password/ }).check();
    for (const box of await page.getByRole('checkbox', { name: /^DS-2CD/ }).all()) await box.check();
    await page.getByRole('button', { name: /^Set the password/ }).click();
    await expect.poll(() => page.getByText(/: activated/).count(), { timeout: 20_000 }).toBe(3);
    await check(page, 'activated devices 375');
    await page.setViewportSize({ width: 1440, height: 900 });
    await check(page, 'activated devices 1440');
    await page.getByText('Default verification code Set').click();
    await page.getByRole('button', { name: 'Forget' }).last().click();
    await page.getByText('Default verification code None').waitFor();
  });
});
