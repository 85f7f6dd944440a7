import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayAfter, dayOf, startOf } from '../portal/playback/day.ts';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { clocksOf, look, until } from './clock.ts';
import { type Stack, startStack } from './stack.ts';

/* What cameras have recorded (J10): every moment is told by the clock that is drawn into the picture of then. */

describe('playback', () => {
  let stack: Stack;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let site: string;
  let siteId: string;
  let zone: string;
  let devices: { id: string; name: string }[];
  const keys = () => devices.map(({ id }) => `${id}-1`).join();
  /** A whole second so many minutes ago. */
  const ago = (minutes: number) => Math.floor(Date.now() / 1000) * 1000 - minutes * 60_000;
  const go = (atMs: number, show = keys()) =>
    page.goto(`${site}/playback?show=${show}&at=${new Date(atMs).toISOString()}`);

  beforeAll(async () => {
    [stack, browser] = await Promise.all([startStack('onvif-nvr'), launch()]);
    ({ page, complaints } = await open(browser, LOOKS.find((one) => one.width === 1440)!));
    await page.request.post(`${stack.portal}/api/v1/auth/login`, { data: stack.login });
    const api = async <T>(path: string) =>
      (await (await page.request.get(`${stack.portal}/api/v1${path}`)).json()) as T;
    [{ id: siteId, timeZone: zone }] = (await api<{ items: [{ id: string; timeZone: string }] }>('/sites')).items;
    site = `${stack.portal}/sites/${siteId}`;
    devices = (await api<{ items: typeof devices }>(`/sites/${siteId}/devices`)).items;
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  }, 60_000);

  it('plays two cameras in step from the moment asked for, whatever clock they write (LIVE-06)', async () => {
    const start = ago(20);
    await go(start);
    for (const { name } of devices)
      await until(page, name, ({ clock }) => clock !== null && clock >= start - 100 && clock < start + 20_000);
    // On two shared cores with encoders pictures come late, and still they move.
    const { clock: begun } = await look(page, devices[0]!.name);
    await until(page, devices[0]!.name, ({ clock }) => clock !== null && clock > begun! + 1_000);
    const [first, second] = await Promise.all(devices.map(({ name }) => look(page, name)));
    expect(Math.abs(first!.clock! - second!.clock!)).toBeLessThan(2_500);
    await settled(page);
    await page.locator('.timeline-span').first().waitFor();
    await check(page, 'playback 1440');
  });

  it('goes where the time line is clicked, stands still when paused, and goes on', async () => {
    const line = page.getByRole('slider', { name: 'Time of the day' });
    const box = (await line.boundingBox())!;
    const { name } = devices[0]!;
    const head = () =>
      page.locator('.timeline-head').evaluate((element) => Number((element as HTMLElement).dataset.ms));
    const before = await head();
    await page.mouse.click(box.x + box.width * 0.05, box.y + box.height - 8);
    const seen = await until(page, name, ({ clock }) => clock !== null && clock < before - 60_000);
    expect(Math.abs(seen.clock! - (await head()))).toBeLessThan(3_000);
    await page.keyboard.press('k');
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
    await page.waitForTimeout(300);
    const stood = await look(page, name);
    await page.waitForTimeout(700);
    expect((await look(page, name)).clock).toBe(stood.clock);
    // Picture by picture; of two windows each press moves at least one.
    const press = async (key: string, times: number) => {
      for (let i = 0; i < times; i++) await page.keyboard.press(key);
    };
    await press(',', 3);
    const earlier = await until(page, name, ({ clock }) => clock !== null && clock < stood.clock!);
    expect(stood.clock! - earlier.clock!).toBeLessThan(400);
    await press('.', 4);
    await until(page, name, ({ clock }) => clock !== null && clock >= stood.clock!);
    // The address tells where it stands: a reload goes on there.
    await page.reload();
    await until(page, name, ({ clock }) => clock !== null && Math.abs(clock - stood.clock!) < 20_000);
  });

  it('plays faster, and backward', async () => {
    const { name } = devices[0]!;
    await page.getByLabel('Speed').selectOption('8');
    const from = await until(page, name, ({ clock }) => clock !== null);
    const began = performance.now();
    await page.waitForTimeout(4_000);
    const passed = performance.now() - began;
    const to = await until(page, name, ({ clock }) => clock !== null && clock > from.clock! + 4 * passed);
    expect(to.clock! - from.clock!).toBeLessThan(14 * (performance.now() - began));
    await page.getByLabel('Speed').selectOption('-8');
    const turned = await until(page, name, ({ clock }) => clock !== null);
    await until(page, name, ({ clock }) => clock !== null && clock < turned.clock! - 6_000);
    // Over midnight of the site it goes on into the day before.
    const midnight = startOf(dayAfter(dayOf(Date.now(), zone), -1), zone)!;
    await go(midnight + 4_000);
    await page.getByLabel('Speed').selectOption('-2');
    for (const { name } of devices) await until(page, name, ({ clock }) => clock !== null && clock < midnight - 3_000);
    await page.getByLabel('Speed').selectOption('1');
  });

  it('leaves out what was not recorded, and shows it as a gap', async () => {
    const start = ago(40);
    const files = [
      { fromMs: start - 60_000, toMs: start + 4_000 },
      { fromMs: start + 120_000, toMs: start + 180_000 },
      { fromMs: Date.now() - 120_000, toMs: Date.now() },
    ];
    await fetch(`${stack.lab}/devices/camera-1/do/recordings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ files }),
    });
    const { name, id } = devices[0]!;
    await go(start, `${id}-1`);
    await until(page, name, ({ clock }) => clock !== null && clock < start + 4_000);
    await until(page, name, ({ clock }) => clock !== null && clock >= start + 120_000);
    expect(await page.locator('.timeline-span').count()).toBeGreaterThanOrEqual(2);
  });

  it('takes a picture, and a part as a file (LIVE-08, LIVE-09)', async () => {
    const { name, id } = devices[1]!;
    const start = ago(30);
    await go(start, `${id}-1`);
    await until(page, name, ({ clock }) => clock !== null);
    const [picture] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save picture' }).click(),
    ]);
    expect([...readFileSync(await picture.path()).subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Begin here' }).click();
    const href = (await page.getByRole('link', { name: 'Download' }).getAttribute('href'))!;
    // Four seconds of it are enough.
    const url = new URL(href, stack.portal);
    const fromMs = Date.parse(url.searchParams.get('from')!);
    url.searchParams.set('to', new Date(fromMs + 4_000).toISOString());
    await page.evaluate((to) => {
      document.querySelector<HTMLAnchorElement>('#cut a[download], a[download]')!.href = to;
    }, `${url.pathname}${url.search}`);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    const path = await file.path();
    const clocks = clocksOf(path);
    // A file of the device itself begins with the key frame before.
    const leadMs = fromMs - clocks[0]!;
    expect(leadMs).toBeGreaterThanOrEqual(0);
    expect(leadMs).toBeLessThan(2_500);
    expect(clocks.at(-1)! - fromMs).toBeGreaterThan(3_500);
    const probe = execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', path]);
    expect(Math.abs(Number(probe) - 4 - leadMs / 1000)).toBeLessThan(0.3);
    expect(file.suggestedFilename()).toMatch(/^camera-2-1-.*Z\.mp4$/);
  });

  it('opens four windows and says why there is no fifth (LIVE-07)', async () => {
    await page.goto(`${site}/events`);
    const [from, to] = [ago(30), ago(10)].map((ms) => new Date(ms).toISOString());
    await page.evaluate(async (path) => {
      const url = `${location.origin.replace(/^http/, 'ws')}${path}`;
      const sockets = Array.from({ length: 4 }, () => new WebSocket(url));
      await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.addEventListener('message', resolve))));
      Object.assign(window, { sockets });
    }, `/api/v1/devices/${devices[1]!.id}/channels/1/playback/socket?from=${from}&to=${to}`);
    const other = await page.context().newPage();
    const { name, id } = devices[0]!;
    await other.goto(`${site}/playback?show=${id}-1&at=${new Date(Date.now() - 90_000).toISOString()}`);
    await until(other, name, ({ message }) => message.includes('As many windows are open as there may be'));
    await page.evaluate(() => (window as unknown as { sockets: WebSocket[] }).sockets.pop()!.close());
    await other.getByRole('button', { name: 'Try again' }).click();
    await until(other, name, ({ clock }) => clock !== null);
    await other.close();
  });

  it('plays what an ONVIF recorder has in the same window, over a gap', async () => {
    const { name, address, httpPort, password } = stack.cameras.find(({ kind }) => kind === 'onvif-nvr')!;
    const start = ago(35);
    const files = [
      { fromMs: start - 60_000, toMs: start + 3_000 },
      { fromMs: start + 300_000, toMs: start + 600_000 },
    ];
    await fetch(`${stack.lab}/devices/${name}/do/recordings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ files }),
    });
    const api = `${stack.portal}/api/v1/sites/${siteId}`;
    const [box] = (await (await page.request.get(`${api}/boxes`)).json()).items as { serial: string }[];
    // One that an earlier try has added is there already.
    const there = (await (await page.request.get(`${api}/devices`)).json()).items as typeof devices;
    let id = there.find((device) => device.name === name)?.id;
    if (!id) {
      const added = await page.request.post(`${api}/devices`, {
        headers: { origin: stack.portal },
        data: { boxSerial: box!.serial, name, host: address, httpPort, username: 'admin', password },
      });
      expect(added.status(), await added.text()).toBeLessThan(300);
      id = ((await added.json()) as { id: string }).id;
    }
    const channels = `${stack.portal}/api/v1/devices/${id}/channels/2/recordings`;
    const range = `from=${new Date(start).toISOString()}&to=${new Date(start + 600_000).toISOString()}`;
    await expect
      .poll(async () => (await page.request.get(`${channels}?${range}`)).status(), { timeout: 15_000 })
      .toBe(200);
    await go(start, `${id}-2`);
    const label = (await page.locator('figure.video-window').first().getAttribute('aria-label'))!;
    await until(page, label, ({ clock }) => clock !== null && clock >= start && clock < start + 3_000);
    await until(page, label, ({ clock }) => clock !== null && clock >= start + 300_000);
    expect(await page.locator('.timeline-span').count()).toBeGreaterThanOrEqual(2);
  });

  it('fits a phone, and leads there from an event and back', async () => {
    for (const active of [true, false])
      await fetch(`${stack.lab}/devices/camera-2/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'motion', active }),
      });
    await page.setViewportSize({ width: 375, height: 812 });
    await page.goto(`${site}/events`);
    await page.getByRole('link', { name: 'In playback' }).first().click();
    await page.waitForURL(/\/playback\?at=.*&show=/);
    await until(page, devices[1]!.name, ({ clock }) => clock !== null);
    await page.locator('.timeline-marker').first().waitFor({ state: 'attached' });
    await page.getByRole('button', { name: /^Day .*\d{4}/ }).click();
    const today = page.locator('.playback-days [aria-pressed="true"]');
    await today.getByText(/, recorded$/).waitFor({ state: 'attached' });
    await settled(page);
    await check(page, 'playback 375');
    await page.keyboard.press('Escape');
    await page.getByText(/events? of this day/).click();
    await settled(page);
    await check(page, 'playback 375 with its events');
    await page.getByRole('link', { name: 'Open the event' }).click();
    await page.waitForURL(/\/events\/[0-9a-f-]{36}$/);
    expect(complaints).toEqual([]);
  });
});
