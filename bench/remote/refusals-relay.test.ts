import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import type { Company, TestRelay } from '../../relay/testing/relay.ts';
import { Browser } from './browser.ts';
import { DevicePages } from './device.ts';
import { openPage, Site, startRelay } from './harness.ts';

/* The other half of refusals-box.test.ts: what a browser, or somebody who plays one, may ask of the relay. */

describe('at the relay: what a browser may ask for', () => {
  let relay: TestRelay;
  let acme: Company;
  let rival: Company;
  let site: Site;
  let pages: DevicePages;
  let neighbour: DevicePages;
  let browser: Browser;
  let url: string;
  let host: string;
  let next: { url: string; host: string; id: string };
  let id: string;
  let deviceId: string;
  const navigate = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

  beforeAll(async () => {
    relay = await startRelay();
    [acme, rival] = [await relay.company('Acme'), await relay.company('Rival')];
    site = await new Site(relay, acme).start();
    [pages, neighbour] = [await new DevicePages('127.88.3.11').start(), await new DevicePages('127.88.3.12').start()];
    deviceId = (await site.add(pages.host, pages.port)).id;
    const page = await openPage(relay, acme, deviceId);
    ({ url, browser, id } = page);
    host = new URL(url).host;
    expect((await browser.get(`${url}/`, { headers: navigate })).status).toBe(200);
    const second = await openPage(relay, acme, (await site.add(neighbour.host, neighbour.port)).id, browser);
    next = { url: second.url, host: new URL(second.url).host, id: second.id };
    expect((await browser.get(`${next.url}/`, { headers: navigate })).status).toBe(200);
    pages.asked.length = 0;
    neighbour.asked.length = 0;
  });
  afterAll(async () => {
    await site?.stop();
    await pages?.stop();
    await neighbour?.stop();
    await relay?.stop();
  });

  const key = () => browser.jar(host).get('gp_device')!;
  const nextKey = () => browser.jar(next.host).get('gp_device')!;
  /** A request without the browser's help. `lines`: its header, the Host first unless it says so itself. */
  const raw = async (line: string, lines: string[], body = '') => {
    const text = await browser.raw(`${line}\r\n${lines.join('\r\n')}\r\n\r\n${body}`, 250);
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  };
  const cookie = () => `Cookie: gp_device=${key()}`;
  const mine = () => ({ cookie: `gp_device=${key()}` });
  const chunked = 'Transfer-Encoding: chunked';
  const empty = '0\r\n\r\n';
  const odd = (method: string, lines: string[], body = '') =>
    raw(`${method} /x HTTP/1.1`, [`Host: ${host}`, cookie(), ...lines], body);
  const ws = (lines: string[]) =>
    raw('GET /ws HTTP/1.1', [
      ...lines,
      ...[
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ],
    ]);
  const status = async (path: string, headers: Record<string, string>, method = 'GET') =>
    (
      await new Browser(relay.port).get(`${url}${path}`, {
        method,
        headers: { accept: '*/*', ...headers },
        follow: false,
      })
    ).status;

  const TRIES: [what: string, wanted: number | number[], attempt: () => Promise<number>][] = [
    ['no cookie', 401, () => status('/x', {})],
    ['an empty cookie', 401, () => status('/x', { cookie: 'gp_device=' })],
    ['a made-up cookie', 401, () => status('/x', { cookie: `gp_device=${'A'.repeat(43)}` })],
    ['the cookie of a neighbouring device’s page', 401, () => status('/x', { cookie: `gp_device=${nextKey()}` })],
    ['the cookie under another name', 401, () => status('/x', { cookie: `gp_session=${key()}` })],
    ['the portal’s own session in the cookie', 401, () => status('/x', { cookie: `gp_device=${acme.token}` })],
    ['the portal’s own session as a bearer', 401, () => status('/x', { authorization: `Bearer ${acme.token}` })],
    ['the hash of nothing', 401, () => status('/x', { cookie: 'gp_device=undefined; gp_device=null; gp_device=0' })],
    ['the cookie in capitals', 401, () => status('/x', { cookie: `gp_device=${key().toUpperCase()}x` })],
    ['the session’s id in the cookie', 401, () => status('/x', { cookie: `gp_device=${id}` })],
    [
      'many wrong cookies',
      401,
      () =>
        status('/x', {
          cookie: Array(50)
            .fill(`gp_device=${'B'.repeat(43)}`)
            .join('; '),
        }),
    ],
    [
      'a label that nobody has',
      410,
      () => raw('GET / HTTP/1.1', [`Host: ${'a'.repeat(26)}.localhost:${relay.port}`, cookie()]),
    ],
    ['a label in capitals', 400, () => raw('GET / HTTP/1.1', [`Host: ${host.toUpperCase()}`, cookie()])],
    ['a label with a dot behind', 400, () => raw('GET / HTTP/1.1', [`Host: ${host.replace(':', '.:')}`, cookie()])],
    ['another port in Host', 400, () => raw('GET / HTTP/1.1', [`Host: ${host.replace(/:\d+/, ':81')}`, cookie()])],
    ['no port in Host', 400, () => raw('GET / HTTP/1.1', [`Host: ${host.replace(/:\d+/, '')}`, cookie()])],
    ['a name below the label', 400, () => raw('GET / HTTP/1.1', [`Host: x.${host}`, cookie()])],
    ['a blank in Host', [400, 0], () => raw('GET / HTTP/1.1', [`Host: ${host} x`, cookie()])],
    ['two Host headers', 400, () => raw('GET / HTTP/1.1', [`Host: ${host}`, `Host: ${next.host}`, cookie()])],
    ['no Host', 400, () => raw('GET / HTTP/1.1', [cookie()])],
    ['a whole address, of this origin', 400, () => raw(`GET http://${host}/x HTTP/1.1`, [`Host: ${host}`, cookie()])],
    [
      'a whole address, of another',
      400,
      () => raw('GET http://169.254.169.254/ HTTP/1.1', [`Host: ${host}`, cookie()]),
    ],
    [
      'a whole address of the device',
      400,
      () => raw(`GET http://${pages.address}/ HTTP/1.1`, [`Host: ${host}`, cookie()]),
    ],
    ['OPTIONS *', 400, () => raw('OPTIONS * HTTP/1.1', [`Host: ${host}`, cookie()])],
    ['TRACE', 400, () => raw('TRACE /x HTTP/1.1', [`Host: ${host}`, cookie()])],
    ['CONNECT', [0, 400], () => raw('CONNECT 127.0.0.1:80 HTTP/1.1', [`Host: ${host}`, cookie()])],
    ['a method that there is not', 400, () => raw('GATE /x HTTP/1.1', [`Host: ${host}`, cookie()])],
    ['HTTP/2 in clear', 400, () => raw('PRI * HTTP/2.0', [], 'SM\r\n\r\n')],
    ['two lengths', 400, () => odd('POST', ['Content-Length: 1', 'Content-Length: 2'], 'ab')],
    ['two equal lengths', 400, () => odd('POST', ['Content-Length: 1', 'Content-Length: 1'], 'a')],
    ['a length and chunks', 400, () => odd('POST', ['Content-Length: 4', chunked], empty)],
    ['chunks and a length', 400, () => odd('POST', [chunked, 'Content-Length: 4'], empty)],
    ['a coding before chunked', [400, 501], () => odd('POST', ['Transfer-Encoding: gzip, chunked'], empty)],
    ['a coding that is none', 400, () => odd('POST', ['Transfer-Encoding: xchunked'], empty)],
    ['chunked twice', 400, () => odd('POST', [chunked, chunked], empty)],
    ['a blank before the colon', 400, () => odd('POST', ['Transfer-Encoding : chunked'], empty)],
    ['a folded header', 400, () => odd('GET', ['X-A: a', ' b: c'])],
    ['a negative length', 400, () => odd('POST', ['Content-Length: -1'])],
    ['a length with a sign', 400, () => odd('POST', ['Content-Length: +1'], 'a')],
    ['a zero byte in a header', 400, () => odd('GET', ['X-A: a\0b'])],
    ['a line feed alone in a header', 400, () => odd('GET', ['X-A: a\nX-B: b'])],
    ['a blank in the path', 400, () => raw('GET /x y HTTP/1.1', [`Host: ${host}`, cookie()])],
    ['a path without its slash', 400, () => raw('GET x HTTP/1.1', [`Host: ${host}`, cookie()])],
    ['a header that is too long', 431, () => odd('GET', [`X-A: ${'a'.repeat(20_000)}`])],
    ['POST by a page of another site', 403, () => status('/x', { ...mine(), 'sec-fetch-site': 'cross-site' }, 'POST')],
    [
      'POST by a neighbouring device’s page',
      403,
      () => status('/x', { ...mine(), 'sec-fetch-site': 'same-site', origin: next.url }, 'POST'),
    ],
    [
      'a form of another site, in an old browser',
      403,
      () => status('/x', { ...mine(), origin: 'https://evil.example' }, 'POST'),
    ],
    ['a form of the portal’s', 403, () => status('/x', { ...mine(), origin: relay.url }, 'POST')],
    ['an Origin of null', 403, () => status('/x', { ...mine(), origin: 'null' }, 'POST')],
    ['an Origin that begins alike', 403, () => status('/x', { ...mine(), origin: `${url}.evil.example` }, 'PUT')],
    [
      'a picture by another site',
      403,
      () => status('/x', { ...mine(), 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }),
    ],
    [
      'a frame by another site',
      403,
      () =>
        status('/x', {
          ...mine(),
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'iframe',
        }),
    ],
    [
      'a script by a neighbour',
      403,
      () => status('/x', { ...mine(), 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }),
    ],
    [
      'reading by another site’s script',
      403,
      () =>
        status('/x', {
          ...mine(),
          'sec-fetch-site': 'cross-site',
          'sec-fetch-mode': 'cors',
          origin: 'https://evil.example',
        }),
    ],
    [
      'a link of another site to an action',
      200,
      () => status('/reboot?now=1', { ...mine(), 'sec-fetch-site': 'cross-site', ...navigate }),
    ],
    ['a WebSocket without a cookie', 401, () => ws([`Host: ${host}`, `Origin: ${url}`])],
    [
      'a WebSocket with a neighbour’s cookie',
      401,
      () => ws([`Host: ${host}`, `Origin: ${url}`, `Cookie: gp_device=${nextKey()}`]),
    ],
    ['a WebSocket of another site', 403, () => ws([`Host: ${host}`, 'Origin: https://evil.example', cookie()])],
    ['a WebSocket of a neighbour’s page', 403, () => ws([`Host: ${host}`, `Origin: ${next.url}`, cookie()])],
    ['a WebSocket of the portal’s', 403, () => ws([`Host: ${host}`, `Origin: ${relay.url}`, cookie()])],
    ['a WebSocket of nobody', 403, () => ws([`Host: ${host}`, cookie()])],
    ['a WebSocket of null', 403, () => ws([`Host: ${host}`, 'Origin: null', cookie()])],
    [
      'a WebSocket to a label that nobody has',
      410,
      () =>
        ws([
          `Host: ${'a'.repeat(26)}.localhost:${relay.port}`,
          `Origin: http://${'a'.repeat(26)}.localhost:${relay.port}`,
          cookie(),
        ]),
    ],
    [
      'the tunnel’s own address on a device’s host',
      [400, 403],
      () =>
        raw('GET /tunnel HTTP/1.1', [
          `Host: ${host}`,
          cookie(),
          `Origin: ${url}`,
          'Connection: Upgrade',
          'Upgrade: gatepost-tunnel',
        ]),
    ],
    ['an upgrade to something else', 400, () => odd('GET', [`Origin: ${url}`, 'Connection: Upgrade', 'Upgrade: h2c'])],
    [
      'two upgrades',
      [400, 403],
      () =>
        raw('GET /x HTTP/1.1', [
          `Host: ${host}`,
          cookie(),
          `Origin: ${url}`,
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Upgrade: h2c',
        ]),
    ],
    ['entering with a made-up code', 403, () => status(`/.gatepost/enter?code=${'A'.repeat(32)}`, {})],
    ['entering with no code', 403, () => status('/.gatepost/enter', {})],
    ['entering by POST', 400, () => status('/.gatepost/enter', {}, 'POST')],
    ['another address of the relay’s own', 400, () => status('/.gatepost/anything', mine())],
    ['entering with a code for another browser (fixation)', 403, () => stolenCode({})],
    ['entering with a code and a planted state', 403, () => stolenCode({ cookie: 'gp_device_state=planted' })],
    ['a code twice', 403, usedCode],
    ['the way in for a page that another person has opened', 403, () => enter(rival.token, id)],
    ['the way in without a sign-in', 401, () => enter(null, id)],
    ['the way in with a made-up sign-in', 401, () => enter('A'.repeat(43), id)],
    ['the way in to a session that there is not', 410, () => enter(acme.token, uuidv7())],
    ['the way in to what is no id', 410, () => enter(acme.token, '..%2f..%2fapi')],
    ['the way in without a state', 403, () => enter(acme.token, id, '')],
    [
      'another company opens the device',
      404,
      async () => (await rival.api('POST', `/devices/${deviceId}/remote-sessions`)).status,
    ],
    ['another company lists', 404, async () => (await rival.api('GET', `/devices/${deviceId}/remote-sessions`)).status],
    [
      'another company ends',
      404,
      async () => (await rival.api('DELETE', `/devices/${deviceId}/remote-sessions/${id}`)).status,
    ],
    [
      'another device’s address ends this session',
      404,
      async () => (await acme.api('DELETE', `/devices/${site.devices[1]!.id}/remote-sessions/${id}`)).status,
    ],
    [
      'another company forgets the certificate',
      404,
      async () => (await rival.api('POST', `/devices/${deviceId}/certificate/forget`)).status,
    ],
    [
      'a device that there is not',
      404,
      async () => (await acme.api('POST', `/devices/${uuidv7()}/remote-sessions`)).status,
    ],
    ['nobody opens', 401, async () => (await relay.call('POST', `/api/v1/devices/${deviceId}/remote-sessions`)).status],
    [
      'another site’s page opens',
      403,
      async () =>
        (
          await relay.call('POST', `/api/v1/devices/${deviceId}/remote-sessions`, undefined, {
            cookie: `gp_session=${acme.token}`,
            origin: 'https://evil.example',
          })
        ).status,
    ],
    [
      'a device’s page opens',
      403,
      async () =>
        (
          await relay.call('POST', `/api/v1/devices/${deviceId}/remote-sessions`, undefined, {
            cookie: `gp_session=${acme.token}`,
            origin: url,
          })
        ).status,
    ],
    [
      'the portal’s API on a device’s host',
      401,
      () => status('/api/v1/company', { cookie: `gp_session=${acme.token}` }),
    ],
    ['the metrics on a device’s host', 401, () => status('/metrics', {})],
    ['the portal’s page on a device’s host', 401, () => status('/index.html', { accept: '*/*' })],
  ];

  /** A code as the portal gives it to the right person, in somebody else's browser. */
  async function newCode(state: string): Promise<string> {
    const answer = await browser.get(`${relay.url}/remote/enter/${id}?state=${state}`, {
      follow: false,
      headers: { cookie: `gp_session=${acme.token}` },
    });
    return /code=([\w-]+)/.exec(String(answer.headers.location))![1]!;
  }
  async function stolenCode(headers: Record<string, string>): Promise<number> {
    return status(`/.gatepost/enter?code=${await newCode('a'.repeat(64))}`, headers);
  }
  async function usedCode(): Promise<number> {
    const fresh = new Browser(relay.port);
    const first = await fresh.get(`${url}/`, { follow: false, headers: navigate });
    const state = new URL(String(first.headers.location)).searchParams.get('state')!;
    const code = await newCode(state);
    const held = fresh.cookie(host);
    const entered = await fresh.get(`${url}/.gatepost/enter?code=${code}`, { follow: false });
    expect(entered.headers['x-gatepost']).toBe('opening');
    return status(`/.gatepost/enter?code=${code}`, held);
  }
  async function enter(token: string | null, session: string, state = 'a'.repeat(64)): Promise<number> {
    const { status: answered } = await relay.call('GET', `/remote/enter/${session}?state=${state}`, undefined, {
      ...(token ? { cookie: `gp_session=${token}` } : {}),
    });
    return answered;
  }

  it.each(TRIES)('%s', async (_, wanted, attempt) => {
    const before = [pages.asked.length, neighbour.asked.length];
    expect([wanted].flat()).toContain(await attempt());
    expect([pages.asked.length, neighbour.asked.length]).toEqual(before);
  });

  it('a second cookie, planted by a neighbour, neither opens nor shuts the page', async () => {
    const planted = { cookie: `gp_device=${nextKey()}; gp_device=${key()}; WebSession=1` };
    expect(await status('/planted', planted)).toBe(200);
    expect(pages.asked.at(-1)!.headers.cookie).toBe('WebSession=1');
  });

  it('and the page still works, and nothing came through', async () => {
    expect((await browser.get(`${url}/still`)).text).toBe('GET /still');
    expect(pages.asked.map((one) => one.url)).toEqual(['/planted', '/still']);
    expect(TRIES.length).toBeGreaterThanOrEqual(80);
  });
});
