import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { ScriptedDevice } from '../isapi/testing/scripted-device.ts';
import { SoapCamera } from '../onvif/testing/soap-camera.ts';
import { probeDevice } from './probe.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

const probe = (httpPort: number, more: { password?: string; kind?: 'auto' | 'isapi' | 'onvif' } = {}) =>
  probeDevice(
    { host: '127.0.0.1', httpPort, username: 'admin', password: 'Correct-1', ...more },
    { clock: systemClock, log: pino({ enabled: false }) },
  );

describe('what a device speaks', () => {
  it('is ISAPI where it answers to that; ONVIF is not asked', async () => {
    const device = new ScriptedDevice();
    cleanup.push(() => device.stop());
    const port = await device.start();
    expect(await probe(port)).toMatchObject({ ok: true, value: { kind: 'isapi', channels: [{ channel: 1 }] } });
    expect(device.seen.some((s) => s.url.includes('onvif'))).toBe(false);
  });

  it('is ONVIF where nothing speaks ISAPI, with one login', async () => {
    const camera = new SoapCamera();
    cleanup.push(() => camera.stop());
    const port = await camera.start();
    expect(await probe(port)).toMatchObject({
      ok: true,
      value: { kind: 'onvif', model: 'Maker Dome 5', channels: [{ channel: 1, name: 'Yard gate' }] },
    });
    expect(camera.wrongLogins).toBe(0);
  });

  it('is not looked for further after a refused login, and each protocol costs two tries at most', async () => {
    const device = new ScriptedDevice();
    const camera = new SoapCamera();
    cleanup.push(
      () => device.stop(),
      () => camera.stop(),
    );
    expect(await probe(await device.start(), { password: 'Wrong-1' })).toMatchObject({ code: 'device-refused-login' });
    expect(device.wrongLogins).toBe(1);
    expect(device.seen.some((s) => s.url.includes('onvif'))).toBe(false);
    expect(await probe(await camera.start(), { password: 'Wrong-1' })).toMatchObject({ code: 'device-refused-login' });
    expect(camera.wrongLogins).toBeLessThanOrEqual(2);
  });

  it('sees a wrong password of a device that says to everybody who it is', async () => {
    const camera = new SoapCamera();
    cleanup.push(() => camera.stop());
    const port = await camera.start();
    // Its identity needs no login here, its profiles do.
    camera.open.add('GetDeviceInformation').add('GetScopes').add('GetNetworkInterfaces');
    expect(await probe(port, { password: 'Wrong-1' })).toMatchObject({ ok: false, code: 'device-refused-login' });
  });

  it('is neither at a web page that is something else', async () => {
    const server: Server = createServer((_req, res) => res.writeHead(404).end('<html>no</html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.push(() => new Promise((resolve) => server.close(resolve)));
    expect(await probe((server.address() as AddressInfo).port)).toMatchObject({ ok: false, code: 'device-error' });
    expect(await probe(1)).toMatchObject({ ok: false, code: 'device-unreachable' });
  });

  it('is what a person says, when a person says so', async () => {
    const camera = new SoapCamera();
    cleanup.push(() => camera.stop());
    const port = await camera.start();
    expect(await probe(port, { kind: 'isapi' })).toMatchObject({ ok: false, code: 'device-error' });
    expect(await probe(port, { kind: 'onvif' })).toMatchObject({ ok: true });
  });
});
