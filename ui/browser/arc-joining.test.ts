import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startEveryone, startPost } from './stack.ts';

/* How an alarm receiving centre joins: its application, the operator's decision, its receivers, the list that installers read. */

const [PHONE, DESKTOP] = [LOOKS[0]!, LOOKS.find((look) => look.width === 1440)!];
let post: Awaited<ReturnType<typeof startPost>>;
let relay: Awaited<ReturnType<typeof startEveryone>>;
let browser: Browser;
let receiver: Server;
/** What the receiver says to a message; see below. */
let answers: 'ack' | 'foreign-key' = 'ack';

/** CRC-16/ARC, bit by bit: the page's test must not share code with what it tests. */
function crc(text: string): string {
  let c = 0;
  for (const byte of Buffer.from(text, 'latin1')) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xa001 : c >>> 1;
  }
  return c.toString(16).toUpperCase().padStart(4, '0');
}
const ARC = 'rita@harbour.example';
const frame = (body: string) => `\n${crc(body)}0${body.length.toString(16).toUpperCase().padStart(3, '0')}${body}\r`;

beforeAll(async () => {
  post = await startPost();
  // Acknowledges; or as a receiver with another key does: in order, but opened by nobody here.
  receiver = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const [, head] = /"\*?[A-Z-]+"(\d{4}R\w*L\w*#\w+)\[/.exec(data.toString('latin1')) ?? [];
      const body = answers === 'ack' ? `"ACK"${head}[]` : `"*ACK"${head}[${'5A'.repeat(32)}`;
      socket.write(frame(body), 'latin1');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const options = [
    '--smtp-url',
    post.smtp,
    '--allow-internal',
    '127.0.0.0/8',
    '--help-email',
    'arc-help@relay.example',
  ];
  [relay, browser] = await Promise.all([startEveryone(options), launch()]);
  await register();
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
  await post?.stop();
  receiver?.close();
}, 30_000);

type Sent = { items: { text: string; links: string[] }[] };
const mails = async (): Promise<Sent['items']> =>
  ((await (await fetch(`${post.mailbox}/messages?to=${ARC}`)).json()) as Sent).items;
async function call<T>(method: string, path: string, body: object, token = ''): Promise<T> {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${relay.url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as T;
}
/** A company of type alarm receiving centre, registered and authenticated. */
async function register(): Promise<void> {
  const { password } = relay;
  const company = { kind: 'company', type: 'arc', companyName: 'Harbour Watch', country: 'DE' };
  await call('POST', '/auth/register', { ...company, email: ARC, name: 'Rita Wachter', locale: 'en' });
  const link = await vi.waitFor(
    async () => {
      const found = (await mails()).flatMap((mail) => mail.links).find((each) => each.includes('/verify#'));
      return found ?? Promise.reject(new Error('no mail yet'));
    },
    { timeout: 15_000, interval: 200 },
  );
  const confirmed = { token: link.split('#')[1], password };
  const { token, me } = await call<{ token: string; me: { company: { id: string } } }>(
    'POST',
    '/auth/register/link',
    confirmed,
  );
  const fields = { legalName: 'Harbour Watch GmbH', address: 'Hamburg', contactName: 'Rita', contactPhone: '+49401' };
  const numbers = { registrationNumber: 'HRB 1', vatNumber: 'DE1' };
  await call('POST', '/company/authentication', { fields: { ...fields, ...numbers } }, token);
  const operator = await call<{ token: string }>('POST', '/auth/login', { email: relay.people.operator, password });
  await call('PUT', `/operator/companies/${me.company.id}/decision`, { approved: true }, operator.token);
}
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
async function signedIn(email: string, look = DESKTOP) {
  const opened = await open(browser, look);
  await opened.page.goto(relay.url);
  await opened.page.getByLabel('E-mail or phone').fill(email);
  await opened.page.getByLabel('Password', { exact: true }).fill(relay.password);
  await opened.page.keyboard.press('Enter');
  await opened.page.locator('.main-nav').waitFor();
  return opened;
}
/** At both widths, light on the phone and dark at the desk. */
async function look(page: Page, name: string): Promise<void> {
  const before = page.viewportSize()!;
  for (const { width, colorScheme } of [LOOKS[0]!, LOOKS[3]!]) {
    await page.setViewportSize({ width, height: width === 375 ? 812 : 900 });
    await page.emulateMedia({ colorScheme });
    await check(page, `arc joining ${name} ${width}`);
  }
  await page.setViewportSize(before);
}
/** ARC ID and key as the e-mail says them. */
async function credentials(): Promise<{ apiKey: string; apiSecret: string }> {
  const read = async () => {
    const text = JSON.stringify(await mails());
    const [, apiKey, apiSecret] = /ARC ID: ([0-9a-f-]{36}).*?ARC key: (gp_live_\w{38})/.exec(text) ?? [];
    return apiKey && apiSecret ? { apiKey, apiSecret } : null;
  };
  await expect.poll(read, { timeout: 15_000 }).not.toBeNull();
  return (await read())!;
}

describe('an alarm receiving centre', () => {
  it('joins the list, and installers read about it (ARC-08, ARC-09, ARC-10, ARC-11, ARC-12)', {
    timeout: 180_000,
  }, async () => {
    // Not offered to a company of another type.
    const installer = await signedIn(relay.people.installer, PHONE);
    await installer.page.goto(`${relay.url}/arc/joining`);
    await heading(installer.page, 'This page is not for you');
    await installer.page.goto(`${relay.url}/arcs`);
    await settled(installer.page);
    expect(await installer.page.getByText('Harbour Watch').count()).toBe(0);

    const arc = await signedIn(ARC);
    await arc.page.goto(`${relay.url}/arc/joining`);
    await arc.page.getByText('Not joined').waitFor();
    await look(arc.page, 'not joined');
    await arc.page.getByRole('link', { name: 'Apply Now' }).click();
    await heading(arc.page, 'Apply to join the ARC list');
    await arc.page.getByText('arc-help@relay.example').waitFor();
    await arc.page.getByLabel('Phone').fill('+49 40 123456');
    await arc.page.getByLabel('Address').fill('Hafenstr. 1, 20457 Hamburg');
    await arc.page.getByLabel('Certificates').fill('EN 50518');
    await arc.page.getByLabel('Website').fill('https://harbour.example');
    await arc.page.getByLabel('About the centre').fill('Round the clock, in German and English.');
    await arc.page.getByLabel(/We have read the agreement/).check();
    // Its own country is proposed; without any the application is not complete.
    await arc.page.getByRole('button', { name: 'Take Germany away' }).click();
    await arc.page.getByRole('button', { name: 'Submit Application' }).click();
    await arc.page.getByText('Choose one country at least.').waitFor();
    await arc.page.getByLabel('Add a country').selectOption('DE');
    await arc.page.getByLabel('Add a country').selectOption('AT');
    await look(arc.page, 'application');
    await arc.page.getByRole('button', { name: 'Submit Application' }).click();
    await arc.page.getByText('Waits for the operator’s decision').waitFor();
    await look(arc.page, 'submitted');

    const operator = await signedIn(relay.people.operator);
    await operator.page.getByRole('link', { name: 'ARCs' }).click();
    await heading(operator.page, 'ARC applications');
    await settled(operator.page);
    await look(operator.page, 'applications');
    await operator.page.getByRole('link', { name: 'Harbour Watch' }).click();
    await heading(operator.page, 'Harbour Watch');
    await look(operator.page, 'decision');
    await operator.page.getByLabel('Reason').fill('The address is missing a street.');
    await operator.page.getByRole('button', { name: 'Reject' }).click();
    await operator.page.getByText('Rejected').waitFor();

    await arc.page.reload();
    await arc.page.getByText('Reason: The address is missing a street.').waitFor();
    await arc.page.getByRole('link', { name: 'Apply Now' }).click();
    // What was entered is there again.
    await arc.page.getByRole('button', { name: 'Take Austria away' }).waitFor();
    await arc.page.getByLabel(/We have read the agreement/).check();
    await arc.page.getByRole('button', { name: 'Submit Application' }).click();
    await arc.page.getByText('Waits for the operator’s decision').waitFor();
    await operator.page.reload();
    await operator.page.getByRole('button', { name: 'Approve' }).click();
    await operator.page.getByText('Approved, not configured yet').waitFor();

    const { apiKey, apiSecret } = await credentials();
    await arc.page.reload();
    await arc.page.getByText(apiKey).waitFor();
    await look(arc.page, 'approved');
    const exchanged = await fetch(`${relay.url}/api/v1/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiKey, apiSecret }),
    });
    expect(exchanged.status).toBe(200);
    await arc.page.getByRole('button', { name: 'ARC ID & Key Config Completed' }).click();
    await arc.page.getByText('On the ARC list').waitFor();
    await look(arc.page, 'listed');

    await installer.page.reload();
    await settled(installer.page);
    await installer.page.getByRole('link', { name: 'Harbour Watch' }).waitFor();
    await look(installer.page, 'list');
    await installer.page.getByRole('link', { name: 'Harbour Watch' }).click();
    await heading(installer.page, 'Harbour Watch');
    await installer.page.getByText('Round the clock, in German and English.').waitFor();
    await look(installer.page, 'information');

    await arc.page.getByRole('button', { name: 'Withdraw' }).click();
    await arc.page.getByRole('button', { name: 'Undo' }).click();
    await arc.page.getByText('On the ARC list').waitFor();
    expect([...installer.complaints, ...arc.complaints, ...operator.complaints]).toEqual([]);
  });

  it('enters its receivers and tests them, and is told “CRC good, decrypt bad” (ARC-32)', {
    timeout: 180_000,
  }, async () => {
    const { port } = receiver.address() as AddressInfo;
    const { page, complaints } = await signedIn(ARC, PHONE);
    await page.goto(`${relay.url}/arc/receivers`);
    await page.getByText('No receiver yet').waitFor();
    await page.getByRole('link', { name: 'New receiver' }).click();
    await heading(page, 'New receiver');
    await page.getByLabel('Name', { exact: true }).fill('Main');
    await page.getByLabel('Boxes dial').fill('arc.example');
    await page.getByLabel('The relay dials').fill('127.0.0.1');
    await page.getByLabel('Port for the relay').fill(String(port));
    await page.locator('input[name=key]').fill('00112233445566778899AABBCCDDEEFF');
    await page.getByText('A key of AES-128. The same text would be a key the other way').waitFor();
    await page.getByLabel('Periodic test').selectOption({ label: '1 d' });
    await page.getByLabel('At (UTC)').fill('02:30');
    await page.getByLabel('Tell silent boxes on this line').check();
    await page.getByLabel('Line (L)').fill('a1');
    await page.getByText('Code map (0 lines differ').click();
    await page.getByLabel('Contact ID of Fire').fill('111');
    await page.getByLabel('SIA end of Fire').fill('-');
    await look(page, 'receiver form');
    await page.getByRole('button', { name: 'Add the receiver' }).click();
    await heading(page, 'Main');
    await page.getByText('A key is set.').waitFor();
    await page.getByText('Code map (1 line differs').waitFor();
    expect(await page.getByLabel('At (UTC)').inputValue()).toBe('02:30');

    answers = 'foreign-key';
    await page.getByLabel('Account number').fill('12ab');
    await page.getByRole('button', { name: 'Test now' }).click();
    await page.getByText('CRC good, decrypt bad: another key').waitFor();
    await page.getByText('Decrypt bad', { exact: true }).waitFor();
    await look(page, 'decrypt bad');
    await page.getByLabel('Take the key away').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    answers = 'ack';
    await page.getByRole('button', { name: 'Test now' }).click();
    await page.getByText('Acknowledged', { exact: true }).waitFor();
    await look(page, 'acknowledged');
    await page.goto(`${relay.url}/arc/receivers`);
    await page.getByText('In clear').waitFor();
    await look(page, 'receivers');
    await page.getByRole('link', { name: 'Main', exact: true }).click();
    await heading(page, 'Main');
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('“Main” removed.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await heading(page, 'Main');
    expect(complaints).toEqual([]);
  });
});
