import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDevices } from '../devices/spec.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';

// Clients by others, without types of their own.
const require = createRequire(import.meta.url);
const { Cam } = require('onvif/promises');
const { OnvifDevice } = require('node-onvif');

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab({ devices: parseDevices('onvif,onvif-odd')! });
});
afterAll(() => lab.stop());
const device = (name: string) => lab.ready.devices.find((d) => d.name === name)!;
const state = async (name: string) => (await lab.get(`/devices/${name}`)).body.onvif;

const envelope = (body: string) =>
  `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl"><s:Header><w:Security xmlns:w="x" s:mustUnderstand="1"/></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
const post = async (name: string, path: string, body: string) => {
  const { address, httpPort } = device(name);
  const r = await fetch(`http://${address}:${httpPort}${path}`, { method: 'POST', body: envelope(body) });
  return { status: r.status, text: await r.text() };
};

describe('an ONVIF camera', () => {
  it('is operated by the client onvif', async () => {
    const { address, httpPort, username, password } = device('onvif');
    const cam = new Cam({ hostname: address, port: httpPort, username, password, timeout: 5000, autoconnect: false });
    await cam.connect();
    expect((await cam.getDeviceInformation()).model).toBe('IPC-T4K');
    const profiles = await cam.getProfiles();
    expect(profiles.map((p: { name: string }) => p.name)).toEqual(['main', 'sub']);
    const { uri } = await cam.getStreamUri({ protocol: 'RTSP' });
    expect(uri).toContain('/Streaming/Channels/101?transportmode=unicast&profile=Profile_1');
    await cam.continuousMove({ x: 0.5, y: 0, zoom: 0, timeout: 5000 });
    expect((await state('onvif')).speed.x).toBe(0.5);
    await cam.stop({ panTilt: true, zoom: true });
    expect((await state('onvif')).speed.x).toBe(0);
    await cam.setImagingSettings({ token: 'VideoSource_1', brightness: 70 });
    expect((await state('onvif')).imaging.Brightness).toBe(70);
    const heard: string[] = [];
    cam.on(
      'event',
      (message: { topic: { _: string }; message: { message: { data: { simpleItem: { $: { Value: unknown } } } } } }) =>
        heard.push(`${message.topic._} ${message.message.message.data.simpleItem.$.Value}`),
    );
    while ((await state('onvif')).subscriptions === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await lab.post('/devices/onvif/events', { type: 'motion' });
    while (!heard.includes('tns1:RuleEngine/CellMotionDetector/Motion true'))
      await new Promise((resolve) => setTimeout(resolve, 20));
    await lab.post('/devices/onvif/events', { type: 'motion', active: false });
    cam.removeAllListeners('event');
  });

  it('is found out by the client node-onvif', async () => {
    const { address, httpPort, username, password } = device('onvif');
    const xaddr = `http://${address}:${httpPort}/onvif/device_service`;
    const client = new OnvifDevice({ xaddr, user: username, pass: password });
    const info = await client.init();
    expect(info).toMatchObject({ Manufacturer: 'IPCAM', Model: 'IPC-T4K' });
    expect(client.getProfileList()).toHaveLength(2);
  });
});

describe('an odd one', () => {
  it('refuses a login whose time is not its own, and does not count it', async () => {
    const { address, httpPort, username, password } = device('onvif-odd');
    const xaddr = `http://${address}:${httpPort}/onvif/device_service`;
    const client = new OnvifDevice({ xaddr, user: username, pass: password });
    // This client keeps to the device's clock, but believes the addresses that it is told.
    await expect(client.init()).rejects.toThrow();
    expect((await lab.get('/devices/onvif-odd')).body.failedLogins).toBe(0);
  });

  it('faults with HTTP 200, tells hosts that nobody reaches, and must be told how long', async () => {
    const fault = await post('onvif-odd', '/onvif/device_service', '<tds:GetDeviceInformation/>');
    expect([fault.status, fault.text]).toEqual([200, expect.stringContaining('ter:NotAuthorized')]);
    expect((await post('onvif-odd', '/onvif/device_service', '<tds:GetServices/>')).text).toContain(
      'http://192.0.2.10:',
    );
    await lab.post('/devices/onvif-odd/do/onvif', { mustUnderstandFault: true });
    const must = await post('onvif-odd', '/onvif/device_service', '<tds:GetServices/>');
    expect(must.text).toContain('must be understood');
    expect((await fetch(`http://${device('onvif').address}:${device('onvif').httpPort}/ISAPI/x`)).status).toBe(404);
  });
});
