import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connected, Documents, eagerClock } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { posixZone, wallClock } from '../time-zone.ts';
import { ddns } from './ddns.ts';
import { maintenance } from './maintenance.ts';
import { network, setAddressing } from './network.ts';
import { onvifSwitch } from './onvif-switch.ts';
import { passwordRecovery, writeQuestions } from './password-recovery.ts';
import { enablePlatform, platform } from './platform.ts';
import { ports } from './ports.ts';
import { syncTime, time } from './time.ts';
import { users } from './users.ts';

const XMLNS = 'version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"';
let scripted: ScriptedDevice;
let documents: Documents;
let port: number;
let close = () => {};

beforeEach(async () => {
  scripted = new ScriptedDevice();
  documents = new Documents(scripted);
  port = await scripted.start();
});
afterEach(async () => {
  close();
  await scripted.stop();
});
const at = async (...args: Parameters<typeof connected> extends [unknown, unknown, ...infer R] ? R : never) => {
  const all = await connected(scripted, port, ...args);
  close = all.close;
  return all;
};
const leaf = (xml: string, name: string) => new RegExp(`<${name}[^>]*>([^<]*)<`).exec(xml)?.[1];

describe('time', () => {
  const summer = Date.UTC(2026, 6, 1, 12, 0, 0, 400);
  const document = (mode: string, local: string, zone = 'CST-8:00:00') =>
    `<?xml version="1.0"?>\n<Time ${XMLNS}><timeMode>${mode}</timeMode><localTime>${local}</localTime><timeZone>${zone}</timeZone><satelliteInterval>60</satelliteInterval></Time>`;

  it('zone and wall clock are set and read back, summer time under the winter offset included (INIT-13)', async () => {
    // As captured: it shows summer time and tags it with the offset of winter.
    documents.set('/System/time', document('manual', '2000-01-01T00:00:00+08:00'), (body) =>
      body.replace(/<localTime>([^<]*)</, '<localTime>$1+02:00<'),
    );
    const { device } = await at(
      [time],
      eagerClock(() => summer),
    );
    const done = await syncTime(device, 'Europe/Helsinki');
    expect(done).toMatchObject({ ok: true, value: { mode: 'manual' } });
    if (done.ok) expect(Math.abs(done.value.driftMs)).toBeLessThanOrEqual(2_000);
    const sent = documents.written[0]!.body;
    expect(leaf(sent, 'localTime')).toBe('2026-07-01T15:00:00');
    expect(leaf(sent, 'timeZone')).toBe('CST-2:00:00DST01:00:00,M3.5.0/03:00:00,M10.5.0/04:00:00');
    expect(sent).toContain('<satelliteInterval>60</satelliteInterval>');
  });

  it('a device that has its time from a server keeps it, when that is right', async () => {
    const right = `${wallClock('Asia/Kolkata', summer)}+05:30`;
    documents.set('/System/time', document('NTP', right));
    const { device } = await at(
      [time],
      eagerClock(() => summer),
    );
    expect(await syncTime(device, 'Asia/Kolkata')).toMatchObject({ ok: true, value: { mode: 'NTP' } });
    expect(leaf(documents.get('/System/time'), 'timeZone')).toBe('CST-5:30:00');
  });

  it('a clock that says yes and does not move is reported', async () => {
    documents.set('/System/time', document('manual', '2000-01-01T00:00:00'), () => null);
    const { device, features } = await at(
      [time],
      eagerClock(() => summer),
    );
    expect(await syncTime(device, 'UTC')).toMatchObject({ ok: false, code: 'device-error' });
    expect(await features.act({ action: 'syncTime', timeZone: 'Mars/Base' })).toMatchObject({
      code: 'invalid-request',
    });
  });

  it('a time server by name takes the place of one by address', async () => {
    documents.set('/System/time', document('manual', '2026-07-01T12:00:00Z', posixZone('UTC', summer)));
    documents.set(
      '/System/time/ntpServers/1',
      `<NTPServer ${XMLNS}><id>1</id><addressingFormatType>ipaddress</addressingFormatType><ipAddress>10.0.0.1</ipAddress><portNo>123</portNo><synchronizeInterval>60</synchronizeInterval></NTPServer>`,
    );
    const { features } = await at([time]);
    const set = { timeMode: 'NTP', ntpServer: 'ntp.example', ntpInterval: 120 };
    expect(await features.write('time', {}, set)).toMatchObject({ ok: true, value: { notKept: [] } });
    const ntp = documents.get('/System/time/ntpServers/1');
    expect([leaf(ntp, 'hostName'), leaf(ntp, 'ipAddress'), leaf(ntp, 'synchronizeInterval')]).toEqual([
      'ntp.example',
      undefined,
      '120',
    ]);
    expect(documents.written.map((w) => w.path)).toEqual(['/System/time/ntpServers/1', '/System/time']);
  });
});

