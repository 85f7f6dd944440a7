import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Me, Site } from '../../protocol/wire/api.ts';
import { offered, refused } from '../portal/route.tsx';
import { ROUTES } from '../portal/routes.tsx';
import { SITE_ROUTES } from '../portal/site-routes.tsx';
import { check, LOOKS, launch, open, settled, WALKED } from './browser.ts';
import { startEveryone } from './stack.ts';

/*
 * Every page of the tables of routes, for every kind of person who may open it: at both widths, light and dark, in every
 * language, without a fault that axe finds and without a complaint of the browser.
 */

let relay: Awaited<ReturnType<typeof startEveryone>>;
let browser: Browser;
beforeAll(async () => {
  [relay, browser] = await Promise.all([startEveryone(), launch()]);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
}, 30_000);

type Kind = keyof Awaited<ReturnType<typeof startEveryone>>['people'];
const NOBODY = '019ab000-0000-7000-8000-00000000dead';

async function signIn(kind: Kind) {
  const answer = await fetch(`${relay.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: relay.people[kind], password: relay.password }),
  });
  const { token, me } = (await answer.json()) as { token: string; me: Me };
  const cookie = answer.headers.get('set-cookie')!;
  const [name, value] = cookie.split(';')[0]!.split('=') as [string, string];
  const { hostname } = new URL(relay.url);
  const cookies = [
    { name, value, domain: hostname, path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Lax' as const },
  ];
  const api = async <T>(path: string, method = 'GET', body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const got = await fetch(`${relay.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await got.text();
    return (text ? JSON.parse(text) : undefined) as T;
  };
  return { me, api, storage: { cookies, origins: [] } };
}

/** Goes to an address as a link does, without loading the portal again. */
async function go(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);
  await settled(page);
}

/** On a phone in light, at a desk in dark: both widths and all colours, by axe. */
async function judge(page: Page, name: string, looks = WALKED): Promise<void> {
  for (const { width, colorScheme } of looks) {
    await page.setViewportSize({ width, height: width === 375 ? 812 : 900 });
    await page.emulateMedia({ colorScheme });
    await check(page, `${name} ${width} ${colorScheme}`);
  }
}

describe.each<Kind>(['installer', 'employee', 'customer', 'arc', 'operator'])('every page of %s', (kind) => {
  // An employee's pages are the installer's with less on them: the narrow look says enough.
  const looks = kind === 'employee' ? WALKED.slice(0, 1) : WALKED;

  it('passes axe in every look, and fits in both languages (PLAT-05, PLAT-06)', { timeout: 300_000 }, async () => {
    const { me, api, storage } = await signIn(kind);
    const ids = relay.ids[kind === 'customer' ? 'customer' : 'installer'];
    const fill = (path: string) =>
      path
        .replace(/\/\*$/, '')
        .replaceAll(/:(\w+)[+*?]?/g, (_, name: string) => (ids as Record<string, string>)[name] ?? NOBODY);
    const paths = ROUTES.filter((route) => refused(route, me) === null).map((route) => fill(route.path));
    if (paths.includes(`/sites/${ids.siteId}`)) {
      const site = await api<Site>(`/sites/${ids.siteId}`);
      if (site.id)
        for (const route of SITE_ROUTES.filter((route) => offered(route, site, me)))
          paths.push(`/sites/${ids.siteId}${fill(route.path).replace(/^\/$/, '')}`);
    }
    const { page, context, complaints } = await open(browser, LOOKS[0]!, storage);
    const failed: string[] = [];
    const each = async (what: string, visit: (path: string) => Promise<void>) => {
      for (const path of new Set(paths)) {
        try {
          await visit(path);
        } catch (error) {
          const { message, actual = '' } = error as { message: string; actual?: unknown };
          failed.push(`${what} ${path}: ${message.slice(0, 1_000)} ${JSON.stringify(actual).slice(0, 2_000)}`);
        }
      }
    };
    await page.goto(relay.url);
    await settled(page);
    await each('in English', async (path) => {
      await go(page, path);
      expect(await page.locator('h1').count()).toBe(1);
      await judge(page, `${kind} ${path}`, looks);
    });
    // The words of an employee's pages are the installer's.
    if (kind !== 'employee') await inGerman();
    expect(failed.join('\n')).toBe('');
    expect(complaints).toEqual([]);
    await context.close();

    async function inGerman(): Promise<void> {
      await api('/me/profile', 'PUT', { name: me.name, locale: 'de' });
      await page.setViewportSize({ width: 375, height: 812 });
      await page.goto(relay.url);
      await settled(page);
      await page.waitForFunction(() => document.documentElement.lang === 'de');
      await each('in German', async (path) => {
        await go(page, path);
        await check(page, `${kind} ${path} de`, [
          'document-title',
          'label',
          'label-content-name-mismatch',
          'target-size',
        ]);
      });
    }
  });
});

describe('every page of who is not signed in', () => {
  it('passes axe in every look', { timeout: 120_000 }, async () => {
    const { page, context, complaints } = await open(browser, LOOKS[0]!);
    for (const path of ['/', ...ROUTES.filter((route) => route.who === 'anyone').map((route) => route.path)]) {
      await page.goto(relay.url + path.replaceAll(/:\w+[+*?]?/g, 'unknown').replace('/*', ''));
      await settled(page);
      await judge(page, `nobody ${path}`);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });
});
