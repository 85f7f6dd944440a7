import { TOTP } from 'otpauth';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled, WALKED } from './browser.ts';
import { startPost, startRelay } from './stack.ts';

/* A company registers, takes in people and looks after its accounts; each step builds on the one before. */

const tess = { email: 'tess@example.org', password: 'a good password', site: 'Garage' };
const ada = { email: 'ada@nordlicht.example', password: 'zu viert im Regen' };
const ina = { email: 'ina@nordlicht.example', password: 'am liebsten im Wald' };
const [PHONE, DESKTOP] = [LOOKS[0]!, LOOKS.find((look) => look.width === 1440)!];
let post: Awaited<ReturnType<typeof startPost>>;
let relay: Awaited<ReturnType<typeof startRelay>>;
let browser: Browser;
type Storage = Awaited<ReturnType<BrowserContext['storageState']>>;
let admin: Storage;
let employee: Storage;

beforeAll(async () => {
  post = await startPost();
  [relay, browser] = await Promise.all([
    startRelay(tess, ['--smtp-url', post.smtp, '--sms-url', `${post.mailbox}/sms`, '--allow-internal', '127.0.0.0/8']),
    launch(),
  ]);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
  await post?.stop();
}, 30_000);

/** The newest link that was sent to an address and leads to this page. */
const linkTo = async (to: string, page: string): Promise<string> => {
  const read = async () => {
    const { items } = (await (await fetch(`${post.mailbox}/messages?to=${to}`)).json()) as {
      items: { links: string[] }[];
    };
    return items.flatMap((item) => item.links).find((link) => new URL(link).pathname === page) ?? '';
  };
  await expect.poll(read, { timeout: 15_000 }).not.toBe('');
  return read();
};
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor();
const signIn = async (page: Page, who: { email: string; password: string }) => {
  await page.goto(relay.url);
  await page.getByLabel('E-mail or phone').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.keyboard.press('Enter');
};

