import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { TestRelay } from '../relay/testing/relay.ts';
import { launch } from '../ui/browser/browser.ts';
import { percentile } from './percentile.ts';

const root = join(import.meta.dirname, '..');
const PORTAL = join(root, 'ui', 'dist', 'portal');
/** What Chromium's developer tools call Fast 3G. */
const FAST_3G = { offline: false, latency: 562.5, downloadThroughput: 180_000, uploadThroughput: 84_375 };
const CPU_SLOWDOWN = 4;
const SITES = 12;

/** When a person can begin on a page: in the page, as a condition. */
const PAGES = {
  'sign-in': `document.querySelector('input[type=password]') && document.querySelector('form button')`,
  home: `document.querySelector('main h1') && !document.querySelector('main .skeleton')`,
};
interface Visit {
  usableMs: number;
  scriptBytes: number;
  requests: number;
}

/**
 * How long the portal takes to open on a phone far out: processor four times slower, Fast 3G, an empty browser and then
 * the same browser again. In a real Chromium against a real relay.
 */
export async function run(emit: (line: object) => void, { quick }: { quick: boolean }): Promise<void> {
  if (!existsSync('/usr/bin/chromium') && !process.env.GATEPOST_CHROMIUM) {
    emit({ bench: 'opening the portal', skipped: 'Chromium is not installed' });
    return;
  }
  if (!existsSync(join(PORTAL, 'index.html.br'))) build();
  const relay = new TestRelay({ portalDir: PORTAL });
  const browser = await launch();
  try {
    await relay.start();
    const company = await relay.company('Bench');
    for (let i = 1; i < SITES; i++) await company.api('POST', '/sites', { name: `Site ${i}`, timeZone: 'UTC' });
    for (const name of ['sign-in', 'home'] as const) {
      const visits: [Visit, Visit][] = [];
      for (let i = 0; i < (quick ? 2 : 7); i++)
        visits.push(await twice(browser, relay.url, name, name === 'home' ? company.token : null));
      const first = visits.map(([visit]) => visit);
      const again = visits.map(([, visit]) => visit);
      const conditions = '4× slower processor, Fast 3G';
      emit({
        bench: `opening the portal, ${name}: script of the first page, compressed`,
        unit: 'bytes',
        bytes: Math.max(...first.map((visit) => visit.scriptBytes)),
        requests: first[0]!.requests,
        target: '≤ 100,000',
      });
      emit({ bench: `opening the portal, ${name}: first visit, ${conditions}`, ...summary(first), target: '≤ 3000' });
      emit({ bench: `opening the portal, ${name}: second visit, ${conditions}`, ...summary(again), target: '≤ 1000' });
    }
  } finally {
    await browser.close();
    await relay.stop();
  }
}

function summary(visits: Visit[]) {
  const times = visits.map((visit) => visit.usableMs);
  return { unit: 'ms', p50: Math.round(percentile(times, 50)), max: Math.round(Math.max(...times)), n: times.length };
}

function build(): void {
  const args = ['build', '--config', 'ui/vite.config.ts', '--logLevel', 'warn'];
  if (spawnSync('vite', args, { cwd: root, stdio: ['ignore', 2, 2] }).status !== 0)
    throw new Error('the UI does not build');
}

async function twice(
  browser: Browser,
  url: string,
  name: keyof typeof PAGES,
  token: string | null,
): Promise<[Visit, Visit]> {
  const context = await browser.newContext({ viewport: { width: 375, height: 812 }, locale: 'en-GB' });
  try {
    if (token) await context.addCookies([{ name: 'gp_session', value: token, url }]);
    const first = await visit(context, url, name, async (page) => {
      // What the portal keeps for the next time, it keeps behind its back.
      await page.evaluate(() =>
        Promise.race([navigator.serviceWorker?.ready, new Promise((r) => setTimeout(r, 15_000))]),
      );
      await page.waitForTimeout(1_000);
    });
    return [first, await visit(context, url, name, async () => {})];
  } finally {
    await context.close();
  }
}

async function visit(
  context: BrowserContext,
  url: string,
  name: keyof typeof PAGES,
  afterwards: (page: Page) => Promise<void>,
): Promise<Visit> {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', FAST_3G);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  await page.addInitScript(`(() => {
    const look = () => {
      // Drawn, and the script has let go: a touch would be answered.
      if (${PAGES[name]}) setTimeout(() => { window.usableMs = performance.now(); });
      else requestAnimationFrame(look);
    };
    look();
  })()`);
  await page.goto(url, { waitUntil: 'commit', timeout: 60_000 });
  await page.waitForFunction(() => 'usableMs' in window, undefined, { timeout: 60_000 });
  const seen = (await page.evaluate(`(() => {
    const loaded = performance.getEntriesByType('resource').filter((entry) => entry.startTime <= window.usableMs);
    const scripts = loaded.filter((entry) => /\\.js$/.test(new URL(entry.name).pathname));
    const scriptBytes = scripts.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
    return { usableMs: window.usableMs, scriptBytes, requests: loaded.length };
  })()`)) as Visit;
  await afterwards(page);
  await page.close();
  return seen;
}

if (import.meta.main)
  await run((line) => console.log(JSON.stringify(line)), { quick: process.argv.includes('--quick') });
