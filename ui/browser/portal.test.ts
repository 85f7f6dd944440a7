import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, LOOKS, launch, open, settled, WALKED } from './browser.ts';
import { type Stack, startStack } from './stack.ts';

/*
 * The portal in a real browser, against relay, box and lab as `npm start` starts them.
 */

const [PHONE, , DESKTOP] = LOOKS as [(typeof LOOKS)[0], unknown, (typeof LOOKS)[0]];
let stack: Stack;
let browser: Browser;
let signedIn: Awaited<ReturnType<BrowserContext['storageState']>>;
let api: <T>(path: string) => Promise<T>;
let site: string;

const labDo = async (path: string, body: object) => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(stack.lab + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.ok, path).toBe(true);
};
const motion = async (active: boolean) =>
  labDo(`/devices/${stack.cameras[0]!.name}/events`, { type: 'motion', active });

beforeAll(async () => {
  [stack, browser] = await Promise.all([startStack(), launch()]);
  const answer = await fetch(`${stack.portal}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(stack.login),
  });
  const { token } = (await answer.json()) as { token: string };
  api = async (path) => {
    const got = await fetch(`${stack.portal}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
    return got.json() as never;
  };
  site = `/sites/${(await api<{ items: { id: string }[] }>('/sites')).items[0]!.id}`;
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
}, 60_000);

describe('sign-in', () => {
  it('says what is wrong, and opens the page that was asked for, by keyboard alone', async () => {
    const { page, context, complaints } = await open(browser, DESKTOP);
    await page.goto(`${stack.portal}${site}/events`);
    await settled(page);
    await check(page, 'sign-in 1440 light');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content');
    await page.keyboard.press('Tab');
    await page.keyboard.type(stack.login.email);
    await page.keyboard.press('Tab');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('wrong-credentials');
    expect(await alert.evaluate((element) => element === document.activeElement)).toBe(true);
    await check(page, 'sign-in refused');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.type(stack.login.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`${site}/events`);
    signedIn = await context.storageState();
    expect(complaints).toEqual([]);
    await context.close();
  });
});

