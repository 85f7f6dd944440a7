import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Company, TestRelay } from '../../relay/testing/relay.ts';
import { openPage, Site, startRelay, webServer } from './harness.ts';

/* Devices whose page is behind TLS, with certificates that nobody has signed. */

let relay: TestRelay;
let acme: Company;
let site: Site;
const host = '127.88.4.11';

function certificate(): { key: string; cert: string } {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-cert-'));
  const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
  // As old devices have them: 1024 bits, no further names.
  const wanted = ['-newkey', 'rsa:1024', '-nodes', '-keyout', key, '-subj', '/CN=DVR', '-days', '2', '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...wanted], { stdio: 'ignore' });
  const made = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  rmSync(dir, { recursive: true });
  return made;
}
async function listen(port: number, options: object, answer: RequestListener): Promise<Server> {
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const server = createServer({ ...certificate(), ...old, ...options }, answer);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return server;
}
const close = (server: Server) =>
  new Promise<void>((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });

beforeAll(async () => {
  relay = await startRelay();
  acme = await relay.company('Acme');
  site = await new Site(relay, acme).start();
});
afterAll(async () => {
  await site?.stop();
  await relay?.stop();
});

it.each([
  'TLSv1',
  'TLSv1.2',
  'TLSv1.3',
])('a redirect to %s is followed by the box, which trusts the first certificate and no other until a person says so (RCFG-01)', async (maxVersion) => {
  const page: RequestListener = (request, response) => response.end(`secure ${request.url} ${request.headers.host}`);
  const first = await listen(0, { maxVersion }, page);
  const { port } = first.address() as { port: number };
  const plain = await webServer((request, response) => {
    response.writeHead(301, { location: `https://${host}:${port}${request.url}` }).end();
  }, host);
  const device = await site.add(host, plain.port);
  const { browser, url } = await openPage(relay, acme, device.id);
  // The box has not heard that the device has TLS there.
  const refused = await browser.get(`${url}/a?b`);
  expect([refused.status, refused.headers['x-gatepost']]).toEqual([502, 'redirect']);
  site.httpsPorts.push(port);
  expect((await browser.get(`${url}/a?b`)).text).toBe(`secure /a?b ${host}:${port}`);
  await close(first);

  const second = await listen(port, { maxVersion }, page);
  const other = await browser.get(`${url}/a`);
  expect([other.status, other.headers['x-gatepost']]).toEqual([502, 'certificate']);
  expect((await acme.api('POST', `/devices/${device.id}/certificate/forget`)).status).toBe(204);
  expect((await browser.get(`${url}/a`)).text).toBe(`secure /a ${host}:${port}`);
  await close(second);
  await plain.stop();
  await site.remove(device);
  site.httpsPorts.length = 0;
});

it('a device that was added over HTTPS is opened by TLS with the certificate that it was added with, and with no other (RCFG-01)', async () => {
  const asked: string[] = [];
  const page: RequestListener = (request, response) => {
    asked.push(`${request.url} ${request.headers.host}`);
    response.end('secure');
  };
  const own = certificate();
  const first = await listen(0, own, page);
  const { port } = first.address() as { port: number };
  const tls = { certificate: new X509Certificate(own.cert).fingerprint256, old: false };
  const device = await site.add(host, port, { tls });
  const { browser, url } = await openPage(relay, acme, device.id);
  for (const path of ['/', '/a']) expect((await browser.get(url + path)).text).toBe('secure');
  expect(asked.at(-1)).toBe(`/a ${host}:${port}`);
  const before = asked.length;
  await close(first);

  const second = await listen(port, {}, page);
  const other = await browser.get(`${url}/a`);
  expect([other.status, other.headers['x-gatepost']]).toEqual([502, 'certificate']);
  // Which one is to be trusted is said by its fingerprint.
  expect((await acme.api('POST', `/devices/${device.id}/certificate/forget`)).status).toBe(409);
  expect(asked).toHaveLength(before);
  await close(second);
  await site.remove(device);
});
