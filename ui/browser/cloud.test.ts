import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { type Stack, startStack } from './stack.ts';

type Login = { email: string; password: string };
let stack: Stack & { operator: Login };
let browser: Browser;
let page: Page;
let complaints: string[];
let site: string;

async function signIn(at: Page, { email, password }: Login): Promise<void> {
  await at.goto(stack.portal);
  await at.getByLabel('E-mail or phone').fill(email);
  await at.getByLabel('Password', { exact: true }).fill(password);
  await at.keyboard.press('Enter');
  await at.getByRole('heading', { level: 1 }).filter({ hasNotText: 'Sign in' }).waitFor();
}
beforeAll(async () => {
  [stack, browser] = (await Promise.all([startStack(), launch()])) as [typeof stack, Browser];
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
}, 30_000);

it('packages come by a service key that the operator issues (CLOUD-22, CLOUD-23)', async () => {
  const operator = await open(browser, LOOKS[3]!);
  await signIn(operator.page, stack.operator);
  await operator.page.goto(`${stack.portal}/operator/keys/new`);
  await operator.page
    .getByLabel('Gives', { exact: true })
    .selectOption({ label: 'Cloud storage: 7 days kept, for a month' });
  await operator.page.getByLabel('How much each key gives').fill('2');
  await operator.page.getByRole('button', { name: 'Issue service keys' }).click();
  const key = await operator.page.locator('.mono.select-all').first().textContent();
  await operator.context.close();
  ({ page, complaints } = await open(browser, LOOKS[0]!));
  await signIn(page, stack.login);
  await page.goto(`${stack.portal}/company/service-keys`);
  await page.getByRole('textbox', { name: 'Service keys' }).fill(key ?? '');
  await page.getByRole('button', { name: 'Redeem service keys' }).click();
  await page.getByText('Added: 2 packages of cloud storage: 7 days kept, for a month.').waitFor();
});

it('the wizard is reached from device card, device and box; its job goes on without the page (BOX-08, BOX-10, CLOUD-05)', async () => {
  const id = await page.evaluate(async () => (await (await fetch('/api/v1/sites')).json()).items[0].id);
  site = `${stack.portal}/sites/${id}`;
  await page.goto(`${site}/devices`);
  const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'camera-1' }) });
  expect(await card.getByRole('link', { name: /Cloud storage/ }).getAttribute('href')).toContain(
    '/cloud/setup?device=',
  );
  await page.getByRole('link', { name: 'camera-1', exact: true }).first().click();
  await page.getByRole('link', { name: 'Cloud storage', exact: true }).last().waitFor();
  await page.goto(`${site}/cloud`);
  await page.getByText('No channel has cloud storage yet').waitFor();
  await check(page, 'cloud, none');
  await page.getByRole('link', { name: 'Set up channels' }).click();
  await settled(page);
  const packages = page.getByRole('region', { name: 'Packages' });
  await packages.getByText('7 days kept, for a month: 2 left').waitFor();
  const panel = page
    .getByRole('region', { name: 'camera-1' })
    .or(page.locator('.panel').filter({ hasText: 'camera-1' }))
    .first();
  await panel.getByRole('checkbox').first().check();
  await page.getByLabel('Definition').first().selectOption({ label: '1280 × 720' });
  await check(page, 'cloud wizard');
  // One of two is refused: the word of it stands where the button is, and only the refused one is still chosen.
  const second = page.locator('.panel').filter({ has: page.getByRole('heading', { name: 'camera-2' }) });
  await second.getByRole('checkbox').first().check();
  // All packages are chosen: a further channel is not offered, and why is said.
  await packages.getByText('All packages that are left are chosen.').waitFor();
  const further = page.getByRole('region', { name: 'A further device' });
  await further.getByText('No package is left for a further channel').waitFor();
  expect(await further.getByRole('checkbox').isDisabled()).toBe(true);
  await second.getByText('Enter another login').click();
  await second.getByLabel('User name').fill('admin');
  await second.getByLabel('Password').fill('Wrong-1234');
  await page.getByRole('button', { name: 'Set up 2 channels' }).click();
  const word = page.getByRole('status').filter({ hasText: 'camera-1, channel 1: The box is at work' });
  await word.getByText('camera-2').waitFor();
  await expect.poll(() => word.evaluate((at) => at === document.activeElement)).toBe(true);
  await packages.getByText('7 days kept, for a month: 1 left').waitFor();
  await page.getByRole('button', { name: 'Set up 1 channel' }).waitFor();
  expect([
    await panel.getByRole('checkbox').first().isChecked(),
    await second.getByRole('checkbox').first().isChecked(),
  ]).toEqual([false, true]);
  await check(page, 'cloud wizard, one refused');
  await word.getByRole('link', { name: 'Follow it' }).click();
  await page.getByRole('heading', { name: 'Cloud storage set-up' }).waitFor();
  await page.reload();
  await page.getByText('Cloud storage set-up: 1 of 1 channels done').waitFor({ timeout: 45_000 });
  await page.locator('summary').first().click();
  for (const step of ['Link the channel to the box', 'Smart codecs off, SVC on', 'Activate the service'])
    await page.getByText(step).waitFor();
  await page
    .getByText(/^Until .*\d{4}/)
    .first()
    .waitFor();
  await check(page, 'cloud result');
});

