import type { Asked, Fault, SoapCamera } from './soap-camera.ts';

/* Answers with the element names and the oddities of devices; written by hand. */

const services = (origin: string): [namespace: string, path: string][] => [
  ['http://www.onvif.org/ver10/device/wsdl', `${origin}/onvif/device_service`],
  ['http://www.onvif.org/ver10/media/wsdl', `${origin}/onvif/Media`],
  ['http://www.onvif.org/ver20/media/wsdl', `${origin}/onvif/Media2`],
  ['http://www.onvif.org/ver10/events/wsdl', `${origin}/onvif/Events`],
  ['http://www.onvif.org/ver20/ptz/wsdl', `${origin}/onvif/PTZ`],
  ['http://www.onvif.org/ver20/imaging/wsdl', `${origin}/onvif/Imaging`],
  ['http://www.onvif.org/ver10/deviceIO/wsdl', `${origin}/onvif/DeviceIO`],
];

interface ProfileShape {
  token: string;
  source?: number;
  encoding?: string;
  width?: number;
  height?: number;
  ptz?: boolean;
}

/** A media2 profile as a current camera tells it: group length and profile are attributes. */
export const profile2 = (p: ProfileShape): string => {
  const source = p.source ?? 1;
  return `<tr2:Profiles token="${p.token}" fixed="true"><tr2:Name>${p.token}</tr2:Name><tr2:Configurations><tr2:VideoSource token="VSC_${source}"><tt:Name>Camera ${source}</tt:Name><tt:UseCount>3</tt:UseCount><tt:SourceToken>VideoSource_${source}</tt:SourceToken><tt:Bounds x="0" y="0" width="3840" height="2160"></tt:Bounds></tr2:VideoSource>${encoder2(p)}${p.ptz ? '<tr2:PTZ token="PTZ_1"><tt:Name>PTZ</tt:Name><tt:NodeToken>Node_1</tt:NodeToken></tr2:PTZ>' : ''}</tr2:Configurations></tr2:Profiles>`;
};
const encoder2 = (p: ProfileShape): string =>
  `<tr2:VideoEncoder token="VE_${p.token}" GovLength="60" Profile="Main"><tt:Name>VideoEncoder</tt:Name><tt:UseCount>1</tt:UseCount>${inside2(p)}</tr2:VideoEncoder>`;
const inside2 = (p: ProfileShape): string =>
  `<tt:Encoding>${p.encoding ?? 'H265'}</tt:Encoding><tt:Resolution><tt:Width>${p.width ?? 3840}</tt:Width><tt:Height>${p.height ?? 2160}</tt:Height></tt:Resolution><tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>20.000000</tt:FrameRateLimit><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>8600</tt:Port></tt:Multicast><tt:Quality>5.000000</tt:Quality>`;

export const profile1 = (token: string, encoder: string): string =>
  `<trt:Profiles fixed="true" token="${token}"><tt:Name>main &amp; only</tt:Name><tt:VideoSourceConfiguration token="vscfg0"><tt:Name>vscfg0</tt:Name><tt:SourceToken>VideoSource_1</tt:SourceToken></tt:VideoSourceConfiguration>${encoder.replaceAll('trt:Configuration', 'tt:VideoEncoderConfiguration')}</trt:Profiles>`;
export const encoder1 = `<trt:Configuration token="enc0"><tt:Name>Main &amp; more</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution><tt:Quality>8</tt:Quality><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>50</tt:GovLength><tt:H264Profile>High</tt:H264Profile></tt:H264><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>0</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout><x:Vendor xmlns:x="urn:maker" x:keep="yes">kept</x:Vendor></trt:Configuration>`;

const fault = (code: string, reason: string): Fault => ({ status: 400, code, reason });
const number = (n: number) => String(n).padStart(2, '0');

/** One NotificationMessage. */
export function message(
  topic: string,
  o: { op?: string | null; source?: Record<string, string>; data?: Record<string, string>; at?: string } = {},
): string {
  const items = (of: Record<string, string>) =>
    Object.entries(of)
      .map(([name, value]) => `\n <tt:SimpleItem\n Name="${name}"\n Value="${value}"/>`)
      .join('');
  const op = o.op === null ? '' : ` PropertyOperation="${o.op ?? 'Changed'}"`;
  return `<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">\n  ${topic}\n </wsnt:Topic><wsnt:Message><tt:Message UtcTime="${o.at ?? '2026-11-22T10:00:00Z'}"${op}><tt:Source>${items(o.source ?? { Source: 'VideoSource_1' })}</tt:Source><tt:Data>${items(o.data ?? {})}</tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`;
}

