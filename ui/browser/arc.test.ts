import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { type Stack, startStack } from './stack.ts';

/* A centre joins, an installer entrusts a camera to it, and its alarms come: directly, through the relay, not while suspended (J3). */

const [PHONE, DESKTOP] = [LOOKS[0]!, LOOKS.find((look) => look.width === 1440)!];
type Who = { email: string; password: string };
let stack: Stack & { operator: Who; people: { arc: Who } };
let browser: Browser;
/** The installer on a phone, the centre's operator at a desk; pages are looked at in both widths all the same. */
let ida: Page;
let nils: Page;
const complaints: string[][] = [];

async function signedIn({ email, password }: Who, look = DESKTOP): Promise<Page> {
  const window = await open(browser, look);
  complaints.push(window.complaints);
  const { page } = window;
  await page.goto(`${stack.portal}/`);
  await page.getByLabel('E-mail').first().fill(email);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').first().waitFor();
  return page;
}

/** The page as it is, on a phone and on a desktop. */
async function looks(page: Page, name: string): Promise<void> {
  const own = page.viewportSize()!;
  for (const { width } of [PHONE, DESKTOP]) {
    await page.setViewportSize({ width, height: width < 500 ? 812 : 900 });
    await settled(page);
    await check(page, `arc ${name} ${width}`);
  }
  await page.setViewportSize(own);
}