describe('network', () => {
  const ip = (address: string, type = 'static') =>
    `<ipVersion>dual</ipVersion><addressingType>${type}</addressingType><ipAddress>${address}</ipAddress><subnetMask>255.255.255.0</subnetMask><ipv6Address>::</ipv6Address><DefaultGateway><ipAddress>127.0.0.254</ipAddress><ipv6Address>::</ipv6Address></DefaultGateway><PrimaryDNS><ipAddress>8.8.8.8</ipAddress></PrimaryDNS>`;
  const own = '/System/Network/interfaces/2/ipAddress';
  beforeEach(() => {
    const wired = `<NetworkInterface><id>1</id><IPAddress>${ip('192.0.0.64')}</IPAddress></NetworkInterface>`;
    const wifi = `<NetworkInterface><id>2</id><IPAddress>${ip('127.0.0.1')}</IPAddress></NetworkInterface>`;
    documents.set(
      '/System/Network/interfaces',
      `<NetworkInterfaceList ${XMLNS}>${wired}${wifi}</NetworkInterfaceList>`,
    );
    documents.set(own, `<IPAddress ${XMLNS}>${ip('127.0.0.1')}</IPAddress>`);
  });

  it('the interface is the one that we talk to, and the rest of its document stays (INIT-21)', async () => {
    const { device } = await at([network]);
    const to = {
      dhcp: false,
      address: '127.0.0.9',
      subnetMask: '255.255.0.0',
      gateway: '127.0.0.253',
      dns: ['1.1.1.1', '9.9.9.9'],
    } as const;
    expect(await setAddressing(device, { ...to, dns: [...to.dns] })).toEqual({
      ok: true,
      value: { moved: true, rebootRequired: false },
    });
    expect(documents.written).toHaveLength(1);
    const { path, body } = documents.written[0]!;
    expect(path).toBe(own);
    expect(body).toBe(
      `<IPAddress ${XMLNS}>${ip('127.0.0.9')
        .replace('255.255.255.0', '255.255.0.0')
        .replace('127.0.0.254', '127.0.0.253')
        .replace('8.8.8.8', '1.1.1.1')}<SecondaryDNS><ipAddress>9.9.9.9</ipAddress></SecondaryDNS></IPAddress>`,
    );
  });

  it('no answer after the move is no failure; what is so already is not written', async () => {
    const { device } = await at([network]);
    scripted.routes.set(`/ISAPI${own}`, (req, res) => {
      if (req.method === 'GET') res.end(documents.get(own));
      else res.destroy();
    });
    expect(await setAddressing(device, { dhcp: true })).toEqual({
      ok: true,
      value: { moved: true, rebootRequired: false },
    });
    const same = {
      dhcp: false,
      address: '127.0.0.1',
      subnetMask: '255.255.255.0',
      gateway: '127.0.0.254',
      dns: [],
    } as const;
    expect(await setAddressing(device, { ...same, dns: [] })).toMatchObject({ ok: true, value: { moved: false } });
    expect(scripted.seen.filter((s) => s.method === 'PUT' && s.login === 'good')).toHaveLength(1);
  });

  it('a mask comes from the list, and address and gateway fit together (INIT-22)', async () => {
    const { features } = await at([network]);
    const sets: Record<string, string>[] = [
      { subnetMask: '255.255.255.1' },
      { address: '127.0.0.0' },
      { address: '127.0.0.255' },
      { gateway: '10.0.0.1' },
      { address: 'abc' },
    ];
    for (const set of sets) {
      expect(await features.write('network', {}, set)).toMatchObject({ ok: false, code: 'invalid-request' });
    }
    expect(documents.written).toEqual([]);
  });
});

