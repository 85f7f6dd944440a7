import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { createServer as createSecure, type TlsOptions } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock, ManualClock } from '../../protocol/clock.ts';
import { certificate } from './testing/certificate.ts';
import { findWay } from './way.ts';

const host = '127.0.0.1';
let pair: ReturnType<typeof certificate>;
let weak: ReturnType<typeof certificate>;
const ends: (() => unknown)[] = [];
beforeAll(() => {
  pair = certificate();
  weak = certificate({ bits: 1024, digest: 'sha1' });
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
/** A web server; what it was asked stands in `seen`. */
const web = async (answer: RequestListener) => listen(createServer(answer));
const secure = async (options: TlsOptions = {}, of = pair) =>
  listen(createSecure({ key: of.key, cert: of.cert, ...options }, (socket) => socket.on('error', () => {})));
/** Nobody listens there. */
async function closed(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
const find = (port: number, ...httpsPorts: number[]) => findWay({ host, port, clock, httpsPorts });

describe('how a device wants to be spoken to', () => {
  it('is HTTP where HTTP is answered, and HTTPS beside it is not looked for', async () => {
    const seen: (string | undefined)[] = [];
    const port = await web((req, res) => {
      seen.push(req.headers.authorization);
      res.writeHead(401, { 'www-authenticate': 'Digest realm="x", nonce="y"' }).end();
    });
    expect(await find(port, await secure())).toEqual({ port });
    expect(seen).toEqual([undefined]);
  });

  it('is HTTPS where HTTP is refused', async () => {
    const https = await secure();
    const tls = { certificate: pair.fingerprint, old: false };
    expect(await find(await closed(), https)).toEqual({ port: https, tls });
  });

  it('is HTTPS where the port itself speaks TLS', async () => {
    const port = await secure();
    expect(await find(port, await closed())).toMatchObject({ port, tls: { certificate: pair.fingerprint } });
    expect(await find(port, port)).toMatchObject({ port, tls: { certificate: pair.fingerprint } });
  });

  it.each([301, 302, 307, 308])('is HTTPS where HTTP redirects to it with %s, at this host alone', async (status) => {
    const https = await secure();
    const port = await web((_req, res) => res.writeHead(status, { location: `https://elsewhere:${https}/` }).end());
    expect(await find(port, await closed())).toMatchObject({ port: https, tls: { certificate: pair.fingerprint } });
  });

  it('is HTTPS where ONVIF alone is sent to it, or HTTP says that HTTPS is wanted', async () => {
    const https = await secure();
    const onvif = await web((req, res) =>
      req.url?.startsWith('/onvif')
        ? res.writeHead(302, { location: `https://${host}:${https}${req.url}` }).end()
        : res.writeHead(404).end(),
    );
    expect(await find(onvif, await closed())).toMatchObject({ port: https });
    const upgrade = await web((_req, res) => res.writeHead(426).end());
    expect(await find(upgrade, https)).toMatchObject({ port: https });
    const says = await web((_req, res) => res.writeHead(403).end('<html>Please use HTTPS</html>'));
    expect(await find(says, https)).toMatchObject({ port: https });
  });

  it('stays HTTP where nothing else is found, so that asking says why', async () => {
    const nowhere = await closed();
    expect(await find(nowhere, await closed())).toEqual({ port: nowhere });
    const redirect = await web((_req, res) => res.writeHead(302, { location: '/doc/page/login.asp' }).end());
    expect(await find(redirect, await secure())).toEqual({ port: redirect });
  });

  it('takes RSA-1024 and SHA-1 in TLS 1.2 as current, and offers what is older to those alone that can nothing else', async () => {
    const modern = await secure({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256:@SECLEVEL=0' }, weak);
    expect(await find(modern, modern)).toEqual({ port: modern, tls: { certificate: weak.fingerprint, old: false } });
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'AES128-SHA:@SECLEVEL=0' } as const;
    const ancient = await secure(old, weak);
    expect(await find(ancient, ancient)).toEqual({ port: ancient, tls: { certificate: weak.fingerprint, old: true } });
  });

  it('is ended where a handshake hangs, or floods', async () => {
    const hangs = await listen(createTcp((socket) => socket.resume()));
    let sent = 0;
    const floods = await listen(
      createTcp((socket) => {
        // Records of a handshake message that says it is 16 MB.
        const record = Buffer.concat([
          Buffer.from([0x16, 3, 3, 0x3f, 0xff, 0x0b, 0xff, 0xff, 0xff]),
          Buffer.alloc(16_379),
        ]);
        socket.resume();
        const more = () => {
          while (!socket.destroyed && sent < 64_000_000 && socket.write(record)) sent += record.length;
          sent += record.length;
        };
        socket.on('drain', more);
        more();
      }),
    );
    const clock = new ManualClock(0);
    const found = [hangs, floods].map((port) => findWay({ host, port, clock, httpsPorts: [port] }));
    let open = true;
    const all = Promise.all(found).finally(() => (open = false));
    while (open && clock.mono() < 30_000) {
      await clock.advance(500);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(open).toBe(false);
    expect(await all).toEqual([{ port: hangs }, { port: floods }]);
    expect(sent).toBeLessThan(32_000_000);
  });
});