describe('live', () => {
  it('shows an event as it happens, then its clip until it plays, and its alarm', { timeout: 120_000 }, async () => {
    const { page, context, complaints } = await open(browser, DESKTOP, signedIn);
    await page.goto(`${stack.portal}${site}/events`);
    await settled(page);
    const rows = page.getByRole('row');
    const before = await rows.count();
    await motion(true);
    await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length >= n, Math.max(1, before));
    await page.getByRole('status').filter({ hasText: 'New: Motion' }).waitFor();
    const newest = rows.nth(1);
    await newest.getByText('acknowledged, directly').waitFor();
    await motion(false);
    await check(page, 'events with one being recorded');
    await newest.getByRole('link', { name: 'Motion' }).click();
    await page.getByRole('heading', { level: 1, name: /^Motion, / }).waitFor();
    // While it is being recorded, what has arrived can be watched already.
    await page.getByRole('button', { name: 'Show what has arrived' }).click();
    await page.getByRole('button', { name: 'Play from the start' }).click();
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.5);
    await check(page, 'event with a clip being recorded');
    await page.getByText('Complete', { exact: false }).first().waitFor({ timeout: 90_000 });
    await page.getByRole('link', { name: /^Download/ }).waitFor();
    // The page may have gone over to the whole clip by itself, after a reload of its lists.
    const showWhole = page.getByRole('button', { name: 'Show the whole clip' });
    if ((await showWhole.count()) > 0) await showWhole.click();
    await page.getByRole('button', { name: 'Play from the event' }).click();
    const video = page.locator('video');
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 5.5);
    const { duration, width } = await video.evaluate((v: HTMLVideoElement) => ({
      duration: v.duration,
      width: v.videoWidth,
    }));
    expect(duration).toBeGreaterThan(30);
    expect(width).toBeGreaterThan(0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: /^Download/ }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.mp4$/);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('finds the clip by its day, shares it by a link that ends, and deletes it', { timeout: 120_000 }, async () => {
    const { page, context, complaints } = await open(browser, PHONE, signedIn);
    // As of a device whose owner asks for a code.
    const locked = JSON.stringify({
      type: 'about:blank',
      status: 403,
      code: 'verification-code-needed',
      title: 'Code',
    });
    const posters = '**/api/v1/clips/*/poster';
    await page.route(posters, (r) => r.fulfill({ status: 403, contentType: 'application/problem+json', body: locked }));
    await page.goto(`${stack.portal}${site}/clips`);
    await settled(page);
    await page.getByText('Open the clip and enter the code of its device').waitFor();
    await check(page, 'clips, locked');
    await page.unroute(posters);
    await page.reload();
    await settled(page);
    // Its poster is a picture that was decoded.
    await page.waitForFunction(() => (document.querySelector('main video') as HTMLVideoElement | null)?.videoWidth);
    await check(page, 'clips');
    await page.getByText('Day and filters').click();
    await check(page, 'clips, filtered');
    await page.getByRole('button', { name: /, 1 clip/ }).click();
    await page.waitForFunction(() => new URL(location.href).searchParams.has('day'));
    await page.getByLabel('What happened').selectOption('intrusion');
    await page.getByText('No clip like that').waitFor();
    await page.getByLabel('What happened').selectOption('motion');
    await page.locator('main a[href*="/clips/"]').click();
    await page.getByRole('heading', { level: 1, name: /^Motion, / }).waitFor();
    await page.getByRole('button', { name: /^Motion [\d.]+ s/ }).click();
    await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 1.5);
    await page.getByLabel('For whom').fill('Insurer');
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = (await page.getByText(/\/s\/[\w-]{43}$/).textContent()) ?? '';
    await check(page, 'clip with a shared link');

    const stranger = await open(browser, PHONE);
    await stranger.page.goto(link);
    await stranger.page.locator('video').evaluate((video: HTMLVideoElement) => {
      video.muted = true;
      return video.play();
    });
    await stranger.page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.5);
    await check(stranger.page, 'shared clip');
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { level: 1, name: 'Clips' }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    expect(await page.locator('main a[href*="/clips/"]').count()).toBe(0);
    await expect.poll(async () => (await api<{ items: [] }>(`${site}/clips`)).items, { timeout: 15_000 }).toEqual([]);
    await stranger.page.reload();
    await stranger.page.getByRole('alert').filter({ hasText: 'clip-link-over' }).waitFor();
    expect([complaints, stranger.complaints]).toEqual([[], []]);
    await stranger.context.close();
    await context.close();
  });

  it('says when the live connection is lost, and when it is back', { timeout: 60_000 }, async () => {
    const { page, context } = await open(browser, DESKTOP, signedIn);
    await page.goto(`${stack.portal}${site}/events`);
    await settled(page);
    process.kill(stack.pid('relay'), 'SIGKILL');
    await page.getByText('The live connection is lost.').waitFor();
    await check(page, 'live connection lost');
    await page.getByText('Live again').waitFor({ timeout: 30_000 });
    await context.close();
  });

  it('shows a box that is gone, its devices as unknown, and all well again', { timeout: 120_000 }, async () => {
    const { page, context } = await open(browser, DESKTOP, signedIn);
    await page.goto(`${stack.portal}${site}`);
    await page.getByRole('heading', { name: 'All is well' }).waitFor({ timeout: 40_000 });
    await labDo('/faults', { target: 'box-relay', mode: 'blackhole' });
    try {
      await page.getByRole('heading', { name: '1 thing needs attention' }).waitFor({ timeout: 40_000 });
      await check(page, 'box gone');
      await page.getByRole('link', { name: 'Devices', exact: true }).click();
      await settled(page);
      const { items } = await api<{ items: object[] }>(`${site}/devices`);
      expect(await page.getByText('Unknown', { exact: true }).count()).toBe(items.length);
    } finally {
      await labDo('/faults', { target: 'box-relay', mode: 'none' });
    }
    await page.getByText('Online').first().waitFor({ timeout: 40_000 });
    await context.close();
  });
});

