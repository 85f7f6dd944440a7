import { find, textOf, type XmlNode } from '../isapi/xml.ts';
import type { Encoder } from './camera-state.ts';
import type { OnvifContext, Operation } from './device-service.ts';
import { Fault } from './soap.ts';

const resolution = (e: Encoder) =>
  `<tt:Resolution><tt:Width>${e.width}</tt:Width><tt:Height>${e.height}</tt:Height></tt:Resolution>`;
const multicast =
  '<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>';

/** media1: GovLength is an element, and H.265 has no name. */
const encoder1 = (e: Encoder) =>
  `<tt:Name>${e.name}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>${e.encoding === 'H265' ? 'H264' : e.encoding}</tt:Encoding>${resolution(e)}<tt:Quality>${e.quality}</tt:Quality><tt:RateControl><tt:FrameRateLimit>${e.fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>${e.kbps}</tt:BitrateLimit></tt:RateControl><tt:H264><tt:GovLength>${e.gov}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>${multicast}<tt:SessionTimeout>PT60S</tt:SessionTimeout>`;
/** media2: GovLength and Profile are attributes. */
const encoder2 = (e: Encoder) =>
  `<tt:Name>${e.name}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>${e.encoding}</tt:Encoding>${resolution(e)}<tt:RateControl><tt:FrameRateLimit>${e.fps}</tt:FrameRateLimit><tt:BitrateLimit>${e.kbps}</tt:BitrateLimit></tt:RateControl>${multicast}<tt:Quality>${e.quality}</tt:Quality>`;

/** A camera has two streams. */
const sourceOf = (i: number) => Math.floor(i / 2) + 1;
const configurationOf = (i: number) => (i < 2 ? 'VideoSourceToken' : `VideoSourceToken_${sourceOf(i)}`);
const source = (n: number, i = 0) =>
  `<tt:Name>VideoSourceConfig</tt:Name><tt:UseCount>${n}</tt:UseCount><tt:SourceToken>VideoSource_${sourceOf(i)}</tt:SourceToken><tt:Bounds x="0" y="0" width="1280" height="720"/>`;
const ptzConfig =
  '<tt:Name>PTZ</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>PTZNODETOKEN</tt:NodeToken><tt:DefaultContinuousPanTiltVelocitySpace>http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace</tt:DefaultContinuousPanTiltVelocitySpace><tt:DefaultPTZTimeout>PT10S</tt:DefaultPTZTimeout>';
const tokenOf = (c: OnvifContext, i: number) => (c.odd().xaddrHost ? `profile <${i}> & more` : `Profile_${i}`);
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const profiles1 = (c: OnvifContext) =>
  c.state.encoders.map(
    (e, i) =>
      `<trt:Profiles token="${escaped(tokenOf(c, i + 1))}" fixed="true"><tt:Name>${e.name}</tt:Name><tt:VideoSourceConfiguration token="${configurationOf(i)}">${source(2, i)}</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="${e.token}">${encoder1(e)}</tt:VideoEncoderConfiguration>${c.hasPtz ? `<tt:PTZConfiguration token="PTZToken">${ptzConfig}</tt:PTZConfiguration>` : ''}</trt:Profiles>`,
  );
const profiles2 = (c: OnvifContext) =>
  c.state.encoders.map(
    (e, i) =>
      `<tr2:Profiles token="${escaped(tokenOf(c, i + 1))}" fixed="true"><tr2:Name>${e.name}</tr2:Name><tr2:Configurations><tr2:VideoSource token="${configurationOf(i)}">${source(2, i)}</tr2:VideoSource><tr2:VideoEncoder token="${e.token}" GovLength="${e.gov}" Profile="Main">${encoder2(e)}</tr2:VideoEncoder>${c.hasPtz ? `<tr2:PTZ token="PTZToken">${ptzConfig}</tr2:PTZ>` : ''}</tr2:Configurations></tr2:Profiles>`,
  );

function streamOf(c: OnvifContext, asked: XmlNode): number {
  const token = textOf(asked, 'ProfileToken') ?? '';
  const i = c.state.encoders.findIndex((_, n) => tokenOf(c, n + 1) === token);
  if (i < 0) throw new Fault('InvalidArgVal', 'NoProfile');
  return i + 1;
}

