import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check as judge, LOOKS, launch, open, settled } from './browser.ts';
import { startEveryone } from './stack.ts';

/* A site goes from its installer to its customer, and permissions there are asked for, given, released and taken back. */

const sizes = [375, 1440].map((width) => ({ width, height: width === 375 ? 812 : 900 }));

/** Each page is judged at both widths, and stays at the one that its reader has. */
async function check(page: Page, name: string): Promise<void> {
  const own = page.viewportSize()!;
  for (const size of [...sizes.filter(({ width }) => width !== own.width), own]) {
    await page.setViewportSize(size);
    await judge(page, `${name} ${size.width}`);
  }
}

describe('handover by transferring', () => {
  let relay: Awaited<ReturnType<typeof startEveryone>>;
  let browser: Browser;
  let ida: Page;
  let carla: Page;
  const watched: string[][] = [];
  beforeAll(async () => {
    [relay, browser] = await Promise.all([startEveryone(), launch()]);
    const enter = async (who: 'installer' | 'customer') => {
      const window = await open(browser, LOOKS.find((one) => one.width === (who === 'installer' ? 1440 : 375))!);
      const { page } = window;
      await page.goto(`${relay.url}/`);
      await page.getByLabel('E-mail').first().fill(relay.people[who]);
      await page.getByLabel('Password').fill(relay.password);
      await page.keyboard.press('Enter');
      await page.getByRole('navigation').first().waitFor();
      watched.push(window.complaints);
      return page;
    };
    ida = await enter('installer');
    carla = await enter('customer');
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await relay?.stop();
  }, 30_000);

  const shop = () => `${relay.url}/sites/${relay.ids.installer.siteId}`;
  const villa = () => `${relay.url}/sites/${relay.ids.customer.siteId}`;

  it('shows what is in the way, then sends it (HAND-03, HAND-05)', { timeout: 90_000 }, async () => {
    await ida.goto(`${shop()}/customer`);
    await ida.getByText(/Gate was added by address/).waitFor();
    await check(ida, 'handover blocked');
    const removed = await ida.evaluate(
      (id) => fetch(`/api/v1/devices/${id}`, { method: 'DELETE' }).then((answer) => answer.status),
      relay.ids.installer.deviceId,
    );
    expect(removed).toBe(204);
    await ida.reload();
    await ida.getByRole('link', { name: 'Hand over by transferring' }).click();
    await ida.getByLabel('The customer’s e-mail').fill(relay.people.customer);
    await ida.getByLabel('The customer’s name').fill('Carla');
    await ida.getByLabel(/Remark to the customer/).fill('Thank you for the coffee.');
    await ida.getByRole('checkbox', { name: /Live view/ }).check();
    await ida.getByLabel('How long: Live view').selectOption('1 hour');
    await check(ida, 'handover form');
    await ida.getByRole('button', { name: 'Hand over' }).click();
    await ida.getByText(`To Be Accepted: ${relay.people.customer} can accept it now.`).waitFor();
    await ida.getByRole('button', { name: 'Send again' }).click();
    await ida.getByText('4 more times today').waitFor();
    await check(ida, 'handover waiting');
  });

  it('says in plain words what accepting means, and is accepted (HAND-10)', { timeout: 90_000 }, async () => {
    await carla.goto(`${relay.url}/`);
    await carla.getByText('Acme Alarms hands “Corner Shop” over to you').waitFor();
    await settled(carla);
    await check(carla, 'customer home');
    await carla.getByRole('link', { name: 'See the handover' }).click();
    await carla.getByText('You own the site “Corner Shop”').waitFor();
    await carla.getByText(/change the site and add, set up and remove its devices, until you take it back/).waitFor();
    await carla.getByText(/see live pictures \(of all devices\), for 1 hour from now/).waitFor();
    await carla.getByText('Thank you for the coffee.').waitFor();
    await check(carla, 'handover to accept');
    await carla.getByRole('button', { name: 'Accept' }).click();
    await carla.getByText('It was accepted.').waitFor();
    await carla.getByRole('link', { name: 'Open the site' }).click();
    await carla.getByRole('link', { name: 'Who may do what' }).click();
    await carla.getByText('may change the site and add, set up and remove its devices').waitFor();
    await check(carla, 'who may do what');
    await ida.goto(`${shop()}/customer`);
    await ida.getByText('Carla Customer owns the site. Authorized and Monitoring.').waitFor();
  });

  it('asks for permissions, decided one by one, with a countdown, and released (PERM-02, PERM-05)', {
    timeout: 90_000,
  }, async () => {
    // From here on the installer is on the phone and the customer at the desk.
    await ida.setViewportSize(sizes[0]!);
    await carla.setViewportSize(sizes[1]!);
    await ida.goto(`${villa()}/customer`);
    await ida.getByRole('link', { name: 'Apply for permissions' }).click();
    await ida.getByLabel('Configuration of Front door').selectOption('2 hours');
    await ida.getByLabel(/Remark to the customer/).fill('To change the name of the camera.');
    await check(ida, 'apply for permissions');
    await ida.getByRole('button', { name: 'Send' }).click();
    await ida.getByText('asked for').first().waitFor();

    await carla.goto(`${relay.url}/requests`);
    await carla.getByRole('heading', { name: 'Wait for you' }).waitFor();
    await settled(carla);
    await check(carla, 'requests');
    await carla
      .getByRole('link', { name: /Acme Alarms asks at “Villa Carla”/ })
      .first()
      .click();
    await carla.getByText('To change the name of the camera.').waitFor();
    await carla.getByLabel('How long: Configuration of Front door').selectOption('1 hour');
    await check(carla, 'request');
    await carla.getByRole('button', { name: 'Approve: Configuration of Front door' }).click();
    await carla.getByText('approved').waitFor();

    await ida.goto(`${villa()}/customer`);
    const cell = ida.getByRole('button', { name: 'Release: Configuration of Front door' });
    await cell.waitFor();
    await ida
      .getByText(/59 min \d+ s left/)
      .first()
      .waitFor();
    await check(ida, 'permissions');
    await cell.click();
    await ida.getByText('Configuration of Front door released.').waitFor();
    await ida.getByRole('button', { name: 'Undo' }).click();
    await cell.click();
    await ida.getByText('Configuration of Front door released.').waitFor({ state: 'detached', timeout: 15_000 });
    await expect.poll(() => cell.count()).toBe(0);
  });

  it('loses the site authorisation, applies for it, and gets it back (PERM-07, PERM-08)', {
    timeout: 90_000,
  }, async () => {
    await carla.goto(`${villa()}/access`);
    await carla.getByRole('button', { name: /Take back: may change the site/ }).click();
    await carla.getByText('Manage site information taken back.').waitFor();
    await carla.getByText('Manage site information taken back.').waitFor({ state: 'detached', timeout: 15_000 });
    await ida.goto(`${villa()}/customer`);
    await ida.getByText('Carla Customer owns the site. Handed Over, Not Authorized.').waitFor();
    await check(ida, 'not authorized');
    await ida.getByRole('link', { name: 'Apply for site authorisation' }).click();
    await ida.getByRole('button', { name: 'Send' }).click();
    await ida.getByText('Asked for. The owner decides.').waitFor();
    await carla.goto(`${relay.url}/requests`);
    await carla
      .getByRole('link', { name: /Acme Alarms asks at “Villa Carla”/ })
      .first()
      .click();
    await carla.getByRole('button', { name: 'Approve: Manage site information' }).click();
    await carla.getByText('approved').waitFor();
    await ida.getByText('Carla Customer owns the site. Authorized and Monitoring.').waitFor({ timeout: 20_000 });
    expect(watched.flat()).toEqual([]);
  });
});
