import { connect } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startEveryone } from './stack.ts';

const [PHONE, DESKTOP] = [LOOKS[0]!, LOOKS.find((look) => look.width === 1440)!];
let relay: Awaited<ReturnType<typeof startEveryone>>;
let browser: Browser;

beforeAll(async () => {
  // Below what the system gives away, where nobody listens as a rule.
  const base = 20_000 + Math.floor(Math.random() * 10_000);
  const options = ['--dc09-ports', `${base}-${base + 3}`, '--surgard-ports', `${base + 4}-${base + 7}`];
  [relay, browser] = await Promise.all([startEveryone([...options, '--receiver-address', 'alarms.example']), launch()]);
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
  await page.getByRole('navigation', { name: 'Main pages' }).waitFor();
};

describe('outputs of a centre', () => {
  it('MLR2: added, connected, tried with a test, seen as acknowledged (ARC-22)', { timeout: 120_000 }, async () => {
    const { page, complaints } = await open(browser, DESKTOP);
    await signIn(page);
    await page.goto(`${relay.url}/arc/outputs`);
    await heading(page, 'Outputs');
    await settled(page);
    await check(page, 'outputs, none');
    await page.getByRole('link', { name: 'Add an output' }).click();
    await heading(page, 'Add an output');
    await page.getByLabel('Name').fill('Automation');
    await page.getByLabel('From which addresses').fill('127.0.0.1');
    await page.getByLabel('Accounts under another number').fill('12345678 A001');
    await check(page, 'outputs, new');
    await page.getByRole('button', { name: 'Add an output' }).click();
    await heading(page, 'Outputs');
    const panel = page.getByRole('region', { name: 'Automation' });
    await panel.getByText('waiting for a connection').waitFor();
    const port = Number(/port (\d+), for 127\.0\.0\.1/.exec((await panel.textContent()) ?? '')?.[1]);
    const lines: string[] = [];
    const software = connect(port, '127.0.0.1');
    software.setEncoding('latin1').on('data', (text: string) => {
      lines.push(text);
      software.write('\x06');
    });
    await panel.getByText('connected').waitFor();
    await panel.getByRole('button', { name: 'Send a test to Automation' }).click();
    await panel.getByText('On its way').waitFor();
    await page.getByRole('region', { name: 'Last messages' }).getByText('Automation: acknowledged').waitFor();
    expect(lines).toContain('5011 180000E60200000\x14');
    await check(page, 'outputs, connected');
    software.destroy();
    await panel.getByText('waiting for a connection').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('on a phone: a webhook’s secret is shown once; senders of a receiver here', { timeout: 120_000 }, async () => {
    const { page, complaints } = await open(browser, PHONE);
    await signIn(page);
    await page.goto(`${relay.url}/arc/outputs/new`);
    await page.getByLabel('Kind').selectOption('webhook');
    await page.getByLabel('Name').fill('Video platform');
    await page.getByLabel('Address (https)').fill('https://10.0.0.1/alarms');
    await page.getByRole('button', { name: 'Add an output' }).click();
    await page
      .getByText('inside the relay’s own network')
      .or(page.getByText("inside the relay's own network"))
      .first()
      .waitFor();
    await page.getByLabel('At work').uncheck();
    await page.getByLabel('Address (https)').fill('https://8.8.8.8/alarms');
    await page.getByRole('button', { name: 'Add an output' }).click();
    await heading(page, 'Secret of the webhook');
    await page
      .getByText(/whsec_/)
      .first()
      .waitFor();
    await check(page, 'outputs, secret');
    await page.getByRole('link', { name: 'I have stored it' }).click();
    await heading(page, 'Outputs');
    await page.getByRole('region', { name: 'Video platform' }).getByText('off').waitFor();
    await settled(page);
    await check(page, 'outputs on a phone');

    await page.evaluate(async () => {
      const made = await fetch('/api/v1/arc-receivers', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Here', kind: 'hosted' }),
      });
      if (!made.ok) throw new Error(await made.text());
    });
    await page.goto(`${relay.url}/arc/senders`);
    await heading(page, 'Senders');
    await page.getByText(/alarms\.example:\d+/).waitFor();
    await page.getByRole('button', { name: 'Add a sender' }).click();
    await page.getByLabel('Account').fill('1234');
    await page.getByLabel('Name').fill('Panel of the bakery');
    await page.getByLabel('Must be heard').fill('90');
    await check(page, 'senders, new');
    await page.getByRole('button', { name: 'Add a sender' }).click();
    await page.getByText('in clear · heard at least every 90 s').waitFor();
    await check(page, 'senders on a phone');
    // The refused address above.
    expect(complaints.filter((line) => !line.includes('400'))).toEqual([]);
    await page.close();
  });
});