it('ports: each protocol by its own word, and no two on one port', async () => {
  const access = (id: number, protocol: string, portNo: number) =>
    `<AdminAccessProtocol><id>${id}</id><enabled>true</enabled><protocol>${protocol}</protocol><portNo>${portNo}</portNo></AdminAccessProtocol>`;
  const all = access(1, 'HTTP', 80) + access(4, 'RTSP', 554) + access(3, 'DEV_MANAGE', 8000);
  documents.set('/Security/adminAccesses', `<AdminAccessProtocolList ${XMLNS}>${all}</AdminAccessProtocolList>`);
  const { features } = await at([ports]);
  expect(await features.write('ports', {}, { rtspPort: 10554 })).toMatchObject({ ok: true, value: { notKept: [] } });
  expect(documents.written[0]!.body).toBe(
    `<AdminAccessProtocolList ${XMLNS}>${all.replace('>554<', '>10554<')}</AdminAccessProtocolList>`,
  );
  expect(await features.write('ports', {}, { rtspPort: 8000 })).toMatchObject({ code: 'invalid-request' });
});

it('DDNS: ports that are obtained by themselves cannot be edited, typed in they can (DDNS-03, DDNS-04, DDNS-01)', async () => {
  documents.set(
    '/System/Network/DDNS/1',
    `<DDNS ${XMLNS}><id>1</id><enabled>false</enabled><provider>DynDNS</provider><serverAddress><addressingFormatType>hostname</addressingFormatType><hostName>old.example</hostName></serverAddress><deviceDomainName>cam.example</deviceDomainName><userName>u</userName></DDNS>`,
  );
  const mapping = (type: string, n: number) =>
    `<portMapping><id>${n}</id><enabled>true</enabled><portType>${type}</portType><internalPort>${n}</internalPort><externalPort>${n}</externalPort></portMapping>`;
  documents.set(
    '/System/Network/UPnP/ports',
    `<ports ${XMLNS}><enabled>true</enabled><mapmode>auto</mapmode><portList>${mapping('HTTP', 80)}${mapping('admin', 8000)}</portList></ports>`,
  );
  const { features } = await at([ddns]);
  expect(await features.write('ddns', {}, { httpPort: 8080 })).toMatchObject({ code: 'invalid-request' });
  expect(await features.write('ddns', {}, { portMapping: 'manual' })).toMatchObject({
    ok: true,
    value: { notKept: [] },
  });
  const set = {
    httpPort: 8080,
    servicePort: 8001,
    ddnsEnabled: true,
    serverAddress: 'new.example',
    ddnsPassword: 'a&b',
  };
  expect(await features.write('ddns', {}, set)).toMatchObject({ ok: true, value: { notKept: [] } });
  expect(leaf(documents.get('/System/Network/DDNS/1'), 'password')).toBe('a&#38;b');
  expect((await features.capabilities()).unverified).toEqual(['ddns']);
});

describe('platform', () => {
  const ezviz = (enabled: boolean, status: string) =>
    `<EZVIZ ${XMLNS}><enabled>${enabled}</enabled><registerStatus>${status}</registerStatus><redirect>false</redirect><serverAddress><addressingFormatType>hostname</addressingFormatType><hostName>p2p.example</hostName></serverAddress><verificationCode/><bindStatus>unbind</bindStatus></EZVIZ>`;

  it('is switched on with a code, and waited for until it is registered (INIT-18, INIT-25)', async () => {
    documents.set('/System/Network/EZVIZ', ezviz(false, 'false'), (body) => {
      expect(leaf(body, 'verificationCode')).toBe('Abcd1234');
      return ezviz(true, 'true');
    });
    const { device, features } = await at([platform]);
    expect(await enablePlatform(device, 'short')).toMatchObject({ ok: false, code: 'invalid-request' });
    expect(await enablePlatform(device, 'Abcd1234')).toMatchObject({ ok: true, value: { registered: true } });
    const read = await features.read('platform', {});
    expect(JSON.stringify(read)).not.toContain('Abcd1234');
  });

  it('says when it was not kept', async () => {
    documents.set('/System/Network/EZVIZ', ezviz(false, 'false'), () => null);
    const { device } = await at([platform]);
    expect(await enablePlatform(device, null)).toMatchObject({ ok: false, code: 'device-error' });
  });
});

