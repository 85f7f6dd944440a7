import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { LoginGuard } from '../devices/login-guard.ts';
import { IsapiClient } from './client.ts';
import { readChannels, readDeviceInfo, readRtspPort, readSnapshot } from './device.ts';
import { clockDrift, readClockDrift } from './device-time.ts';
import { type Script, ScriptedDevice } from './testing/scripted-device.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const fn of cleanUp.splice(0).reverse()) await fn();
});

async function connect(script: Partial<Script> = {}) {
  const device = new ScriptedDevice(script);
  const port = await device.start();
  const client = new IsapiClient({
    host: '127.0.0.1',
    port,
    username: 'admin',
    password: 'Correct-1',
    guard: new LoginGuard(),
    clock: systemClock,
    log: pino({ level: 'silent' }),
  });
  cleanUp.push(
    () => device.stop(),
    () => client.close(),
  );
  const serve = (path: string, body: string | Buffer, type = 'application/xml') =>
    device.routes.set(path, (_req, res) => res.writeHead(200, { 'Content-Type': type }).end(body));
  return { device, client, serve };
}

describe('who it is', () => {
  it('is read', async () => {
    const { client } = await connect();
    expect(await readDeviceInfo(client)).toEqual({
      ok: true,
      value: {
        name: 'Entrance',
        model: 'DS-2CD2386G2-IU',
        serial: 'DS-2CD2386G2-IU20230412AAWRL11223344',
        mac: '44-19-b6-01-02-03',
        firmware: 'V5.7.15 build 240201',
        deviceType: 'IPCamera',
        recorder: false,
      },
    });
  });

  it('is read from a door station: text/html, a tab in the type', async () => {
    const { client, serve } = await connect();
    serve(
      '/ISAPI/System/deviceInfo',
      '\r\n<DeviceInfo><model>DS-KV8113</model><deviceType>\tVis</deviceType></DeviceInfo>',
      'text/html',
    );
    expect(await readDeviceInfo(client)).toMatchObject({
      ok: true,
      value: { deviceType: 'Vis', serial: '', mac: null },
    });
  });

  it.each(['', '/PSIA'])('is found without /ISAPI, under "%s", and the prefix is kept', async (prefix) => {
    const { device, client } = await connect();
    device.routes.set(`${prefix}/System/deviceInfo`, device.routes.get('/ISAPI/System/deviceInfo')!);
    device.routes.delete('/ISAPI/System/deviceInfo');
    expect((await readDeviceInfo(client)).ok).toBe(true);
    expect(client.prefix).toBe(prefix);
  });

  it('is not a device that answers something else', async () => {
    const { client, serve } = await connect();
    serve('/ISAPI/System/deviceInfo', '<html><body>Welcome</body></html>', 'text/html');
    expect(await readDeviceInfo(client)).toMatchObject({ ok: false, code: 'device-error' });
    expect(client.prefix).toBe('/ISAPI');
  });
});

describe('channels', () => {
  it('are the main streams of a camera', async () => {
    const { client } = await connect();
    expect(await readChannels(client, false)).toEqual({
      ok: true,
      value: [{ channel: 1, name: 'Door & yard', sub: true }],
    });
  });

  it('of a camera that does not list its streams are the one that it has', async () => {
    const { device, client, serve } = await connect();
    device.routes.set('/ISAPI/Streaming/channels', (_req, res) => device.status(res, 404, 4, 'notSupport'));
    expect(await readChannels(client, false)).toMatchObject({ ok: false });
    const camera = () => readChannels(client, false, undefined, { camera: true });
    expect(await camera()).toEqual({ ok: true, value: [{ channel: 1, name: 'Channel 1', sub: false }] });
    const stream = (id: number) =>
      `<StreamingChannel><channelName>Gate</channelName><id>${id}</id><enabled>true</enabled></StreamingChannel>`;
    serve('/ISAPI/Streaming/channels/101', stream(101));
    expect(await readChannels(client, false)).toEqual({ ok: true, value: [{ channel: 1, name: 'Gate', sub: false }] });
    serve('/ISAPI/Streaming/channels/102', stream(102));
    expect(await camera()).toEqual({ ok: true, value: [{ channel: 1, name: 'Gate', sub: true }] });
    // One that does not answer now is asked again.
    device.routes.set('/ISAPI/Streaming/channels', (_req, res) => device.status(res, 503, 2, 'deviceBusy'));
    expect(await camera()).toMatchObject({ ok: false });
  });

  it('of a recorder are its own and those of its IP cameras', async () => {
    const { client, serve } = await connect();
    serve(
      '/ISAPI/ContentMgmt/InputProxy/channels',
      '<InputProxyChannelList size="0"><InputProxyChannel><id>5</id><name>Yard</name></InputProxyChannel><InputProxyChannel><id>2</id><name></name></InputProxyChannel></InputProxyChannelList>',
    );
    expect(await readChannels(client, true)).toMatchObject({
      value: [
        { channel: 1, name: 'Door & yard' },
        { channel: 2, name: 'Channel 2' },
        { channel: 5, name: 'Yard' },
      ],
    });
  });

  it('of a pure recorder are found although it forbids the list of local ones', async () => {
    const { device, client, serve } = await connect();
    device.routes.set('/ISAPI/Streaming/channels', (_req, res) => device.status(res, 403, 4, 'notSupport'));
    expect(await readChannels(client, false)).toMatchObject({ ok: false });
    expect(await readChannels(client, true)).toMatchObject({ ok: false });
    serve(
      '/ISAPI/ContentMgmt/InputProxy/channels',
      '<InputProxyChannelList><InputProxyChannel><id>1</id><name>A</name></InputProxyChannel></InputProxyChannelList>',
    );
    expect(await readChannels(client, true)).toMatchObject({ value: [{ channel: 1, name: 'A' }] });
  });
});

