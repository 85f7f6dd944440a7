import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startEveryone } from '../ui/browser/stack.ts';

/*
 * Takes the pictures of main pages that the documentation shows, against a relay with a few people and sites in it:
 *   npm run build && node scripts/screenshots.ts
 */

const folder = fileURLToPath(new URL('../docs/screenshots', import.meta.url));
type Who = 'installer' | 'customer' | 'operator';

async function signIn(
  browser: Browser,
  at: string,
  who: { email: string; password: string },
  phone: boolean,
): Promise<Page> {
  const context = await browser.newContext({
    viewport: phone ? { width: 375, height: 760 } : { width: 1200, height: 760 },
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  });
  const page = await context.newPage();
  await page.goto(at);
  await page.locator('input[name=email]').fill(who.email);
  await page.locator('input[name=password]').fill(who.password);
  await page.keyboard.press('Enter');
  await page.locator('.main-nav').waitFor();
  return page;
}

const relay = await startEveryone();
const browser = await chromium.launch({
  executablePath: process.env.GATEPOST_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  const site = (who: 'installer' | 'customer') => `/sites/${relay.ids[who].siteId}`;
  const shots: [name: string, who: Who, phone: boolean, path: string][] = [
    ['home', 'installer', false, '/'],
    ['home-phone', 'installer', true, '/'],
    ['sites', 'installer', false, '/sites'],
    ['people', 'installer', false, '/company/people'],
    ['handover', 'installer', false, `${site('installer')}/customer`],
    ['customer-phone', 'customer', true, '/'],
    ['companies', 'operator', false, '/operator/companies'],
  ];
  const pages = new Map<string, Page>();
  for (const [name, who, phone, path] of shots) {
    const key = `${who} ${phone}`;
    const person = { email: relay.people[who], password: relay.password };
    const page = pages.get(key) ?? (await signIn(browser, relay.url, person, phone));
    pages.set(key, page);
    await page.goto(relay.url + path);
    await page.locator('h1').first().waitFor();
    await page.waitForFunction(() => !document.querySelector('.skeleton'));
    await page.screenshot({ path: join(folder, `${name}.png`) });
  }
} finally {
  await browser.close();
  await relay.stop();
}