describe('a company', () => {
  it('registers on a phone, by a link, and asks to be authenticated (ACCT-01, ACCT-05)', {
    timeout: 90_000,
  }, async () => {
    const { page, context, complaints } = await open(browser, PHONE);
    await page.goto(relay.url);
    await page.getByRole('link', { name: 'Register' }).click();
    await heading(page, 'Register');
    await check(page, 'register, whom');
    await page.getByRole('link', { name: 'Register a company' }).click();
    await heading(page, 'Register a company');
    await page.getByLabel('Kind of company').selectOption('integrator');
    await page.getByLabel('Company', { exact: true }).fill('Nordlicht Technik');
    await page.getByLabel('Country or region').selectOption('DE');
    await page.getByLabel('Your name').fill('Ada Min');
    await page.getByLabel('E-mail').fill(ada.email);
    await check(page, 'register a company');
    await page.getByRole('button', { name: 'Register' }).click();
    await heading(page, 'Look into your mailbox');
    await check(page, 'register, sent');
    await page.goto(await linkTo(ada.email, '/verify'));
    await heading(page, 'Choose a password');
    await page.getByLabel('Password').fill('Passw0rd2026');
    await page.getByRole('button', { name: 'Finish and sign in' }).click();
    await page.getByRole('alert').getByText('weak-password').waitFor();
    await check(page, 'register, weak password');
    await page.getByLabel('Password').fill(ada.password);
    await page.getByRole('button', { name: 'Finish and sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();

    await page.goto(`${relay.url}/company`);
    await page.getByText('Not authenticated').waitFor();
    await page.goto(`${relay.url}/company/authentication`);
    await settled(page);
    await page.getByLabel('Legal name').fill('Nordlicht Technik GmbH');
    await page.getByLabel('Number in the trade register').fill('HRB 1234');
    await page.getByLabel('VAT number').fill('DE123456789');
    await page.getByLabel('Registered address').fill('Am Hafen 1, 20457 Hamburg');
    await page.getByLabel('Contact person', { exact: true }).fill('Ada Min');
    await page.getByLabel('Phone of the contact person').fill('+49 40 1234567');
    await check(page, 'authentication of a company');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('Submitted', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    admin = await context.storageState();
    await context.close();
  });

  it('adds a role and invites an employee, who registers by the link (EMPL-01, EMPL-03)', {
    timeout: 90_000,
  }, async () => {
    const { page, context, complaints } = await open(browser, DESKTOP, admin);
    await page.goto(`${relay.url}/company/roles`);
    await heading(page, 'Roles');
    await page.getByText('No roles yet').waitFor();
    await page.getByRole('link', { name: 'Add a role' }).click();
    await page.getByLabel('Name').fill('Technician');
    await page.getByLabel('Manage assigned sites').check();
    await page.getByLabel('Live view').check();
    await check(page, 'new role');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'Technician' }).waitFor();
    await page.goto(`${relay.url}/company/people`);
    await page.getByRole('link', { name: 'Invite an employee' }).click();
    await page.getByLabel('E-mail').fill(ina.email);
    await page.getByLabel('Technician').check();
    await page.getByLabel('Language of the message').selectOption('en');
    await check(page, 'invite an employee');
    await page.getByRole('button', { name: 'Send invitation' }).click();
    await page.getByText('Invited', { exact: true }).waitFor();
    await check(page, 'people with an invitation');

    const guest = await open(browser, PHONE);
    await guest.page.goto(await linkTo(ina.email, '/invitation'));
    await heading(guest.page, 'Nordlicht Technik invites you');
    await guest.page.getByLabel('Your name').fill('Ina Drei');
    await guest.page.getByLabel('Password').fill(ina.password);
    await check(guest.page, 'invitation of an employee');
    await guest.page.getByRole('button', { name: 'Finish and sign in' }).click();
    await guest.page.getByRole('button', { name: 'Sign out' }).waitFor();
    await guest.page.goto(`${relay.url}/account`);
    await guest.page.getByText('Sites and devices can be seen, not managed').waitFor();
    await guest.page.goto(`${relay.url}/company/people`);
    await heading(guest.page, 'This page is not for you');
    employee = await guest.context.storageState();
    expect([...complaints, ...guest.complaints]).toEqual([]);
    await guest.context.close();
    await context.close();
  });

  it('needs an add-on to remove a limit, and disables an account at once (EMPL-07)', { timeout: 60_000 }, async () => {
    const { page, context, complaints } = await open(browser, DESKTOP, admin);
    const other = await open(browser, PHONE, employee);
    await other.page.goto(`${relay.url}/account`);
    await heading(other.page, 'My account');
    await page.goto(`${relay.url}/company/people`);
    await page.getByRole('link', { name: 'Ina Drei' }).click();
    await heading(page, 'Ina Drei');
    await page.getByRole('button', { name: 'Remove account limit' }).click();
    await page.getByRole('alert').getByText('limit-reached').waitFor();
    await check(page, 'person, no add-on left');
    await page.getByRole('button', { name: 'Disable account' }).click();
    await page.getByRole('button', { name: 'Enable account' }).waitFor();
    await other.page.getByRole('link', { name: 'Sessions' }).first().click();
    await heading(other.page, 'Sign in');
    await signIn(other.page, ina);
    await other.page.getByRole('alert').getByText('wrong-credentials').waitFor();
    await page.getByRole('button', { name: 'Enable account' }).click();
    await page.getByRole('button', { name: 'Disable account' }).waitFor();
    await signIn(other.page, ina);
    await other.page.getByRole('button', { name: 'Sign out' }).waitFor();
    employee = await other.context.storageState();
    expect([...complaints, ...other.complaints]).toEqual([]);
    await other.context.close();
    await context.close();
  });

  it('lets in who registers and asks to join (EMPL-02)', { timeout: 60_000 }, async () => {
    const ivo = { email: 'ivo@new.example', password: 'drei Boote am Steg' };
    const guest = await open(browser, PHONE);
    const own = guest.page;
    await own.goto(`${relay.url}/register?as=employee`);
    await own.getByLabel('Company').fill('nordlicht');
    await own.getByLabel('Your name').fill('Ivo Vier');
    await own.getByLabel('E-mail').fill(ivo.email);
    await own.keyboard.press('Enter');
    await heading(own, 'Look into your mailbox');
    await own.goto(await linkTo(ivo.email, '/verify'));
    await heading(own, 'Choose your company');
    await own.getByLabel('Nordlicht Technik').check();
    await own.getByLabel('Password').fill(ivo.password);
    await check(own, 'choose a company');
    await own.getByRole('button', { name: 'Ask to be let in' }).click();
    await heading(own, 'Your request was sent');

    const { page, context, complaints } = await open(browser, DESKTOP, admin);
    await page.goto(`${relay.url}/company/people`);
    await page.getByRole('heading', { name: 'Requests to join' }).waitFor();
    await check(page, 'request to join');
    await page.getByRole('button', { name: 'Accept Ivo Vier' }).click();
    await page.getByRole('form', { name: 'Accept Ivo Vier' }).getByLabel('Technician').check();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('link', { name: 'Ivo Vier' }).waitFor();
    await signIn(own, ivo);
    await own.getByRole('button', { name: 'Sign out' }).waitFor();
    expect([...complaints, ...guest.complaints]).toEqual([]);
    await guest.context.close();
    await context.close();
  });
});

describe('an account', () => {
  it('is protected by a second factor, and opened with its code', { timeout: 90_000 }, async () => {
    const { page, context, complaints } = await open(browser, PHONE, employee);
    await page.goto(`${relay.url}/account/security`);
    const panel = page.getByRole('region', { name: 'Two-factor sign-in' });
    await panel.getByLabel('Your password').fill(ina.password);
    await panel.getByRole('button', { name: 'Set up' }).click();
    await panel.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
    await check(page, 'second factor, set-up');
    const secret = (await panel.locator('code').textContent()) ?? '';
    await panel.getByLabel('First code of the app').fill(new TOTP({ secret }).generate());
    await panel.getByRole('button', { name: 'Switch on' }).click();
    await panel.getByText('Your recovery codes').first().waitFor();
    await check(page, 'second factor, recovery codes');
    const [recovery] = await panel.locator('section code').allTextContents();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, ina);
    await heading(page, 'Enter the code');
    await check(page, 'sign-in, code');
    await page.getByLabel('Code').fill(recovery ?? '');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    employee = await context.storageState();
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('gets a new password with a link, and shows where it is signed in', { timeout: 60_000 }, async () => {
    const { page, context, complaints } = await open(browser, PHONE);
    await page.goto(relay.url);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByLabel('E-mail or phone').fill(ada.email);
    await check(page, 'forgotten password');
    await page.getByRole('button', { name: 'Send a link' }).click();
    await page.getByText(`If there is an account for ${ada.email}`).waitFor();
    await page.goto(await linkTo(ada.email, '/reset'));
    await heading(page, 'Choose a new password');
    ada.password = 'zu fünft in der Sonne';
    await page.getByLabel('Password').fill(ada.password);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Your password is set.').waitFor();
    await signIn(page, ada);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    const desktop = await open(browser, DESKTOP);
    await signIn(desktop.page, ada);
    await desktop.page.getByRole('button', { name: 'Sign out' }).waitFor();
    await page.goto(`${relay.url}/account/sessions`);
    await page.getByText('This one').waitFor();
    await check(page, 'sessions');
    await page.getByRole('button', { name: 'End all others' }).click();
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await desktop.page.goto(`${relay.url}/company`);
    await heading(desktop.page, 'Sign in');
    admin = await context.storageState();
    expect([...complaints, ...desktop.complaints]).toEqual([]);
    await desktop.context.close();
    await context.close();
  });

  it('of a customer is made with a code by text message', { timeout: 60_000 }, async () => {
    const phone = '+4915112345678';
    const { page, context, complaints } = await open(browser, PHONE);
    await page.goto(`${relay.url}/register?as=customer`);
    await page.getByLabel('Country or region').selectOption('DE');
    await page.getByLabel('Your name').fill('Uwe Haus');
    await page.getByLabel('Confirm by').selectOption('phone');
    await page.getByLabel('Phone number').fill('0049 151 12345678');
    await page.getByRole('button', { name: 'Register' }).click();
    await heading(page, 'Enter the code');
    await check(page, 'code by text message');
    const read = async () => {
      const { items } = await (await fetch(`${post.mailbox}/messages?to=${encodeURIComponent(phone)}`)).json();
      return /\d{6}/.exec(items[0]?.text ?? '')?.[0] ?? '';
    };
    await expect.poll(read, { timeout: 15_000 }).not.toBe('');
    await page.getByLabel('Code').fill(await read());
    await page.getByLabel('Password').fill('drei Boote am Steg');
    await page.getByRole('button', { name: 'Confirm and sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await page.goto(`${relay.url}/account`);
    await page.getByText(phone).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe('every page of people', () => {
  it.each(WALKED.slice(1))('passes axe at $width px, $colorScheme', { timeout: 120_000 }, async (look) => {
    const { page, context, complaints } = await open(browser, look, admin);
    for (const path of [
      '/company',
      '/company/people',
      '/company/people?search=nobody',
      '/company/people/invite',
      '/company/roles',
      '/company/roles/new',
      '/company/authentication',
      '/account',
      '/account/security',
      '/account/sessions',
      '/account/data',
    ]) {
      await page.goto(relay.url + path);
      await settled(page);
      await check(page, `${path} ${look.width} ${look.colorScheme}`);
    }
    for (const name of ['Ina Drei', 'Ada Min']) {
      await page.goto(`${relay.url}/company/people`);
      await page.getByRole('link', { name, exact: true }).click();
      await heading(page, name);
      await settled(page);
      await check(page, `person ${name} ${look.width} ${look.colorScheme}`);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });
});
