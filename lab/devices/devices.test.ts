import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionHash } from '../isapi/session-login.ts';
import { call } from '../testing/digest-client.ts';
import { startLab, type TestLab } from '../testing/start-lab.ts';
import { parseDevices } from './spec.ts';

let lab: TestLab;
beforeAll(async () => {
  lab = await startLab({
    unactivated: 1,
    devices: parseDevices(
      'ptz,nvr,poe-nvr,dvr,door-station,access,ax-pro,hybrid-pro,old-psia,thermal:unactivated:foreign',
    )!,
  });
});
afterAll(() => lab.stop());

const device = (name: string) => lab.ready.devices.find((d) => d.name === name)!;
const state = async (name: string) => (await lab.get(`/devices/${name}`)).body;
const ask = (name: string, method: string, path: string, body = '') =>
  call(device(name), method, `/ISAPI${path}`, body);
const leaf = (xml: string, name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

describe('documents', () => {
  it('keep what is written, and refuse what such firmware refuses', async () => {
    const time = (await ask('camera-1', 'GET', '/System/time')).text;
    expect((await ask('camera-1', 'PUT', '/System/time', time.replace('CST-2', 'CST-3'))).status).toBe(200);
    expect(leaf((await ask('camera-1', 'GET', '/System/time')).text, 'timeZone')).toBe('CST-3:00:00');
    expect((await ask('camera-1', 'PUT', '/System/time', '<Time>')).text).toContain('badXmlFormat');
    expect((await ask('camera-1', 'PUT', '/System/time', '<Tim/>')).text).toContain('badXmlContent');
    expect((await ask('camera-1', 'PUT', '/System/time')).status).toBe(400);
    const stream = (await ask('camera-1', 'GET', '/Streaming/channels/101')).text;
    const fragment = '<StreamingChannel><id>101</id></StreamingChannel>';
    expect((await ask('camera-1', 'PUT', '/Streaming/channels/101', fragment)).text).toContain('badXmlContent');
    await ask('camera-1', 'PUT', '/Streaming/channels/101', stream.replace('<GovLength>50', '<GovLength>25'));
    expect(leaf((await ask('camera-1', 'GET', '/Streaming/channels/101')).text, 'keyFrameInterval')).toBe('1000');
    await ask('camera-1', 'PUT', '/Streaming/channels/101', stream);
  });

  it('of old firmware go back to the factory where a write leaves something out; refusals are HTTP 200', async () => {
    const path = '/System/Video/inputs/channels/1/motionDetection';
    const is = (await ask('camera-2', 'GET', path)).text;
    await ask('camera-2', 'PUT', path, is.replace('<sensitivityLevel>40', '<sensitivityLevel>80'));
    expect(leaf((await ask('camera-2', 'GET', path)).text, 'sensitivityLevel')).toBe('80');
    await ask('camera-2', 'PUT', path, is.replace(/<sensitivityLevel>.*<\/sensitivityLevel>/, ''));
    expect(leaf((await ask('camera-2', 'GET', path)).text, 'sensitivityLevel')).toBe('40');
    const refused = await ask('camera-2', 'PUT', path, is.replace('<sensitivityLevel>40', '<sensitivityLevel>41'));
    expect([refused.status, leaf(refused.text, 'statusCode')]).toEqual([200, '6']);
  });

  it('forget what they are told to, with an OK; and say that they want a restart', async () => {
    const odd = { forget: ['Image/channels/1/color#brightnessLevel'], reboot: ['System/Network/UPnP'] };
    await lab.post('/devices/camera-1/odd', odd);
    const color = (await ask('camera-1', 'GET', '/Image/channels/1/color')).text;
    const wanted = color.replace('<brightnessLevel>50', '<brightnessLevel>70').replace('<hueLevel>50', '<hueLevel>60');
    expect((await ask('camera-1', 'PUT', '/Image/channels/1/color', wanted)).text).toContain('<statusCode>1<');
    const now = (await ask('camera-1', 'GET', '/Image/channels/1/color')).text;
    expect([leaf(now, 'brightnessLevel'), leaf(now, 'hueLevel')]).toEqual(['50', '60']);
    const upnp = (await ask('camera-1', 'GET', '/System/Network/UPnP')).text;
    expect((await ask('camera-1', 'PUT', '/System/Network/UPnP', upnp)).text).toContain('<statusCode>7<');
  });

  it('refuse the smart codec and its rules in one write', async () => {
    const path = '/Streaming/channels/101';
    const off = (await ask('camera-1', 'GET', path)).text;
    const on = off.replace(/(<SmartCodec>\s*<enabled>)false/, '$1true');
    expect((await ask('camera-1', 'PUT', path, on)).status).toBe(200);
    const smart = (await ask('camera-1', 'GET', path)).text;
    expect(leaf(smart, 'videoQualityControlType')).toBe('VBR');
    expect((await ask('camera-1', 'PUT', path, off)).text).toContain('invalidOperation');
    expect(
      (await ask('camera-1', 'PUT', path, smart.replace(/(<SmartCodec>\s*<enabled>)true/, '$1false'))).status,
    ).toBe(200);
    expect((await ask('camera-1', 'PUT', path, off)).status).toBe(200);
  });

  it('of very old firmware are without the prefix', async () => {
    expect((await ask('old-psia', 'GET', '/System/deviceInfo')).status).toBe(404);
    const info = await call(device('old-psia'), 'GET', '/System/deviceInfo');
    expect(info.text).toContain('urn:psialliance-org');
  });
});

describe('what moves', () => {
  it('pans, and stops when told; presets are called', async () => {
    const move = (pan: number) =>
      ask(
        'ptz',
        'PUT',
        '/PTZCtrl/channels/1/continuous',
        `<PTZData><pan>${pan}</pan><tilt>0</tilt><zoom>0</zoom></PTZData>`,
      );
    await move(40);
    expect((await state('ptz')).ptz).toMatchObject({ moving: true, speed: { pan: 40 } });
    await move(0);
    expect((await state('ptz')).ptz.moving).toBe(false);
    expect((await move(400)).status).toBe(400);
    await ask('ptz', 'PUT', '/PTZCtrl/channels/1/presets/1/goto');
    expect((await state('ptz')).ptz.azimuth).toBe(450);
    expect((await ask('ptz', 'PUT', '/PTZCtrl/channels/1/presets/9/goto')).text).toContain('invalidID');
  });

  it('opens a door, and does nothing with an OK where version and namespace lack', async () => {
    const silent = await ask(
      'door-station',
      'PUT',
      '/AccessControl/RemoteControl/door/1',
      '<RemoteControlDoor><cmd>open</cmd></RemoteControlDoor>',
    );
    expect([silent.status, (await state('door-station')).doors[0].moves]).toEqual([200, 0]);
    const open =
      '<RemoteControlDoor version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>open</cmd></RemoteControlDoor>';
    await ask('door-station', 'PUT', '/AccessControl/RemoteControl/door/1', open);
    expect((await state('door-station')).doors[0]).toEqual({ id: 1, state: 'open', moves: 1 });
    expect((await ask('door-station', 'GET', '/System/deviceInfo')).text).toContain('<deviceType>\tVis');
    expect((await ask('access', 'GET', '/AccessControl/AcsWorkStatus?format=json')).text).toContain('doorLockStatus');
  });

  it('formats a new disk, and says how far it is', async () => {
    const disks = async () => (await state('nvr')).disks.map((d: { status: string }) => d.status);
    expect(await disks()).toEqual(['ok', 'unformatted']);
    await ask('nvr', 'PUT', '/ContentMgmt/Storage/hdd/2/format');
    expect((await ask('nvr', 'GET', '/ContentMgmt/Storage/hdd/2/formatStatus')).text).toContain('<formating>true');
    while ((await disks())[1] !== 'ok') await new Promise((resolve) => setTimeout(resolve, 100));
  });

  it('takes the right firmware, and is gone and back with it', async () => {
    await lab.post('/devices/camera-1/do/upgradeSeconds', { seconds: 0.2 });
    const bad = await ask(
      'camera-1',
      'POST',
      '/System/updateFirmware',
      'GATEPOST-LAB-FIRMWARE DS-7616NI V9.0.0 260101',
    );
    expect(bad.text).toContain('badDevType');
    expect((await ask('camera-1', 'POST', '/System/updateFirmware', 'garbage')).text).toContain('fileError');
    const good = await ask(
      'camera-1',
      'POST',
      '/System/updateFirmware',
      'GATEPOST-LAB-FIRMWARE DS-2CD2347G2 V5.8.0 260101',
    );
    expect(good.status).toBe(200);
    expect((await ask('camera-1', 'GET', '/System/upgradeStatus')).text).toContain('<upgrading>true');
    while ((await state('camera-1')).restarts === 0 || !(await state('camera-1')).reachable)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await state('camera-1')).firmware).toBe('V5.8.0 build 260101');
  });
});

