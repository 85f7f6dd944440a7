import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
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
const signIn = async (page: Page) => {
  await page.goto(relay.url);
  await page.getByLabel('E-mail or phone').fill(relay.people.arc);
  await page.getByLabel('Password', { exact: true }).fill(relay.password);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
};
const alarms = (page: Page) => page.locator('.desk-event');

describe('the desk of an alarm receiving centre', () => {
  it('is worked by keyboard: most urgent first, acknowledged with a note, seen by who and when (ARC-02)', {
    timeout: 120_000,
  }, async () => {
    const { page, complaints } = await open(browser, DESKTOP);
    await signIn(page);
    // On every page somebody at the desk hears that something waits.
    await page.getByRole('link', { name: '5 alarms wait' }).click();
    await heading(page, '5 alarms wait');
    await settled(page);
    await expect
      .poll(() => alarms(page).allTextContents())
      .toEqual([
        expect.stringContaining('Fire'),
        expect.stringContaining('Intrusion'),
        expect.stringContaining('Box not heard by the relay'),
        expect.stringContaining('Intrusion'),
        expect.stringContaining('Transmission path lost'),
      ]);
    await check(page, 'desk, open');
    const first = page.locator('.desk-rows tbody tr').first();
    expect(await first.textContent()).toMatch(/FA 007.*00A17F.*Corner Shop.*not yet at the receiver/);
    const second = page.locator('.desk-rows tbody tr').nth(1);
    expect(await second.textContent()).toMatch(/BA 003.*Gate.*8\.4 s.*through the relay/);
    expect(await page.locator('.desk-rows tbody tr').nth(3).textContent()).toMatch(/delayed.*possible repeat/);

    await page.keyboard.press('j');
    await page.keyboard.press('n');
    const aside = page.getByRole('complementary', { name: 'The alarm chosen' });
    await aside.getByLabel('Note').fill('Fire brigade called');
    await check(page, 'desk, chosen');
    await page.keyboard.press('Enter');
    await aside.getByText('Fire brigade called').waitFor();
    await heading(page, '4 alarms wait');
    expect(await first.textContent()).toContain('Arthur Watch');

    await page.keyboard.press('Escape');
    await alarms(page).nth(1).focus();
    await page.keyboard.press('j');
    await aside.getByText('No answer').first().waitFor();
    await aside.getByText('through the relay, 127.0.0.9:12000').waitFor();
    await page.keyboard.press('a');
    await heading(page, '3 alarms wait');
    await page.keyboard.press('v');
    await aside.getByText('This message is not about a camera').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('v');
    await aside.getByText(/ask the customer for the permission/).waitFor();
    // An event may be seen whose clip may not.
    const clip = { id: '0199a000-0000-7000-8000-000000000001', state: 'complete', storedFragments: 6 };
    await page.route('**/api/v1/events/*', (route) => route.fulfill({ json: { clip, eventId: clip.id } }));
    await page.route('**/api/v1/clips/*/video', (route) => route.fulfill({ status: 403 }));
    await aside.getByRole('button', { name: 'Camera now' }).click();
    await aside.getByRole('button', { name: 'Clip', exact: true }).click();
    await aside.getByText(/ask the customer for the permission/).waitFor();
    expect(await aside.locator('video, figure').count()).toBe(0);
    await page.unrouteAll();

    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('Ended: Motion').waitFor();
    expect(page.url()).toContain('show=all');
    await check(page, 'desk, history');
    await page.getByText('Narrow down').click();
    await page.getByLabel('Urgency').selectOption('0');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect.poll(() => alarms(page).count()).toBe(1);
    expect(page.url()).toContain('urgency=0');
    await page.reload();
    await expect.poll(() => alarms(page).count()).toBe(1);
    await page.goBack();
    expect(complaints).toEqual([]);
  });

  it('sounds until acknowledged, with a mute that ends, and says when new alarms do not come', {
    timeout: 60_000,
  }, async () => {
    const { page, context } = await open(browser, DESKTOP);
    // As a browser that nobody has pressed anything in: a headless one lets every page sound.
    await context.addInitScript(() => {
      let pressed = false;
      Object.defineProperty(AudioContext.prototype, 'state', { get: () => (pressed ? 'running' : 'suspended') });
      AudioContext.prototype.resume = async () => {
        pressed = true;
      };
    });
    await signIn(page);
    await page.goto(`${relay.url}/alarms`);
    await page.getByText('This browser lets nothing be heard yet.').waitFor();
    await page.getByRole('button', { name: 'Allow sound' }).click();
    await page.getByText('Sound on').waitFor();
    await page.keyboard.press('m');
    await page.getByText(/Muted, sounds again in 1:5\d/).waitFor();
    await check(page, 'desk, muted');
    await page.keyboard.press('m');
    await page.getByText('Sound on').waitFor();
    await context.route('**/arc-desk/stream', (route) => route.abort());
    await page.reload();
    await page.getByText('The connection is lost: new alarms do not appear.').waitFor();
    await check(page, 'desk, lost');
  });

  it('fits a phone: alarm, account with test mode, report', { timeout: 120_000 }, async () => {
    const { page, complaints } = await open(browser, PHONE);
    await signIn(page);
    await page.goto(`${relay.url}/alarms`);
    await page.locator('.desk-event').first().waitFor();
    await check(page, 'desk phone, open');
    await alarms(page).last().click();
    await page.getByRole('heading', { name: 'Audit line' }).waitFor();
    await check(page, 'desk phone, alarm');

    await page.goto(`${relay.url}/alarms/accounts/${relay.ids.installer.accountId}`);
    await heading(page, 'Account 00A17F, Corner Shop');
    await page.getByLabel('Ends by itself after').selectOption('30');
    await page.getByRole('button', { name: 'Begin test mode' }).click();
    await page.getByText(/In test mode \(Arthur Watch\) until/).waitFor();
    await page.getByText('The receiver is told as soon as the box can be reached.').waitFor();
    await check(page, 'desk phone, account');
    await page.getByRole('button', { name: 'Send a test now' }).click();
    await page.getByText('No test could be sent').waitFor();
    await page.getByRole('button', { name: 'End test mode' }).click();
    await page.getByRole('button', { name: 'Begin test mode' }).waitFor();

    await page.goto(`${relay.url}/reports`);
    await page.getByRole('link', { name: 'This month' }).click();
    await page.getByRole('heading', { name: 'Availability' }).waitFor();
    await check(page, 'desk phone, report');
    const pdf = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as PDF' }).click();
    expect((await pdf).suggestedFilename()).toMatch(/^alarm-report-00A17F-20\d\d-\d\d\.pdf$/);
    await page.setViewportSize({ width: 1440, height: 900 });
    await check(page, 'desk, report');
    await page.goto(`${relay.url}/reports`);
    await settled(page);
    await check(page, 'desk, reports');
    await page.goto(`${relay.url}/alarms/accounts/${relay.ids.installer.accountId}`);
    await settled(page);
    await check(page, 'desk, account');
    expect(complaints).toEqual([]);
  });

  it('shows nothing behind an address that was made up', async () => {
    const { page } = await open(browser, PHONE);
    await page.goto(`${relay.url}/v/AAAAAAAAAAAAAAAAAAAAAAAA`);
    await page.getByText('This cannot be shown').waitFor();
    await check(page, 'desk phone, no view');
  });
});
