import type { Device } from '../devices/device.ts';
import { find, textOf, type XmlNode } from '../isapi/xml.ts';
import type { OnvifState } from './camera-state.ts';
import type { Searches } from './recording-service.ts';
import { Fault, type OnvifOdd } from './soap.ts';

export interface OnvifContext {
  device: Device;
  state: OnvifState;
  odd: () => OnvifOdd;
  url: (path: string) => string;
  publish: (topic: string, source: string, token: string, name: string, value: string) => void;
  hasPtz: boolean;
  /** How many cameras it shows. */
  sources: number;
  searches: Searches;
}
export type Operation = (c: OnvifContext, asked: XmlNode) => string;

const SERVICES: [path: string, namespace: string, capability: string][] = [
  ['device_service', 'http://www.onvif.org/ver10/device/wsdl', 'Device'],
  ['media_service', 'http://www.onvif.org/ver10/media/wsdl', 'Media'],
  ['media2_service', 'http://www.onvif.org/ver20/media/wsdl', ''],
  ['event_service', 'http://www.onvif.org/ver10/events/wsdl', 'Events'],
  ['ptz_service', 'http://www.onvif.org/ver20/ptz/wsdl', 'PTZ'],
  ['imaging_service', 'http://www.onvif.org/ver20/imaging/wsdl', 'Imaging'],
  ['deviceio_service', 'http://www.onvif.org/ver10/deviceIO/wsdl', ''],
  ['recording_service', 'http://www.onvif.org/ver10/recording/wsdl', ''],
  ['search_service', 'http://www.onvif.org/ver10/search/wsdl', ''],
  ['replay_service', 'http://www.onvif.org/ver10/replay/wsdl', ''],
];

const dateTime = (ms: number) => {
  const d = new Date(ms);
  return `<tt:Time><tt:Hour>${d.getUTCHours()}</tt:Hour><tt:Minute>${d.getUTCMinutes()}</tt:Minute><tt:Second>${d.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${d.getUTCFullYear()}</tt:Year><tt:Month>${d.getUTCMonth() + 1}</tt:Month><tt:Day>${d.getUTCDate()}</tt:Day></tt:Date>`;
};

const G = ['recording_service', 'search_service', 'replay_service'];
const services = (c: OnvifContext) =>
  SERVICES.filter(([path]) => (c.hasPtz || path !== 'ptz_service') && (c.odd().profileG || !G.includes(path)));

/** Operations that need no login (onvif §2). */
export const OPEN = new Set([
  'GetSystemDateAndTime',
  'GetCapabilities',
  'GetServices',
  'GetServiceCapabilities',
  'GetWsdlUrl',
  'GetHostname',
  'GetEndpointReference',
]);

const relays = (c: OnvifContext, prefix: string) =>
  [...c.state.relays]
    .map(
      ([token, r]) =>
        `<${prefix}:RelayOutputs token="${token}"><tt:Properties><tt:Mode>${r.mode}</tt:Mode><tt:DelayTime>PT${r.delayS}S</tt:DelayTime><tt:IdleState>${r.idle}</tt:IdleState></tt:Properties></${prefix}:RelayOutputs>`,
    )
    .join('');

function setRelay(c: OnvifContext, asked: XmlNode): void {
  const token = textOf(asked, 'RelayOutputToken') ?? '';
  const relay = c.state.relays.get(token);
  const state = textOf(asked, 'LogicalState');
  if (!relay || (state !== 'active' && state !== 'inactive')) throw new Fault('InvalidArgVal', 'RelayToken');
  const set = (active: boolean) => {
    relay.active = active;
    c.publish('tns1:Device/Trigger/Relay', 'RelayToken', token, 'LogicalState', active ? 'active' : 'inactive');
  };
  set(state === 'active');
  if (relay.active && relay.mode === 'Monostable') setTimeout(() => set(false), relay.delayS * 1000).unref();
}

