import { isIPv4 } from 'node:net';
import { clean, parseXml, text } from '../isapi/xml.ts';

/*
 * SADP (sadp.md §1–3): bare XML over UDP, one message a datagram.
 *
 *   we → 239.255.255.250:37020, subnet broadcast   <Probe><Uuid/><Types>inquiry</Types></Probe>
 *   device → the group, or whoever asked           <ProbeMatch>…</ProbeMatch>
 *
 * Fields come in any order, most may be missing, booleans are misspelled (`flase`), texts end in blanks.
 */
export const SADP_PORT = 37020;
const MAX_DATAGRAM_BYTES = 8 * 1024;
/** Devices send about forty elements; empty ones by the thousand cost more to read than anything else. */
const MAX_TAGS = 512;

export const inquiry = (uuid: string): Buffer =>
  Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>${uuid.toUpperCase()}</Uuid><Types>inquiry</Types></Probe>`,
  );

/** What a device says of itself. Identity is the MAC: factory addresses are shared by many. */
export interface SadpDevice {
  /** `68-6d-bc-ee-f8-f0` */
  mac: string;
  serial: string;
  model: string;
  firmware: string | null;
  address: string;
  subnetMask: string | null;
  gateway: string | null;
  httpPort: number | null;
  dhcp: boolean | null;
  activated: boolean | null;
  locked: boolean;
}

/**
 * Reads one datagram. `ignore`: an inquiry (our own comes back to us) or the answer to another command.
 * `source` stands in where the device does not name its address.
 */
export function readDatagram(bytes: Buffer, source: string): SadpDevice | 'ignore' | 'malformed' {
  if (bytes.length > MAX_DATAGRAM_BYTES || tags(bytes) > MAX_TAGS) return 'malformed';
  const doc = parseXml(bytes);
  if (doc?.root === 'Probe') return 'ignore';
  if (doc?.root !== 'ProbeMatch') return 'malformed';
  const field = (name: string, max = 64) => clean(text(doc.node, name), max);
  if (!/^inquiry/i.test(field('Types'))) return 'ignore';
  const mac = macOf(field('MAC'));
  const serial = field('DeviceSN');
  const model = field('DeviceDescription');
  if (!mac || (!serial && !model)) return 'malformed';
  const ip = (name: string) => (isIPv4(field(name)) ? field(name) : null);
  const bool = (name: string) => (field(name) === '' ? null : /^true$/i.test(field(name)));
  const port = Number(field('HttpPort'));
  return {
    mac,
    serial,
    model,
    firmware: clean(field('SoftwareVersion').replace(/(\S)build/, '$1 build'), 64) || null,
    address: ip('IPv4Address') ?? source,
    subnetMask: ip('IPv4SubnetMask'),
    gateway: ip('IPv4Gateway'),
    httpPort: Number.isInteger(port) && port > 0 && port < 65536 ? port : null,
    dhcp: bool('DHCP'),
    activated: bool('Activated'),
    locked: bool('DeviceLock') ?? false,
  };
}

function tags(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf('<'); at >= 0; at = bytes.indexOf('<', at + 1)) count++;
  return count;
}

/** A MAC in the one form that is compared, `68-6d-bc-ee-f8-f0`; null when it is none. */
export function macOf(written: string): string | null {
  const hex = written.toLowerCase().replace(/[-:.\s]/g, '');
  return /^[0-9a-f]{12}$/.test(hex) && !/^0+$/.test(hex) ? hex.match(/../g)!.join('-') : null;
}
