import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../../protocol/clock.ts';
import type { DeviceTls } from '../../protocol/wire/device-tls.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { activate } from '../isapi/activation.ts';
import { IsapiClient } from '../isapi/client.ts';
import { ScriptedDevice } from '../isapi/testing/scripted-device.ts';
import { OnvifClient } from '../onvif/client.ts';
import { certificate } from './testing/certificate.ts';
import { RecordingServer } from './testing/recording-server.ts';

/* Credentials and certificates: what is sent to whom. */

const log = pino({ enabled: false });
const login = { host: '127.0.0.1', username: 'admin', password: 'Correct-1', clock, log };
let own: ReturnType<typeof certificate>;
let other: ReturnType<typeof certificate>;
const ends: (() => unknown)[] = [];
beforeAll(() => {
  own = certificate({ bits: 1024, digest: 'sha1' });
  other = certificate();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const pinned = (): DeviceTls => ({ certificate: own.fingerprint, old: false });
async function device(options: object = {}, port = 0): Promise<{ scripted: ScriptedDevice; port: number }> {
  const scripted = new ScriptedDevice();
  const at = await scripted.start(port, '127.0.0.1', {
    key: own.key,
    cert: own.cert,
    ciphers: 'DEFAULT@SECLEVEL=0',
    ...options,
  });
  ends.push(() => scripted.stop());
  return { scripted, port: at };
}
function client(port: number, tls = pinned()): IsapiClient {
  const made = new IsapiClient({ ...login, port, tls, guard: new LoginGuard() });
  ends.push(() => made.close());
  return made;
}
async function between(port = 0): Promise<{ server: RecordingServer; port: number }> {
  const server = new RecordingServer();
  const at = await server.start({ key: other.key, cert: other.cert }, port);
  ends.push(() => server.stop());
  return { server, port: at };
}

describe('a device over HTTPS', () => {
  it.each([
    'TLSv1.2',
    'TLSv1.3',
  ] as const)('is logged in to with digest, and its connections are kept (%s)', async (maxVersion) => {
    const { scripted, port } = await device({ maxVersion });
    const isapi = client(port);
    for (let i = 0; i < 6; i++) expect(await isapi.get('/System/deviceInfo')).toMatchObject({ ok: true });
    expect(scripted.connections).toBeLessThanOrEqual(2);
    expect(scripted.wrongLogins).toBe(0);
    const stream = await isapi.open('/Event/notification/alertStream');
    expect(stream).toMatchObject({ ok: true });
    if (stream.ok) {
      scripted.say('--boundary\r\nthere');
      const [chunk] = (await once(stream.value, 'data')) as [Buffer];
      expect(chunk.toString()).toContain('there');
      stream.value.destroy();
    }
  });

  it.each([
    'TLSv1.2',
    'TLSv1.3',
  ] as const)('takes up its TLS session again, with the same certificate (%s)', async (maxVersion) => {
    const reused: boolean[] = [];
    const { scripted, port } = await device({ maxVersion });
    scripted.onSecure = (socket) => reused.push(socket.isSessionReused());
    const isapi = client(port);
    expect(await isapi.get('/System/deviceInfo')).toMatchObject({ ok: true });
    scripted.cut();
    for (let i = 0; i < 3; i++) {
      const stream = await isapi.open('/Event/notification/alertStream');
      expect(stream).toMatchObject({ ok: true });
      if (stream.ok) stream.value.destroy();
    }
    expect(reused[0]).toBe(false);
    expect(reused.filter(Boolean).length).toBeGreaterThanOrEqual(2);
  });

  it('takes firmware and gives recordings unchanged', async () => {
    const { scripted, port } = await device();
    const bytes = randomBytes(3_000_000);
    const sha = (of: Buffer) => createHash('sha256').update(of).digest('hex');
    let taken: Promise<string> | null = null;
    scripted.routes.set('/ISAPI/System/updateFirmware', (req, res) => {
      const hash = createHash('sha256');
      taken = once(req, 'end').then(() => {
        res.end('<ResponseStatus><statusCode>1</statusCode></ResponseStatus>');
        return hash.digest('hex');
      });
      req.on('data', (chunk) => hash.update(chunk));
    });
    scripted.routes.set('/ISAPI/ContentMgmt/download', (_req, res) => res.end(bytes));
    const isapi = client(port);
    const stream = {
      size: bytes.length,
      open: () => Readable.from([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)]),
    };
    expect(await isapi.request('PUT', '/System/updateFirmware', { stream })).toMatchObject({ ok: true });
    expect(await taken).toBe(sha(bytes));
    const file = await isapi.open('/ContentMgmt/download', { method: 'POST', body: Buffer.from('<x/>') });
    const hash = createHash('sha256');
    if (file.ok) for await (const chunk of file.value) hash.update(chunk as Buffer);
    expect(hash.digest('hex')).toBe(sha(bytes));
  });

  it('gets nothing with another certificate: no login, no request, not a byte', async () => {
    const { server, port } = await between();
    const isapi = client(port);
    const changed = { ok: false, code: 'device-certificate-changed', shown: other.fingerprint };
    expect(await isapi.get('/System/deviceInfo')).toMatchObject(changed);
    expect(await isapi.request('PUT', '/System/time', { body: Buffer.from('<secret/>') })).toMatchObject(changed);
    expect(await isapi.open('/Event/notification/alertStream')).toMatchObject(changed);
    const onvif = new OnvifClient({ ...login, port, tls: pinned(), guard: new LoginGuard() });
    ends.push(() => onvif.close());
    expect(await onvif.call(onvif.device, '<tds:GetDeviceInformation/>')).toMatchObject(changed);
    expect(await onvif.get({ path: '/onvif/snapshot', ports: [port] })).toMatchObject(changed);
    const first = { host: '127.0.0.1', port, tls: pinned(), password: 'First-pass-1', clock };
    expect(await activate(first)).toMatchObject({ ok: false });
    expect(server.connections).toBe(6);
    expect(server.received).toBe('');
  });

  it('gets nothing from a client that has just logged in, when somebody else stands there', async () => {
    const { scripted, port } = await device();
    const isapi = client(port);
    expect(await isapi.get('/System/deviceInfo')).toMatchObject({ ok: true });
    await scripted.stop();
    const { server } = await between(port);
    expect(await isapi.get('/System/deviceInfo')).toMatchObject({ code: 'device-certificate-changed' });
    expect([server.connections > 0, server.received]).toEqual([true, '']);
  });

  it('is not spoken to in plain HTTP, nor in older TLS than it was added with', async () => {
    let plain = '';
    const http = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        plain += bytes.toString('latin1');
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => http.close(resolve)));
    const isapi = client((http.address() as AddressInfo).port);
    expect(await isapi.get('/System/deviceInfo')).toMatchObject({ ok: false, code: 'device-unreachable' });
    expect(plain).not.toMatch(/HTTP|deviceInfo|admin/);
    const ancient = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'AES128-SHA:@SECLEVEL=0' } as const;
    const { scripted, port } = await device(ancient);
    expect(await client(port).get('/System/deviceInfo')).toMatchObject({ ok: false, code: 'device-unreachable' });
    expect(scripted.seen).toEqual([]);
    const old = client(port, { certificate: own.fingerprint, old: true });
    expect(await old.get('/System/deviceInfo')).toMatchObject({ ok: true });
  });

  it('is let go at once when a handshake is under way', async () => {
    const hangs = createServer((socket) => socket.resume().on('error', () => {}));
    await new Promise<void>((resolve) => hangs.listen(0, '127.0.0.1', resolve));
    ends.push(() => new Promise((resolve) => hangs.close(resolve)));
    const isapi = client((hangs.address() as AddressInfo).port);
    const asked = isapi.get('/System/deviceInfo');
    await once(hangs, 'connection');
    const begun = clock.mono();
    await isapi.close();
    expect(await asked).toMatchObject({ ok: false });
    expect(clock.mono() - begun).toBeLessThan(1_000);
  });

  it('follows addresses of ONVIF services to its own ports of HTTPS alone', () => {
    const onvif = new OnvifClient({ ...login, port: 8443, tls: pinned(), guard: new LoginGuard() });
    const ports = (written: string) => onvif.address(written)?.ports;
    expect(ports('https://127.0.0.1/onvif/media')).toEqual([443, 8443]);
    expect(ports('http://127.0.0.1:80/onvif/media')).toEqual([8443]);
    expect(ports('https://10.0.0.9:444/onvif/media')).toEqual([8443, 444]);
    const plain = new OnvifClient({ ...login, port: 80, guard: new LoginGuard() });
    expect(plain.address('https://127.0.0.1:443/onvif/media')?.ports).toEqual([80]);
  });
});
