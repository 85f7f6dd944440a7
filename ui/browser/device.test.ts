import { connect } from 'node:net';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecorderView } from '../../protocol/wire/initialise.ts';
import { check, LOOKS, launch, open, settled } from './browser.ts';
import { startLan } from './stack.ts';

/* What a device can do, done from its page on a phone, and looked up in the device itself. */

interface LabDevice {
  name: string;
  kind: string;
  address: string;
  httpPort: number;
  mac: string;
  serial: string;
  username: string;
  password: string;
}
let lan: Awaited<ReturnType<typeof startLan>>;
let browser: Browser;
let page: Page;
let complaints: string[];
let dome: LabDevice;
let recorder: LabDevice;
let domeUrl: string;
let speaker: LabDevice;
let site: string;

async function api<T>(method: string, path: string, data?: unknown): Promise<T> {
  const answer = await page.request.fetch(`${lan.relay}/api/v1${path}`, { method, data });
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return (await answer.json()) as T;
}
const add = ({ name, mac, serial, address: host, httpPort, username, password }: LabDevice) =>
  api<{ id: string }>('POST', `/sites/${lan.siteId}/devices`, {
    boxSerial: lan.boxSerial,
    ...{ name, mac, serial, host, httpPort, username, password, recordOn: [] },
  });
// biome-ignore lint/suspicious/noExplicitAny: whatever the lab tells
const stateOf = async (name: string): Promise<any> => (await fetch(`${lan.lab}/devices/${name}`)).json();
/** Everything that the device would answer, as one text. */
const documents = async (name: string) =>
  JSON.stringify(await (await fetch(`${lan.lab}/devices/${name}/documents`)).json());
const inDevice = (name: string) => expect.poll(() => documents(name), { timeout: 10_000 });

/** Phone, then desktop: axe, and nothing wider than the window. */
async function looks(name: string): Promise<void> {
  await check(page, `${name} 375`);
  await page.setViewportSize({ width: 1440, height: 900 });
  await check(page, `${name} 1440`);
  await page.setViewportSize({ width: 375, height: 812 });
}
const settings = async (section: string, word: string) => {
  await page.goto(`${domeUrl}/settings/${section}`);
  await page.getByRole('heading', { level: 1, name: word }).waitFor();
  await settled(page);
  await page.getByRole('button', { name: 'Save' }).waitFor();
};
const save = async () => {
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved, and read back from the device').waitFor();
};

beforeAll(async () => {
  browser = await launch();
  lan = await startLan('ptz,camera,camera,nvr,speaker:https');
  ({ page, complaints } = await open(browser, LOOKS[0]!));
  await page.request.post(`${lan.relay}/api/v1/auth/login`, { data: lan.login });
  const { devices } = (await (await fetch(lan.lab)).json()) as { devices: LabDevice[] };
  site = `${lan.relay}/sites/${lan.siteId}`;
  recorder = devices.find((one) => one.kind === 'nvr')!;
  const { mac: nvr, password } = recorder;
  const ask = (what: object) =>
    api<RecorderView>('POST', `/sites/${lan.siteId}/lan/recorder`, {
      boxSerial: lan.boxSerial,
      mac: nvr,
      password,
      ask: what,
    });
  const { seen } = await ask({ do: 'read' });
  const cameras = seen.map(({ address, port, protocol }) => ({
    address,
    port,
    protocol,
    password: devices.find((one) => one.address === address)?.password,
  }));
  await ask({ do: 'add', cameras });
  speaker = devices.find((one) => one.kind === 'speaker')!;
  for (const one of devices.filter((device) => device !== speaker)) {
    const { id } = await add(one);
    const { name, kind } = one;
    if (kind !== 'ptz') continue;
    dome = devices.find((one) => one.name === name)!;
    domeUrl = `${site}/devices/${id}`;
  }
  const online = async () =>
    (await api<{ items: { health: { state: string } | null }[] }>('GET', `/sites/${lan.siteId}/devices`)).items.every(
      (device) => device.health?.state === 'online',
    );
  while (!(await online())) await page.waitForTimeout(200);
}, 90_000);
afterAll(async () => {
  await browser?.close();
  await lan?.stop();
}, 30_000);

