import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startEveryone } from './stack.ts';

/* An installer's day with sites: made, found, assigned, grouped, changed, with devices added and what became of them. */

describe.each([1440, 375])('sites at %i pixels', (width) => {
  const look = LOOKS.find((one) => one.width === width && one.colorScheme === 'light')!;
  let relay: Awaited<ReturnType<typeof startEveryone>>;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    [relay, browser] = await Promise.all([startEveryone(), launch()]);
    const answer = await fetch(`${relay.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: relay.people.installer, password: relay.password }),
    });
    const [name, value] = answer.headers.get('set-cookie')!.split(';')[0]!.split('=') as [string, string];
    const place = { domain: '127.0.0.1', path: '/', expires: -1, httpOnly: true, secure: false };
    const storage = { cookies: [{ name, value, ...place, sameSite: 'Lax' as const }], origins: [] };
    ({ page, complaints } = await open(browser, look, storage));
    page.setDefaultTimeout(10_000);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await relay?.stop();
  }, 30_000);
  const name = (step: string) => `sites ${step} ${width}`;

  it('makes a site in a new group and finds it by a word of its address (SITE-05, SITE-08, GRP-02)', async () => {
    await page.goto(`${relay.url}/sites/new`);
    await page.getByLabel('Name', { exact: true }).fill('Jewelry Müller');
    await page.getByLabel('Time zone', { exact: true }).selectOption('Europe/Berlin');
    await page.getByLabel('Group', { exact: true }).selectOption('new');
    await page.getByLabel('Name of the group').fill('Köln');
    await page.getByText('Address, map position, scene, remark').click();
    await page.getByLabel(/^Address/).fill('Hauptstraße 5');
    await page.getByLabel(/^City/).fill('Köln');
    await page.getByLabel(/^Latitude/).fill('50,94');
    await page.getByLabel(/^Longitude/).fill('6.96');
    await check(page, name('new'));
    await page.getByRole('button', { name: 'Add site' }).click();
    await page.getByRole('navigation', { name: 'Pages of this site' }).waitFor();
    await page.goto(`${relay.url}/sites`);
    await page.getByLabel('Search sites, customers, devices, serial numbers').fill('muller haupt');
    await page.waitForURL(/q=muller\+haupt|q=muller%20haupt/);
    await page.getByRole('link', { name: 'Jewelry Müller' }).waitFor();
    await settled(page);
    expect(await page.getByRole('checkbox').count()).toBe(1);
    await check(page, name('found'));
    await page.reload();
    await page.getByRole('link', { name: 'Jewelry Müller' }).waitFor();
  });

  it('assigns it until a time, which the list counts down (ASGN-05, ASGN-09, ASGN-11)', async () => {
    await page.getByRole('checkbox', { name: 'Choose Jewelry Müller' }).check();
    const form = page.getByRole('form', { name: 'Assign to employees' });
    await form.getByRole('checkbox').first().waitFor();
    const employee = form.locator('label').filter({ hasText: relay.people.employee });
    await employee.getByRole('checkbox').check();
    await form.getByLabel('Validity').selectOption('until');
    const end = new Date(Date.now() + 7_200_000).toISOString().slice(0, 16);
    await form.getByLabel('End', { exact: true }).fill(end);
    await check(page, name('batch'));
    await form.getByRole('button', { name: 'Assign to employees' }).click();
    await page.getByText('Done for 1 site.').waitFor();
    await page
      .getByText(/\(\d.* left\)/)
      .first()
      .waitFor();
    await check(page, name('assigned'));
  });

  it('changes all but the zone, and ends an assignment that can be undone (SITE-06, ASGN-10)', async () => {
    await page.getByRole('link', { name: 'Jewelry Müller' }).click();
    await page.getByRole('link', { name: 'Settings', exact: true }).click();
    await page.getByText('cannot be changed').waitFor();
    await settled(page);
    await page.getByLabel(/^City/).fill('Bonn');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^End the assignment of/ }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: /^End the assignment of/ }).waitFor();
    await check(page, name('settings'));
  });

  it('adds devices and says of each what became of it (ADD-05, ADD-20, SN-01)', async () => {
    await page.getByRole('link', { name: 'Devices', exact: true }).first().click();
    await page.getByRole('link', { name: 'Add by serial number, address or list' }).click();
    await page.getByRole('heading', { name: 'Where serial number and code are found' }).waitFor();
    await check(page, name('add by serial'));
    await page.getByRole('link', { name: 'Import a list' }).click();
    await page.getByLabel('Devices, one a line').fill('Gate;10.0.0.1;80;admin;pw\nYard;x;99999;admin;pw');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('alert').getByText('Line 2').waitFor();
    await check(page, name('import with a fault'));
    await page.getByLabel('Devices, one a line').fill('Gate;10.0.0.1;80;admin;pw\nYard;192.168.0.9;80;admin;pw');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('0 of 2 added').waitFor();
    expect(await page.getByRole('button', { name: /^Add again/ }).count()).toBe(2);
    await check(page, name('adding result'));
  });

  it('shows devices over all sites, places, and groups that are renamed (SITE-09, SITE-10, GRP-01)', async () => {
    await page.goto(`${relay.url}/sites/devices`);
    await settled(page);
    await page.getByRole('heading', { name: 'Devices of all sites' }).waitFor();
    await page.getByRole('row').nth(1).waitFor();
    await page.getByLabel(/^Type/).selectOption('panel');
    await page.getByText('Nothing fits the search and filters').waitFor();
    await page.goto(`${relay.url}/sites/map`);
    await settled(page);
    await page.getByRole('link', { name: 'Jewelry Müller' }).first().waitFor();
    await check(page, name('map'));
    await page.goto(`${relay.url}/sites/groups`);
    await page.getByText('Change Köln').click();
    await page.getByRole('form', { name: 'Change Köln' }).getByLabel('Name of the group').fill('Bonn');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('link', { name: 'Bonn' }).waitFor();
    await check(page, name('groups'));
  });

  it('without a complaint of the browser', () => {
    expect(complaints).toEqual([]);
  });
});
