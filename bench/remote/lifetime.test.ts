import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../protocol/clock.ts';
import { type Company, TestRelay, until } from '../../relay/testing/relay.ts';
import { Browser } from './browser.ts';
import { DevicePages } from './device.ts';
import { type Device, type Opened, openPage, Site } from './harness.ts';

/* When a device's own page opens, for how long, for whom, and what the operation log has of it. */

const clock = new ManualClock(Date.now());
const MINUTE = 60_000;
const relay = new TestRelay({ clock });
const pages = new DevicePages('127.88.1.11');
let acme: Company;
let site: Site;
let device: Device;
let page: Opened & { browser: Browser };

/** Lets time pass in steps, each with real time for the sockets, so that no tunnel takes it for silence. */
async function pass(ms: number) {
  const step = 500;
  for (let left = ms; left > 0; left -= step) {
    await clock.advance(Math.min(step, left));
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
const get = (path = '/x') => page.browser.get(`${page.url}${path}`, { headers: { 'sec-fetch-mode': 'navigate' } });
const state = async () => {
  const { status, headers, text } = await get();
  return [status, headers['x-gatepost'] ?? text];
};
const tunnelUp = async () => (await acme.api('GET', `/sites/${acme.siteId}`)).body.boxes[0].tunnel === true;
const log = async () => (await acme.api('GET', '/log?limit=20')).body.items as Record<string, string>[];

beforeAll(async () => {
  await relay.start();
  await pages.start();
  acme = await relay.company('Acme');
  site = await new Site(relay, acme).start();
});
beforeEach(async () => {
  device = await site.add(pages.host, pages.port);
  page = await openPage(relay, acme, device.id);
  // A jump of the clock before cost the tunnel.
  await until('the tunnel', () => tunnelUp());
});
afterAll(async () => {
  await site?.stop();
  await pages.stop();
  await relay.stop();
});
afterEach(() => site.remove(device));

describe('a page of a device', () => {
  it('opens in the browser that is signed in, by way of the portal, and in no other (RCFG-01, RCFG-04)', async () => {
    const steps: string[] = [];
    let url = `${page.url}/some/page`;
    for (let i = 0; i < 4; i++) {
      const answer = await page.browser.get(url, { follow: false });
      steps.push(`${answer.status} ${answer.headers.location?.replace(/[\w-]{30,}$/, '…') ?? ''}`);
      if (answer.headers['x-gatepost'] === undefined && !answer.headers.location) break;
      url = new URL(answer.headers.location ?? '/', url).href;
    }
    const portal = relay.url;
    expect(steps).toEqual([
      `303 ${portal}/remote/enter/${page.id}?state=…`,
      `303 ${page.url}/.gatepost/enter?code=…`,
      '200 ',
      '200 ',
    ]);
    const other = new Browser(relay.port);
    const refused = await other.get(`${page.url}/`, { headers: { 'sec-fetch-mode': 'navigate' } });
    expect([refused.status, refused.headers['x-gatepost']]).toEqual([401, 'sign-in']);
    expect((await other.get(`${page.url}/x`, { headers: { accept: '*/*' } })).headers['x-gatepost']).toBe('elsewhere');
  });

  it('ends after 15 minutes without use; a WebSocket that is used keeps it open', async () => {
    expect((await state())[0]).toBe(200);
    const ws = page.browser.socket(`${page.url}/ws`);
    await once(ws, 'message');
    const used = async () =>
      Date.parse((await acme.api('GET', `/devices/${device.id}/remote-sessions`)).body.items[0].usedAt);
    const before = await used();
    await pass(3_000);
    expect(await used()).toBe(before);
    ws.send('still here');
    await once(ws, 'message');
    expect(await used()).toBe(before + 3_000);
    const closed = once(ws, 'close');
    await clock.jump(14 * MINUTE);
    expect(await used()).toBe(before + 3_000);
    await clock.jump(1 * MINUTE);
    await closed;
    expect(await state()).toEqual([410, 'closed-idle']);
    const ended = await until('the entry', async () =>
      (await log()).find((one) => one.action === 'endRemoteSession' && one.detail?.startsWith('idle')),
    );
    expect(ended.detail).toMatch(/^idle; 15 min; 1 requests, 1 WebSockets; up \d+\.\d MB, down \d+\.\d MB$/);
  }, 60_000);

  it('ends with the sign-in, at once', async () => {
    const colleague = await relay.call('POST', '/api/v1/auth/login', { email: acme.email, password: acme.password });
    const { token } = colleague.body;
    const api: Company['api'] = (method, path, body) =>
      relay.call(method, `/api/v1${path}`, body, { authorization: `Bearer ${token}` });
    page = await openPage(relay, { api, token }, device.id);
    expect((await state())[0]).toBe(200);
    const ws = page.browser.socket(`${page.url}/ws`);
    await once(ws, 'message');
    const closed = once(ws, 'close');
    await api('POST', '/auth/logout');
    await closed;
    expect(await state()).toEqual([410, 'closed-signed-out']);
  });

  it('ends with the permission: the next request is refused, and what is open is cut within 10 seconds (RCFG-04)', async () => {
    expect((await state())[0]).toBe(200);
    const ws = page.browser.socket(`${page.url}/ws`);
    await once(ws, 'message');
    const closed = once(ws, 'close');
    const grants = (untilMs: number | null) =>
      relay.withDb((db) => db.updateTable('grants').set({ untilMs }).where('siteId', '=', acme.siteId).execute());
    await grants(clock.now() + 5_000);
    await pass(4_000);
    expect((await state())[0]).toBe(200);
    await pass(1_000);
    const at = clock.now();
    // Nobody asks: the stream is found by the recheck.
    await pass(10_000);
    await closed;
    expect(clock.now() - at).toBeLessThanOrEqual(10_000);
    expect(await state()).toEqual([410, 'closed-not-allowed']);
    expect((await acme.api('POST', `/devices/${device.id}/remote-sessions`)).status).toBe(404);
    await grants(null);

    page = await openPage(relay, acme, device.id);
    expect((await state())[0]).toBe(200);
    await grants(clock.now());
    expect(await state()).toEqual([410, 'closed-not-allowed']);
    await grants(null);
  }, 40_000);

  it('ends with the device, and when somebody ends it', async () => {
    expect((await state())[0]).toBe(200);
    const listed = (await acme.api('GET', `/devices/${device.id}/remote-sessions`)).body;
    expect(listed).toMatchObject({
      absent: null,
      items: [{ id: page.id, own: true, url: page.url, userName: 'Owner' }],
    });
    expect((await acme.api('DELETE', `/devices/${device.id}/remote-sessions/${page.id}`)).status).toBe(204);
    expect(await state()).toEqual([410, 'closed-ended']);
    const [entry, opened] = (await log()).filter((one) => /RemoteSession/.test(one.action ?? ''));
    expect([entry, opened]).toMatchObject([
      { action: 'endRemoteSession', detail: expect.stringContaining('1 requests') },
      { action: 'openRemoteSession' },
    ]);
    page = await openPage(relay, acme, device.id);
    expect((await state())[0]).toBe(200);
    const deletedAt = new Date().toISOString();
    await relay.withDb((db) => db.updateTable('devices').set({ deletedAt }).where('id', '=', device.id).execute());
    expect(await state()).toEqual([410, 'closed-not-allowed']);
  });

  it('is not there for a device reached by its address (RCFG-03)', async () => {
    const far = await site.add('203.0.113.7', 80, { byAddress: true });
    expect((await acme.api('GET', `/devices/${far.id}/remote-sessions`)).body).toEqual({
      absent: 'by-address',
      items: [],
    });
    expect((await acme.api('POST', `/devices/${far.id}/remote-sessions`)).body.code).toBe('conflict');
  });

  it('is the same while it is open, and there are so many for a person and for a device', async () => {
    expect((await openPage(relay, acme, device.id)).id).toBe(page.id);
    const others: Device[] = [];
    for (let i = 0; i < 7; i++) {
      others.push(await site.add(`127.88.1.${20 + i}`, 80));
      await openPage(relay, acme, others.at(-1)!.id);
    }
    others.push(await site.add('127.88.1.40', 80));
    expect((await acme.api('POST', `/devices/${others.at(-1)!.id}/remote-sessions`)).body.code).toBe('limit-reached');
    for (const other of others) await site.remove(other);
  });
});