it('reads the RTSP port, 554 where it is not said', async () => {
  const { client, device } = await connect({ rtspPort: 10554 });
  expect(await readRtspPort(client)).toBe(10554);
  device.routes.delete('/ISAPI/Security/adminAccesses');
  expect(await readRtspPort(client)).toBe(554);
});

describe('a snapshot', () => {
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);

  it('is a picture by its first bytes', async () => {
    const { client, serve } = await connect();
    serve('/ISAPI/Streaming/channels/101/picture', jpeg, 'text/html');
    expect(await readSnapshot(client, 1, false)).toEqual({ ok: true, value: jpeg });
    serve('/ISAPI/Streaming/channels/101/picture', 'not a picture', 'image/jpeg');
    expect(await readSnapshot(client, 1, false)).toMatchObject({ ok: false, code: 'device-error' });
  });

  it('comes from the sub-stream where the main one gives none', async () => {
    const { client, device, serve } = await connect();
    device.routes.set('/ISAPI/Streaming/channels/101/picture', (_req, res) =>
      device.status(res, 500, 3, 'deviceError'),
    );
    expect(await readSnapshot(client, 1, false)).toMatchObject({ subStatus: 'deviceError' });
    serve('/ISAPI/Streaming/channels/102/picture', jpeg, 'image/jpeg');
    expect((await readSnapshot(client, 1, false)).ok).toBe(true);
  });

  it('of a recorder comes from the other path when the first says 200 and "badXmlContent"', async () => {
    const { client, device, serve } = await connect();
    device.routes.set('/ISAPI/Streaming/channels/301/picture', (_req, res) =>
      device.status(res, 200, 6, 'badXmlContent'),
    );
    serve('/ISAPI/ContentMgmt/StreamingProxy/channels/301/picture', jpeg, 'image/jpeg');
    expect((await readSnapshot(client, 3, true)).ok).toBe(true);
    expect(await readSnapshot(client, 3, false)).toMatchObject({ subStatus: 'badXmlContent' });
  });
});

describe("the device's clock", () => {
  const now = Date.UTC(2026, 6, 13, 16, 14, 8);

  it.each([
    ['2026-07-13T19:14:08+03:00', 'CST-3:00:00', 0],
    ['2026-07-13T19:14:08.123Z', 'CST-3:00:00', 0],
    ['2026-07-13T19:14:08', 'CST-3:00:00', 0],
    ['2026-07-13T19:14:08+02:00', 'CST-2:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00', 0],
    ['2026-07-13T08:14:08-8:00', 'CST+8:00:00', 0],
    ['2026-07-13T19:19:08+03:00', 'CST-3:00:00', 300_000],
    ['1970-01-01T00:00:10+00:00', 'CST+0:00:00', 10_000 - now],
  ])('%s in %s is off by %d ms', (local, zone, drift) => {
    expect(clockDrift(local, zone, now)).toBe(drift);
  });

  it('cannot be told from nonsense', () => {
    expect(clockDrift('', 'CST-3:00:00', now)).toBeNull();
    expect(clockDrift('2026-07-13T19:14:08', 'somewhere', now)).toBeNull();
    expect(clockDrift('2026-13-45T99:14:08', 'CST-3:00:00', now)).toBeNull();
  });

  it('is read over the wire', async () => {
    const { client, serve } = await connect();
    serve(
      '/ISAPI/System/time',
      '<Time><timeMode>NTP</timeMode><localTime>2026-07-13T19:15:08+03:00</localTime><timeZone>CST-3:00:00</timeZone></Time>',
    );
    expect(await readClockDrift(client, () => now)).toBe(60_000);
  });
});
