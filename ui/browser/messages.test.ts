import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled, WALKED } from './browser.ts';
import { startPost, startRelay } from './stack.ts';

/* Messages: live in the portal, by e-mail into the lab's mailbox, by web push through the lab's push service. */

const user = { email: 'tess@example.org', password: 'a good password', site: 'Garage' };
const [PHONE, DESKTOP] = [LOOKS[0]!, LOOKS.find((look) => look.width === 1440)!];
const bell = (page: Page, unread: number) =>
  page.getByRole('link', { name: unread ? `Messages: ${unread} unread` : 'Messages', exact: true }).first();
let post: Awaited<ReturnType<typeof startPost>>;
let relay: Awaited<ReturnType<typeof startRelay>>;
let browser: Browser;
let signedIn: Awaited<ReturnType<BrowserContext['storageState']>>;

beforeAll(async () => {
  post = await startPost();
  [relay, browser] = await Promise.all([
    startRelay(user, ['--smtp-url', post.smtp, '--allow-internal', '127.0.0.0/8']),
    launch(),
  ]);
  const [name, value] = (await logIn()).cookie.split('=') as [string, string];
  const cookie = { name, value, domain: '127.0.0.1', path: '/', expires: -1, httpOnly: true, secure: false };
  signedIn = { cookies: [{ ...cookie, sameSite: 'Lax' }], origins: [] };
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await relay?.stop();
  await post?.stop();
}, 30_000);

