import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled, WALKED } from './browser.ts';
import { startBox } from './stack.ts';

/* The set-up page of a new box whose relay does not answer. */

let box: Awaited<ReturnType<typeof startBox>>;
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
}, 60_000);
afterAll(() => browser?.close(), 30_000);
// A new box for each try: the first visitor is the first only once.
beforeEach(async () => {
  box = await startBox('http://127.0.0.1:9');
}, 60_000);
afterEach(() => box?.stop(), 30_000);

describe('set-up page', () => {
  it('asks the first visitor for a password, then shows code and state in every look', {
    timeout: 90_000,
  }, async () => {
    const { page, context, complaints } = await open(browser, LOOKS[0]!);
    await page.goto(box.url);
    await settled(page);
    await check(page, 'set-up first use');
    await page.getByLabel('Password', { exact: true }).fill('a good password');
    await page.getByLabel('The same password again').fill('another password');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').textContent()).toContain('not the same');
    await check(page, 'set-up passwords differ');
    await page.getByLabel('The same password again').fill('a good password');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'The box does not reach its relay' }).waitFor();

    const serial = await page.locator('header code').textContent();
    expect(serial).toMatch(/^[34679ACDEFGHJKMNPQRTUVWXY]{9}$/);
    const qr = page.getByRole('img', { name: /QR code/ });
    expect(await qr.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    const portal = await page.getByRole('link', { name: /Open the portal/ }).getAttribute('href');
    expect(portal).toMatch(new RegExp(`/claim\\?serial=${serial}&code=[34679ACDEFGHJKMNPQRTUVWXY]{10}$`));
    const streams = page.locator('section', { has: page.getByRole('heading', { name: 'Streams on this network' }) });
    expect(await streams.locator('code').allTextContents()).toEqual(['gatepost', expect.stringMatching(/^[\w-]{20}$/)]);
    for (const look of WALKED) {
      await page.setViewportSize({ width: look.width, height: 900 });
      await page.emulateMedia({ colorScheme: look.colorScheme });
      await settled(page);
      await check(page, `set-up ${look.width} ${look.colorScheme}`);
    }
    await page.getByText('The portal says “too many tries”?').click();
    await page.getByRole('button', { name: 'Allow new tries now' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('box-unreachable');
    await page.getByRole('button', { name: 'Scan again' }).click();
    await page.getByRole('button', { name: 'Scan again' }).waitFor();
    expect(complaints).toEqual([]);

    await page.getByRole('button', { name: 'Sign out' }).click();
    // Exactly: until the answer is there, the page before it shows "Copy: Password".
    const password = page.getByLabel('Password', { exact: true });
    await password.fill('a wrong password');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').textContent()).toContain('wrong-credentials');
    await check(page, 'set-up sign-in');
    await password.fill('a good password');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'The box does not reach its relay' }).waitFor();
    await context.close();
  });
});