describe('the page of a dome', () => {
  it('shows what it can do and turns it while a button is held (CHAN-02)', async () => {
    await page.goto(domeUrl);
    const right = page.getByRole('button', { name: 'Right', exact: true });
    await right.waitFor();
    await settled(page);
    await looks('dome');
    await right.scrollIntoViewIfNeeded();
    const before = (await stateOf(dome.name)).ptz.moves as number;
    await right.hover();
    await page.mouse.down();
    await expect.poll(async () => (await stateOf(dome.name)).ptz.moving).toBe(true);
    await page.mouse.up();
    await expect.poll(async () => (await stateOf(dome.name)).ptz.moving).toBe(false);
    // A key moves it one step, and it stops by itself.
    await page.getByRole('button', { name: 'Up', exact: true }).press('Enter');
    await expect.poll(async () => (await stateOf(dome.name)).ptz.moves).toBeGreaterThan(before + 2);
    await expect.poll(async () => (await stateOf(dome.name)).ptz.moving).toBe(false);
  });

  it('keeps where it looks as a preset, and goes there again', async () => {
    await page.getByLabel('Name of this position').fill('Loading ramp');
    await page.getByRole('button', { name: 'Save as preset' }).click();
    await expect.poll(async () => JSON.stringify((await stateOf(dome.name)).ptz)).toContain('Loading ramp');
    await page.getByRole('button', { name: /^Show ?: Presets/ }).click();
    await page.getByRole('button', { name: /^Call ?: Loading ramp/ }).click();
    await page.getByText('Loading ramp: Done').waitFor();
    await looks('dome presets');
  });

  it('takes text on the picture, brightness and coding, and says what it read back; the log names each (J10)', async () => {
    await settings('osd', 'Text on the picture (OSD)');
    await looks('dome osd');
    await page.getByLabel('Text 1', { exact: true }).fill('Yard & gate');
    await save();
    await inDevice(dome.name).toContain('Yard &amp; gate');
    await settings('picture', 'Picture');
    await page.getByLabel('Brightness').fill('63');
    await save();
    await inDevice(dome.name).toMatch(/brightnessLevel>63</);
    expect(await page.getByLabel('Brightness').inputValue()).toBe('63');
    await settings('video', 'Video');
    await page.getByLabel('Bitrate type').selectOption('CBR');
    await page.getByLabel('Key frame every').fill('40');
    await save();
    await inDevice(dome.name).toMatch(/GovLength>40</);
    await inDevice(dome.name).toMatch(/videoQualityControlType>CBR</i);
    await looks('dome video');
    const log = await api<{ items: { action: string; detail: string | null }[] }>('GET', '/log?limit=50');
    const said = JSON.stringify(log.items);
    for (const section of ['osd', 'picture', 'video']) expect(said).toContain(section);
  });

  it('takes a privacy mask that was drawn with a finger', async () => {
    await settings('privacyMask', 'Privacy mask');
    const frame = page.locator('fieldset .touch-none');
    await frame.scrollIntoViewIfNeeded();
    await drag(frame, [0.25, 0.25], [0.75, 0.5]);
    await page.getByText('25–75 % × 25–50 %').waitFor();
    await looks('dome privacy mask');
    await save();
    await page.reload();
    await page.getByText(/2[45]–7[45] % × 2[45]–50 %/).waitFor();
  });
});

it('a recorder whose channels nobody sorted says so on its card, which leads to sorting them (CHAN-11)', async () => {
  await page.goto(`${site}/devices`);
  await page.getByText('The channels of this recorder were not put in order yet').waitFor();
  await check(page, 'unsorted recorder 375');
  await page.getByRole('link', { name: /^Put them in order/ }).click();
  const login = page.getByRole('heading', { name: 'Login of the recorder' });
  const sort = page.getByRole('heading', { name: 'Order of the channels' });
  await login.or(sort).waitFor();
  if (await login.isVisible()) {
    await page.getByLabel('Password').fill(recorder.password);
    await page.getByRole('button', { name: 'Continue' }).click();
  }
  await sort.waitFor();
});