const logIn = async () => {
  const answer = await fetch(`${relay.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: user.email, password: user.password }),
  });
  return { cookie: answer.headers.get('set-cookie')!.split(';')[0]! };
};
const sendTest = async (page: Page) => {
  await page.goto(`${relay.url}/messages/settings`);
  await settled(page);
  await page.getByRole('button', { name: 'Send me a test' }).click();
  await page.getByText('Sent', { exact: true }).waitFor();
};

describe('messages', () => {
  it('come live to every page, are read, and arrive by e-mail (PLAT-22, PLAT-23)', async () => {
    const phone = await open(browser, PHONE, signedIn);
    await phone.page.goto(`${relay.url}/messages`);
    await settled(phone.page);
    await phone.page.getByText('No messages').waitFor();
    await check(phone.page, 'messages none 375 light');
    const { page, context, complaints } = await open(browser, DESKTOP, signedIn);
    await sendTest(page);
    await bell(page, 1).waitFor();
    // The phone lies open at the list: it is there without a reload.
    await phone.page.getByRole('link', { name: 'Test message' }).waitFor();
    await bell(phone.page, 1).waitFor();
    await check(phone.page, 'messages 375 light');

    await bell(page, 1).click();
    await settled(page);
    await check(page, 'messages 1440 light');
    await page.getByRole('button', { name: 'Mark read: Test message' }).click();
    await page.getByRole('button', { name: 'Mark unread: Test message' }).waitFor();
    await bell(phone.page, 0).waitFor();
    await page.getByLabel('Only unread').check();
    await page.getByText('Nothing unread').waitFor();
    expect(page.url()).toBe(`${relay.url}/messages?unread=true`);
    await page.getByRole('link', { name: 'ARC messages' }).click();
    expect(page.url()).toBe(`${relay.url}/messages?category=arc&unread=true`);

    const mails = async () => (await (await fetch(`${post.mailbox}/messages?to=${user.email}`)).json()).items;
    await expect.poll(async () => (await mails()).length).toBe(1);
    const [mail] = await mails();
    expect(mail).toMatchObject({
      subject: 'Test message',
      links: [`${relay.url}/messages`, `${relay.url}/messages/settings`],
    });
    expect([...complaints, ...phone.complaints]).toEqual([]);
    await phone.context.close();
    await context.close();
  });

  it('are all marked read after a moment in which that can be undone', async () => {
    const { page, context } = await open(browser, DESKTOP, signedIn);
    await sendTest(page);
    await sendTest(page);
    await page.goto(`${relay.url}/messages`);
    await bell(page, 2).waitFor();
    await page.getByRole('button', { name: 'Mark all read' }).click();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => page.getByRole('button', { name: 'Mark read: Test message' }).count()).toBe(2);
    await page.getByRole('button', { name: 'Mark all read' }).click();
    // Leaving the page does it at once.
    await page.goto(`${relay.url}/messages/settings`);
    await bell(page, 0).waitFor();
    await context.close();
  });

  it.each(
    WALKED.map((look) => [look.width, look.colorScheme, look] as const),
  )('have settings, by keyboard too: %d %s', async (width, scheme, look) => {
    const { page, context, complaints } = await open(browser, look, signedIn);
    await page.goto(`${relay.url}/messages/settings`);
    await settled(page);
    const box = page.getByRole('checkbox', { name: 'ARC messages: E-mail' });
    const was = await box.isChecked();
    await box.focus();
    await page.keyboard.press('Space');
    const quiet = page.getByLabel('Quiet hours');
    await quiet.setChecked(true);
    await page.getByRole('textbox', { name: 'Until' }).fill('06:30');
    await check(page, `message settings ${width} ${scheme}`);
    await page.keyboard.press('Enter');
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.reload();
    await settled(page);
    expect(await box.isChecked()).toBe(!was);
    expect(await page.getByRole('textbox', { name: 'Until' }).inputValue()).toBe('06:30');
    await page.getByLabel('Quiet hours').setChecked(false);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe('web push', () => {
  it('is turned on on this device, arrives while the portal is closed, and ends with the sign-out', async () => {
    const { page, context, complaints } = await open(browser, DESKTOP, signedIn);
    await context.grantPermissions(['notifications'], { origin: relay.url });
    // Of another session: what the relay knows of this person.
    const headers = await logIn();
    const known = async () => (await fetch(`${relay.url}/api/v1/notifications/push`, { headers })).json();
    const { publicKey } = await known();
    const given = await (
      await fetch(`${post.push}/subscriptions`, {
        method: 'POST',
        body: JSON.stringify({ applicationServerKey: publicKey }),
      })
    ).json();
    // A browser's push service is its maker's; this machine asks the lab's instead. All else is the browser's own.
    await page.addInitScript((subscription) => {
      let current: unknown = null;
      PushManager.prototype.subscribe = async ({
        userVisibleOnly,
        applicationServerKey,
      }: PushSubscriptionOptionsInit = {}) => {
        if (!userVisibleOnly || (applicationServerKey as Uint8Array).length !== 65)
          throw new DOMException('no', 'NotAllowedError');
        current = {
          ...subscription,
          options: { applicationServerKey },
          toJSON: () => subscription,
          unsubscribe: async () => true,
        };
        return current as PushSubscription;
      };
      PushManager.prototype.getSubscription = async () => current as PushSubscription | null;
    }, given);
    const cdp = await context.newCDPSession(page);
    const registered = new Promise<string>((resolve) => {
      cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const found = registrations.find(({ scopeURL, isDeleted }) => scopeURL === `${relay.url}/` && !isDeleted);
        if (found) resolve(found.registrationId);
      });
    });
    await cdp.send('ServiceWorker.enable');
    await page.goto(`${relay.url}/messages/settings`);
    await settled(page);
    const registrationId = await registered;
    await page.getByRole('button', { name: 'Turn on here' }).click();
    await page.getByText('Turned on on this device').waitFor();
    expect((await known()).items).toHaveLength(1);
    await check(page, 'push on 1440 light');
    await page.getByRole('button', { name: 'Send me a test' }).click();

    // From the relay, encrypted, to the push service, which opens it …
    const arrived = async () => (await (await fetch(given.endpoint)).json()).items;
    await expect.poll(async () => (await arrived()).length).toBe(1);
    const [{ payload }] = await arrived();
    expect(payload).toMatchObject({ title: 'Test message', link: '/messages' });
    // … and from there to the browser, whose service worker shows it.
    const data = JSON.stringify(payload);
    await cdp.send('ServiceWorker.deliverPushMessage', { origin: relay.url, registrationId, data });
    const shown = () =>
      page.evaluate(async () => {
        const registration = await navigator.serviceWorker.ready;
        return (await registration.getNotifications()).map(({ title, body, tag, data }) => ({
          title,
          body,
          tag,
          data,
        }));
      });
    await expect.poll(async () => (await shown()).length).toBe(1);
    expect(await shown()).toEqual([
      { title: payload.title, body: payload.text, tag: payload.id, data: { link: '/messages' } },
    ]);
    // The same again takes the place of the first.
    await cdp.send('ServiceWorker.deliverPushMessage', { origin: relay.url, registrationId, data });
    await page.waitForTimeout(200);
    expect(await shown()).toHaveLength(1);
    expect(complaints).toEqual([]);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Password').waitFor();
    await expect.poll(async () => (await known()).items.length).toBe(0);
    await page.getByLabel('E-mail').fill(user.email);
    await page.getByLabel('Password').fill(user.password);
    await page.keyboard.press('Enter');
    // The same person again: as it was.
    await page.getByText('Turned on on this device').waitFor();
    await expect.poll(async () => (await known()).items.length).toBe(1);
    await page.getByRole('button', { name: 'Turn off here' }).click();
    await page.getByText('Turned off on this device').waitFor();
    await context.close();
  });
});
