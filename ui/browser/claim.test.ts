import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startBox, startRelay } from './stack.ts';

/* A new box and a relay that does not know it: from the set-up page to the portal and back. */

const user = { email: 'tess@example.org', password: 'a good password', site: 'Garage' };
let relay: Awaited<ReturnType<typeof startRelay>>;
let box: Awaited<ReturnType<typeof startBox>>;
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
  relay = await startRelay(user);
  box = await startBox(relay.url);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await box?.stop();
  await relay?.stop();
}, 60_000);

describe('claiming a box', () => {
  it('pauses after wrong codes until somebody at the box ends it, then claims; revoking can be undone', {
    timeout: 120_000,
  }, async () => {
    const phone = await open(browser, LOOKS[0]!);
    const setup = phone.page;
    await setup.goto(box.url);
    await setup.getByLabel('Password', { exact: true }).fill(user.password);
    await setup.getByLabel('The same password again').fill(user.password);
    await setup.keyboard.press('Enter');
    await setup.getByRole('heading', { name: 'Ready to be claimed' }).waitFor();
    await check(setup, 'set-up ready to be claimed');
    const link = new URL((await setup.getByRole('link', { name: /Open the portal/ }).getAttribute('href'))!);
    const right = link.searchParams.get('code')!;
    const wrong = [...right].reverse().join('');

    const { page, context, complaints } = await open(browser, LOOKS[3]!);
    await page.goto(relay.url + link.pathname + link.search);
    await page.getByLabel('E-mail').fill(user.email);
    await page.getByLabel('Password').fill(user.password);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: user.site }).click();
    const code = page.getByLabel('Code');
    await code.waitFor();
    expect(await code.inputValue()).toBe(right);
    await code.fill(wrong);
    const alert = page.getByRole('alert');
    const claim = async () => {
      const answered = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.getByRole('button', { name: 'Claim this box' }).click();
      await answered;
    };
    for (let i = 0; i < 5; i++) await claim();
    await alert.getByText('claim-refused').waitFor();
    await claim();
    await alert.getByText('too-many-tries').waitFor();
    expect(await alert.textContent()).toMatch(/Wait (1 h|59 min)/);
    await check(page, 'claim paused');

    await setup.getByText('The portal says “too many tries”?').click();
    await setup.getByRole('button', { name: 'Allow new tries now' }).click();
    await setup.getByText('The code can be entered again.').waitFor();
    await check(setup, 'set-up pause ended');
    // As a person types it.
    await code.fill(`${right.slice(0, 5)} ${right.slice(5).toLowerCase()}`);
    await expect
      .poll(
        async () => {
          if (await code.isVisible()) await claim();
          return code.isVisible();
        },
        { timeout: 20_000, interval: 1_000 },
      )
      .toBe(false);
    await page.getByRole('heading', { name: 'All is well' }).waitFor({ timeout: 30_000 });
    await setup.getByRole('heading', { name: 'All is well' }).waitFor({ timeout: 30_000 });
    expect(await setup.getByText(right).count()).toBe(0);
    await check(setup, 'set-up claimed');

    await page.getByText('Stolen, broken or given away?').click();
    await page.getByRole('button', { name: 'Revoke this box' }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'All is well' }).waitFor();
    await page.getByText('Stolen, broken or given away?').click();
    await page.getByRole('button', { name: 'Revoke this box' }).click();
    await page.getByRole('heading', { name: 'No box at this site yet' }).waitFor();
    await check(page, 'box being revoked');
    await setup.getByRole('heading', { name: 'The box does not reach its relay' }).waitFor({ timeout: 30_000 });
    await page.reload();
    await settled(page);
    await page.getByText('Revoked boxes:').waitFor();
    expect([...complaints, ...phone.complaints]).toEqual([]);
    await context.close();
    await phone.context.close();
  });
});
