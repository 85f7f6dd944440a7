import { createHash } from 'node:crypto';
import snmp from 'net-snmp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { parseDevices } from '../../devices/spec.ts';
import { call } from '../../testing/digest-client.ts';
import { startLab, type TestLab } from '../../testing/start-lab.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab({ devices: parseDevices('switch,speaker,care-radar,doorbell,indoor-station,solar')! });
});
afterAll(() => lab.stop());
const device = (name: string) => lab.ready.devices.find((d) => d.name === name)!;
const state = async (name: string) => (await lab.get(`/devices/${name}`)).body;

it('a device page redirects, links to itself by its address, sets a cookie and wants a login', async () => {
  const { address, httpPort } = device('camera-1');
  const base = `http://${address}:${httpPort}`;
  const first = await fetch(`${base}/`, { redirect: 'manual' });
  expect([first.status, first.headers.get('location')]).toEqual([302, '/doc/page/login.asp']);
  const page = await fetch(`${base}/doc/page/login.asp`);
  expect(page.headers.get('set-cookie')).toContain(`domain=${address}`);
  expect(await page.text()).toContain(`href="${base}/doc/page/config.asp"`);
  expect((await fetch(`${base}/doc/page/config.asp`)).status).toBe(401);
  expect((await call(device('camera-1'), 'GET', '/doc/page/config.asp')).text).toContain('Configuration of camera-1');
});

it('a device page takes a large upload and echoes on a WebSocket', async () => {
  const { address, httpPort } = device('camera-1');
  const body = 'x'.repeat(3_000_000);
  const sent = await call(device('camera-1'), 'POST', '/doc/page/upload', body);
  expect(JSON.parse(sent.text)).toEqual({ bytes: 3_000_000, sha256: createHash('sha256').update(body).digest('hex') });
  const socket = new WebSocket(`ws://${address}:${httpPort}/doc/page/echo`);
  const echoed = await new Promise((resolve) => {
    socket.on('open', () => socket.send('again'));
    socket.on('message', (data) => resolve(String(data)));
  });
  expect(echoed).toBe('again');
  socket.close();
});

it('a switch tells its ports and neighbours by SNMP, and switches a port', async () => {
  const { address, httpPort, password } = device('switch');
  const session = snmp.createSession(address, password, { port: httpPort, version: snmp.Version2c });
  const get = (oid: string) =>
    new Promise((resolve, reject) =>
      session.get([oid], (error, binds) => (error ? reject(error) : resolve(String(binds?.[0]?.value)))),
    );
  expect(await get('1.3.6.1.2.1.1.5.0')).toBe('switch');
  expect(await get('1.3.6.1.2.1.2.2.1.8.1')).toBe('1');
  expect(await get('1.0.8802.1.1.2.1.4.1.1.9.0.1.1')).toBe('DS-2CD2347G2-LU');
  await new Promise((resolve) =>
    session.set([{ oid: '1.3.6.1.2.1.2.2.1.7.2', type: snmp.ObjectType.Integer, value: 2 }], resolve),
  );
  expect((await state('switch')).ports[1]).toMatchObject({ port: 2, admin: 2 });
  session.close();
});

it('a speaker plays, a bell rings, a radar sees a fall', async () => {
  await call(device('speaker'), 'PUT', '/ISAPI/System/Audio/files/2/play?format=json', '{}');
  expect((await state('speaker')).playing).toBe(2);
  await lab.post('/devices/doorbell/do/ring', {});
  const status = await call(device('doorbell'), 'GET', '/ISAPI/VideoIntercom/callStatus?format=json');
  expect(JSON.parse(status.text)).toEqual({ CallStatus: { status: 'ring' } });
  expect((await lab.post('/devices/care-radar/events', { type: 'fallDetected' })).body.id).toMatch(/-/);
  expect((await call(device('solar'), 'GET', '/ISAPI/System/deviceInfo')).text).toContain('DS-2XS2T41G1');
});
