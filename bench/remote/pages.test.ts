import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { type Company, type TestRelay, until } from '../../relay/testing/relay.ts';
import type { Browser } from './browser.ts';
import { DevicePages, oddServer } from './device.ts';
import { type Device, openPage, Site, startRelay } from './harness.ts';

/* A device's own page in a browser: relay, tunnel, box and device over real sockets. */

type Opening = Awaited<ReturnType<typeof openPage>>;
let relay: TestRelay;
let acme: Company;
let site: Site;
let pages: DevicePages;
let device: Device;
let url: string;
let browser: Browser;

beforeAll(async () => {
  relay = await startRelay();
  acme = await relay.company('Acme');
  site = await new Site(relay, acme).start();
  pages = await new DevicePages('127.88.0.11').start();
  device = await site.add(pages.host, pages.port);
  ({ url, browser } = await openPage(relay, acme, device.id));
  const first = await browser.get(`${url}/`, { headers: { 'sec-fetch-mode': 'navigate' } });
  expect([first.status, first.headers['x-gatepost']]).toEqual([200, undefined]);
});
beforeEach(() => {
  pages.asked.length = 0;
});
afterAll(async () => {
  await site?.stop();
  await pages?.stop();
  await relay?.stop();
});
const last = () => pages.asked.at(-1)!;

describe('the page', () => {
  it('has its links to the device turned to its origin, however they are written, and no others (RCFG-01)', async () => {
    const ws = url.replace('http', 'ws');
    const wanted = pages
      .page()
      .replaceAll(`http://${pages.address}`, url)
      .replace(`//${pages.address}/i.png`, `${url.replace('http:', '')}/i.png`)
      .replace(`http:\\/\\/${pages.address}`, url.replaceAll('/', '\\/'))
      .replace(`ws://${pages.address}`, ws)
      .replace(`http%3A%2F%2F${pages.host}%3A${pages.port}`, encodeURIComponent(url))
      .replace(`https://${pages.host}/s`, `${url}/s`);
    for (const path of ['/', '/slow.html', '/packed/gzip', '/packed/deflate', '/packed/raw']) {
      const answer = await browser.get(`${url}${path}`, { headers: { 'accept-encoding': 'gzip, br' } });
      expect([path, answer.status, answer.text]).toEqual([path, 200, wanted]);
      expect(answer.headers['content-encoding']).toBeUndefined();
    }
    expect((await browser.get(`${url}/ISAPI/settings`)).text).toContain(`http://${pages.address}/`);
  });

  it('is asked for as if the browser stood beside the device, and nothing of the relay goes there', async () => {
    await browser.get(`${url}/a/b?c=%20d#e`, {
      headers: {
        origin: url,
        referer: `${url}/page`,
        'x-forwarded-for': '1.2.3.4',
        'sec-fetch-site': 'same-origin',
        'x-own': 'yes',
        connection: 'close, x-hop',
        'x-hop': '1',
        'accept-encoding': 'gzip, br',
      },
    });
    const { headers, url: asked } = last();
    expect(asked).toBe('/a/b?c=%20d');
    expect(headers).toMatchObject({
      host: pages.address,
      origin: `http://${pages.address}`,
      referer: `http://${pages.address}/page`,
      'x-own': 'yes',
      'accept-encoding': 'gzip',
    });
    for (const name of ['x-forwarded-for', 'sec-fetch-site', 'x-hop', 'cookie']) expect(headers[name]).toBeUndefined();
  });

  it('may not be kept by others, framed, or make promises about the host', async () => {
    const { headers } = await browser.get(`${url}/`);
    expect(headers['cache-control']).toBe('private, max-age=60');
    expect(headers['strict-transport-security']).toBeUndefined();
    expect(headers['content-security-policy']).toBe("frame-ancestors 'self'");
    expect([headers['x-robots-tag'], headers['origin-agent-cluster']]).toEqual(['noindex, nofollow', '?1']);
    const csp = (await browser.get(`${url}/csp`)).headers;
    expect(csp['content-security-policy']).toBe(`default-src ${url};, frame-ancestors 'self'`);
    expect([csp['clear-site-data'], csp.refresh]).toEqual([undefined, `5; url=${url}/next`]);
  });
});