describe('recorders', () => {
  it('log in to the cameras that they are given, and forget a password that is not written again', async () => {
    const camera = device('camera-2');
    expect((await ask('nvr', 'GET', '/ContentMgmt/InputProxy/channels/status')).text).toContain('<online>true');
    const item = (await ask('nvr', 'GET', '/ContentMgmt/InputProxy/channels/2')).text;
    expect(leaf(item, 'ipAddress')).toBe(camera.address);
    expect(item).not.toContain('password');
    await ask('nvr', 'PUT', '/ContentMgmt/InputProxy/channels/2', item);
    const black = await ask('nvr', 'GET', '/ContentMgmt/InputProxy/channels/2/status');
    expect(leaf(black.text, 'chanDetectResult')).toBe('errorUserNameOrPasswd');
    const right = item.replace('</userName>', `</userName><password>${camera.password}</password>`);
    await ask('nvr', 'PUT', '/ContentMgmt/InputProxy/channels/2', right);
    expect((await ask('nvr', 'GET', '/ContentMgmt/InputProxy/channels/2/status')).text).toContain('<online>true');
    expect((await state('camera-2')).failedLogins).toBe(1);
    const again = await ask('nvr', 'POST', '/ContentMgmt/InputProxy/channels', right);
    expect(again.text).toContain('IPCIPNotUnique');
  });

  it('add and remove channels with their streams; a PoE recorder has its own', async () => {
    const add = (address: string) =>
      ask(
        'dvr',
        'POST',
        '/ContentMgmt/InputProxy/channels',
        `<InputProxyChannel><sourceInputPortDescriptor><proxyProtocol>HIKVISION</proxyProtocol><addressingFormatType>ipaddress</addressingFormatType><ipAddress>${address}</ipAddress><managePortNo>8000</managePortNo><srcInputPort>1</srcInputPort><userName>admin</userName><password>x</password></sourceInputPortDescriptor></InputProxyChannel>`,
      );
    expect((await add(device('camera-3').address)).text).toContain('ipcNumReachesLimit');
    expect((await ask('dvr', 'DELETE', '/ContentMgmt/InputProxy/channels/6')).status).toBe(200);
    expect(leaf((await add(device('camera-3').address)).text, 'id')).toBe('6');
    expect((await ask('dvr', 'GET', '/ContentMgmt/InputProxy/channels/6/status')).text).toContain('notActivated');
    expect((await ask('dvr', 'GET', '/ContentMgmt/StreamingProxy/channels/601')).status).toBe(200);
    expect((await ask('poe-nvr', 'GET', '/ContentMgmt/InputProxy/channels')).text).toContain('192.168.254.2');
    expect((await ask('nvr', 'GET', '/Streaming/channels/101/picture')).text).toContain('badXmlContent');
  });
});

