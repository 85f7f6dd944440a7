import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Device } from '../devices/device.ts';
import { SDK_PORT } from '../isapi/parts/security.ts';
import { escapeXml, XML_HEAD } from '../isapi/xml.ts';

const parser = new XMLParser({ ignoreAttributes: true, parseTagValue: false, removeNSPrefix: true });

export type Probe = (name: string) => string | null;

/** The fields of a Probe; null: it is none. */
export function readProbe(datagram: Buffer): Probe | null {
  const text = datagram.toString('utf8');
  if (XMLValidator.validate(text) !== true) return null;
  const probe: unknown = parser.parse(text)?.Probe;
  if (typeof probe !== 'object' || probe === null) return null;
  return (name) => {
    const value = (probe as Record<string, unknown>)[name];
    return typeof value === 'string' ? value.trim() : null;
  };
}

/** `<QuestionList>` of a command: answers by the number of their question (unverified). */
export function readAnswers(datagram: Buffer): Map<number, string> {
  const list = parser.parse(datagram.toString('utf8'))?.Probe?.QuestionList?.Question ?? [];
  const answers = new Map<number, string>();
  for (const { ID, Answer } of Array.isArray(list) ? list : [list])
    if (Number(ID) > 0 && typeof Answer === 'string') answers.set(Number(ID), Answer.trim());
  return answers;
}

export const saltOf = (device: Device) => device.profile.mac.replaceAll('-', '').repeat(6).slice(0, 64);

/** Answer to a command other than an inquiry (sadp §4). */
export function commandAnswer(device: Device, probe: Probe, result: string, more = ''): string {
  return `${XML_HEAD}<ProbeMatch>
<Uuid>${escapeXml(probe('Uuid') ?? '')}</Uuid>
<MAC>${macOf(device)}</MAC>
<Types>${escapeXml(probe('Types') ?? '')}</Types>
<Result>${result}</Result>
${more}</ProbeMatch>
`;
}

const macOf = ({ profile: p }: Device) => (p.odd.macUpperCase ? p.mac.toUpperCase() : p.mac);

/** ProbeMatch of an inquiry (sadp §3): elements come and go with the firmware, and so does their order. */
export function probeMatch(device: Device, uuid: string, types: string): string {
  const { profile: p } = device;
  const flase = device.logins.locked ? 'true' : 'flase';
  const salt = p.odd.sadpPassword === 'salt' ? `<Salt>${saltOf(device)}</Salt>\n` : '';
  const recorder = p.analogChannels > 1;
  const secrets = `<Encrypt>true</Encrypt>\n${salt}`;
  const veryOld = p.odd.sadpPassword === 'plain';
  const tail = p.odd.macUpperCase
    ? `<HCPlatformEnable>flase</HCPlatformEnable>\n<DeviceLock>${flase}</DeviceLock>`
    : `<ResetAbility>false</ResetAbility>\n<HCPlatformEnable>flase</HCPlatformEnable>
<SupportSecurityQuestion>true</SupportSecurityQuestion>\n<SupportMailBox>true</SupportMailBox>
<DeviceLock>${flase}</DeviceLock>\n<SDKOverTLSPort>8443</SDKOverTLSPort>`;
  return `${XML_HEAD}<ProbeMatch>
<Uuid>${escapeXml(uuid)}</Uuid>
<Types>${types}</Types>
${recorder ? secrets : ''}<DeviceType>${p.sadpType}</DeviceType>
<DeviceDescription>${p.model}</DeviceDescription>
<DeviceSN>${p.serial}</DeviceSN>
<CommandPort>${SDK_PORT}</CommandPort>
<HttpPort>${device.httpPort}</HttpPort>
<MAC>${macOf(device)}</MAC>
<IPv4Address>${p.address}</IPv4Address>
<IPv4SubnetMask>${p.mask}</IPv4SubnetMask>
<IPv4Gateway>${p.gateway}</IPv4Gateway>
<IPv6Address>::</IPv6Address>
<IPv6Gateway>::</IPv6Gateway>
<IPv6MaskLen>64</IPv6MaskLen>
<DHCP>${p.dhcp}</DHCP>
<AnalogChannelNum>${p.analogChannels}</AnalogChannelNum>
<DigitalChannelNum>${p.digitalChannels}</DigitalChannelNum>
<SoftwareVersion>${p.firmware}${p.build}</SoftwareVersion>
<DSPVersion>V7.3 ${p.build}</DSPVersion>
<BootTime>1970-01-15 02:44:11</BootTime>
${veryOld ? '' : `<Activated>${device.factory.activated}</Activated>\n`}<PasswordResetAbility>true</PasswordResetAbility>
<OEMInfo>N/A</OEMInfo>
${recorder ? '' : secrets}${tail}
</ProbeMatch>
`;
}