/** As the person of a page, without the page. */
async function call<T>(page: Page, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await page.evaluate(
    async ([method, path, body]) => {
      const headers = { 'content-type': 'application/json' };
      const init = { method: method!, headers, ...(body === undefined ? {} : { body }) };
      const response = await fetch(`/api/v1${path}`, init);
      return { status: response.status, text: await response.text() };
    },
    [method, path, body === undefined ? undefined : JSON.stringify(body)],
  );
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return (answer.text ? JSON.parse(answer.text) : null) as T;
}
const lab = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${stack.lab}${path}`, { method, headers, body: JSON.stringify(body) });
  return (await response.json()) as T;
};
const received = async () => {
  const response = await fetch(`${stack.lab}/arc/alarms`);
  const { items } = (await response.json()) as { items: { account: string; code: string; via: string }[] };
  return items.filter((alarm) => alarm.account === '5678');
};
/** Motion at the camera; the way by which the centre heard of it. */
async function alarm(): Promise<string> {
  const before = (await received()).length;
  await lab('POST', '/devices/camera-1/events', { type: 'lineCrossing', active: true });
  for (let i = 0; i < 400; i++) {
    const found = (await received()).slice(before).find((one) => one.code.startsWith('BA'));
    if (found) return found.via;
    await sleep(50);
  }
  throw new Error('no alarm came');
}
let site = '';

beforeAll(async () => {
  [stack, browser] = (await Promise.all([startStack(), launch()])) as [typeof stack, Browser];
  ida = await signedIn(stack.login, PHONE);
  nils = await signedIn(stack.people.arc);
  const { items } = await call<{ items: { id: string }[] }>(ida, 'GET', '/sites');
  site = `${stack.portal}/sites/${items[0]!.id}`;
  // Joining has a test of its own (arc-joining.test.ts): here it is done without looking.
  const olga = await signedIn(stack.operator);
  const { asked } = await call<{ asked: { field: string }[] }>(nils, 'GET', '/company/authentication');
  const fields = Object.fromEntries(asked.map(({ field }) => [field, '12345']));
  await call(nils, 'POST', '/company/authentication', { fields });
  const { agreement } = await call<{ agreement: string }>(nils, 'GET', '/arc-joining');
  const information = {
    contactName: 'Nils Night',
    email: stack.people.arc.email,
    phone: '+49 40 123456',
    website: '',
    address: 'Hafenstr. 1, Hamburg',
    certificates: 'EN 50518',
    about: '',
    countries: ['DE'],
  };
  await call(nils, 'POST', '/arc-joining', { information, agreement });
  const { items: applied } = await call<{ items: { companyId: string }[] }>(olga, 'GET', '/operator/arcs');
  for (const what of ['companies', 'arcs'])
    await call(olga, 'PUT', `/operator/${what}/${applied[0]!.companyId}/decision`, { approved: true });
  await olga.context().close();
  await call(nils, 'POST', '/arc-joining/completed');
  // The receiver that the demo's installer has entered by hand.
  const { items: receivers } = await call<{ items: { direct: object; relay: object }[] }>(ida, 'GET', '/receivers');
  const { direct, relay } = receivers[0]!;
  await call(nils, 'POST', '/arc-receivers', {
    name: 'Night receiver',
    direct,
    relay,
    key: 'gatepost-lab-key',
    keyFormat: 'characters',
    supervision: { kind: 'off', intervalMs: 86_400_000 },
  });
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
}, 60_000);

describe('the ARC service of a site (J3, 4–17)', () => {
  it('is authorised and enabled by the installer, and waits (ARC-13, ARC-15)', { timeout: 90_000 }, async () => {
    await ida.goto(`${site}/arc`);
    await ida.getByRole('radio', { name: /Night Watch/ }).waitFor();
    await looks(ida, 'select a centre');
    await ida.getByRole('radio', { name: /Night Watch/ }).check();
    await ida.getByRole('button', { name: 'Authorise' }).click();
    await ida.getByRole('link', { name: 'Enable camera-1' }).click();
    await ida.getByLabel('Account number').fill('5678');
    await ida.getByRole('checkbox', { name: 'Device offline' }).check();
    await ida.getByLabel('Tell that it is offline after').selectOption({ label: '15 min' });
    await looks(ida, 'enable a device');
    await ida.getByRole('button', { name: 'Enable and ask the ARC' }).click();
    await ida.getByText('Waiting for the ARC').waitFor();
    await looks(ida, 'waiting for the centre');
    await lab('POST', '/devices/camera-1/events', { type: 'lineCrossing', active: true });
    await sleep(1_500);
    expect(await received()).toEqual([]);
  });

  it('tells the centre, which rejects, then accepts (ARC-16, ARC-17)', { timeout: 90_000 }, async () => {
    await nils.goto(`${stack.portal}/messages`);
    await nils
      .getByText(/entrusts camera-1 to you/)
      .first()
      .waitFor();
    await nils.goto(`${stack.portal}/arc/devices`);
    await nils.getByRole('checkbox', { name: /Choose camera-1/ }).check();
    await nils.getByLabel('Remark for the installer').fill('Who holds the keys?');
    await looks(nils, 'devices to accept');
    await nils.getByRole('button', { name: 'Reject' }).click();
    await nils.getByText('Done for 1 of 1.').waitFor();
    await ida.goto(`${site}/arc`);
    await ida.getByText('Who holds the keys?').waitFor();
    await ida.getByRole('link', { name: 'Enable camera-1' }).click();
    await ida.getByRole('button', { name: 'Enable and ask the ARC' }).click();
    await ida.getByText('Waiting for the ARC').waitFor();
    await nils.reload();
    await nils.getByRole('checkbox', { name: /Choose camera-1/ }).check();
    await nils.getByRole('button', { name: 'Accept' }).click();
    await nils.getByText('Done for 1 of 1.').waitFor();
  });

  it('shows the way of its alarms with the delay on each leg (ARC-24)', { timeout: 120_000 }, async () => {
    await ida.goto(`${site}/arc`);
    await ida.getByText('Active', { exact: true }).waitFor();
    await sleep(2_000);
    expect(await alarm()).toBe('direct');
    await expect
      .poll(
        async () => {
          await ida.reload();
          await settled(ida);
          return ida.getByText('Account 5678 at Night receiver').count();
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
    await ida.locator('#ways').getByRole('img').nth(1).waitFor();
    await expect
      .poll(() => ida.locator('#ways').getByRole('img').nth(1).getAttribute('aria-label'), { timeout: 15_000 })
      .toMatch(/direct, in use.*\d+ ms/);
    await looks(ida, 'ways of alarms');
    await lab('POST', '/faults', { target: 'arc-direct', mode: 'refuse' });
    await sleep(6_000);
    expect(await alarm()).toBe('relay');
    await ida.getByText('Through the relay').first().waitFor();
    await looks(ida, 'through the relay');
    await lab('POST', '/faults', { target: 'arc-direct', mode: 'none' });
  });

  it('asks for other event types, which the installer approves (ARC-20)', { timeout: 90_000 }, async () => {
    await nils.goto(`${stack.portal}/arc/devices?state=active`);
    await nils.getByRole('checkbox', { name: /Choose camera-1/ }).check();
    await nils.getByRole('button', { name: 'Change event types' }).click();
    await nils
      .getByRole('checkbox', { name: 'Scene change' })
      .or(nils.getByRole('checkbox', { name: 'Video loss' }))
      .first()
      .check();
    await looks(nils, 'other event types');
    await nils.getByRole('button', { name: 'Ask for approval' }).click();
    await nils.getByText('Done for 1 of 1.').waitFor();
    await ida.goto(`${stack.portal}/arc-requests`);
    await ida.getByRole('button', { name: 'Approve camera-1' }).waitFor();
    await looks(ida, 'requests');
    await ida.getByRole('button', { name: 'Approve camera-1' }).click();
    await ida.getByText('Approved').waitFor();
  });

  it('is changed and suspended by the centre (ARC-18, ARC-19, ARC-21, ARC-25)', { timeout: 90_000 }, async () => {
    await nils.goto(`${stack.portal}/arc/devices`);
    await nils.getByRole('link', { name: 'camera-1' }).click();
    await nils.getByLabel('Connection').last().selectOption('relay');
    await nils.getByRole('button', { name: 'Change connection' }).click();
    await nils
      .getByText('Through the relay')
      .first()
      .waitFor({ timeout: 30_000 })
      .catch(() => {});
    await looks(nils, 'one device');
    await nils.getByRole('textbox', { name: 'Account number' }).fill('1234');
    await nils.getByRole('button', { name: 'Change account number' }).click();
    await expect.poll(() => nils.getByRole('textbox', { name: 'Account number' }).inputValue()).toBe('1234');
    await nils.goto(`${stack.portal}/arc/devices`);
    await nils.getByRole('checkbox', { name: /Choose camera-1/ }).check();
    await nils.getByRole('button', { name: 'Suspend' }).click();
    await nils.getByText('Suspended by the ARC').last().waitFor();
    await looks(nils, 'suspended');
    await ida.goto(`${site}/arc`);
    await ida.getByText('Suspended by the ARC').waitFor();
    await nils.getByRole('checkbox', { name: /Choose camera-1/ }).check();
    await nils.getByRole('button', { name: 'Resume' }).click();
    await nils.getByText('Active').last().waitFor();
  });

  it('ends when the installer withdraws the site (ARC-14)', { timeout: 60_000 }, async () => {
    await ida.goto(`${site}/arc`);
    await ida.getByRole('button', { name: 'Withdraw' }).click();
    await ida.getByText(/is being withdrawn/).waitFor();
    await looks(ida, 'withdrawn');
    await ida.goto(`${stack.portal}/`);
    await expect
      .poll(async () => (await call<{ items: unknown[] }>(nils, 'GET', '/arc/services')).items.length, {
        timeout: 20_000,
      })
      .toBe(0);
    expect(complaints.flat()).toEqual([]);
  });
});
