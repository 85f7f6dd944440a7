import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startEveryone } from './stack.ts';

/* A site is shared with a customer, who accepts; a customer invites an installer; a partner helps; a device is moved. */

const look = (width: number) => LOOKS.find((one) => one.width === width && one.colorScheme === 'light')!;

describe.each([
  { installer: 1440, customer: 375 },
  { installer: 375, customer: 1440 },
])('sharing: installer at $installer, customer at $customer pixels', (widths) => {
  let relay: Awaited<ReturnType<typeof startEveryone>>;
  let browser: Browser;
  let ida: Page;
  let carla: Page;
  let paul: Page;
  const watched: string[][] = [];
  beforeAll(async () => {
    [relay, browser] = await Promise.all([startEveryone(), launch()]);
    const enter = async (who: 'installer' | 'customer' | 'partner', width: number) => {
      const answer = await fetch(`${relay.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: relay.people[who], password: relay.password }),
      });
      const [name, value] = answer.headers.get('set-cookie')!.split(';')[0]!.split('=') as [string, string];
      const place = { domain: '127.0.0.1', path: '/', expires: -1, httpOnly: true, secure: false };
      const cookies = [{ name, value, ...place, sameSite: 'Lax' as const }];
      const { page, complaints } = await open(browser, look(width), { cookies, origins: [] });
      watched.push(complaints);
      return page;
    };
    ida = await enter('installer', widths.installer);
    carla = await enter('customer', widths.customer);
    paul = await enter('partner', widths.installer);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await relay?.stop();
  }, 30_000);

  const mall = () => `${relay.url}/sites/${relay.ids.mall.siteId}`;
  const name = (step: string) => `${step} ${widths.installer > widths.customer ? 1 : 2}`;

  it('asks a partner to help until the handover (COLL-01, COLL-06)', { timeout: 90_000 }, async () => {
    await ida.goto(`${mall()}/partners/invite`);
    await ida.getByText('Installation Service Partner').waitFor();
    await ida.getByLabel('E-mail of the partner').fill('nobody@example.org');
    await ida.getByRole('button', { name: 'Invite' }).click();
    await ida.getByRole('alert').getByText('cannot-be-invited').waitFor();
    await check(ida, name('partner refused'));
    await ida.getByLabel('E-mail of the partner').fill(relay.people.partner);
    await ida.getByRole('button', { name: 'Invite' }).click();
    await ida.getByText('waiting for the partner').waitFor();
    await check(ida, name('partner invited'));
    await paul.goto(`${relay.url}/invitations`);
    await paul.getByRole('heading', { name: 'Sites that others ask you to help at' }).waitFor();
    await settled(paul);
    await check(paul, name('invitations of a partner'));
    await paul.getByRole('button', { name: 'Accept' }).click();
    await paul.getByRole('link', { name: 'Shopping Mall' }).click();
    await paul.getByRole('heading', { level: 1 }).waitFor();
    await ida.reload();
    await ida.getByText('Helping').waitFor();
  });

  it('moves a device to a new site and says what is lost (MOVE-04, MOVE-05)', { timeout: 90_000 }, async () => {
    await ida.goto(`${mall()}/move`);
    await ida.getByRole('checkbox', { name: 'Yard' }).check();
    await ida.getByLabel('Name of the new site').fill('Depot');
    await check(ida, name('move'));
    await ida.getByRole('button', { name: 'Move 1 device' }).click();
    await ida.getByText('Yard moved').waitFor();
    await ida.getByRole('link', { name: 'Open the new site' }).click();
    await ida.getByText('Yard').first().waitFor();
  });

  it('shares devices in mode A, is accepted, asks the administrator (SHAR-04, SHAR-08, SHAR-02)', {
    timeout: 90_000,
  }, async () => {
    await ida.goto(`${mall()}/customer`);
    await ida.getByRole('link', { name: 'Hand over by sharing' }).click();
    await ida.getByRole('radio', { name: /Mode A/ }).check();
    await ida.getByRole('checkbox', { name: 'Live view: Hall' }).check();
    await ida.getByLabel('Name', { exact: true }).fill('Carla');
    await ida.getByLabel('E-mail', { exact: true }).fill(relay.people.customer);
    await ida.getByLabel('Remark for the customer').fill('The hall, as agreed.');
    await ida.getByLabel('Playback').last().selectOption('4 hours');
    await check(ida, name('share'));
    await ida.getByRole('button', { name: 'Share', exact: true }).click();
    await ida.getByText('To be accepted', { exact: true }).waitFor();
    await ida.getByText('customer administrator').waitFor();
    await check(ida, name('shared with'));
    await paul.goto(mall());
    await paul.getByRole('alert').getByText('not-found').waitFor();

    await carla.goto(`${relay.url}/shared-with-me`);
    await carla.getByText('The hall, as agreed.').waitFor();
    await carla.getByText('Playback, 4 hours').waitFor();
    await settled(carla);
    await check(carla, name('offered to me'));
    await carla.getByRole('button', { name: 'Accept' }).click();
    await carla.getByText('Yours to use').waitFor();
    await carla.getByRole('link', { name: 'To the requests' }).click();
    await carla
      .getByRole('link', { name: /Acme Alarms asks at “Shopping Mall”/ })
      .first()
      .click();
    await carla.getByRole('button', { name: 'Approve: Playback of Hall' }).click();
    await carla.getByText('approved').waitFor();
  });

  it('adds a customer by QR code, selects for him, cancels with undo (SHAR-07, SHAR-12, SHAR-14)', {
    timeout: 90_000,
  }, async () => {
    await ida.goto(`${mall()}/customer`);
    await ida.getByText('Accepted', { exact: true }).waitFor();
    await ida.getByRole('link', { name: 'Add customers' }).click();
    await ida.getByLabel('Name', { exact: true }).fill('Quentin');
    await ida.getByLabel('How the invitation is sent').selectOption('As a QR code that I show');
    await ida.getByRole('button', { name: 'Invite' }).click();
    await ida.getByRole('img', { name: 'QR code for Quentin' }).waitFor();
    await ida.getByText('Nothing yet: select it.').waitFor();
    await check(ida, name('shared by code'));
    await ida.getByRole('link', { name: 'Change: Quentin' }).click();
    await ida.getByRole('checkbox', { name: 'Live view: Hall' }).check();
    await check(ida, name('card of a customer'));
    await ida.getByRole('button', { name: 'Save', exact: true }).click();
    await ida.getByRole('button', { name: 'Cancel sharing: Quentin' }).click();
    await ida.getByText('Sharing with “Quentin” is cancelled.').waitFor();
    await ida.getByRole('button', { name: 'Undo' }).click();
    await ida.getByRole('heading', { name: 'Quentin' }).waitFor();
    await ida.goto(`${mall()}/customer/share/batch`);
    await ida.getByRole('checkbox', { name: 'Hall' }).waitFor();
    await check(ida, name('batch share'));
  });

  it('lets a customer invite an installer to a device (INVT-01, INVT-07)', { timeout: 90_000 }, async () => {
    await carla.goto(`${relay.url}/invitations/new`);
    await carla.getByLabel('E-mail of the installer').fill(relay.people.partner);
    await settled(carla);
    await check(carla, name('invite my installer'));
    await carla.getByRole('button', { name: 'Send invitation' }).click();
    await carla.getByText('Waiting for an answer').waitFor();
    await check(carla, name('invitation sent'));
    await carla.waitForURL(/invitations\/devices\//);
    const path = new URL(carla.url()).pathname;
    await paul.goto(relay.url + path);
    await paul.getByText('Front door', { exact: true }).waitFor();
    await check(paul, name('invitation to a device'));
    await paul.getByRole('button', { name: 'Accept' }).click();
    await paul.getByRole('link', { name: 'Open “Villa Carla”' }).click();
    await paul.getByText('Front door').first().waitFor();
    await carla.goto(`${relay.url}/invitations`);
    await carla.getByText('Accepted').waitFor();
    await settled(carla);
    await check(carla, name('invitations of a customer'));
    expect(watched.flat()).toEqual([]);
  });
});