type Document = (asked: Asked, camera: SoapCamera) => string | Fault | null;
export const DOCUMENTS: Record<string, Document> = {
  GetSystemDateAndTime(_asked, { script, now }) {
    const d = new Date(now() + script.clockAheadMs + script.shownAheadMs);
    return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>\n${script.zone}</tt:TZ></tt:TimeZone><tt:UTCDateTime><tt:Time><tt:Hour>${number(d.getUTCHours())}</tt:Hour><tt:Minute>${d.getUTCMinutes()}</tt:Minute><tt:Second>${d.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${d.getUTCFullYear()}</tt:Year><tt:Month>${d.getUTCMonth() + 1}</tt:Month><tt:Day>${d.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`;
  },
  GetServices: (_asked, { origin }) =>
    `<tds:GetServicesResponse>${services(origin)
      .map(
        ([ns, at]) => `<tds:Service><tds:Namespace>${ns}</tds:Namespace><tds:XAddr>\n ${at} </tds:XAddr></tds:Service>`,
      )
      .join('')}</tds:GetServicesResponse>`,
  GetDeviceInformation: () =>
    '<tds:GetDeviceInformationResponse><tds:Manufacturer>Maker</tds:Manufacturer><tds:Model>Dome 5</tds:Model><tds:FirmwareVersion>8.71</tds:FirmwareVersion><tds:SerialNumber>404754734001050102</tds:SerialNumber><tds:HardwareId>F0</tds:HardwareId></tds:GetDeviceInformationResponse>',
  GetScopes: () =>
    '<tds:GetScopesResponse><tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>onvif://www.onvif.org/name/Yard%20gate</tt:ScopeItem></tds:Scopes></tds:GetScopesResponse>',
  GetNetworkInterfaces: () =>
    '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="wlan0"><tt:Enabled>false</tt:Enabled><tt:Info><tt:HwAddress>28:57:be:00:00:01</tt:HwAddress></tt:Info></tds:NetworkInterfaces><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>28:57:be:65:7d:d5</tt:HwAddress></tt:Info><tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config><tt:Manual><tt:Address>127.0.0.1</tt:Address><tt:PrefixLength>20</tt:PrefixLength></tt:Manual><tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>',
  GetNetworkDefaultGateway: () =>
    '<tds:GetNetworkDefaultGatewayResponse><tds:NetworkGateway><tt:IPv4Address>127.0.0.254</tt:IPv4Address></tds:NetworkGateway></tds:GetNetworkDefaultGatewayResponse>',
  GetUsers: () =>
    '<tds:GetUsersResponse><tds:User><tt:Username>admin</tt:Username><tt:Password>never shown</tt:Password><tt:UserLevel>Administrator</tt:UserLevel></tds:User></tds:GetUsersResponse>',
  SystemReboot: () => '<tds:SystemRebootResponse><tds:Message>Rebooting</tds:Message></tds:SystemRebootResponse>',
  GetVideoSources: () =>
    '<trt:GetVideoSourcesResponse><trt:VideoSources token="VideoSource_1"/></trt:GetVideoSourcesResponse>',
  GetProfiles: ({ path }) =>
    path.endsWith('Media2')
      ? `<tr2:GetProfilesResponse>${profile2({ token: 'Sub', encoding: 'H264', width: 640, height: 360, ptz: true })}${profile2({ token: 'Main &amp; 1', ptz: true })}</tr2:GetProfilesResponse>`
      : fault('ter:ActionNotSupported', 'no'),
  GetStreamUri: ({ text }) =>
    `<tr2:GetStreamUriResponse><tr2:Uri>\n  rtsp://admin:secret@10.99.0.1:8554/live/${text('ProfileToken') === 'Sub' ? 'sub' : 'main'}?a=1&amp;proto=Onvif\n </tr2:Uri></tr2:GetStreamUriResponse>`,
  GetSnapshotUri: ({ text }, { origin }) =>
    `<tr2:GetSnapshotUriResponse><tr2:Uri>${origin}/snap.jpg?of=${text('ProfileToken') === 'Sub' ? 'sub' : 'main'}</tr2:Uri></tr2:GetSnapshotUriResponse>`,
  GetVideoEncoderConfigurations: ({ text }) =>
    `<tr2:GetVideoEncoderConfigurationsResponse><tr2:Configurations token="${text('ConfigurationToken')}" GovLength="60" Profile="Main"><tt:Name>VideoEncoder</tt:Name><tt:UseCount>1</tt:UseCount>${inside2({ token: '' })}</tr2:Configurations></tr2:GetVideoEncoderConfigurationsResponse>`,
  GetVideoEncoderConfigurationOptions: () =>
    '<tr2:GetVideoEncoderConfigurationOptionsResponse><tr2:Options GovLengthRange="1 400" FrameRatesSupported="25 20 12.5" ProfilesSupported="Main"><tt:Encoding>H265</tt:Encoding><tt:QualityRange><tt:Min>0</tt:Min><tt:Max>5</tt:Max></tt:QualityRange><tt:ResolutionsAvailable><tt:Width>3840</tt:Width><tt:Height>2160</tt:Height></tt:ResolutionsAvailable><tt:ResolutionsAvailable><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:ResolutionsAvailable><tt:BitrateRange><tt:Min>32</tt:Min><tt:Max>16384</tt:Max></tt:BitrateRange></tr2:Options><tr2:Options><tt:Encoding>H264</tt:Encoding></tr2:Options></tr2:GetVideoEncoderConfigurationOptionsResponse>',
  CreatePullPointSubscription(_asked, camera) {
    const id = String(camera.count('CreatePullPointSubscription'));
    camera.subscriptions.add(id);
    const now = camera.now();
    camera.expires = now + camera.script.lifetimeMs;
    return `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa5:Address>${camera.origin}/onvif/Subscription?Idx=${id}&amp;x=1</wsa5:Address><wsa5:ReferenceParameters><dom0:SubscriptionId xmlns:dom0="http://www.axis.com/2009/event" wsa5:IsReferenceParameter="true">${id}</dom0:SubscriptionId></wsa5:ReferenceParameters></tev:SubscriptionReference><wsnt:CurrentTime>\n ${camera.time(now)}\n </wsnt:CurrentTime><wsnt:TerminationTime>${camera.time(camera.expires)}</wsnt:TerminationTime></tev:CreatePullPointSubscriptionResponse>`;
  },
  SetSynchronizationPoint: () => '<tev:SetSynchronizationPointResponse/>',
  PullMessages: ({ text }, camera) =>
    camera.subscriptions.has(text('SubscriptionId')) ? '' : fault('wsrf-rw:ResourceUnknownFault', 'Resource unknown'),
  Renew(asked, camera) {
    if (asked.text('MessageID') !== '') camera.expires = camera.now() + camera.script.lifetimeMs;
    return asked.text('MessageID') === ''
      ? fault('ter:ActionFailed', 'no message id')
      : `<wsnt:RenewResponse><wsnt:TerminationTime>${camera.time(camera.expires)}</wsnt:TerminationTime><wsnt:CurrentTime>${camera.time(camera.now())}</wsnt:CurrentTime></wsnt:RenewResponse>`;
  },
  Unsubscribe({ text }, camera) {
    camera.subscriptions.delete(text('SubscriptionId'));
    return '<wsnt:UnsubscribeResponse/>';
  },
  GetEventProperties: () =>
    '<tev:GetEventPropertiesResponse><wstop:TopicSet xmlns:wstop="http://docs.oasis-open.org/wsn/t-1"><tns1:VideoSource><MotionAlarm wstop:topic="true"><tt:MessageDescription IsProperty="true"/></MotionAlarm></tns1:VideoSource><tns1:RuleEngine><LineDetector><Crossed wstop:topic="true"/></LineDetector></tns1:RuleEngine></wstop:TopicSet></tev:GetEventPropertiesResponse>',
  ContinuousMove: () => '<tptz:ContinuousMoveResponse xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl"/>',
  Stop: () => '<tptz:StopResponse xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl"/>',
  GetPresets: () =>
    '<p:GetPresetsResponse xmlns:p="http://www.onvif.org/ver20/ptz/wsdl"><p:Preset token="1"><tt:Name>Gate</tt:Name><tt:PTZPosition><tt:PanTilt x="0" y="0"/></tt:PTZPosition></p:Preset><p:Preset token="2"><tt:Name>Preset 2</tt:Name></p:Preset><p:Preset token="3"><tt:Name/><tt:PTZPosition/></p:Preset></p:GetPresetsResponse>',
  GotoPreset: () => '<p:GotoPresetResponse xmlns:p="http://www.onvif.org/ver20/ptz/wsdl"/>',
  GetImagingSettings: () =>
    '<i:GetImagingSettingsResponse xmlns:i="http://www.onvif.org/ver20/imaging/wsdl"><i:ImagingSettings><tt:BacklightCompensation><tt:Mode>OFF</tt:Mode></tt:BacklightCompensation><tt:Brightness>128.00</tt:Brightness><tt:Contrast>100</tt:Contrast><tt:IrCutFilter>AUTO</tt:IrCutFilter></i:ImagingSettings></i:GetImagingSettingsResponse>',
  GetOptions: () =>
    '<i:GetOptionsResponse xmlns:i="http://www.onvif.org/ver20/imaging/wsdl"><i:ImagingOptions><tt:Brightness><tt:Min>0.00</tt:Min><tt:Max>255.00</tt:Max></tt:Brightness><tt:IrCutFilterModes>ON</tt:IrCutFilterModes><tt:IrCutFilterModes>AUTO</tt:IrCutFilterModes></i:ImagingOptions></i:GetOptionsResponse>',
  GetRelayOutputs: ({ path }) =>
    path.endsWith('DeviceIO')
      ? '<d:GetRelayOutputsResponse xmlns:d="http://www.onvif.org/ver10/deviceIO/wsdl"><d:RelayOutputs token="Relay &lt;1&gt;"><tt:Properties><tt:Mode>Monostable</tt:Mode><tt:DelayTime>PT5S</tt:DelayTime><tt:IdleState>open</tt:IdleState></tt:Properties></d:RelayOutputs></d:GetRelayOutputsResponse>'
      : fault('ter:ActionNotSupported', 'no'),
  SetRelayOutputState: () => '<d:SetRelayOutputStateResponse xmlns:d="http://www.onvif.org/ver10/deviceIO/wsdl"/>',
  GetDigitalInputs: () =>
    '<d:GetDigitalInputsResponse xmlns:d="http://www.onvif.org/ver10/deviceIO/wsdl"><d:DigitalInputs token="DI_A"/><d:DigitalInputs token="DI_B"/></d:GetDigitalInputsResponse>',
};
