import { once } from 'node:events';
import { connect } from 'node:net';
import { XMLParser } from 'fast-xml-parser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../testing/digest-client.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.stop());

const parse = (text: string) => new XMLParser({ parseTagValue: false }).parse(text);

describe('ISAPI of the cameras', () => {
  it('tells who it is, and on which port its video is', async () => {
    const device = lab.camera(1);
    const info = parse((await get(device, '/ISAPI/System/deviceInfo')).text).DeviceInfo;
    expect(info).toMatchObject({ serialNumber: device.serial, macAddress: device.mac.replaceAll('-', ':') });
    const accesses = parse((await get(device, '/ISAPI/Security/adminAccesses')).text);
    const rtsp = accesses.AdminAccessProtocolList.AdminAccessProtocol.find(
      (p: { protocol: string }) => p.protocol === 'RTSP',
    );
    expect(Number(rtsp.portNo)).toBe(device.rtspPort);
  });

  it.each([1, 2])('answers every document as XML, in its own content type (camera %i)', async (n) => {
    const type = n === 1 ? 'application/xml; charset="UTF-8"' : 'text/html';
    for (const path of [
      'Security/userCheck',
      'System/capabilities',
      'System/time',
      'Streaming/channels',
      'Streaming/channels/101',
      'Event/triggers',
    ]) {
      const answer = await get(lab.camera(n), `/ISAPI/${path}`);
      expect([path, answer.status, answer.type]).toEqual([path, 200, type]);
      expect(Object.keys(parse(answer.text))).toHaveLength(2);
    }
  });

  it('gives a JPEG as snapshot and a ResponseStatus for what it does not know', async () => {
    const picture = await get(lab.camera(1), '/ISAPI/Streaming/channels/101/picture?snapShotImageType=JPEG');
    expect(picture.bytes.subarray(0, 2).toString('hex')).toBe('ffd8');
    const unknown = await get(lab.camera(1), '/ISAPI/PTZCtrl/channels/1/status?a=1&b=2');
    expect(unknown.status).toBe(404);
    expect(parse(unknown.text).ResponseStatus).toMatchObject({ statusCode: '4', subStatusCode: 'notSupport' });
  });

  it('locks after six wrong passwords, says so, and can be unlocked for the next test', async () => {
    const device = lab.camera(2);
    for (let i = 0; i < 6; i++) await get(device, '/ISAPI/Security/userCheck', 'wrong');
    const refused = await get(device, '/ISAPI/Security/userCheck');
    expect(refused.status).toBe(401);
    expect(parse(refused.text).userCheck).toMatchObject({ lockStatus: 'lock', retryLoginTime: '0' });
    const state = (await lab.get('/devices/camera-2')).body;
    expect(state).toMatchObject({ failedLogins: 7, locked: true });
    await lab.post('/devices/camera-2/unlock', {});
    expect((await get(device, '/ISAPI/Security/userCheck')).status).toBe(200);
  });

  it('outlives who goes away in the middle of a request', async () => {
    const device = lab.camera(1);
    for (const path of ['/ISAPI/Security/challenge', '/SDK/activateStatus']) {
      const socket = connect(device.httpPort, device.address);
      await once(socket, 'connect');
      socket.write(`POST ${path} HTTP/1.1\r\nHost: lab\r\nContent-Length: 100\r\n\r\n<half`);
      await new Promise((done) => setTimeout(done, 50));
      socket.resetAndDestroy();
    }
    await new Promise((done) => setTimeout(done, 50));
    expect((await get(device, '/ISAPI/System/deviceInfo')).status).toBe(200);
  });
});
