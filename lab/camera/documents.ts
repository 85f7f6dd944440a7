import { type CameraProfile, deviceTime } from './profile.ts';

/** The XML documents of a camera. Element names and their misspellings are the protocol's. */
const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
const colons = (mac: string) => mac.replaceAll('-', ':');

export interface Ports {
  http: number;
  rtsp: number;
}

export function responseStatus(url: string, code: number, text: string, sub: string): string {
  return `${head}<ResponseStatus version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<requestURL>${escapeXml(url)}</requestURL>
<statusCode>${code}</statusCode>
<statusString>${text}</statusString>
<subStatusCode>${sub}</subStatusCode>
</ResponseStatus>
`;
}

export function userCheck(): string {
  return `${head}<userCheck version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<statusValue>200</statusValue>
<statusString>OK</statusString>
<isDefaultPassword>false</isDefaultPassword>
<isRiskPassword>false</isRiskPassword>
<isActivated>true</isActivated>
</userCheck>
`;
}

export function userCheckRefused(state: { locked: boolean; unlockSeconds: number; triesLeft: number }): string {
  return `${head}<userCheck>
<statusValue>401</statusValue>
<statusString>Unauthorized</statusString>
<isIllegalLogin>true</isIllegalLogin>
<lockStatus>${state.locked ? 'lock' : 'unlock'}</lockStatus>
<unlockTime>${state.unlockSeconds}</unlockTime>
<retryLoginTime>${state.triesLeft}</retryLoginTime>
</userCheck>
`;
}

export function deviceInfo(p: CameraProfile): string {
  return `${head}<DeviceInfo version="2.0" xmlns="${p.odd.namespace}">
<deviceName>${p.name}</deviceName>
<deviceID>${p.mac.replaceAll('-', '')}</deviceID>
<deviceDescription>IPCamera</deviceDescription>
<deviceLocation>yard</deviceLocation>
<model>${p.model}</model>
<serialNumber>${p.serial}</serialNumber>
<macAddress>${colons(p.mac)}</macAddress>
<firmwareVersion>${p.firmware}</firmwareVersion>
<firmwareReleasedDate>${p.build}</firmwareReleasedDate>
<deviceType>IPCamera</deviceType>
<telecontrolID>88</telecontrolID>
<supportBeep>false</supportBeep>
<supportVideoLoss>true</supportVideoLoss>
</DeviceInfo>
`;
}

export function capabilities(p: CameraProfile): string {
  return `${head}<DeviceCap version="2.0" xmlns="${p.odd.namespace}">
<SysCap>
<NetworkCap><isSupportEZVIZ>true</isSupportEZVIZ></NetworkCap>
</SysCap>
<SecurityCap>
<WebCertificateCap><CertificateType opt="basic,digest,digest/basic"/>
<SecurityAlgorithm><algorithmType opt="${p.odd.algorithms.map((a) => a.replace('-', '')).join(',')}"/></SecurityAlgorithm>
</WebCertificateCap>
</SecurityCap>
<EventCap><isSupportMotionDetection>true</isSupportMotionDetection><isSupportTamperDetection>true</isSupportTamperDetection></EventCap>
<isSupportSubscribeEvent>false</isSupportSubscribeEvent>
</DeviceCap>
`;
}

export function time(p: CameraProfile, nowMs: number): string {
  return `${head}<Time version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<timeMode>NTP</timeMode>
<localTime>${deviceTime(p, nowMs)}</localTime>
<timeZone>CST-2:00:00</timeZone>
</Time>
`;
}

function channel(p: CameraProfile): string {
  return `<StreamingChannel version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<id>101</id>
<channelName>${p.name}</channelName>
<enabled>true</enabled>
<Transport>
<maxPacketSize>1000</maxPacketSize>
<ControlProtocolList><ControlProtocol><streamingTransport>RTSP</streamingTransport></ControlProtocol></ControlProtocolList>
<Unicast><enabled>true</enabled><rtpTransportType>RTP/TCP</rtpTransportType></Unicast>
<Security><enabled>true</enabled><certificateType>digest</certificateType></Security>
</Transport>
<Video>
<enabled>true</enabled>
<videoInputChannelID>1</videoInputChannelID>
<videoCodecType>H.264</videoCodecType>
<videoScanType>progressive</videoScanType>
<videoResolutionWidth>1280</videoResolutionWidth>
<videoResolutionHeight>720</videoResolutionHeight>
<videoQualityControlType>CBR</videoQualityControlType>
<constantBitRate>${p.kbps}</constantBitRate>
<maxFrameRate>${p.fps * 100}</maxFrameRate>
<keyFrameInterval>${p.keyFrameMs}</keyFrameInterval>
<H264Profile>Main</H264Profile>
<GovLength>${Math.round((p.fps * p.keyFrameMs) / 1000)}</GovLength>
<PacketType>PS</PacketType>
<PacketType>RTP</PacketType>
<SmartCodec><enabled>false</enabled></SmartCodec>
</Video>
<Audio><enabled>false</enabled><audioInputChannelID>1</audioInputChannelID><audioCompressionType>G.711ulaw</audioCompressionType></Audio>
</StreamingChannel>`;
}

/** `GET /ISAPI/Streaming/channels/101` */
export const streamingChannel = (p: CameraProfile) => `${head}${channel(p)}\n`;

