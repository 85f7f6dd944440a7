import type { MakePart } from '../../devices/device.ts';
import { deviceTime, isCamera, isPanel, isRecorder } from '../../devices/profile.ts';
import { OK, refusal, statusXml } from '../answer.ts';
import { escapeXml, textOf, XML_HEAD } from '../xml.ts';

const colons = (mac: string) => mac.replaceAll('-', ':');

/** deviceInfo, capabilities, time, restart, factory settings (isapi §4, §5, §14). */
export const system: MakePart = (device) => {
  const { documents, profile: p } = device;
  const ns = p.odd.namespace;
  documents.add(
    '/System/deviceInfo',
    `<DeviceInfo version="2.0" xmlns="${ns}">
<deviceName>${p.name}</deviceName>
<deviceID>${p.mac.replaceAll('-', '')}</deviceID>
<deviceDescription>${p.deviceType.trim()}</deviceDescription>
<deviceLocation>yard</deviceLocation>
<model>${p.model}</model>
<serialNumber>${p.serial}</serialNumber>
<macAddress>${colons(p.mac)}</macAddress>
<firmwareVersion>${p.firmware}</firmwareVersion>
<firmwareReleasedDate>${p.build}</firmwareReleasedDate>
<deviceType></deviceType>
<telecontrolID>88</telecontrolID>
<supportBeep>false</supportBeep>
<supportVideoLoss>true</supportVideoLoss>
</DeviceInfo>`,
    {
      missing: 'keep',
      required: ['deviceName'],
      fixed: ['deviceID', 'model', 'serialNumber', 'macAddress', 'deviceType'],
      live: {
        // With its blanks: no parser of ours may have trimmed them.
        deviceType: () => p.deviceType,
        firmwareVersion: () => p.firmware,
        firmwareReleasedDate: () => p.build,
      },
    },
  );
  documents.add('/System/capabilities', capabilities(), { readOnly: true });

  // The device's clock: how far it is ahead of ours, and that it stands on NTP.
  let aheadMs = 0;
  documents.add(
    '/System/time',
    `<Time version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><timeMode>NTP</timeMode><localTime></localTime><timeZone>CST-2:00:00</timeZone></Time>`,
    {
      required: ['timeMode'],
      optional: ['localTime'],
      missing: 'keep',
      values: { timeMode: ['NTP', 'manual'] },
      live: { localTime: () => now() },
      check: (wanted) =>
        /^[A-Z]{3,4}-?[+]?\d{1,2}:\d\d:\d\d(DST.*)?$/.test(textOf(wanted, 'timeZone') ?? '') ? null : 'badParameters',
      written: (is) => {
        if (textOf(is, 'timeMode') === 'NTP') aheadMs = 0;
        else setLocal(textOf(is, 'localTime') ?? '');
      },
    },
  );
  const zoneMs = () => {
    const [, sign, h, m] = /^[A-Z]+([-+]?)(\d+):(\d+)/.exec(textOf(documents.at('/System/time')!, 'timeZone')!) ?? [];
    return (sign === '-' ? 1 : -1) * (Number(h ?? 0) * 60 + Number(m ?? 0)) * 60_000;
  };
  const now = () => {
    const offset = zoneMs();
    const wall = new Date(Date.now() + aheadMs + offset).toISOString().slice(0, 19);
    const minutes = Math.abs(offset) / 60_000;
    const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
    const suffix = `${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
    return wall + (p.odd.time === 'offset' ? suffix : 'Z');
  };
  const setLocal = (text: string) => {
    const wall = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/.exec(text)?.[1];
    if (!wall) return false;
    aheadMs = Date.parse(`${wall}Z`) - zoneMs() - Date.now();
    return true;
  };
  documents.add(
    '/System/time/ntpServers/1',
    `<NTPServer version="2.0" xmlns="${ns}"><id>1</id><addressingFormatType>hostname</addressingFormatType><hostName>time.windows.com</hostName><portNo>123</portNo><synchronizeInterval>1440</synchronizeInterval></NTPServer>`,
    {
      fixed: ['id'],
      required: ['addressingFormatType'],
      optional: ['hostName', 'ipAddress', 'ipv6Address'],
      values: { addressingFormatType: ['ipaddress', 'hostname'], portNo: [1, 65535], synchronizeInterval: [1, 10800] },
      check: (wanted) => {
        const leaf = textOf(wanted, 'addressingFormatType') === 'hostname' ? 'hostName' : 'ipAddress';
        return textOf(wanted, leaf) ? null : 'badXmlContent';
      },
    },
  );
  documents.list('/System/time/ntpServers', `<NTPServerList version="2.0" xmlns="${ns}"/>`, () => [
    '/System/time/ntpServers/1',
  ]);

  function capabilities(): string {
    const video = isCamera(p.kind) || isRecorder(p.kind);
    const flags = [
      video && '<isSupportSubscribeEvent>false</isSupportSubscribeEvent>',
      (p.kind === 'access' || p.kind.startsWith('door')) && '<isSupportAcsUpdate>true</isSupportAcsUpdate>',
      p.kind.startsWith('door') && '<isSupportVoiceTalkEvent>true</isSupportVoiceTalkEvent>',
      isPanel(p.kind) && '<isSupportSecurityCP>true</isSupportSecurityCP>',
    ].filter(Boolean);
    const poe =
      p.kind === 'poe-nvr'
        ? '<isSupportPOEConfiguration>true</isSupportPOEConfiguration><isSupportPOEPortsDisableAdaptiveServer>true</isSupportPOEPortsDisableAdaptiveServer>'
        : '';
    const ptz = p.kind === 'ptz' ? '<PTZCtrlCap><isSupportPosition3D>true</isSupportPosition3D></PTZCtrlCap>\n' : '';
    const io = '<IOCap><IOInputPortNums>1</IOInputPortNums><IOOutputPortNums>1</IOOutputPortNums></IOCap>';
    return `<DeviceCap version="2.0" xmlns="${ns}">
<SysCap>
<NetworkCap><isSupportEZVIZ>true</isSupportEZVIZ>${poe}</NetworkCap>
${io}
</SysCap>
${ptz}<SecurityCap>
<WebCertificateCap><CertificateType opt="basic,digest,digest/basic"/>
<SecurityAlgorithm><algorithmType opt="${p.odd.algorithms.map((a) => a.replace('-', '')).join(',')}"/></SecurityAlgorithm>
</WebCertificateCap>
</SecurityCap>
<EventCap><isSupportMotionDetection>${video}</isSupportMotionDetection><isSupportTamperDetection>${video}</isSupportTamperDetection></EventCap>
${flags.join('\n')}
</DeviceCap>`;
  }

  return {
    state: () => ({ clockAheadMs: aheadMs, bootedAt: deviceTime(p, device.bootedAt.ms) }),
    reset: () => {
      aheadMs = 0;
    },
    control: {
      clock: (body) => {
        aheadMs = Number(body.aheadMs ?? 0);
        // It was when it recorded what it has, or is only now.
        device.recordings.aheadMs = body.recorded === true ? aheadMs : 0;
        return { aheadMs };
      },
    },
    take: ({ method, path, url, raw }, response) => {
      if (path !== '/System/reboot' || method !== 'PUT') return false;
      raw.resume();
      const body = statusXml(url, OK, '', p.odd.errorCodes);
      response.writeHead(200, { 'Content-Type': p.odd.xmlContentType, 'Content-Length': Buffer.byteLength(body) });
      response.end(body);
      device.restart();
      return true;
    },
    answer: ({ method, path, query, body, url }) => {
      const said = (sub: string | null) => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, body: statusXml(url, what, '', p.odd.errorCodes) };
      };
      // Plain text, no XML (isapi §5).
      if (path === '/System/time/timeZone') {
        const time = documents.at('/System/time')!;
        if (method === 'GET') return { status: 200, type: 'text/plain', body: textOf(time, 'timeZone')! };
        if (method !== 'PUT') return said('methodNotAllowed');
        const wanted = `<Time><timeMode>${textOf(time, 'timeMode')}</timeMode><timeZone>${escapeXml(body.toString().trim())}</timeZone></Time>`;
        return said(documents.write('/System/time', wanted)!.http === 200 ? null : 'badParameters');
      }
      if (path === '/System/time/localTime') {
        if (method === 'GET') return { status: 200, type: 'text/plain', body: now() };
        return said(method === 'PUT' && setLocal(body.toString().trim()) ? null : 'badParameters');
      }
      if (path === '/System/factoryReset' && method === 'PUT') {
        const mode = query.get('mode') === 'full' ? 'full' : 'basic';
        device.resetSettings(mode);
        device.restart(200);
        return said(null);
      }
      if (path === '/System/status' && method === 'GET') {
        const up = Math.floor((Date.now() - device.bootedAt.ms) / 1000);
        return {
          status: 200,
          body: `${XML_HEAD}<DeviceStatus version="2.0" xmlns="${ns}"><currentDeviceTime>${now()}</currentDeviceTime><deviceUpTime>${up}</deviceUpTime></DeviceStatus>\n`,
        };
      }
      if (path === '/System/mutexFunction' && method === 'POST')
        return { status: 200, type: 'application/json', body: '{"mutexFunctionList":[]}' };
      return null;
    },
  };
};