it('ONVIF: on only with a user of its own list', async () => {
  documents.set(
    '/System/Network/Integrate',
    `<Integrate ${XMLNS}><CGI><enable>true</enable></CGI><ONVIF><enable>false</enable><certificateType>digest/WSSE</certificateType></ONVIF></Integrate>`,
  );
  let added = '';
  documents.set('/Security/ONVIF/users', `<UserList ${XMLNS}></UserList>`, (body) => {
    added = body;
    return `<UserList ${XMLNS}><User><id>1</id><userName>${leaf(body, 'userName')}</userName><userType>administrator</userType></User></UserList>`;
  });
  const { features } = await at([onvifSwitch]);
  expect(await features.write('onvif', {}, { onvifEnabled: true })).toMatchObject({ code: 'invalid-request' });
  const set = { onvifEnabled: true, onvifUser: 'gate', onvifPassword: 'A<b12345' };
  expect(await features.write('onvif', {}, set)).toMatchObject({ ok: true, value: { notKept: [] } });
  expect(added).toContain('<password>A&lt;b12345</password>');
  expect(documents.get('/System/Network/Integrate')).toContain('<ONVIF><enable>true</enable><certificateType>digest');
});

it('users are listed', async () => {
  documents.set(
    '/Security/users',
    `<UserList ${XMLNS}><User><id>1</id><userName>admin</userName><userLevel>Administrator</userLevel></User></UserList>`,
  );
  const { features } = await at([users]);
  expect(await features.list('users', {})).toMatchObject({ ok: true, value: [{ id: '1', name: 'admin' }] });
});

it('answers to security questions are set once (PWD-08)', async () => {
  const questions = (mark: boolean) =>
    `<SecurityQuestion ${XMLNS}><QuestionList>${[1, 2, 3].map((id) => `<Question><id>${id}</id><mark>${mark}</mark></Question>`).join('')}</QuestionList></SecurityQuestion>`;
  documents.set('/Security/questionConfiguration', questions(false), () => questions(true));
  const { device, features } = await at([passwordRecovery]);
  const answers = [1, 2, 3].map((id) => ({ id, answer: `a&${id}` }));
  expect(await writeQuestions(device, 'Correct-1', answers)).toEqual({ ok: true, value: undefined });
  expect(documents.written[0]!.body).toContain('<Question><id>2</id><answer>a&amp;2</answer></Question>');
  expect(documents.written[0]!.body).toContain('<password>Correct-1</password>');
  expect(await writeQuestions(device, 'Correct-1', answers)).toMatchObject({ ok: false, code: 'conflict' });
  expect(await features.read('passwordRecovery', {})).toMatchObject({
    ok: true,
    value: [{ value: true }, { value: 3 }],
  });
});

it('restart and restore: silence is a yes, a refusal is not (INIT-23)', async () => {
  const { features } = await at([maintenance]);
  scripted.routes.set('/ISAPI/System/reboot', (_req, res) => res.destroy());
  expect(await features.act({ action: 'reboot' })).toMatchObject({ ok: true, value: { pending: true } });
  scripted.routes.set('/ISAPI/System/factoryReset', (req, res) =>
    req.url!.endsWith('?mode=full') ? scripted.status(res, 200, 1, 'ok') : scripted.status(res, 403, 4, 'lowPrivilege'),
  );
  expect(await features.act({ action: 'restore', mode: 'full' })).toMatchObject({ ok: true, value: { pending: true } });
  expect(await features.act({ action: 'restore', mode: 'basic' })).toMatchObject({ ok: false, code: 'device-error' });
});