it('the result leads to the settings of events, drawn on the picture; a device that keeps silent is warned of (BOX-09, CLOUD-08, CLOUD-09)', async () => {
  await page.getByRole('link', { name: /Event settings: camera-1/ }).click();
  await settled(page);
  await page.getByRole('heading', { name: 'Intrusion' }).waitFor();
  const motion = page.getByRole('region', { name: 'Motion detection' });
  await motion.getByText('Area').first().waitFor();
  // A line is drawn on the picture, and its end moved by keys.
  const lines = page.getByRole('region', { name: 'Line crossing' });
  const frame = lines.locator('.touch-none');
  await frame.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await frame.boundingBox())!;
  await page.mouse.move(x + width * 0.2, y + height * 0.3);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.6, y + height * 0.7);
  await page.mouse.up();
  await lines.getByRole('button', { name: /^End of line 1:/ }).press('Shift+ArrowRight');
  expect(Number(await lines.getByRole('spinbutton', { name: /ends, from the left/ }).inputValue())).toBeCloseTo(70, 0);
  await lines.getByRole('button', { name: 'Save' }).click();
  await lines.getByText(/The device has it|Saved/i).waitFor();
  expect(Number(await lines.getByRole('spinbutton', { name: /begins, from the left/ }).inputValue())).toBeCloseTo(
    20,
    0,
  );
  // Times of one day for all of them.
  await motion.getByLabel('Monday, range 1: from').fill('08:00');
  await motion.getByRole('button', { name: 'Every day like Monday' }).click();
  await motion.getByLabel('Notify the surveillance centre').uncheck();
  await motion.getByRole('button', { name: 'Save' }).click();
  await motion
    .getByText(/The device has it|Saved|kept/i)
    .first()
    .waitFor();
  await page.reload();
  await page.getByText(/nothing is recorded although it happens/).waitFor();
  expect(await motion.getByLabel('Sunday, range 1: from').inputValue()).toBe('08:00');
  await settled(page);
  await check(page, 'cloud channel');
});

it('a channel is switched off and on; its service is seen, and its time handed on (CLOUD-10, CLOUD-24)', async () => {
  await page.goto(`${site}/cloud`);
  const toggle = page.getByRole('checkbox', { name: /camera-1/ });
  await toggle.uncheck();
  await page.getByText('Switched off').waitFor();
  await toggle.check();
  await page.getByText('the device does not notify the surveillance centre').waitFor();
  await check(page, 'cloud, a channel');
  await page.goto(`${stack.portal}/services`);
  await page.getByRole('heading', { name: 'camera-1, channel 1' }).waitFor();
  await page.getByText('Hand the time on').click();
  await page.getByLabel('To which channel').selectOption({ label: 'camera-2, channel 1' });
  await page.getByRole('button', { name: 'Hand the time on' }).click();
  await page.getByRole('heading', { name: 'camera-2, channel 1' }).waitFor();
  await page.getByText('Its time went to another channel').first().waitFor();
  const handed = page.getByRole('status').filter({ hasText: 'The time went to camera-2, channel 1' });
  await handed.waitFor();
  await check(page, 'my services');
  // Another package of the same: it is renewed once, and said.
  const renewing = page
    .getByRole('listitem')
    .filter({ has: page.getByRole('heading', { name: 'camera-2, channel 1' }) });
  await renewing.getByText('Renew', { exact: true }).first().click();
  await renewing.getByRole('button', { name: 'Renew' }).click();
  await page.getByRole('status').filter({ hasText: 'Renewed until' }).waitFor();
  await renewing.getByRole('button', { name: 'Renew' }).waitFor({ state: 'hidden' });
  // No box has prepared the new channel: the list says so, and has the box do it.
  await page.goto(`${site}/cloud`);
  const line = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'camera-2, channel 1' }) });
  await line.getByText('Not set up yet').waitFor();
  await check(page, 'cloud, not set up');
  await line.getByRole('button', { name: 'Set up now' }).click();
  await page.getByText('Cloud storage set-up: 1 of 1 channels done').waitFor({ timeout: 45_000 });
  await page.goto(`${site}/cloud`);
  await line.getByText('Recorded to the cloud').waitFor();
  expect(complaints).toEqual([]);
});