describe('redirects', () => {
  const to = async (where: string, code = 302) => {
    const path = `/redirect?code=${code}&to=${encodeURIComponent(where)}`;
    const { status, headers, text } = await browser.get(`${url}${path}`, { follow: false });
    return [status, headers.location ?? /href="([^"]*)"/.exec(text)?.[1]];
  };
  it('to the device stay on the origin, and none is kept for ever', async () => {
    expect(await to('SELF/x?y#z')).toEqual([302, '/x?y#z']);
    expect(await to('relative')).toEqual([302, '/relative']);
    expect(await to('/a', 301)).toEqual([302, '/a']);
    expect(await to('SELF/a', 308)).toEqual([307, '/a']);
    expect(await to(`//${pages.address}/b`)).toEqual([302, '/b']);
    expect(await to('SELF//evil.example/')).toEqual([302, '/evil.example/']);
  });
  it('elsewhere are shown and not followed', async () => {
    expect(await to('http://evil.example/')).toEqual([502, 'http://evil.example/']);
    expect(await to('//evil.example/')).toEqual([502, 'http://evil.example/']);
    expect((await to('javascript:alert(1)'))[0]).toBe(502);
    expect((await to(`http://${pages.host}:1/`))[0]).toBe(502);
    expect((await to('http://169.254.169.254/latest'))[0]).toBe(502);
    expect((await browser.get(`${url}/still`)).text).toBe('GET /still');
  });
});

it('its cookies stay on its origin, and cannot take the place of the relay’s', async () => {
  const first = await browser.get(`${url}/cookies`);
  expect(first.headers['set-cookie']).toEqual(['WebSession=abc; Path=/; HttpOnly', 'lang=en']);
  expect((await browser.get(`${url}/cookies`)).text).toBe('WebSession=abc; lang=en');
  expect(browser.jar(new URL(url).host).get('gp_device')).toMatch(/^[\w-]{43}$/);
});

it('a digest login works from the browser’s own prompt', async () => {
  const asked = await browser.get(`${url}/login?a=1`);
  expect(asked.status).toBe(401);
  const challenge = String(asked.headers['www-authenticate']);
  expect(challenge).toContain('Basic realm');
  expect(challenge).toContain(`domain="${url}/"`);
  const authorization = DevicePages.authorization(challenge, 'GET', '/login?a=1');
  expect((await browser.get(`${url}/login?a=1`, { headers: { authorization } })).text).toBe('welcome');
});

describe('requests of all kinds', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND'])('%s', async (method) => {
    const answer = await browser.get(`${url}/any?thing`, { method, headers: { origin: url } });
    expect([answer.status, answer.text]).toEqual([200, method === 'HEAD' ? '' : `${method} /any?thing`]);
    expect(last().headers['transfer-encoding']).toBeUndefined();
  });
  it('a path with two slashes, dots and odd characters stays what it is', async () => {
    for (const path of ['//a//b', '/a/../b', '/a/%2e%2e/b', '/a;b=c?d[]=|', '/doc/page/login.asp?_1763']) {
      const { host } = new URL(url);
      const cookie = browser.cookie(host).cookie;
      await browser.raw(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
        2_000,
      );
      expect(last().url).toBe(path);
    }
  });
  it('ranges', async () => {
    const part = await browser.get(`${url}/range`, { headers: { range: 'bytes=10-19' } });
    expect([part.status, part.headers['content-range'], part.text]).toEqual([206, 'bytes 10-19/1000', 'ababababab']);
    expect((await browser.get(`${url}/range`)).headers['content-length']).toBe('1000');
  });
  it('long polling, beside others', async () => {
    const polls = Array.from({ length: 5 }, () => browser.get(`${url}/poll`));
    expect((await browser.get(`${url}/meanwhile`)).text).toBe('GET /meanwhile');
    expect((await Promise.all(polls)).map((one) => one.text)).toEqual(Array(5).fill('at last'));
  });
  it('an answer that the device cuts is cut', async () => {
    await expect(browser.get(`${url}/cut`)).rejects.toThrow();
  });
  it('a hundred at once', async () => {
    const all = await Promise.all(Array.from({ length: 60 }, (_, i) => browser.get(`${url}/n${i}`)));
    expect(all.map((one) => one.text)).toEqual(all.map((_, i) => `GET /n${i}`));
  });
});

