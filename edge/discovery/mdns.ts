import { clean } from '../isapi/xml.ts';
import { type DnsRecord, ptrQuery, readDns } from './dns.ts';
import { looksLikeDevice } from './makers.ts';
import { macOf } from './sadp.ts';

/*
 * Multicast DNS (RFC 6762, RFC 6763): cameras with Bonjour switched on name themselves `HIKVISION DS-2CD… - 733050127`
 * (sadp.md §10), others like `AXIS M1065-L - ACCC8E123456`, each under several services.
 */
export const MDNS_GROUP = '224.0.0.251';
export const MDNS_PORT = 5353;
const MAX_DATAGRAM_BYTES = 9_000;
const MAX_INSTANCES = 16;

/** Services whose mere name tells a video device; `_http` has printers, too. */
const VIDEO = ['_psia', '_CGI', '_onvif', '_axis-video', '_rtsp'];
const WEB = ['_http', '_psia', '_CGI', '_onvif', '_axis-video'];
const SERVICES = ['_http', ...VIDEO];

export const mdnsQuery = (): Buffer => ptrQuery(SERVICES.map((service) => [service, '_tcp', 'local']));

/** What a device says of itself. Its address is where the datagram came from. */
export interface MdnsDevice {
  /** The name of its services, its identity while neither serial nor MAC is known. */
  instance: string;
  mac: string | null;
  serial: string;
  model: string;
  httpPort: number | null;
}
export type MdnsMessage = { found: MdnsDevice[]; gone: string[] } | 'ignore' | 'malformed';

/** Reads one datagram. `ignore`: questions, what is no video device, and what a reflector brings from elsewhere. */
export function readMdns(bytes: Buffer, source: string): MdnsMessage {
  if (bytes.length > MAX_DATAGRAM_BYTES) return 'malformed';
  const records = readDns(bytes);
  if (records === null) return 'malformed';
  if (records === 'ignore') return 'ignore';
  const addresses = records.flatMap((r) => (r.type === 'A' ? [r.address] : []));
  if (addresses.length > 0 && !addresses.includes(source)) return 'ignore';
  const instances = new Map<string, DnsRecord[]>();
  for (const record of records) {
    const name = record.type === 'PTR' ? record.target : record.name;
    const [instance, service, transport] = name.slice(0, 3);
    if (record.type === 'A' || name.length !== 4 || transport !== '_tcp' || !isOneOf(SERVICES, service)) continue;
    const known = instances.get(instance!);
    if (known) known.push(record);
    else if (instances.size < MAX_INSTANCES) instances.set(instance!, [record]);
  }
  const found: MdnsDevice[] = [];
  const gone: string[] = [];
  for (const [instance, said] of instances) {
    const pointers = said.filter((r) => r.type === 'PTR');
    if (pointers.length > 0 && pointers.every((r) => r.ttl === 0)) gone.push(clean(instance, 64));
    else {
      const device = deviceOf(instance, said);
      if (device) found.push(device);
    }
  }
  return found.length + gone.length > 0 ? { found, gone } : 'ignore';
}

const isOneOf = (services: string[], name: string | undefined) =>
  services.some((service) => service.toLowerCase() === name?.toLowerCase());

function deviceOf(instance: string, said: DnsRecord[]): MdnsDevice | null {
  const service = (r: DnsRecord) => (r.type === 'PTR' ? r.target : r.name)[1];
  if (!looksLikeDevice(instance) && !said.some((r) => isOneOf(VIDEO, service(r)))) return null;
  const texts = new Map<string, string>();
  for (const record of said) {
    for (const text of record.type === 'TXT' ? record.texts : []) {
      const cut = text.indexOf('=');
      if (cut > 0) texts.set(text.slice(0, cut).toLowerCase(), clean(text.slice(cut + 1), 64));
    }
  }
  const told = (...keys: string[]) => keys.map((key) => texts.get(key)).find((value) => value) ?? '';
  // `MAKER MODEL - SERIAL`, each part as far as it is there.
  const [, name, last = ''] = /^(.*?)(?:\s+-\s+([\w-]{6,40}))?$/s.exec(clean(instance, 64)) ?? [];
  const web = said.find((r) => r.type === 'SRV' && r.port > 0 && isOneOf(WEB, service(r)));
  return {
    instance: clean(instance, 64),
    mac: macOf(told('macaddress', 'mac')) ?? macOf(last),
    serial: told('serial', 'serialnumber', 'sn') || (macOf(last) ? '' : last),
    model: told('model', 'md') || (name ?? '').replace(/^(hikvision|axis)\s+/i, '') || clean(instance, 64),
    httpPort: web?.type === 'SRV' ? web.port : null,
  };
}
