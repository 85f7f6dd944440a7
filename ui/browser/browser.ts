import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Every look that a page must bear: phone and desktop, light and dark. */
export const LOOKS = [375, 1440].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
);
export type Look = (typeof LOOKS)[number];
/** What a walk over many pages looks at: both widths and both colour schemes, in half the time of all four. */
export const WALKED = [LOOKS[0], LOOKS[3]] as Look[];

/** `more`: further arguments. */
export const launch = (more: string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.GATEPOST_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });

/**
 * A window in one look. `complaints` collects what the browser complains about: errors of scripts, things that the content
 * security policy blocked, requests to other hosts.
 */
export async function open(
  browser: Browser,
  look: Look,
  storage?: Awaited<ReturnType<BrowserContext['storageState']>>,
) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.width < 500 ? 812 : 900 },
    colorScheme: look.colorScheme,
    // Colours are judged at rest.
    reducedMotion: 'reduce',
    timezoneId: 'Europe/London',
    locale: 'en-GB',
    ...(storage ? { storageState: storage } : {}),
  });
  const page = await context.newPage();
  // Longer than the relay waits for a box, so that the page can say what happened.
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Answers of 4xx and 5xx are shown by the page itself; the browser logs them too.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') complaints.push(`asked ${request.url()}`);
  });
  return { context, page, complaints };
}

/**
 * What axe finds wrong, one line each, and whether the page is wider than the window.
 * @param rules only these of axe's, where the others cannot find anything new
 */
export async function check(page: Page, name: string, rules?: string[]): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const runOnly = rules ? { type: 'rule' as const, values: rules } : { type: 'tag' as const, values: RULES };
  const found = await page.evaluate(async (runOnly) => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { runOnly });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} (${node.failureSummary})`));
  }, runOnly);
  expect(found, name).toEqual([]);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wider, `${name} is wider than the window`).toBeLessThanOrEqual(0);
  const folder = process.env.GATEPOST_SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name.replace(/\W+/g, '-')}.png`, fullPage: true });
}

/** Waits until nothing is being loaded any more. */
export const settled = async (page: Page): Promise<void> => {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.skeleton'));
};