describe('devices', () => {
  it('removes with a way back, refuses a wrong password in words, and adds with the right one', {
    timeout: 120_000,
  }, async () => {
    const camera = stack.cameras[1]!;
    const { page, context } = await open(browser, DESKTOP, signedIn);
    const names = async () => (await api<{ items: { name: string }[] }>(`${site}/devices`)).items.map((d) => d.name);
    await page.goto(`${stack.portal}${site}/devices`);
    const remove = async () => {
      await page.getByRole('link', { name: camera.name, exact: true }).click();
      await page.getByRole('button', { name: 'Remove this device' }).click();
      await page.getByText(`${camera.name} is being removed.`).waitFor();
    };
    await remove();
    await check(page, 'undo');
    await page.getByRole('button', { name: 'Undo' }).press('Enter');
    await page.getByRole('link', { name: camera.name, exact: true }).waitFor();
    expect(await names()).toContain(camera.name);

    await remove();
    await expect.poll(names, { timeout: 15_000 }).not.toContain(camera.name);
    await page.goto(`${stack.portal}${site}/devices/add?mac=${camera.mac}`);
    await page.getByLabel('Name').first().fill(camera.name);
    await page.getByLabel('Password').fill('not-the-password');
    await check(page, 'add a device');
    await page.getByRole('button', { name: 'Add device' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('device-refused-login');
    await check(page, 'device refused');
    expect(await names()).not.toContain(camera.name);

    await page.getByLabel('Password').fill(camera.password);
    await page.getByRole('button', { name: 'Add device' }).click();
    await page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
    expect(await names()).toContain(camera.name);
    await page.getByText('Online').nth(1).waitFor({ timeout: 40_000 });
    await context.close();
  });

  it('claims nothing with a wrong code, and says what to do', async () => {
    const { page, context } = await open(browser, PHONE, signedIn);
    await page.goto(`${stack.portal}/claim?serial=3467ACDEF&code=3467ACDEF9`);
    await page.getByRole('link', { name: 'Corner Shop' }).click();
    expect(await page.getByLabel('Serial').inputValue()).toBe('3467ACDEF');
    await page.getByRole('button', { name: 'Claim this box' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('claim-refused');
    await check(page, 'claim refused');
    await context.close();
  });
});

describe('alarms', () => {
  it('shows which way an alarm took while the direct path is cut', { timeout: 90_000 }, async () => {
    const { page, context } = await open(browser, PHONE, signedIn);
    await labDo('/faults', { target: 'arc-direct', mode: 'refuse' });
    try {
      await page.goto(`${stack.portal}${site}/events`);
      await settled(page);
      await motion(true);
      const newest = page.locator('tbody tr').first();
      await newest.getByText('acknowledged, through the relay').waitFor({ timeout: 20_000 });
      await motion(false);
      await newest.getByRole('link', { name: 'Motion' }).click();
      await page
        .getByRole('img', { name: /Relay to Night Watch ARC: relay, / })
        .first()
        .waitFor();
      await settled(page);
      await check(page, 'event whose alarm took the relay');
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.getByRole('img', { name: /Box to Night Watch ARC: direct, down\. .* relay, in use/ }).waitFor();
      await page.getByRole('heading', { level: 1, name: /need/ }).waitFor();
      await settled(page);
      await check(page, 'direct path down');
      await page.setViewportSize({ width: 1440, height: 900 });
      await check(page, 'direct path down, wide');
    } finally {
      await labDo('/faults', { target: 'arc-direct', mode: 'none' });
    }
    await context.close();
  });
});

describe('pages, for everyone', () => {
  // With what a real box tells; every page and look besides is in pages.test.ts.
  const paths = async () => {
    const event = (await api<{ items: { id: string; clip: object | null }[] }>(`${site}/events?limit=50`)).items.find(
      (e) => e.clip,
    )!;
    const device = (await api<{ items: { id: string }[] }>(`${site}/devices`)).items[0]!;
    const account = (await api<{ items: { id: string }[] }>(`${site}/arc`)).items[0]!;
    return {
      overview: site,
      devices: `${site}/devices`,
      device: `${site}/devices/${device.id}`,
      event: `${site}/events/${event.id}`,
      account: `${site}/arc/${account.id}`,
      'not found': '/nowhere',
      'foreign site': '/sites/019ab000-0000-7000-8000-00000000dead',
    };
  };

  it.each(WALKED.slice(0, 1))('passes axe at $width px, $colorScheme, loaded anew', {
    timeout: 180_000,
  }, async (look) => {
    const { page, context, complaints } = await open(browser, look, signedIn);
    for (const [name, path] of Object.entries(await paths())) {
      await page.goto(stack.portal + path);
      await settled(page);
      await check(page, `${name} ${look.width} ${look.colorScheme}`);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('is used by keyboard: skip link, tabs, filter in the address, an event, back', async () => {
    const { page, context } = await open(browser, DESKTOP, signedIn);
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    const tabTo = async (text: string) => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        const visible = await page.evaluate(() => {
          const style = getComputedStyle(document.activeElement!);
          return style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2;
        });
        expect(visible, `focus is seen on “${await focused()}”`).toBe(true);
        if ((await focused()).trim() === text) return;
      }
      throw new Error(`no way to “${text}” by Tab`);
    };
    await page.goto(stack.portal);
    await settled(page);
    await tabTo('Corner Shop');
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Pages of this site' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    for (let i = 0; i < 20 && (await focused()) !== 'Events'; i++) await page.keyboard.press('Shift+Tab');
    expect(await focused()).toBe('Events');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    await page.getByRole('combobox', { name: 'Event type' }).focus();
    await page.keyboard.type('Motion');
    await page.waitForURL(/type=motion/);
    await settled(page);
    await tabTo('Motion');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /^Motion, / }).waitFor();
    await page.goBack();
    await page.waitForURL(/type=motion/);
    await page.reload();
    await settled(page);
    expect(await page.getByRole('combobox', { name: 'Event type' }).inputValue()).toBe('motion');
    await context.close();
  });

  it("shows times in the site's zone, and the viewer's on hover", async () => {
    const { page, context } = await open(browser, DESKTOP, signedIn);
    await page.goto(`${stack.portal}${site}/events`);
    await settled(page);
    const time = page.locator('tbody time').first();
    const at = (await time.getAttribute('datetime'))!;
    const clock = (timeZone: string) =>
      new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone }).format(new Date(at));
    expect(await time.textContent()).toContain(clock('Europe/Berlin'));
    expect(await time.getAttribute('title')).toContain(`Your time: `);
    expect(await time.getAttribute('title')).toContain(clock('Europe/London'));
    await context.close();
  });
});