const rtsp = (c: OnvifContext, stream: number) => {
  const host = c.odd().xaddrHost ?? c.device.profile.address;
  return `rtsp://${host}:${c.device.rtspPort}/Streaming/Channels/${sourceOf(stream - 1)}0${2 - (stream % 2)}?transportmode=unicast&amp;profile=Profile_${stream}`;
};

function setEncoder(c: OnvifContext, asked: XmlNode, media2: boolean): void {
  const given = find(asked, 'Configuration');
  const e = c.state.encoders.find((one) => one.token === given?.attributes.token);
  if (!given || !e) throw new Fault('InvalidArgVal', 'NoConfig');
  const number = (path: string) => Number(textOf(given, path));
  const next: Encoder = {
    ...e,
    encoding: (textOf(given, 'Encoding') ?? '') as Encoder['encoding'],
    width: number('Resolution/Width'),
    height: number('Resolution/Height'),
    quality: number('Quality'),
    fps: number('RateControl/FrameRateLimit'),
    kbps: number('RateControl/BitrateLimit'),
    gov: media2 ? Number(given.attributes.GovLength ?? e.gov) : number('H264/GovLength'),
  };
  const codecs = media2 ? ['H264', 'H265', 'JPEG'] : ['H264', 'JPEG'];
  const numbers = [next.width, next.height, next.quality, next.fps, next.kbps, next.gov];
  // The complete configuration, and only values of its options.
  if (!codecs.includes(next.encoding) || numbers.some((n) => !(n >= 1)))
    throw new Fault('InvalidArgVal', 'ConfigModify');
  if (next.fps > 30 || next.kbps > 16384 || next.gov > 400) throw new Fault('InvalidArgVal', 'ConfigModify');
  Object.assign(e, next);
}

const options1 =
  '<trt:GetVideoEncoderConfigurationOptionsResponse><trt:Options><tt:QualityRange><tt:Min>1</tt:Min><tt:Max>6</tt:Max></tt:QualityRange><tt:H264><tt:ResolutionsAvailable><tt:Width>1280</tt:Width><tt:Height>720</tt:Height></tt:ResolutionsAvailable><tt:ResolutionsAvailable><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:ResolutionsAvailable><tt:GovLengthRange><tt:Min>1</tt:Min><tt:Max>400</tt:Max></tt:GovLengthRange><tt:FrameRateRange><tt:Min>1</tt:Min><tt:Max>30</tt:Max></tt:FrameRateRange><tt:EncodingIntervalRange><tt:Min>1</tt:Min><tt:Max>1</tt:Max></tt:EncodingIntervalRange><tt:H264ProfilesSupported>Main</tt:H264ProfilesSupported></tt:H264></trt:Options></trt:GetVideoEncoderConfigurationOptionsResponse>';
const options2 = `<tr2:GetVideoEncoderConfigurationOptionsResponse>${['H264', 'H265']
  .map(
    (codec) =>
      `<tr2:Options GovLengthRange="1 400" FrameRatesSupported="30 25 15 10 5 1" ProfilesSupported="Main"><tt:Encoding>${codec}</tt:Encoding><tt:QualityRange><tt:Min>1</tt:Min><tt:Max>6</tt:Max></tt:QualityRange><tt:ResolutionsAvailable><tt:Width>1280</tt:Width><tt:Height>720</tt:Height></tt:ResolutionsAvailable><tt:ResolutionsAvailable><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:ResolutionsAvailable><tt:BitrateRange><tt:Min>32</tt:Min><tt:Max>16384</tt:Max></tt:BitrateRange></tr2:Options>`,
  )
  .join('')}</tr2:GetVideoEncoderConfigurationOptionsResponse>`;

