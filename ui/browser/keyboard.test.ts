import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LOOKS, launch, open, settled } from './browser.ts';
import { startEveryone } from './stack.ts';

/* The installer's main journeys without a pointer: every step is reached by Tab, seen where it is, and done by keys. */

let relay: Awaited<ReturnType<typeof startEveryone>>;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  [relay, browser] = await Promise.all([startEveryone(), launch()]);
  page = (await open(browser, LOOKS[2]!)).page;
  await page.goto(relay.url);
  await page.getByLabel('E-mail').first().waitFor();
  await tabTo('E-mail or phone');
  await page.keyboard.type(relay.people.installer);
  await tabTo('Password');
  await page.keyboard.type(relay.password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
}, 30_000);

/** What has the focus, as a person would call it, and whether it is seen that it has. */
const focused = () =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement;
    const style = getComputedStyle(element);
    const name =
      element.getAttribute('aria-label') ??
      element.labels?.[0]?.textContent ??
      (element === document.body ? '' : element.textContent) ??
      '';
    return {
      name: name.replace(/\s+/g, ' ').trim(),
      // Behind the last element Tab leaves the page.
      seen: element === document.body || (style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2),
    };
  });

/** Presses Tab until what is called so has the focus. */
async function tabTo(name: string | RegExp): Promise<void> {
  const passed: string[] = [];
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab');
    const at = await focused();
    expect(at.seen, `it is seen that “${at.name}” has the focus`).toBe(true);
    if (typeof name === 'string' ? at.name === name : name.test(at.name)) return;
    passed.push(at.name);
  }
  throw new Error(`no way to ${name} by Tab; passed ${passed.join(' | ')}`);
}
const heading = async (name: string) => {
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await settled(page);
};

it('adds a site', { timeout: 60_000 }, async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await heading('Sites');
  await tabTo('Add a site');
  await page.keyboard.press('Enter');
  await heading('Add a site');
  await tabTo('Name');
  await page.keyboard.type('Bakery');
  await tabTo('Add site');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/sites\/[\w-]{36}$/);
  await page.getByRole('navigation', { name: 'Pages of this site' }).waitFor();
  await settled(page);
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
});

it('invites a person', { timeout: 60_000 }, async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await heading('Company');
  await tabTo('People');
  await page.keyboard.press('Enter');
  await heading('People');
  await tabTo('Invite an employee');
  await page.keyboard.press('Enter');
  await heading('Invite an employee');
  await tabTo('E-mail');
  await page.keyboard.type('kim@example.org');
  await tabTo(/^Technician/);
  await page.keyboard.press('Space');
  await tabTo('Send invitation');
  await page.keyboard.press('Enter');
  await heading('People');
  await page.getByText('kim@example.org').first().waitFor();
});

it('hands a site over', { timeout: 60_000 }, async () => {
  // A device that was added by its address cannot go along.
  const { deviceId } = relay.ids.installer;
  await page.evaluate((id) => fetch(`/api/v1/devices/${id}`, { method: 'DELETE' }), deviceId);
  await page.keyboard.press('/');
  await heading('Search');
  await page.keyboard.type('corner');
  await page.getByRole('link', { name: 'Corner Shop' }).waitFor();
  await tabTo('Corner Shop');
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages of this site' }).waitFor();
  await settled(page);
  // From the top of the page, past what is the same on every page.
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo('Skip to content');
  await page.keyboard.press('Enter');
  await tabTo('Customer');
  await page.keyboard.press('Enter');
  await heading('Customer');
  await tabTo('Hand over by transferring');
  await page.keyboard.press('Enter');
  await heading('Hand the site over');
  await tabTo('The customer’s e-mail');
  await page.keyboard.type('gerda@example.org');
  await tabTo('Hand over');
  await page.keyboard.press('Enter');
  await heading('Customer');
  await page.getByText('Not Registered: gerda@example.org has no account yet.').waitFor();
});

it('lists its keys, and lets them be switched off', { timeout: 60_000 }, async () => {
  await page.keyboard.press('?');
  await heading('Keyboard');
  await tabTo('Keys go to pages');
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await page.keyboard.press('/');
  expect(new URL(page.url()).pathname).toBe('/help');
});