describe('panels', () => {
  async function login(name: string) {
    const { address, httpPort, username, password } = device(name);
    const base = `http://${address}:${httpPort}/ISAPI/Security/sessionLogin`;
    const cap = await (await fetch(`${base}/capabilities?username=${username}`)).text();
    const hash = sessionHash({
      user: username,
      password,
      challenge: leaf(cap, 'challenge')!,
      iterations: Number(leaf(cap, 'iterations')),
      salt: leaf(cap, 'salt')!,
      salt2: leaf(cap, 'salt2') ?? null,
      irreversible: true,
    });
    const body = `<SessionLogin><userName>${username}</userName><password>${hash}</password><sessionID>${leaf(cap, 'sessionID')}</sessionID></SessionLogin>`;
    const answer = await fetch(`${base}?timeStamp=1`, { method: 'POST', body });
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    return async (method: string, path: string) => {
      const url = `http://${address}:${httpPort}/ISAPI/SecurityCP/${path}format=json`;
      const r = await fetch(url, { method, headers: { cookie } });
      return { status: r.status, level: r.headers.get('x-userlevel'), text: await r.text() };
    };
  }

  it('hash a password as the documented example', () => {
    const given = {
      user: 'dalferin',
      password: 'test123456',
      challenge: '9524eedd2912a46ef2c0fcfa27e412c1',
      iterations: 100,
      salt: 'bef6d541c1ac37f74d90b9d3dc642ab6ea54b17d653b10f24464867b6dbeacb5',
      salt2: null,
      irreversible: true,
    };
    expect(sessionHash(given)).toBe('86c59b2a28aafd52fccbd0a46f06200e50467cec0758eb32a8c5d5cce5b55abc');
  });

  it.each(['ax-pro', 'hybrid-pro'])('%s: arms unless a zone is open, alarms, is silenced', async (name) => {
    const panel = await login(name);
    expect((await panel('GET', 'status/zones?')).text).toContain('"id":0');
    await lab.post(`/devices/${name}/do/zone`, { zone: 0 });
    const refused = await panel('PUT', 'control/arm/1?ways=away&');
    expect([refused.status, refused.text]).toEqual([403, expect.stringMatching(/armingFailed.*Front door/)]);
    await panel('PUT', 'control/bypass/0?');
    expect(await panel('PUT', 'control/arm/1?ways=away&')).toMatchObject({ status: 200, level: '1' });
    expect((await panel('PUT', 'control/Recoverbypass/0?')).text).toContain('armedStatus');
    expect((await lab.post(`/devices/${name}/do/zone`, { zone: 1 })).body.alarm).toBe(true);
    expect((await state(name)).areas[0]).toMatchObject({ arming: 'away', alarm: true });
    await panel('PUT', 'control/disarm/1?');
    expect((await state(name)).areas[0]).toMatchObject({ arming: 'disarm', alarm: false });
    const bad = await fetch(`http://${device(name).address}:${device(name).httpPort}/ISAPI/SecurityCP/capabilities`);
    expect([bad.status, bad.headers.has('www-authenticate')]).toEqual([401, name === 'hybrid-pro']);
  });
});

it('a recorder has its channels after the lab was restarted', async () => {
  const options = { base: '127.99.7.', cameras: 1, devices: parseDevices('nvr')! };
  const first = await startLab(options);
  const on = (one: TestLab, method: string, path: string) =>
    call(one.ready.devices.find((d) => d.name === 'nvr')!, method, `/ISAPI/ContentMgmt/InputProxy/channels${path}`, '');
  let second: TestLab | null = null;
  try {
    expect((await on(first, 'GET', '')).text).toContain('<id>1</id>');
    expect((await on(first, 'DELETE', '/1')).status).toBe(200);
    second = await startLab({ ...options, base: '127.99.8.', data: first.data });
    expect((await on(second, 'GET', '')).text).not.toContain('<id>1</id>');
  } finally {
    await second?.stop();
    await first.stop();
  }
});