export const deviceOperations: Record<string, Operation> = {
  GetSystemDateAndTime: (c) => {
    const now = Date.now() + c.odd().clockAheadMs;
    return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>${c.state.timeMode}</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>${c.state.zone}</tt:TZ></tt:TimeZone><tt:UTCDateTime>${dateTime(now)}</tt:UTCDateTime><tt:LocalDateTime>${dateTime(now + 7_200_000)}</tt:LocalDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`;
  },
  SetSystemDateAndTime: (c, asked) => {
    const number = (path: string) => Number(textOf(asked, `UTCDateTime/${path}`));
    c.state.timeMode = textOf(asked, 'DateTimeType') === 'NTP' ? 'NTP' : 'Manual';
    c.state.zone = textOf(asked, 'TimeZone/TZ') ?? c.state.zone;
    if (c.state.timeMode === 'NTP') c.odd().clockAheadMs = 0;
    else if (find(asked, 'UTCDateTime')) {
      const [y, mo, d] = [number('Date/Year'), number('Date/Month'), number('Date/Day')];
      const at = Date.UTC(y, mo - 1, d, number('Time/Hour'), number('Time/Minute'), number('Time/Second'));
      if (Number.isNaN(at)) throw new Fault('InvalidArgVal', 'InvalidDateTime');
      c.odd().clockAheadMs = at - Date.now();
    }
    return '<tds:SetSystemDateAndTimeResponse/>';
  },
  GetServices: (c) =>
    `<tds:GetServicesResponse>${services(c)
      .map(
        ([path, ns]) =>
          `<tds:Service><tds:Namespace>${ns}</tds:Namespace><tds:XAddr>${c.url(`/onvif/${path}`)}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>`,
      )
      .join('')}</tds:GetServicesResponse>`,
  GetCapabilities: (c) =>
    `<tds:GetCapabilitiesResponse><tds:Capabilities>${services(c)
      .filter(([, , name]) => name)
      .map(
        ([path, , name]) =>
          `<tt:${name}><tt:XAddr>${c.url(`/onvif/${path}`)}</tt:XAddr>${name === 'Events' ? '<tt:WSSubscriptionPolicySupport>true</tt:WSSubscriptionPolicySupport><tt:WSPullPointSupport>true</tt:WSPullPointSupport><tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport>' : ''}${name === 'Device' ? '<tt:IO><tt:InputConnectors>1</tt:InputConnectors><tt:RelayOutputs>2</tt:RelayOutputs></tt:IO>' : ''}</tt:${name}>`,
      )
      .join('')}</tds:Capabilities></tds:GetCapabilitiesResponse>`,
  GetServiceCapabilities: () =>
    '<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/><tds:Security HttpDigest="true" UsernameToken="true"/><tds:System/></tds:Capabilities></tds:GetServiceCapabilitiesResponse>',
  GetDeviceInformation: ({ device: { profile: p } }) =>
    `<tds:GetDeviceInformationResponse><tds:Manufacturer>${p.kind.startsWith('onvif') ? 'IPCAM' : 'HIKVISION'}</tds:Manufacturer><tds:Model>${p.model}</tds:Model><tds:FirmwareVersion>${p.firmware}</tds:FirmwareVersion><tds:SerialNumber>${p.serial}</tds:SerialNumber><tds:HardwareId>88</tds:HardwareId></tds:GetDeviceInformationResponse>`,
  GetScopes: ({ device: { profile: p } }) =>
    `<tds:GetScopesResponse>${[
      'type/video_encoder',
      'Profile/Streaming',
      'Profile/T',
      `hardware/${p.model}`,
      `name/${p.name}`,
    ]
      .map(
        (s) =>
          `<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>onvif://www.onvif.org/${s}</tt:ScopeItem></tds:Scopes>`,
      )
      .join('')}</tds:GetScopesResponse>`,
  GetNetworkInterfaces: ({ device: { profile: p } }) =>
    `<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>${p.mac.replaceAll('-', ':')}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info><tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config><tt:Manual><tt:Address>${p.address}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual><tt:DHCP>${p.dhcp}</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>`,
  GetHostname: (c) =>
    `<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>${c.state.hostname}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>`,
  GetNTP: (c) =>
    `<tds:GetNTPResponse><tds:NTPInformation><tt:FromDHCP>false</tt:FromDHCP><tt:NTPManual><tt:Type>IPv4</tt:Type><tt:IPv4Address>${c.state.ntp}</tt:IPv4Address></tt:NTPManual></tds:NTPInformation></tds:GetNTPResponse>`,
  SetNTP: (c, asked) => {
    c.state.ntp = textOf(asked, 'NTPManual/IPv4Address') ?? textOf(asked, 'NTPManual/DNSname') ?? c.state.ntp;
    return '<tds:SetNTPResponse/>';
  },
  GetUsers: ({ device }) =>
    `<tds:GetUsersResponse>${[device.profile.username, ...device.users.keys()]
      .map(
        (name) => `<tds:User><tt:Username>${name}</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User>`,
      )
      .join('')}</tds:GetUsersResponse>`,
  SetUser: ({ device }, asked) => {
    const name = textOf(asked, 'User/Username');
    const password = textOf(asked, 'User/Password');
    if (name === device.profile.username && password) device.factory.set(password);
    else throw new Fault('InvalidArgVal', 'UsernameMissing');
    return '<tds:SetUserResponse/>';
  },
  SystemReboot: ({ device }) => {
    device.restart(300);
    return '<tds:SystemRebootResponse><tds:Message>Rebooting</tds:Message></tds:SystemRebootResponse>';
  },
  SetSystemFactoryDefault: ({ device }) => {
    device.restart(300);
    return '<tds:SetSystemFactoryDefaultResponse/>';
  },
  GetRelayOutputs: (c, asked) => {
    const prefix = /deviceIO/i.test(asked.attributes[`xmlns:${asked.tag.split(':')[0]}`] ?? '') ? 'tmd' : 'tds';
    return `<${prefix}:GetRelayOutputsResponse>${relays(c, prefix)}</${prefix}:GetRelayOutputsResponse>`;
  },
  SetRelayOutputState: (c, asked) => {
    setRelay(c, asked);
    return '<tds:SetRelayOutputStateResponse/>';
  },
  SetRelayOutputSettings: (c, asked) => {
    const relay = c.state.relays.get(textOf(asked, 'RelayOutputToken') ?? '');
    if (!relay) throw new Fault('InvalidArgVal', 'RelayToken');
    relay.mode = textOf(asked, 'Properties/Mode') === 'Monostable' ? 'Monostable' : 'Bistable';
    return '<tds:SetRelayOutputSettingsResponse/>';
  },
  GetDigitalInputs: () =>
    '<tmd:GetDigitalInputsResponse><tmd:DigitalInputs token="DigitalInput_1"/></tmd:GetDigitalInputsResponse>',
};