describe('uploads and downloads', () => {
  it('an upload that the device refuses before its end is answered', async () => {
    const body = Buffer.alloc(8_000_000);
    const answer = await browser.get(`${url}/refused-upload`, { method: 'PUT', body, headers: { origin: url } });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Digest realm="x", nonce="1"']);
  });

  it('300 MB go up unchanged, with their length, and without being held in memory', async () => {
    const total = 300_000_000;
    const { host } = new URL(url);
    const chunk = randomBytes(1_000_000);
    const hash = createHash('sha256');
    let most = 0;
    global.gc?.();
    const before = process.memoryUsage();
    const watch = setInterval(() => {
      const now = process.memoryUsage();
      most = Math.max(most, now.external + now.heapUsed);
    }, 20);
    const request = httpRequest({
      host: '127.0.0.1',
      port: relay.port,
      method: 'PUT',
      path: '/upload',
      headers: { host, 'content-length': String(total), ...browser.cookie(host), origin: url },
    });
    const answered = once(request, 'response');
    const began = performance.now();
    for (let sent = 0; sent < total; sent += chunk.length) {
      hash.update(chunk);
      if (!request.write(chunk)) await once(request, 'drain');
    }
    request.end();
    // Something small is not held up by it.
    const [response] = await answered;
    response.resume();
    clearInterval(watch);
    const seconds = (performance.now() - began) / 1000;
    const grown = (most - before.external - before.heapUsed) / 1e6;
    console.log(`300 MB up: ${(total / 1e6 / seconds).toFixed(0)} MB/s, ${grown.toFixed(0)} MB held at most`);
    expect(pages.uploads.at(-1)).toEqual({ bytes: total, hash: hash.digest('hex'), length: String(total) });
    expect(grown).toBeLessThan(200);
  }, 60_000);

  it('100 MB come down', async () => {
    const answer = await browser.get(`${url}/big?bytes=100000000`);
    expect(answer.text.length).toBe(100_000_000);
  }, 60_000);
});

describe('WebSockets', () => {
  const message = (ws: WebSocket) => once(ws, 'message').then(([data]) => String(data));
  it('with several sub-protocols, both ways', async () => {
    const ws = browser.socket(`${url}/ws`, { protocols: ['a', 'b'] });
    expect(await message(ws)).toBe('hello b');
    expect(last().headers).toMatchObject({ origin: `http://${pages.address}`, host: pages.address });
    expect(last().headers.cookie ?? '').not.toContain('gp_device');
    const big = 'x'.repeat(300_000);
    ws.send(big);
    expect(await message(ws)).toBe(big);
    ws.close();
    await once(ws, 'close');
  });
  it('that the device refuses are refused', async () => {
    const ws = browser.socket(`${url}/ws-login`);
    const [, response] = await once(ws, 'unexpected-response');
    expect([response.statusCode, response.headers['www-authenticate']]).toEqual([401, 'Digest realm="x"']);
  });
});

describe('web servers that are what they are', () => {
  const ANSWERS: [string, string | Buffer, string][] = [
    ['no length, closed at the end', 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold', 'old'],
    ['lines that end in a line feed only', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nlf', 'lf'],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 'ok'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
      'hi',
    ],
    ['control characters in a header', 'HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 2\r\n\r\nok', 'ok'],
    [
      'Latin-1 in a header',
      Buffer.from('HTTP/1.1 200 OK\r\nX-A: B\xe4r\r\nContent-Length: 2\r\n\r\nok', 'latin1'),
      'ok',
    ],
    [
      'a header beyond what Node takes',
      `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(40_000)}\r\nContent-Length: 2\r\n\r\nok`,
      'ok',
    ],
  ];
  const at = async (answer: (head: string) => string | Buffer, look: (page: Opening) => Promise<void>) => {
    const odd = await oddServer('127.88.0.12', answer);
    const camera = await site.add('127.88.0.12', odd.port);
    try {
      await look(await openPage(relay, acme, camera.id));
    } finally {
      await odd.stop();
      await site.remove(camera);
    }
  };
  it.each(ANSWERS)('%s', (_, answer, text) =>
    at(
      () => answer,
      async (page) => {
        const got = await page.browser.get(`${page.url}/`);
        expect([got.status, got.text]).toEqual([200, text]);
      },
    ));
  it('what is no HTTP at all is said', () =>
    at(
      () => 'SSH-2.0-dropbear\r\n\r\n',
      async (page) => {
        const got = await page.browser.get(`${page.url}/`);
        expect([got.status, got.headers['x-gatepost']]).toEqual([502, 'broken']);
      },
    ));
  it('a connection closed between two requests costs nothing', () => {
    let asked = 0;
    const answer = () => `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n${++asked}`;
    return at(answer, async (page) => {
      for (const n of ['1', '2', '3', '4']) expect((await page.browser.get(`${page.url}/`)).text).toBe(n);
    });
  });
});

it('ends cleanly when the tunnel drops, and goes on when it is back (RCFG-01)', async () => {
  const stream = browser.get(`${url}/stream`).catch(() => 'cut');
  await until('the stream', () => pages.asked.some((one) => one.url === '/stream'));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await site.disconnect();
  expect(await stream).toBe('cut');
  const away = await browser.get(`${url}/`);
  expect([away.status, away.headers['x-gatepost'], away.headers.refresh]).toEqual([503, 'box-away', '10']);
  await site.connect();
  expect((await browser.get(`${url}/again`)).text).toBe('GET /again');
});