export const mediaOperations: Record<string, Operation> = {
  GetProfiles: (c) => `<trt:GetProfilesResponse>${profiles1(c).join('')}</trt:GetProfilesResponse>`,
  GetProfile: (c, asked) =>
    `<trt:GetProfileResponse>${profiles1(c)[streamOf(c, asked) - 1]!.replaceAll('trt:Profiles', 'trt:Profile')}</trt:GetProfileResponse>`,
  GetVideoSources: (c) =>
    `<trt:GetVideoSourcesResponse>${Array.from(
      { length: c.sources },
      (_, i) =>
        `<trt:VideoSources token="VideoSource_${i + 1}"><tt:Framerate>25</tt:Framerate><tt:Resolution><tt:Width>1280</tt:Width><tt:Height>720</tt:Height></tt:Resolution></trt:VideoSources>`,
    ).join('')}</trt:GetVideoSourcesResponse>`,
  GetVideoSourceConfigurations: () =>
    `<trt:GetVideoSourceConfigurationsResponse><trt:Configurations token="VideoSourceToken">${source(2)}</trt:Configurations></trt:GetVideoSourceConfigurationsResponse>`,
  GetVideoEncoderConfigurations: (c) =>
    `<trt:GetVideoEncoderConfigurationsResponse>${c.state.encoders.map((e) => `<trt:Configurations token="${e.token}">${encoder1(e)}</trt:Configurations>`).join('')}</trt:GetVideoEncoderConfigurationsResponse>`,
  GetVideoEncoderConfiguration: (c, asked) => {
    const e = c.state.encoders.find((one) => one.token === textOf(asked, 'ConfigurationToken'));
    if (!e) throw new Fault('InvalidArgVal', 'NoConfig');
    return `<trt:GetVideoEncoderConfigurationResponse><trt:Configuration token="${e.token}">${encoder1(e)}</trt:Configuration></trt:GetVideoEncoderConfigurationResponse>`;
  },
  SetVideoEncoderConfiguration: (c, asked) => {
    setEncoder(c, asked, false);
    return '<trt:SetVideoEncoderConfigurationResponse/>';
  },
  GetVideoEncoderConfigurationOptions: () => options1,
  GetStreamUri: (c, asked) => {
    if (!find(asked, 'StreamSetup')) throw new Fault('InvalidArgVal', 'InvalidStreamSetup');
    const uri = rtsp(c, streamOf(c, asked));
    return `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>\n ${uri} </tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>true</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`;
  },
  GetSnapshotUri: (c, asked) => {
    const uri = c.url(`/onvif/snapshot?channel=${streamOf(c, asked)}`);
    return `<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>${uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetSnapshotUriResponse>`;
  },
  GetServiceCapabilities: () =>
    '<trt:GetServiceCapabilitiesResponse><trt:Capabilities SnapshotUri="true"/></trt:GetServiceCapabilitiesResponse>',
};

export const media2Operations: Record<string, Operation> = {
  GetProfiles: (c) => `<tr2:GetProfilesResponse>${profiles2(c).join('')}</tr2:GetProfilesResponse>`,
  GetVideoEncoderConfigurations: (c) =>
    `<tr2:GetVideoEncoderConfigurationsResponse>${c.state.encoders.map((e) => `<tr2:Configurations token="${e.token}" GovLength="${e.gov}" Profile="Main">${encoder2(e)}</tr2:Configurations>`).join('')}</tr2:GetVideoEncoderConfigurationsResponse>`,
  SetVideoEncoderConfiguration: (c, asked) => {
    setEncoder(c, asked, true);
    return '<tr2:SetVideoEncoderConfigurationResponse/>';
  },
  GetVideoEncoderConfigurationOptions: () => options2,
  GetStreamUri: (c, asked) =>
    `<tr2:GetStreamUriResponse><tr2:Uri>${rtsp(c, streamOf(c, asked))}</tr2:Uri></tr2:GetStreamUriResponse>`,
  GetSnapshotUri: (c, asked) =>
    `<tr2:GetSnapshotUriResponse><tr2:Uri>${c.url(`/onvif/snapshot?channel=${streamOf(c, asked)}`)}</tr2:Uri></tr2:GetSnapshotUriResponse>`,
  GetServiceCapabilities: () =>
    '<tr2:GetServiceCapabilitiesResponse><tr2:Capabilities SnapshotUri="true"/></tr2:GetServiceCapabilitiesResponse>',
};