it('several devices get their settings back and restart together, each with a result of its own (DISC-12)', async () => {
  const restarts = async () => {
    const { devices } = (await (await fetch(lan.lab)).json()) as { devices: LabDevice[] };
    return Promise.all(devices.map(async ({ name }) => (await stateOf(name)).restarts as number));
  };
  await page.goto(`${site}/devices`);
  // Without the speaker, which is not added yet.
  const boxes = page.getByRole('checkbox', { name: /^Choose: (?!DS-QAZ)/ });
  await expect.poll(() => boxes.count(), { timeout: 20_000 }).toBe(4);
  for (const box of await boxes.all()) await box.check();
  await page.getByText('4 devices chosen').waitFor();
  // Of one device: its picture, settings, password.
  await page.locator('summary', { hasText: 'More' }).first().click();
  for (const word of ['Live picture', 'Settings', 'New password'])
    await page.getByRole('link', { name: word, exact: true }).first().waitFor();
  await check(page, 'devices chosen 375');
  const before = await restarts();
  await page.getByRole('button', { name: 'Restart', exact: true }).click();
  await page.getByText('4 devices restart in a moment').waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Restore settings', exact: true }).click();
  await page.getByText(/4 devices get their factory settings back/).waitFor();
  await expect.poll(() => page.getByText(/: done$/).count(), { timeout: 20_000 }).toBe(4);
  await inDevice(dome.name).not.toMatch(/brightnessLevel>63</);
  await expect.poll(restarts, { timeout: 20_000 }).not.toEqual(before);
  expect(complaints).toEqual([]);
});

it('an alarm panel is added, its page says what to enter in it, and its alarm and state are seen', async () => {
  await page.goto(`${site}/devices`);
  await page.getByRole('link', { name: 'Add an alarm panel (DC-09)' }).click();
  await page.getByRole('heading', { level: 1, name: 'Add an alarm panel' }).waitFor();
  await looks('add an alarm panel');
  await page.getByLabel('Name').fill('Villa');
  await page.getByLabel('Account number').fill('1234');
  await page.getByRole('button', { name: 'Add an alarm panel' }).click();
  const enter = page.getByRole('region', { name: 'What to enter in the panel' });
  await enter.getByText('In the panel’s settings').waitFor();
  await page.getByText('It has not sent anything yet.').waitFor();
  await looks('alarm panel');
  const told = await enter.innerText();
  const [, port] = /UDP\s+(\d+)/.exec(told) ?? [];
  expect(told).toContain('127.0.0.1');
  const reply = await new Promise<string>((resolve, reject) => {
    const panel = connect(Number(port), '127.0.0.1', () =>
      panel.write('\nA9530028"SIA-DCS"0001R0L0#1234[#1234|Nri1/BA003]\r'),
    );
    panel.on('error', reject).on('data', (text) => {
      panel.destroy();
      resolve(text.toString());
    });
  });
  expect(reply).toBe('\nDBE70014"ACK"0001R0L0#1234[]\r');
  await page.getByText('DC-09 SIA-DCS').waitFor();
  await page.getByText('Online').first().waitFor();
  await page.goto(`${site}/events`);
  await page.getByText('Villa').first().waitFor();
});

it('a device that takes HTTPS alone is added like others; another certificate of it is shown and accepted', async () => {
  const { id } = await add(speaker);
  await page.goto(`${site}/devices/${id}`);
  await page.getByText(`https://${speaker.address}:${speaker.httpPort}`, { exact: true }).waitFor();
  await page.getByText('HTTPS, with the certificate that it was added with').waitFor();
  await page.getByText('Online').first().waitFor();
  const { certificate: before } = await stateOf(speaker.name);
  const renew = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  await fetch(`${lan.lab}/devices/${speaker.name}/do/certificate`, renew);
  const { certificate } = await stateOf(speaker.name);
  const changed = page.getByRole('region', { name: 'Its certificate has changed' });
  await changed.getByText(certificate).waitFor({ timeout: 20_000 });
  await changed.getByText(before).waitFor();
  await looks('certificate');
  await changed.getByRole('button', { name: 'Accept this certificate' }).click();
  await changed.waitFor({ state: 'detached' });
  await page.getByText('Online').first().waitFor();
  expect((await stateOf(speaker.name)).failedLogins).toBe(0);
});

async function drag(area: Locator, from: readonly [number, number], to: readonly [number, number]): Promise<void> {
  const { x, y, width, height } = (await area.boundingBox())!;
  await page.mouse.move(x + from[0] * width, y + from[1] * height);
  await page.mouse.down();
  await page.mouse.move(x + to[0] * width, y + to[1] * height, { steps: 4 });
  await page.mouse.up();
}