/** A list of one; two namespaces in one document, as real devices have it. */
export const streamingChannels = (p: CameraProfile) =>
  `${head}<StreamingChannelList version="2.0" xmlns="${p.odd.namespace}">\n${channel(p)}\n</StreamingChannelList>\n`;

export function adminAccesses(p: CameraProfile, ports: Ports): string {
  const rows = [
    ['HTTP', ports.http],
    ['RTSP', ports.rtsp],
    ['HTTPS', 443],
    ['DEV_MANAGE', SDK_PORT],
  ] as const;
  return `${head}<AdminAccessProtocolList version="2.0" xmlns="${p.odd.namespace}">
${rows
  .map(
    ([protocol, port], i) => `<AdminAccessProtocol>
<id>${i + 1}</id>
<enabled>${protocol !== 'HTTPS'}</enabled>
<protocol>${protocol}</protocol>
<portNo>${port}</portNo>
</AdminAccessProtocol>`,
  )
  .join('\n')}
</AdminAccessProtocolList>
`;
}

export function triggers(p: CameraProfile): string {
  const rows = [
    ['VMD-1', 'VMD'],
    ['linedetection-1', 'linedetection'],
    ['fielddetection-1', 'fielddetection'],
    ['tamper-1', p.odd.tamperWord],
    ['videoloss-1', 'videoloss'],
  ] as const;
  return `${head}<EventTriggerList version="2.0" xmlns="${p.odd.namespace}">
${rows
  .map(
    ([id, type]) => `<EventTrigger>
<id>${id}</id>
<eventType>${type}</eventType>
<eventDescription>${type} Event trigger Information</eventDescription>
<videoInputChannelID>1</videoInputChannelID>
<EventTriggerNotificationList>
<EventTriggerNotification>
<id>center</id>
<notificationMethod>center</notificationMethod>
<notificationRecurrence>beginning</notificationRecurrence>
</EventTriggerNotification>
</EventTriggerNotificationList>
</EventTrigger>`,
  )
  .join('\n')}
</EventTriggerList>
`;
}

export interface AlertFields {
  type: string;
  state: 'active' | 'inactive';
  count: number;
  /** The device's own id of the event; heartbeats have none. */
  uuid: string | null;
}

export function alert(p: CameraProfile, httpPort: number, nowMs: number, fields: AlertFields): string {
  return `<EventNotificationAlert version="2.0" xmlns="${p.odd.namespace}">
<ipAddress>${p.address}</ipAddress>
<portNo>${httpPort}</portNo>
<protocol>HTTP</protocol>
<macAddress>${colons(p.mac)}</macAddress>
<channelID>1</channelID>
<dateTime>${deviceTime(p, nowMs)}</dateTime>
<activePostCount>${fields.count}</activePostCount>
<eventType>${fields.type}</eventType>
<eventState>${fields.state}</eventState>
<eventDescription>${fields.type} alarm</eventDescription>
<channelName>${p.name}</channelName>
${fields.uuid === null ? '' : `<UUID>${fields.uuid}</UUID>\n`}</EventNotificationAlert>
`;
}

/** Port of the vendor's binary protocol: announced, and nobody listens. Not HTTP, which is easily confused. */
const SDK_PORT = 8200;

export function probeMatch(
  p: CameraProfile,
  httpPort: number,
  uuid: string,
  types: string,
  activated: boolean,
): string {
  const mac = p.odd.macUpperCase ? p.mac.toUpperCase() : p.mac;
  const salt = 'b7d1'.repeat(16);
  const tail = p.odd.macUpperCase
    ? `<Encrypt>true</Encrypt>\n<HCPlatformEnable>flase</HCPlatformEnable>\n<DeviceLock>flase</DeviceLock>`
    : `<Encrypt>true</Encrypt>\n<ResetAbility>false</ResetAbility>\n<Salt>${salt}</Salt>\n<HCPlatformEnable>flase</HCPlatformEnable>
<DeviceLock>flase</DeviceLock>\n<SDKOverTLSPort>8443</SDKOverTLSPort>`;
  return `${head}<ProbeMatch>
<Uuid>${escapeXml(uuid)}</Uuid>
<Types>${types}</Types>
<DeviceType>${p.odd.macUpperCase ? 142378 : 155650}</DeviceType>
<DeviceDescription>${p.model}</DeviceDescription>
<DeviceSN>${p.serial}</DeviceSN>
<CommandPort>${SDK_PORT}</CommandPort>
<HttpPort>${httpPort}</HttpPort>
<MAC>${mac}</MAC>
<IPv4Address>${p.address}</IPv4Address>
<IPv4SubnetMask>255.0.0.0</IPv4SubnetMask>
<IPv4Gateway>127.0.0.1</IPv4Gateway>
<IPv6Address>::</IPv6Address>
<IPv6Gateway>::</IPv6Gateway>
<IPv6MaskLen>64</IPv6MaskLen>
<DHCP>true</DHCP>
<AnalogChannelNum>0</AnalogChannelNum>
<DigitalChannelNum>1</DigitalChannelNum>
<SoftwareVersion>${p.firmware}${p.build}</SoftwareVersion>
<DSPVersion>V7.3 ${p.build}</DSPVersion>
<BootTime>1970-01-15 02:44:11</BootTime>
<Activated>${activated}</Activated>
<PasswordResetAbility>true</PasswordResetAbility>
<OEMInfo>N/A</OEMInfo>
${tail}
</ProbeMatch>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
